"""Which golden cases answer differently after a change of the documents.

Comes in: the bot before, the bot after, cases. Goes out: one `Difference` for each case whose kind of reply or quotes
are not the same. Does not know: what changed, or who is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.bot import Bot
from bot.golden import Case
from bot.measure import right
from bot.reply import Reply, Turn


@dataclass(frozen=True, slots=True)
class Difference:
    """One case: what it got before and gets now, in a few words; `verdict` says where that is now right or wrong."""

    ask: str
    before: str
    after: str
    verdict: str

    def __str__(self) -> str:
        verdict = f" ({self.verdict})" if self.verdict else ""
        return f"{self.ask}{verdict}\n  before: {self.before}\n  now:    {self.after}"


def differences(before: Bot, after: Bot, cases: Sequence[Case]) -> tuple[Difference, ...]:
    """Ask both bots every case, earlier turns of its conversation first."""
    found = []
    for case, old, new in zip(cases, _replies(before, cases), _replies(after, cases), strict=True):
        if _said(old) == _said(new):
            continue
        was, now = right(case, old), right(case, new)
        verdict = "" if was == now else "now right" if now else "now wrong"
        found.append(Difference(case.ask, _shown(old), _shown(new), verdict))
    return tuple(found)


def _replies(bot: Bot, cases: Sequence[Case]) -> Iterator[Reply]:
    quiet = Bot(bot.index, bot.settings, bot.rules, bot.words)  # no visitor asks here
    history: list[Turn] = []
    for case in cases:
        history = history[-len(case.before) :] if case.before else []
        reply = quiet.reply(case.ask, history)
        yield reply
        history = [*history, Turn(case.ask, tuple(dict.fromkeys(one.passage.id for one in reply.citations)))]


def _said(reply: Reply) -> tuple[str, ...]:
    return (reply.kind, *(citation.quote for citation in reply.citations))


def _shown(reply: Reply) -> str:
    quotes = " ".join(citation.quote for citation in reply.citations)
    return f"{reply.kind}: “{quotes}”" if quotes else str(reply.kind)
