"""The conversation, in one method: a question and its history in, one sourced reply out.

Comes in: an index, settings, rules and words. Goes out: a `Reply`. Remembers nothing between questions. Does not know:
HTTP, terminals, pages, or how an index is built.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from bot import compose
from bot.reply import Reply, Rule, Turn
from bot.rewrite import rewrite
from bot.settings import Settings, hush, load
from bot.triage import load_rules, triage
from bot.weigh import load_weights, weigh
from bot.words import Words
from index.index import Index

HISTORY = 20
P = ParamSpec("P")
T = TypeVar("T")


class Observer(Protocol):
    """Is told how long each stage took and what was replied. It is not asked, and keeps no words."""

    def stage(self, name: str, seconds: float) -> None:
        """One stage of a reply is done."""

    def replied(self, reply: Reply) -> None:
        """A reply is ready."""


class Bot:
    """Answers from one open index. Safe to share between threads: it holds no state of any conversation."""

    def __init__(self, index: Index, settings: Settings, rules: Sequence[Rule], words: Words) -> None:
        self.index, self.settings, self.rules, self.words = index, settings, rules, words
        self.observers: tuple[Observer, ...] = ()

    @classmethod
    def open(cls, path: Path | str | None = None, settings: Settings | None = None) -> Bot:
        """Open the index at `path` (default: the settings') with the shipped rules and words. Raises IndexFault."""
        hush()
        settings = settings or load(index=path)
        words = Words.load()
        load_weights()  # a file that does not fit stops the start, not the first question
        return cls(Index.open(Path(path or settings.index), settings.encoder), settings, load_rules(words), words)

    def renew(self) -> bool:
        """Answer from the index now in use, where a build has put another in place; whether it has.

        Answers under way end on the one they began with. Raises IndexFault where the new one is unusable: the bot goes
        on with the one it has.
        """
        if fresh := self.index.renewed():
            self.index = fresh
        return fresh is not None

    def reply(self, asked: str, history: Sequence[Turn] = (), locale: str | None = None) -> Reply:
        """Answer one question. `history` is oldest first, its last 20 turns count; unknown ids in it are ignored."""
        start = time.perf_counter()
        still = copy(self)  # of one index, whatever `renew` puts in its place meanwhile
        reply = still._reply(asked.strip(), history[-HISTORY:], locale or self.settings.locale)
        reply = reply.timed((time.perf_counter() - start) * 1000)
        for observer in self.observers:
            observer.replied(reply)
        return reply

    def turn(self, asked: str, history: Sequence[Turn] = (), locale: str | None = None) -> Turn:
        """The turn a question makes in a history: what its answer cites. For callers that kept only the questions."""
        reply = self._reply(asked.strip(), history[-HISTORY:], locale or self.settings.locale)
        return Turn(asked, tuple(citation.passage.id for citation in reply.citations))

    def _reply(self, asked: str, history: Sequence[Turn], locale: str) -> Reply:
        say = compose.Speaker(self.index, self.words, locale, (turn.asked for turn in history))
        rule = self._timed(triage, asked, history, self.rules)  # safety before search
        if rule and rule.stops:
            return say.rule(rule, asked)
        query = self._timed(rewrite, asked, self._looked_up(history), self.index)  # a follow-up stands alone
        hits = self._timed(self.index.search, query.text, self.settings.top_k)  # look
        evidence = self._timed(weigh, query, hits, self.index)  # believe, or decline
        if rule:
            return say.refer(rule, query, hits, evidence)
        if query.unclear:
            return say.clarify(query, hits)
        if not evidence:
            return say.abstain(query, hits, evidence)
        return say.answer(query, hits, evidence)  # only what they say

    def _looked_up(self, history: Sequence[Turn]) -> list[Turn]:
        """The turns that were questions to the documents: a greeting or an emergency is no topic to carry."""
        rules = [triage(turn.asked, (), self.rules) for turn in history]
        return [turn for turn, rule in zip(history, rules, strict=True) if not (rule and rule.stops)]

    def _timed(self, stage: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one stage, and tell the observers how long it took."""
        start = time.perf_counter()
        done = stage(*args, **kwargs)
        for observer in self.observers:
            observer.stage(stage.__name__, time.perf_counter() - start)
        return done
