"""Evidence to sourced claims: an answer, a refusal that helps, a referral, a signpost, a greeting.

Comes in: a rule, or a query with its hits and evidence. Goes out: a `Reply`. Says only quotes, and phrases from the
phrases files. Does not know: why evidence was believed, or how a reply is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice, zip_longest
from typing import Any

from bot.reply import Citation, Claim, Contact, Evidence, Kind, Query, Reply, Rule
from bot.words import Words
from corpus.document import Passage, Sentence
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
    """Says things in one locale, from one index; `asked` are the questions that need no suggesting any more."""

    def __init__(self, index: Index, words: Words, locale: str, asked: Iterable[str] = ()) -> None:
        self.index, self.words, self.locale = index, words, locale
        self.asked = {_plain(question) for question in asked}

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
        """The documents do not answer; these are the nearest questions they do answer."""
        return self._found(
            Kind.ABSTAIN,
            (
                self.words.say(REFUSALS.get(evidence.reason, "abstain"), self.locale),
                self.words.say("abstain-turn-to", self.locale),
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
        tongues = dict.fromkeys(document.language.partition("-")[0].casefold() for document in self.index.documents())
        named = [
            self.words.text(f"language-{tongue}", self.locale) if self.words.has(f"language-{tongue}") else tongue
            for tongue in tongues
        ]
        said = self.words.say("abstain-language", self.locale, language=", ".join(named))
        return self._found(Kind.ABSTAIN, (said,), query, hits, reason="other-language", confidence=evidence.confidence)

    def clarify(self, query: Query, hits: Sequence[Hit]) -> Reply:
        """The question leaves open what it is about; these are its readings."""
        return self._found(
            Kind.CLARIFY, (self.words.say("clarify-subject", self.locale),), query, hits, reason="unclear"
        )

    def answer(self, query: Query, hits: Sequence[Hit], evidence: Evidence) -> Reply:
        """The evidence, quoted and cited."""
        claims = self._quotes(evidence.sentences)
        return self._found(Kind.ANSWER, claims, query, hits, reason=evidence.reason, confidence=evidence.confidence)

    def starters(self) -> tuple[str, ...]:
        """Four questions to begin with, from as many sections as there are."""
        sections: dict[tuple[str, ...], list[str]] = {}
        for question, passage in questions(self.index):
            sections.setdefault((passage.document, *passage.headings), []).append(question)
        spread = chain.from_iterable(zip_longest(*sections.values()))
        found = tuple(islice((question for question in spread if question), STARTERS))
        return found or tuple(islice((self._about(passage) for passage in _titled(self.index)), STARTERS))

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
            suggestions=self._nearest(query, hits, cited),
            **more,
        )

    def _reply(self, kind: Kind, claims: tuple[Claim, ...], **more: Any) -> Reply:
        return Reply(kind, claims, self.words.disclaimer(self.locale), index=self.index.generation, **more)

    def _nearest(self, query: Query, hits: Sequence[Hit], cited: set[str]) -> tuple[str, ...]:
        """The questions nearest to this one that the documents answer, one a passage and not what was just said."""
        vector = self.index.encoder.encode([query.text])[0]
        found: dict[str, float] = {}
        for hit in hits:
            passage = hit.passage
            if passage.id in cited:
                continue
            if passage.keys:
                cosines = self.index.vectors(passage.id)[-len(passage.keys) :] @ vector
                best = int(cosines.argmax())
                question, cosine = passage.keys[best], float(cosines[best])
            elif passage.headings:
                question, cosine = self._about(passage), hit.cosine
            else:
                continue
            if _plain(question) not in {_plain(query.text), _plain(query.asked), *self.asked}:
                found[question] = max(cosine, found.get(question, -1.0))
        return tuple(sorted(found, key=lambda question: -found[question])[:SUGGESTIONS])

    def _about(self, passage: Passage) -> str:
        return self.words.text("ask-about", self.locale, topic=passage.headings[-1])


@lru_cache(maxsize=4)
def questions(index: Index) -> tuple[tuple[str, Passage], ...]:
    """Each question the documents of an index answer, with the first passage that has it as a key."""
    found: dict[str, Passage] = {}
    for passage in _passages(index):
        for key in passage.keys:
            found.setdefault(key, passage)
    return tuple(found.items())


def _plain(question: str) -> str:
    """A question without case and punctuation, to see whether two are the same."""
    return " ".join(re.findall(r"\w+", question.casefold()))


@lru_cache(maxsize=4)
def _titled(index: Index) -> tuple[Passage, ...]:
    """The first passage under each heading."""
    first: dict[tuple[str, ...], Passage] = {}
    for passage in _passages(index):
        if passage.headings:
            first.setdefault((passage.document, *passage.headings), passage)
    return tuple(first.values())


def _passages(index: Index) -> Iterator[Passage]:
    return chain.from_iterable(index.passages(document.id) for document in index.documents())
