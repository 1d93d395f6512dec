"""The conversation, in one method: a question and its history in, one sourced reply out.

Comes in: an index, settings, rules and words. Goes out: a `Reply`. Remembers nothing between questions. Does not know:
HTTP, terminals, pages, or how an index is built.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bot import compose
from bot.reply import Reply, Rule, Turn
from bot.rewrite import rewrite
from bot.settings import Settings, hush, load
from bot.triage import load_rules, triage
from bot.weigh import load_weights, weigh
from bot.words import Words
from index.home import is_address, open_index, renewed
from index.index import Index

HISTORY = 20


class Bot:
    """Answers from one open index. Safe to share between threads: it holds no state of any conversation."""

    def __init__(self, index: Index, settings: Settings, rules: Sequence[Rule], words: Words) -> None:
        self.index, self.settings, self.rules, self.words = index, settings, rules, words

    @classmethod
    def open(cls, home: Path | str | None = None, settings: Settings | None = None) -> Bot:
        """Open the index in a folder or database (default: the settings') with the shipped rules and words.

        Raises IndexFault.
        """
        hush()
        settings = settings or load()
        if home is not None:
            database = is_address(home)
            update = {"store": str(home)} if database else {"store": "", "index": Path(home)}
            settings = settings.model_copy(update=update)
        words = Words.load()
        load_weights()  # a file that does not fit stops the start, not the first question
        return cls(open_index(settings.home, settings.encoder), settings, load_rules(words), words)

    def renew(self) -> bool:
        """Answer from the generation in use now where that is another; whether it was. Answers under way end as begun.

        Raises IndexFault where the other one cannot be used; the one open then goes on serving.
        """
        fresh = renewed(self.index, self.settings.home, self.settings.encoder)
        if fresh:
            self.index = fresh
        return fresh is not None

    def reply(self, asked: str, history: Sequence[Turn] = (), locale: str | None = None) -> Reply:
        """Answer one question. `history` is oldest first, its last 20 turns count; unknown ids in it are ignored."""
        start = time.perf_counter()
        reply = self._reply(asked.strip(), history[-HISTORY:], locale or self.settings.locale)
        return reply.timed((time.perf_counter() - start) * 1000)

    def _reply(self, asked: str, history: Sequence[Turn], locale: str) -> Reply:
        index = self.index  # one generation for the whole reply
        say = compose.Speaker(index, self.words, locale, (turn.asked for turn in history))
        rule = triage(asked, history, self.rules)  # safety before search
        if rule and rule.stops:
            return say.rule(rule, asked)
        query = rewrite(asked, self._looked_up(history), index)  # a follow-up stands alone
        hits = index.search(query.text, self.settings.top_k)  # look
        evidence = weigh(query, hits, index)  # believe, or decline
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
