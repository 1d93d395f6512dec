"""Questions near to one that was asked: those that editors wrote down, those that a passage plainly answers.

Comes in: a question with its hits, and the index. Goes out: questions, nearest first; and where to turn with one that
the documents leave to others. Does not know: whether a question is answered, or how it is offered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np

from bot.terms import SMALL
from bot.topics import subjects
from corpus.document import Passage
from index.contract import FloatMatrix, Hit
from index.index import Index

ALIKE = 0.75  # on the encoder's scale, where 1 is what paraphrases come to on average
# "Alveoli are tiny sacs …", "Relactation means …": such a sentence answers what its subject is.
DEFINES = re.compile(
    r"^(?:The )?((?:An? )?(?:[\w-]+ ){0,2}[\w-]+) (is|are|means?)(?= (?:an? |the |tiny |small |when |that |[\w]+ing ))"
)

Put = Callable[[str, str], str]  # a phrase id and a topic in, the question out


@dataclass(frozen=True, slots=True)
class Turning:
    """Where the editor of a document sends visitors with a question it does not answer."""

    question: str
    turn_to: str
    document: str


def nearest(text: str, hits: Sequence[Hit], index: Index, put: Put, cited: set[str]) -> Iterator[str]:
    """The questions nearest to this one, of each passage found that is not `cited` the nearest, best first.

    A passage without editors' questions has those that its definitions answer, else what it says of its heading.
    """
    vector = index.encoder.encode([text])[0]
    found: dict[str, float] = {}
    for hit in hits:
        if hit.passage.id in cited:
            continue
        keys, vectors = hit.passage.keys, index.vectors(hit.passage.id)[1 + len(hit.passage.spans) :]
        if not keys:
            keys = made_from(hit.passage, put)
            vectors = index.encoder.encode(keys) if keys else vectors
        if keys:
            best = int((vectors @ vector).argmax())
            found[keys[best]] = max(float(vectors[best] @ vector), found.get(keys[best], -1.0))
    yield from sorted(found, key=lambda question: -found[question])


def turn_to(text: str, index: Index) -> Turning | None:
    """Where to turn with a question like one that an editor wrote down as not answered; None where none is like it."""
    turnings, vectors = _turnings(index)
    if not turnings:
        return None
    cosines = vectors @ index.encoder.encode([text])[0]
    kept = index.manifest.calibration
    best = int(cosines.argmax())
    scaled = (float(cosines[best]) - kept["unrelated"]) / max(kept["paraphrase"] - kept["unrelated"], 0.05)
    return turnings[best] if scaled >= ALIKE else None


@lru_cache(maxsize=4)
def questions(index: Index) -> tuple[tuple[str, Passage], ...]:
    """Each question the documents of an index answer, with the first passage that has it as a key."""
    found: dict[str, Passage] = {}
    for passage in _passages(index):
        for key in passage.keys:
            found.setdefault(key, passage)
    return tuple(found.items())


@lru_cache(maxsize=4)
def titled(index: Index) -> tuple[Passage, ...]:
    """The first passage under each heading."""
    first: dict[tuple[str, ...], Passage] = {}
    for passage in _passages(index):
        if passage.headings:
            first.setdefault((passage.document, *passage.headings), passage)
    return tuple(first.values())


def made_from(passage: Passage, put: Put) -> tuple[str, ...]:
    """Questions that a passage answers by what it defines, or else by its heading."""
    made = []
    for sentence in passage.sentences:
        found = DEFINES.match(sentence.text)
        words = found[1].lower().split() if found else []
        if found and not SMALL & {*words} - {"a", "an"} and subjects(found[1]) and not words[0].endswith("ing"):
            subject = found[1] if found[1][1:] != found[1][1:].lower() else found[1].lower()  # a name keeps its case
            made.append(put("ask-what-many" if found[2] == "are" else "ask-what", subject))
    return tuple(dict.fromkeys(made)) or tuple(put("ask-about", heading) for heading in passage.headings[-1:])


def plain(question: str) -> str:
    """A question without case and punctuation, to see whether two are the same."""
    return " ".join(re.findall(r"\w+", question.casefold()))


@lru_cache(maxsize=4)
def _turnings(index: Index) -> tuple[tuple[Turning, ...], FloatMatrix]:
    """What editors wrote down as answered elsewhere, and the vector of each question: (n, dim)."""
    found = tuple(
        Turning(one.question, one.turn_to, document.id) for document in index.documents() for one in document.elsewhere
    )
    vectors = index.encoder.encode([one.question for one in found]) if found else np.zeros((0, 1), np.float32)
    return found, vectors


def _passages(index: Index) -> Iterator[Passage]:
    return chain.from_iterable(index.passages(document.id) for document in index.documents())
