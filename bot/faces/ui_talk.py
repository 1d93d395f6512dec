"""One visitor's conversation on the chat page, as frozen values.

Comes in: questions and finished answers. Goes out: the history the next question is asked with. Held by the open page
only, never read back from what a browser sends. Does not know: how anything is shown, or how an answer is found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.reply import Kind, Turn

KEPT = 40  # exchanges shown; older ones leave the page


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and what came back, ready to show: `said` is Markdown, `sources` a piece of the panel.

    `kind` is None where nothing was answered: a stopped question, or a fault.
    """

    asked: str
    said: str
    kind: Kind | None = None
    cited: tuple[str, ...] = ()
    topic: str | None = None
    sources: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """The exchanges, oldest first, and what is under way.

    `asking` is the question being answered, if any. `since` is where the history of the next question starts: removing
    the topic moves it to the end. `serial` counts the questions, so that the links of each answer are its own.
    """

    exchanges: tuple[Exchange, ...] = ()
    asking: str | None = None
    since: int = 0
    serial: int = 0

    @property
    def history(self) -> tuple[Turn, ...]:
        """The turns that count for the next question, oldest first."""
        return tuple(Turn(one.asked, one.cited) for one in self.exchanges[self.since :] if one.kind)

    @property
    def topic(self) -> str | None:
        """What a follow-up is taken to be about, or None: "thanks" changes it not, a signpost hides it."""
        if self.last and self.last.kind == Kind.URGENT:
            return None
        return next((one.topic for one in reversed(self.exchanges[self.since :]) if one.topic), None)

    @property
    def last(self) -> Exchange | None:
        """The newest exchange, or None."""
        return self.exchanges[-1] if self.exchanges else None

    def ask(self, asked: str) -> Talk:
        """With a question on its way."""
        return replace(self, asking=asked, serial=self.serial + 1)

    def add(self, exchange: Exchange) -> Talk:
        """With that question answered; the oldest exchange leaves a long conversation."""
        dropped = max(0, len(self.exchanges) + 1 - KEPT)
        kept = (*self.exchanges, exchange)[dropped:]
        return replace(self, exchanges=kept, asking=None, since=max(0, self.since - dropped))

    def before(self, place: int) -> Talk:
        """As it was before the exchange at `place`."""
        return replace(self, exchanges=self.exchanges[:place], asking=None, since=min(self.since, place))

    def forget_topic(self) -> Talk:
        """With nothing carried into the next question."""
        return replace(self, since=len(self.exchanges))

    def clear(self) -> Talk:
        """Empty; the count goes on, so that a link of before points nowhere."""
        return Talk(serial=self.serial)
