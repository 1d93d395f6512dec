"""Which sentences answer the question, or none.

Comes in: a query, the hits found for it, their index. Goes out: `Evidence`: one to three sentences and the probability
that they answer. A glance at every sentence picks a few; those are read together with the question, which is dear, and
a reading says what a glance cannot: that a sentence shares every word but the one asked about. Does not know: how
passages are found, or what is said when nothing answers.
"""

from __future__ import annotations

import hashlib
import threading
import tomllib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from bot.features import NAMES, Asked, Scale, Seen, ask, context, features, see
from bot.quotes import BARE, Scored, alone, choose
from bot.reply import Evidence, Query
from bot.scorer import FOLDER, load_scorer, pair
from bot.terms import content, wanted
from corpus.document import Passage
from index.contract import FloatMatrix, Hit
from index.index import READER, Index
from index.network import FACTS

WEIGHTS = Path(__file__).parent / "weights.toml"
READ = 6  # sentences read with the question
KEPT = 512  # passages whose token vectors stay in memory, at about 100 kB each
NEAREST = 4  # passages among which a question's words are looked for when none of them says it all
SAME = 0.9  # on the encoder's scale, where 1 is what paraphrases come to on average
VOUCHED = 0.97  # how sure to be of an answer where the editor wrote this very question down for it


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained parameters: `glance`, one for each of NAMES, picks the sentences to read; a sentence's reading, times
    `slope` plus `bias`, is the log-odds that it answers.
    """

    glance: FloatMatrix
    slope: float
    bias: float
    threshold: float


@cache
def load_weights(path: Path = WEIGHTS) -> Weights:
    """Read the parameters; ValueError names the file where they do not fit the features."""
    kept = tomllib.loads(path.read_text(encoding="utf-8"))
    if tuple(kept["glance"]) != NAMES:
        raise ValueError(f"{path}: its features are not those of bot/features.py. Train it again.")
    glance = np.array([*kept["glance"].values()], dtype=np.float32)
    return Weights(glance, kept["slope"], kept["bias"], kept["threshold"])


@cache
def reader() -> str:
    """The name of the weights and the scorer in use: what was found out with others does not hold for them."""
    parts = (WEIGHTS, FOLDER / FACTS)  # the facts of a network hold the checksums of its files
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()[:12]


class Memory:
    """Passages through the encoder, the latest KEPT of them; safe to share between threads."""

    def __init__(self, size: int) -> None:
        self.size, self.lock = size, threading.Lock()
        self.kept: OrderedDict[tuple[str, str], Seen] = OrderedDict()

    def see(self, passages: Sequence[Passage], index: Index) -> list[Seen]:
        """Each passage through the encoder, from memory where it has been before."""
        keys = [(index.generation, passage.id) for passage in passages]
        with self.lock:
            known = {key: self.kept[key] for key in keys if key in self.kept}
        new = [(key, passage) for key, passage in zip(keys, passages, strict=True) if key not in known]
        titled = [(document.title if (document := index.document(each.document)) else "", each) for _, each in new]
        tokens = index.encoder.tokens([context(*each) for each in titled]) if new else []
        fresh = {key: see(*each, seen) for (key, _), each, seen in zip(new, titled, tokens, strict=True)}
        with self.lock:
            for key in keys:
                self.kept[key] = known.get(key) or fresh[key]
                self.kept.move_to_end(key)
            while len(self.kept) > self.size:
                self.kept.popitem(last=False)
        return [known.get(key) or fresh[key] for key in keys]


_MEMORY = Memory(KEPT)


def weigh(
    query: Query, hits: Sequence[Hit], index: Index, threshold: float | None = None, vouch: bool = True
) -> Evidence:
    """Choose the sentences that answer, or none; `confidence` is the probability that the best one does.

    `threshold` stands in for the trained one where a measurement asks what would have been said; without `vouch` a
    question that the editor wrote down counts for no more than another. The reason is "covered", "near-miss" (on the
    subject, and not answered), "term-not-in-documents", "nothing-found", or "unclear" where the query points at
    something no turn has named.
    """
    if query.unclear:
        return Evidence((), 0.0, "unclear")
    asked = ask(query.text, index.encoder)
    every = _MEMORY.see([hit.passage for hit in hits], index) if asked.terms else []
    scale = _scale(index)
    vouched = [seen for seen in every if vouch and _vouched(asked, seen.passage, index.vectors(seen.passage.id), scale)]
    scored, confidence = _score(asked, every, index, scale, {seen.passage.id for seen in vouched})
    if not scored:
        return Evidence((), 0.0, "nothing-found")
    confidence = max(confidence, VOUCHED) if vouched else confidence
    sure = confidence >= (load_weights().threshold if threshold is None else threshold)
    if sure and (chosen := choose(scored, whole=bool(vouched), said=query.said)):
        return Evidence(chosen, confidence, "covered")
    return Evidence((), confidence, "near-miss" if _met(asked, every) else "term-not-in-documents")


def _score(
    asked: Asked, every: Sequence[Seen], index: Index, scale: Scale, vouched: set[str]
) -> tuple[list[Scored], float]:
    """The READ sentences likeliest at a glance, each with the log-odds that it answers; the best one's probability.

    Where an editor has written the very question down for a passage, no other is considered.
    """
    weights, glanced = load_weights(), list[Scored]()
    known = frozenset(stem for seen in every[:NEAREST] for stem in seen.stems)
    for seen in every:
        if vouched and seen.passage.id not in vouched:
            continue
        found = features(asked, seen, index.vectors(seen.passage.id), scale, known) @ weights.glance
        glanced += [Scored(seen.passage.sentences[n], seen.passage, n, float(score)) for n, score in enumerate(found)]
    likely = sorted((one for one in glanced if alone(one)), key=lambda one: -one.score)[:READ]
    if not likely:
        return [], 0.0
    read = load_scorer().predict([_pair(asked.text, one, index) for one in likely])
    odds = read * weights.slope + weights.bias + _shift(index)
    scored = [replace(one, score=float(each)) for one, each in zip(likely, odds, strict=True)]
    return scored, float(1 / (1 + np.exp(-odds.max())))


def _pair(question: str, one: Scored, index: Index) -> tuple[str, str]:
    """A question and a sentence as they are read together."""
    document = index.document(one.passage.document)
    headings = (document.title if document else "", *one.passage.headings)
    first = max(one.number - 1, 0)
    while first and BARE.search(one.passage.sentences[first].text):
        first -= 1  # "This condition …" says little of what came before: back to where it is named
    before = " ".join(each.text for each in one.passage.sentences[first : one.number])
    return pair(question, one.sentence.text, headings, before)


def _vouched(asked: Asked, passage: Passage, kept: FloatMatrix, scale: Scale) -> bool:
    """Whether one of the passage's own questions is the one asked: as near as paraphrases are, and of the same words.

    Nearness alone will not do: "how much does it cost" is near to "how long does it take".
    """
    near = scale(kept[1 + len(passage.spans) :] @ asked.vector)
    mine = {term.stem for term in asked.terms}
    return any(
        cosine >= SAME and mine == {term.stem for term in content(key)} and wanted(key) == wanted(asked.text)
        for key, cosine in zip(passage.keys, near, strict=True)
    )


def _met(asked: Asked, every: Sequence[Seen]) -> bool:
    """Whether the question's rarest word stands in any passage found."""
    rarest = asked.terms[int(asked.rarity.argmax())]
    return any(rarest.stem in seen.stems for seen in every)


def _shift(index: Index) -> float:
    """What is added to the log-odds on these documents, where it was found with the weights and scorer in use.

    Found with another number of passages weighed it still serves, until a build finds out anew: nearer than nothing.
    """
    trust = index.manifest.trust
    found_with, _, _ = str(trust.get(READER, "")).partition(" ")
    return float(trust.get("shift", 0.0)) if found_with == reader() else 0.0


def _scale(index: Index) -> Scale:
    kept = index.manifest.calibration
    return Scale(kept["unrelated"], kept["paraphrase"])
