"""The conversation, in one method: a question and its history in, one sourced reply out.

Comes in: an index, settings, rules and words. Goes out: a `Reply`. Remembers nothing between questions. Does not know:
HTTP, terminals, pages, or how an index is built.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bot import compose
from bot.intent import load_intent
from bot.reply import Reply, Rule, Turn
from bot.rewrite import rewrite
from bot.settings import Settings, hush, load
from bot.triage import load_rules, triage
from bot.weigh import load_weights, weigh
from bot.words import Words
from index.index import Index

HISTORY = 20


class Bot:
    """Answers from one open index. Safe to share between threads: it holds no state of any conversation."""

    def __init__(self, index: Index, settings: Settings, rules: Sequence[Rule], words: Words) -> None:
        self.index, self.settings, self.rules, self.words = index, settings, rules, words
        self.intent = load_intent(index.encoder)

    @classmethod
    def open(cls, path: Path | str | None = None, settings: Settings | None = None) -> Bot:
        """Open the index at `path` (default: the settings') with the shipped rules and words. Raises IndexFault."""
        hush()
        settings = settings or load(index=path)
        words = Words.load()
        load_weights()  # a file that does not fit stops the start, not the first question
        return cls(Index.open(Path(path or settings.index), settings.encoder), settings, load_rules(words), words)

    def reply(self, asked: str, history: Sequence[Turn] = (), locale: str | None = None) -> Reply:
        """Answer one question. `history` is oldest first, its last 20 turns count; unknown ids in it are ignored."""
        start = time.perf_counter()
        with self.index.encoder.recalling():  # no text passes through the encoder twice
            reply = self._reply(asked.strip(), history[-HISTORY:], locale or self.settings.locale)
        return reply.timed((time.perf_counter() - start) * 1000)

    def _reply(self, asked: str, history: Sequence[Turn], locale: str) -> Reply:
        say = compose.Speaker(self.index, self.words, locale, (turn.asked for turn in history))
        rule = triage(asked, history, self.rules, self.intent)  # safety before search
        if rule and rule.stops:
            return say.rule(rule, asked)
        query = rewrite(asked, self._looked_up(history), self.index)  # a follow-up stands alone
        hits = self.index.search(query.text, self.settings.top_k)  # look
        evidence = weigh(query, hits, self.index)  # believe, or decline
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
