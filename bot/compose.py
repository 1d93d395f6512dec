"""Evidence to sourced claims: an answer, a refusal that helps, a referral, a signpost, a greeting.

Comes in: a rule, or a query with its hits and evidence. Goes out: a `Reply`. Says only quotes, and phrases from the
phrases files. Does not know: why evidence was believed, or how a reply is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice, zip_longest
from typing import Any

from bot.language import tongues
from bot.reply import Citation, Claim, Contact, Evidence, Kind, Query, Reply, Rule
from bot.suggest import nearest, plain, questions, titled, turn_to
from bot.words import Words
from corpus.document import Sentence
from index.contract import Hit
from index.index import Index

SUGGESTIONS = 3
STARTERS = 4
REFUSALS = {  # why weighing declined → phrase
    "nothing-found": "abstain-nothing",
    "term-not-in-documents": "abstain-nothing",
    "near-miss": "abstain-close",
}


class Speaker:
    """Says things in one locale, from one index; `asked` are the questions that need no suggesting any more.

    `answers` tells whether the documents answer a question: none is offered after a refusal that they do not.
    """

    def __init__(
        self,
        index: Index,
        words: Words,
        locale: str,
        asked: Iterable[str] = (),
        answers: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.index, self.words, self.locale, self.answers = index, words, locale, answers
        self.asked = {plain(question) for question in asked}

    def rule(self, rule: Rule, asked: str) -> Reply:
        """What a rule that stops the conversation says: a signpost, a referral or small talk."""
        small = rule.kind == Kind.SMALLTALK
        return self._reply(
            rule.kind,
            (self.words.say(rule.say, self.locale) if small else self._ruling(rule),),
            query=asked,
            reason=rule.id,
            contacts=self._contacts(rule),
            suggestions=self.starters() if small else (),
        )

    def refer(self, rule: Rule, query: Query, hits: Sequence[Hit], evidence: Evidence) -> Reply:
        """A referral first; at most general quotes follow."""
        quotes = self._quotes(evidence.sentences)
        return self._found(
            Kind.REFER,
            (self._ruling(rule), *quotes),
            query,
            hits,
            reason=rule.id,
            contacts=self._contacts(rule),
            confidence=evidence.confidence,
        )

    def abstain(self, query: Query, hits: Sequence[Hit], evidence: Evidence) -> Reply:
        """The documents do not answer; where to turn instead, and the nearest questions they do answer."""
        turn = turn_to(query.text, self.index)
        away = Claim(turn.turn_to, f"elsewhere:{turn.document}") if turn else None
        return self._found(
            Kind.ABSTAIN,
            (
                self.words.say("abstain-more" if query.said else REFUSALS.get(evidence.reason, "abstain"), self.locale),
                away or self.words.say("abstain-turn-to", self.locale),
            ),
            query,
            hits,
            reason=evidence.reason,
            confidence=evidence.confidence,
        )

    def foreign(self, language: str, query: Query, hits: Sequence[Hit], evidence: Evidence) -> Reply:
        """The documents are in another language than the question; said in the question's own, where it is known."""
        country = self.locale.replace("_", "-").partition("-")[2]
        if language in self.words.locales:
            self.locale = f"{language}-{country}" if country else language
        named = [
            self.words.text(f"language-{tongue}", self.locale) if self.words.has(f"language-{tongue}") else tongue
            for tongue in tongues(self.index)
        ]
        said = self.words.say("abstain-language", self.locale, language=", ".join(named))
        return self._found(Kind.ABSTAIN, (said,), query, hits, reason="other-language", confidence=evidence.confidence)

    def clarify(self, query: Query, hits: Sequence[Hit]) -> Reply:
        """The question leaves open what it is about; these are its readings."""
        said = self.words.say("clarify" if query.readings else "clarify-subject", self.locale)
        if not query.readings:
            return self._found(Kind.CLARIFY, (said,), query, hits, reason="unclear")
        return self._reply(
            Kind.CLARIFY,
            (said,),
            query=query.text,
            topic=query.topic,
            hits=tuple(hits),
            suggestions=query.readings[:SUGGESTIONS],
            reason="ambiguous",
        )

    def answer(self, query: Query, hits: Sequence[Hit], evidence: Evidence, unanswered: tuple[str, ...] = ()) -> Reply:
        """The evidence, quoted and cited; of a message with several questions, those that stay `unanswered`."""
        return self._found(
            Kind.ANSWER,
            self._quotes(evidence.sentences),
            query,
            hits,
            reason=evidence.reason,
            confidence=evidence.confidence,
            unanswered=unanswered,
        )

    def starters(self) -> tuple[str, ...]:
        """Four questions to begin with, from as many sections as there are."""
        sections: dict[tuple[str, ...], list[str]] = {}
        for question, passage in questions(self.index):
            sections.setdefault((passage.document, *passage.headings), []).append(question)
        spread = chain.from_iterable(zip_longest(*sections.values()))
        found = tuple(islice((question for question in spread if question), STARTERS))
        return found or tuple(
            islice((self._put("ask-about", each.headings[-1]) for each in titled(self.index)), STARTERS)
        )

    def questions(self) -> list[tuple[str, str]]:
        """Every question the documents answer, with the id of the passage that does."""
        return [(question, passage.id) for question, passage in questions(self.index)]

    def _quotes(self, sentences: Sequence[Sentence]) -> tuple[Claim, ...]:
        """One claim and one citation a sentence, numbered as they are said."""
        claims = []
        for number, sentence in enumerate(sentences, start=1):
            passage = self.index.passage(sentence.passage)
            document = self.index.document(passage.document) if passage else None
            if passage is None or document is None:
                raise ValueError(f"passage {sentence.passage!r} is not in the index: rebuild it")
            cited = Citation(number, document, passage, sentence.start, sentence.end)
            claims.append(Claim(sentence.text, sentence.passage, cited))
        return tuple(claims)

    def _ruling(self, rule: Rule) -> Claim:
        """A rule's own sentence, with the numbers of the reader's country where it is known."""
        return Claim(self.words.text(rule.say, self.locale), f"rule:{rule.id}")

    def _contacts(self, rule: Rule) -> tuple[Contact, ...]:
        return self.words.contacts(self.locale, rule.contacts)

    def _found(self, kind: Kind, claims: tuple[Claim, ...], query: Query, hits: Sequence[Hit], **more: Any) -> Reply:
        cited = {claim.source for claim in claims}
        return self._reply(
            kind,
            claims,
            query=query.text,
            topic=query.topic,
            hits=tuple(hits),
            suggestions=self._offered(kind, query, hits, cited),
            **more,
        )

    def _offered(self, kind: Kind, query: Query, hits: Sequence[Hit], cited: set[str]) -> tuple[str, ...]:
        """The nearest questions, not those just asked or answered; where they follow a refusal, each is tried first."""
        known = {*map(plain, (query.text, query.asked, *re.split(r"(?<=\?)\s", query.text))), *self.asked}
        near = (one for one in nearest(query.text, hits, self.index, self._put, cited) if plain(one) not in known)
        return tuple(islice((one for one in near if kind != Kind.ABSTAIN or self.answers(one)), SUGGESTIONS))

    def _put(self, phrase: str, topic: str) -> str:
        return self.words.text(phrase, self.locale, topic=topic)

    def _reply(self, kind: Kind, claims: tuple[Claim, ...], **more: Any) -> Reply:
        return Reply(kind, claims, self.words.disclaimer(self.locale), index=self.index.generation, **more)
