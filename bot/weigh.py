"""Which sentences answer the question, or none.

Comes in: a query, the hits found for it, their index. Goes out: `Evidence`: one to three sentences and the probability
that they answer. Does not know: how passages are found, or what is said when nothing answers.
"""

from __future__ import annotations

import threading
import tomllib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bot.features import NAMES, Asked, Scale, Seen, ask, context, features, see
from bot.quotes import Scored, choose
from bot.reply import Evidence, Query
from corpus.document import Passage
from index.contract import FloatMatrix, Hit
from index.index import Index

WEIGHTS = Path(__file__).parent / "weights.toml"
KEPT = 512  # passages whose token vectors stay in memory, at about 100 kB each
DEFAULT_SCALE = Scale(unrelated=0.05, paraphrase=0.75)


@dataclass(frozen=True, slots=True)
class Weights:
    """Trained parameters: `rank` orders sentences, `trust` says whether the best answers.

    Both are (features,), one for each of NAMES.
    """

    rank: FloatMatrix
    trust: FloatMatrix
    bias: float
    threshold: float


@cache
def load_weights(path: Path = WEIGHTS) -> Weights:
    """Read the parameters; ValueError names the file where they do not fit the features."""
    kept = tomllib.loads(path.read_text(encoding="utf-8"))
    if tuple(kept["rank"]) != NAMES or tuple(kept["trust"]) != NAMES:
        raise ValueError(f"{path}: its features are not those of bot/features.py. Train it again.")
    row = {part: np.array([kept[part][name] for name in NAMES], dtype=np.float32) for part in ("rank", "trust")}
    return Weights(row["rank"], row["trust"], kept["bias"], kept["threshold"])


class _Memory:
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
        tokens = index.encoder.tokens([context(passage) for _, passage in new]) if new else []
        fresh = {key: see(passage, seen) for (key, passage), seen in zip(new, tokens, strict=True)}
        with self.lock:
            for key in keys:
                self.kept[key] = known.get(key) or fresh[key]
                self.kept.move_to_end(key)
            while len(self.kept) > self.size:
                self.kept.popitem(last=False)
        return [known.get(key) or fresh[key] for key in keys]


_MEMORY = _Memory(KEPT)


def weigh(query: Query, hits: Sequence[Hit], index: Index, threshold: float | None = None) -> Evidence:
    """Choose the sentences that answer, or none; `confidence` is the estimated probability that the best one does.

    `threshold` stands in for the trained one where a measurement asks what would have been said.
    """
    weights = load_weights()
    asked = ask(query.text, index.encoder)
    if not hits or not asked.terms:
        return Evidence((), 0.0, "nothing-found")
    scored, confidence = _score(asked, hits, index, weights)
    if not scored:
        return Evidence((), 0.0, "nothing-found")
    if confidence < (weights.threshold if threshold is None else threshold):
        return Evidence((), confidence, "near-miss")
    return Evidence(choose(scored, index), confidence, "covered")


def _score(asked: Asked, hits: Sequence[Hit], index: Index, weights: Weights) -> tuple[list[Scored], float]:
    """Every sentence of the hits with its rank score, and the probability that the best one answers."""
    scale = _scale(index)
    scored: list[Scored] = []
    rows: list[FloatMatrix] = []
    for seen in _MEMORY.see([hit.passage for hit in hits], index):
        found = features(asked, seen, index.vectors(seen.passage.id), scale)
        for number, sentence in enumerate(seen.passage.sentences):
            scored.append(Scored(sentence, seen.passage, number, float(found[number] @ weights.rank)))
            rows.append(found[number])
    if not scored:
        return [], 0.0
    best = max(range(len(scored)), key=lambda number: scored[number].score)
    return scored, float(1 / (1 + np.exp(-(rows[best] @ weights.trust + weights.bias))))


def _scale(index: Index) -> Scale:
    kept = index.manifest.calibration
    if "unrelated" not in kept or "paraphrase" not in kept:
        return DEFAULT_SCALE
    return Scale(kept["unrelated"], kept["paraphrase"])
