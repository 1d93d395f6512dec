"""Does this sentence answer that question? A small transformer that reads the two together, a cross-encoder.

Comes in: pairs of a question and a sentence in its context. Goes out: a logit each; above 0 it thinks "yes". Does not
know: the index, other sentences, or where the threshold is. How the bundled one was made, on which data and how good
it is, stands in scorer/CARD.md beside its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from index.contract import FloatMatrix
from index.network import Network

BUNDLED = "milkwise-scorer"
FOLDER = Path(__file__).parent / "scorer"
LONGEST = 300  # characters of a question that are read


class Scorer(Protocol):
    """The interface of sentence-transformers' CrossEncoder, as far as it is used: one of those will do too."""

    def predict(self, pairs: Sequence[tuple[str, str]]) -> FloatMatrix:
        """(n,) logits for n pairs of a question and a sentence in its context."""


class NetworkScorer:
    """A cross-encoder written down as a `Network`. Safe to share between threads."""

    def __init__(self, network: Network) -> None:
        self.network = network

    def predict(self, pairs: Sequence[tuple[str, str]]) -> FloatMatrix:
        """(n,) logits; a pair's own is the same whatever else is asked."""
        seen = self.network.run(list(pairs), ["logits"])
        return np.array([each.outputs["logits"][0] for each in seen], dtype=np.float32)


def pair(question: str, sentence: str, headings: Sequence[str], before: str) -> tuple[str, str]:
    """What is read together: the question; the sentence, then what stands above it and just before it.

    [SEP] is the mark between texts in BERT's vocabulary (Devlin et al. 2019); training used the same form.
    """
    around = ". ".join(filter(None, (" > ".join(headings), before)))
    return question[:LONGEST], f"{sentence} [SEP] {around}"


@lru_cache(maxsize=2)
def load_scorer(folder: Path = FOLDER) -> Scorer:
    """Open the cross-encoder in a folder. Raises ValueError saying what is missing or damaged."""
    return NetworkScorer(Network(folder))
