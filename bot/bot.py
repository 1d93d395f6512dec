"""The conversation, in one method: a question and its history in, one sourced reply out.

Comes in: an index, settings, rules and words. Goes out: a `Reply`. Remembers nothing between questions. Does not know:
HTTP, terminals, pages, or how an index is built.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from bot import compose
from bot.intent import load_intent
from bot.language import spoken, tongues
from bot.quotes import briefly
from bot.reply import UNSURE, Evidence, Query, Reply, Rule, Turn
from bot.rewrite import rewrite
from bot.scorer import load_scorer
from bot.settings import Settings, hush, load
from bot.spelling import lexicon, public
from bot.triage import load_rules, triage
from bot.weigh import load_weights, weigh
from bot.words import KEPT, SENT, Words
from corpus.document import Sentence
from index.contract import Hit
from index.home import Home, is_address, open_index, renewed
from index.index import Index

if TYPE_CHECKING:
    from bot.voice import Voice

HISTORY = 20
TRIED = 2000  # questions of which it is kept whether the documents answer them
P = ParamSpec("P")
T = TypeVar("T")


class Observer(Protocol):
    """Is told how long each stage took and what was replied. It is not asked."""

    def stage(self, name: str, seconds: float) -> None:
        """One stage of a reply is done."""

    def replied(self, reply: Reply) -> None:
        """A reply is ready."""


@dataclass(frozen=True, slots=True)
class Look:
    """One question, what was found for it, and what of that answers it."""

    query: Query
    hits: Sequence[Hit]
    evidence: Evidence


def together(looks: Sequence[Look]) -> Look:
    """Several questions of one message as one: every hit once, the answers one after another, the least confidence."""
    if len(looks) == 1:
        return looks[0]
    queries, able = [look.query for look in looks], [look for look in looks if look.evidence]
    hits = {hit.passage.id: hit for row in zip_longest(*(look.hits for look in looks)) for hit in row if hit}
    query = replace(queries[-1], text=" ".join(query.text for query in queries))
    if not able:
        return Look(query, tuple(hits.values()), min((look.evidence for look in looks), key=lambda one: one.confidence))
    sentences = briefly([look.evidence.sentences for look in able])
    return Look(
        query, tuple(hits.values()), Evidence(sentences, min(look.evidence.confidence for look in able), "covered")
    )


class Bot:
    """Answers from one open index. Safe to share between threads: it holds no state of any conversation.

    `renew` puts another index in place at any time: a reply under way stays with the one it began with. `voice` is the
    model that introduces answers, where the settings name one to `open`.
    """

    def __init__(self, index: Index, settings: Settings, rules: Sequence[Rule], words: Words) -> None:
        self.index, self.settings, self.rules, self.words = index, settings, rules, words
        self.observers: tuple[Observer, ...] = ()
        self.voice: Voice | None = None
        self.answers = lru_cache(TRIED)(self._answers)  # of the documents' own questions, so nothing of a visitor's
        self.intent = load_intent(index.encoder)

    @classmethod
    def open(cls, home: Home | None = None, settings: Settings | None = None) -> Bot:
        """Open the index in a folder or database (default: the settings') with the shipped rules and words.

        Raises IndexFault, and SettingsError where a model's key is not in the environment.
        """
        hush()
        settings = settings or load()
        if home is not None:
            database = is_address(home)
            update = {"store": str(home)} if database else {"store": "", "index": Path(home)}
            settings = settings.model_copy(update=update)
        words = Words.load()
        if settings.journal.on:
            words = words.telling(KEPT, days=settings.journal.days)
        modelled = settings.composer.kind == "model"
        if modelled:
            words = words.telling(SENT, who=settings.composer.told(settings.title))
        load_weights(), load_scorer()  # a file that does not fit stops the start, not the first question
        index = open_index(settings.home, settings.encoder)
        lexicon(index)  # gathered now, so that the first question does not wait for it
        bot = cls(index, settings, load_rules(words), words)
        if modelled:
            from bot.voice import Voice  # here, since few want one

            bot.voice = Voice(settings, words, bot.nobodys)
        return bot

    def renew(self) -> bool:
        """Answer from the index now in use, where a build has put another in place; whether it has.

        Answers under way end on the one they began with. Raises IndexFault where the new one is unusable: the bot goes
        on with the one it has.
        """
        fresh = renewed(self.index, self.settings.home, self.settings.encoder)
        if fresh:
            lexicon(fresh)
            self.index, self.intent = fresh, load_intent(fresh.encoder)
            self.answers = lru_cache(TRIED)(self._answers)
        return fresh is not None

    def reply(
        self, asked: str, history: Sequence[Turn] = (), locale: str | None = None, *, plain: bool = False
    ) -> Reply:
        """Answer one question. `history` is oldest first, its last 20 turns count; unknown ids in it are ignored.

        `plain` leaves out a model's words, and asks none: for whoever counts or compares answers.
        """
        start = time.perf_counter()
        still = copy(self)  # of one index, whatever `renew` puts in its place meanwhile
        still.voice = None if plain else self.voice
        reply = still._reply(asked.strip(), history[-HISTORY:], locale or self.settings.locale)
        reply = reply.timed((time.perf_counter() - start) * 1000)
        for observer in self.observers:
            observer.replied(reply)
        return reply

    def turn(self, asked: str, history: Sequence[Turn] = (), locale: str | None = None) -> Turn:
        """The turn a question makes in a history: what its answer cites. For callers that kept only the questions."""
        still = copy(self)
        still.voice = None
        reply = still._reply(asked.strip(), history[-HISTORY:], locale or self.settings.locale)
        return Turn(asked, tuple(citation.passage.id for citation in reply.citations))

    def nobodys(self, word: str) -> bool:
        """Whether a word, as typed, is nobody's name by the documents in use now: for whoever redacts."""
        return public(word, self.index)

    def _reply(self, asked: str, history: Sequence[Turn], locale: str) -> Reply:
        say = compose.Speaker(self.index, self.words, locale, (turn.asked for turn in history), self.answers)
        rule = self._timed(triage, asked, history, self.rules, self.intent)  # safety before search
        if rule and rule.stops:
            return say.rule(rule, asked)
        looks = self.look(asked, history)
        both = together(looks)
        query, hits, evidence = both.query, both.hits, both.evidence
        language = _foreign(asked, self.index)
        if rule and not (rule.meaning == UNSURE and language):
            return say.refer(rule, query, hits, evidence)  # in a language it can't read, `foreign` names a number too
        if language:  # what seems to answer was judged by a reader of another language
            return say.foreign(language, query, hits, evidence)
        if query.unclear and not evidence:
            return say.clarify(query, hits)
        if not evidence:
            return say.abstain(query, hits, evidence)
        left = tuple(one.query.text for one in looks if not one.evidence)
        reply = say.answer(query, hits, evidence, left)  # only what they say
        return self._timed(self.voice.introduce, reply, len(looks) > 1) if self.voice else reply

    def look(self, asked: str, history: Sequence[Turn], threshold: float | None = None) -> tuple[Look, ...]:
        """Each question of a message made to stand alone, looked up and weighed. `threshold` as in `weigh`."""
        queries = self._timed(rewrite, asked, self._looked_up(history), self.index, lru_cache(self._answered))
        return tuple(self._look(query, threshold) for query in queries)

    def _answers(self, question: str) -> bool:
        """Whether the documents answer a question, asked by itself."""
        return not triage(question, (), self.rules) and bool(self._look(Query(question, question)).evidence)

    def _look(self, query: Query, threshold: float | None = None) -> Look:
        hits = self._timed(self.index.search, query.text, self.settings.top_k)  # look
        return Look(query, hits, self._timed(weigh, query, hits, self.index, threshold))  # believe, or decline

    def _answered(self, query: Query) -> tuple[Sentence, ...]:
        return self._look(query).evidence.sentences

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


def _foreign(asked: str, index: Index) -> str:
    """The language of a question that none of the documents is in; "" where it is one of theirs, or cannot be told."""
    ours, language = tongues(index), spoken(asked)
    return "" if language in ours or not ours else language
