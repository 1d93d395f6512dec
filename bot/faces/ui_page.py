"""What happens on the chat page: each event takes the visitor's conversation and gives all that then changes.

Comes in: what was asked or pressed, and the `Talk` the server holds. Goes out: new values for the page's parts. What a
browser claims about the conversation is not believed. Does not know: where on the page a part stands.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from math import ceil
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from bot.bot import Bot
from bot.compose import STARTERS, Speaker
from bot.faces import ui_parts as parts
from bot.faces.limiting import QUESTION, Limits
from bot.faces.tally import REASONS, Tally
from bot.faces.ui_talk import Exchange, Talk
from bot.reply import Reply

LONGEST = 2000  # characters of a question
_LOG = logging.getLogger("milkwise")


class Page:
    """What the page does: each event takes the visitor's `Talk` and gives all that then changes on the page."""

    def __init__(self, bot: Bot, locale: str, tally: Tally, limits: Limits) -> None:
        self.bot, self.locale, self.tally, self.limits = bot, locale, tally, limits
        self.reasons = tuple(map(self.say, REASONS)) if tally.journal else ()

    @property
    def looking(self) -> str:
        """How many documents are looked through."""
        count = len(self.bot.index.documents())
        return self.say("looking-one") if count == 1 else self.say("looking", n=count)

    def starters(self) -> list[dict[str, Any]]:
        """The first questions, one a button, from the documents of today; a button too many is not shown."""
        questions = Speaker(self.bot.index, self.bot.words, self.locale).starters()
        spare = STARTERS - len(questions)
        return [{"value": question, "visible": bool(question)} for question in (*questions, *[""] * spare)]

    def say(self, id: str, **values: Any) -> str:
        """A phrase in the page's language."""
        return self.bot.words.text(id, self.locale, **values)

    async def ask(self, asked: str, talk: Talk, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Answer a question, claim by claim; say how long to wait where too many came from one address."""
        asked = asked.strip()
        if not asked or len(asked) > LONGEST or talk.asking is not None:
            yield self.view(talk)
            return
        talk = talk.ask(asked)
        yield self.view(talk, f"*{self.looking}*")
        if full := self.limits.full(QUESTION, request.client.host if request.client else ""):
            said = self.say("error-wait", minutes=ceil(full.seconds / 60))
            yield self.view(talk.add(Exchange(asked, f"*{said}*")))
            return
        try:
            reply = await run_in_threadpool(self.bot.reply, asked, talk.history, self.locale)
        except Exception as fault:  # the message may hold the question: its type alone is logged
            _LOG.error("%s while the chat page answered", type(fault).__name__)
            yield self.view(talk.add(Exchange(asked, f"*{self.say('error')}*")))
            return
        *begun, said = parts.steps(reply, asked, talk.serial, self.say)
        for step in begun:
            yield self.view(talk, step)
        yield self.view(talk.add(self._exchange(asked, said, reply, talk.serial)))

    async def typed(self, asked: str, talk: Talk, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Answer what stands in the box; the box is emptied once, so that the next question can be typed meanwhile."""
        box: Any = gr.skip() if talk.asking is not None else ""
        async for view in self.ask(asked, talk, request):
            yield [box, *view]
            box = gr.skip()

    async def choose(self, talk: Talk, chosen: gr.SelectData, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Ask a suggestion under the newest answer; what the browser says it was is checked."""
        if talk.last and chosen.value in talk.last.options:
            async for view in self.ask(chosen.value, talk, request):
                yield view

    async def retry(self, talk: Talk, request: gr.Request) -> AsyncIterator[list[Any]]:
        """Ask the newest question again, as if it had not been answered."""
        if talk.last and talk.asking is None:
            async for view in self.ask(talk.last.asked, talk.before(len(talk.exchanges) - 1), request):
                yield view

    def settle(self, talk: Talk) -> list[Any]:
        """What follows every answer: a question still open was stopped."""
        if talk.asking is not None:
            talk = talk.add(Exchange(talk.asking, f"*{self.say('stopped')}*"))
        return self.view(talk)

    def forget(self, talk: Talk) -> list[Any]:
        """The topic chip was removed: the next question is asked with an empty history."""
        return self.view(talk.forget_topic())

    def clear(self, talk: Talk) -> list[Any]:
        """Start again."""
        return self.view(talk.clear())

    def thumb(self, talk: Talk, vote: gr.LikeData) -> None:
        """Count a thumb by the kind of answer; no text is kept unless the operator keeps a journal."""
        place = vote.index // 2 if isinstance(vote.index, int) else -1
        voted = talk.exchanges[place] if 0 <= place < len(talk.exchanges) else None
        if voted and voted.kind and (isinstance(vote.liked, bool) or vote.liked in self.reasons):
            liked = vote.liked is True
            reason = None if isinstance(vote.liked, bool) else vote.liked
            self.tally.count("up" if liked else "down", voted.kind.value, reason, voted.asked)

    def view(self, talk: Talk, saying: str = "") -> list[Any]:
        """New values for talk, chat, panel, its column, welcome, tools, topic, Clear, Ask and Stop, in that order."""
        sources = parts.panel(talk, self.say)
        empty, busy, topic = not (talk.exchanges or talk.asking), talk.asking is not None, talk.topic
        about = self.say("about", topic=topic) if topic else ""
        return [
            talk,
            parts.messages(talk, saying),
            sources,
            gr.update(visible=bool(sources)),
            gr.update(visible=empty),
            gr.update(visible=not empty),
            gr.update(visible=bool(topic), value=about, interactive=not busy),
            gr.update(interactive=not busy),
            gr.update(visible=not busy),
            gr.update(visible=busy),
        ]

    def _exchange(self, asked: str, said: str, reply: Reply, serial: int) -> Exchange:
        return Exchange(
            asked,
            said,
            kind=reply.kind,
            cited=tuple(dict.fromkeys(citation.passage.id for citation in reply.citations)),
            topic=reply.topic,
            sources=parts.sources(reply, serial, self.say, self.bot.settings.review_months),
            options=reply.suggestions,
        )
