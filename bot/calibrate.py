"""How far confidence can be believed on these documents: found out by asking them their own questions.

Comes in: an index nobody asked yet. Goes out: a shift of the log-odds, and how often an answer is then expected to be
wrong. Each question is asked with everything there, and with the section that answers it hidden, so that it is known to
have no answer. Nothing is learnt but one number, recalibration in the large (Cox 1958; Van Calster et al. 2016), held
near what was learnt on other documents by a prior. Does not know: how answers are found, or where findings are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, zip_longest

import numpy as np
from numpy.typing import NDArray

from bot.reply import Query
from bot.suggest import made_from, plain
from bot.terms import Term, content, words
from bot.weigh import load_weights, reader, weigh
from bot.words import Words
from corpus.document import Passage
from index.contract import FloatMatrix, Hit
from index.index import Index

ASKED = 30  # questions of each kind at most: about 90 answers, so a few seconds of a build
FEWEST = 8  # with fewer nothing is shifted
SPREAD = 0.5  # standard deviation of the prior, in log-odds: how far documents are thought to differ
MOST = 1.5  # log-odds

Section = tuple[str, ...]  # a document's id, then the headings


@dataclass(frozen=True, slots=True)
class Trial:
    """One question asked: the log-odds that what came first answers, whether it does, and whether anything could."""

    odds: float
    right: bool
    able: bool


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Asks an index its own questions; `top_k` passages are weighed for each, as for a visitor's."""

    top_k: int

    @property
    def name(self) -> str:
        """Which weights and scorer it speaks for, and how many passages were weighed."""
        return f"{reader()} {self.top_k}"

    def __call__(self, index: Index) -> Mapping[str, float]:
        """What `expected` makes of the documents' own questions, at the threshold that ships."""
        return expected([*self._own(index), *self._elsewhere(index)], load_weights().threshold)

    def _own(self, index: Index) -> Iterator[Trial]:
        """Each question with everything there, and with the sections that hold its answer hidden."""
        for question, answering in own_questions(index, Words.load()):
            around = chain.from_iterable(map(index.passages, {document for document, *_ in answering}))
            hidden = {one.id for one in around if _section(one) in answering}
            hits = index.search(question, self.top_k + len(hidden))
            yield from _tried(question, hits[: self.top_k], index, answering)
            yield from _tried(question, [hit for hit in hits if hit.passage.id not in hidden][: self.top_k], index)

    def _elsewhere(self, index: Index) -> Iterator[Trial]:
        """The questions of which an editor wrote down that the documents do not answer them."""
        left = {one.question for document in index.documents() for one in document.elsewhere}
        for question in sorted(left, key=_hash)[:ASKED]:
            yield from _tried(question, index.search(question, self.top_k), index)


def _tried(question: str, hits: Sequence[Hit], index: Index, answering: Iterable[Section] = ()) -> Iterator[Trial]:
    """What comes of a question that these sections answer; nothing where there is no sentence to be sure of.

    Nor where a sentence of another section has every word of the question: it may well answer too, who can tell.
    """
    evidence = weigh(Query(question, question), hits, index, threshold=0.0, vouch=False)
    found = index.passage(evidence.sentences[0].passage) if evidence else None
    if not found:
        return
    right = _section(found) in answering
    if right or not _stems(content(question)) <= _stems(words(evidence.sentences[0].text)):
        chance = min(max(evidence.confidence, 1e-6), 1 - 1e-6)
        yield Trial(float(np.log(chance / (1 - chance))), right, bool(answering))


def _stems(terms: Sequence[Term]) -> set[str]:
    return {term.stem for term in terms}


def own_questions(index: Index, said: Words) -> list[tuple[str, frozenset[Section]]]:
    """At most ASKED questions with the sections that answer them, from as many sections as there are.

    Editors' and those of headings; of a passage without any, those that its definitions or its heading make.
    """
    asked, answering = dict[Section, set[str]](), dict[str, set[Section]]()
    for document in index.documents():
        put = partial(_put, said, document.language)
        for passage in index.passages(document.id):
            own = (passage.keys or made_from(passage, put)) if passage.spans else ()
            asked.setdefault(_section(passage), set()).update(own)
            for question in own:
                answering.setdefault(plain(question), set()).add(_section(passage))
    listed = [sorted(asked[section], key=_hash) for section in sorted(asked, key=lambda one: _hash("\n".join(one)))]
    spread = dict[str, str]()
    for question in filter(None, chain.from_iterable(zip_longest(*listed))):
        spread.setdefault(plain(question), question)
    return [(question, frozenset(answering[key])) for key, question in islice(spread.items(), ASKED)]


def expected(trials: Sequence[Trial], threshold: float) -> dict[str, float]:
    """`shift`, in log-odds, and counts: questions `asked`, and those known to have no answer, `hidden`.

    With FEWEST or more also `wrong`, the share wrong of what is answered from `threshold` on, and `missed`, the share
    declined of what would be right. Questions without an answer weigh as much together as those with one, as when the
    weights were trained: an editor who lists what the documents leave out does not make every answer doubtful by that.
    """
    odds = np.array([one.odds for one in trials], np.float32)
    right, able = (np.array(each, bool) for each in ([one.right for one in trials], [one.able for one in trials]))
    asked, hidden = int(able.sum()), int((~able).sum())
    if asked < FEWEST or not hidden:
        return {"shift": 0.0, "asked": asked, "hidden": hidden}
    weight = np.where(able, 1.0, asked / hidden).astype(np.float32)
    shift = round(fit(odds, right, weight), 3)
    given = 1 / (1 + np.exp(-odds - shift)) >= threshold
    wrong = float(weight @ (given & ~right)) / max(float(weight @ given), 1e-6)
    missed = float((right & ~given).sum()) / max(float(right.sum()), 1.0)
    return {"shift": shift, "asked": asked, "hidden": hidden, "wrong": round(wrong, 3), "missed": round(missed, 3)}


def fit(odds: FloatMatrix, right: NDArray[np.bool_], weight: FloatMatrix) -> float:
    """The likeliest shift of (n,) log-odds given (n,) outcomes, under a normal prior of SPREAD; within MOST.

    The slope of the log-posterior falls everywhere, so halving finds its zero; Newton's steps swing to and fro between
    two points where the odds are far off.
    """
    low, high = -MOST, MOST
    for _ in range(30):
        shift = (low + high) / 2
        slope = float(weight @ (right - 1 / (1 + np.exp(-odds - shift)))) - shift / SPREAD**2
        low, high = (shift, high) if slope > 0 else (low, shift)
    return (low + high) / 2


def _section(passage: Passage) -> Section:
    return (passage.document, *passage.headings)


def _put(words: Words, language: str, phrase: str, topic: str) -> str:
    return words.text(phrase, language, topic=topic)


def _hash(text: str) -> str:
    """Sorts in an order that has nothing to do with the text."""
    return hashlib.sha256(text.encode()).hexdigest()
