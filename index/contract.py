"""What the index promises, as types: a hit, an encoder, a store, and the error that names a bad index.

Comes in: nothing. Goes out: values and protocols light enough for any module to import. Does not know: faiss, SQLite,
sentence-transformers, or any other way to keep the promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.document import Document, Passage

if TYPE_CHECKING:
    from index.index import Index

FloatMatrix = NDArray[np.float32]
Key = int | str  # a store's own name for a passage, good for one call
Ranked = Sequence[tuple[Key, float]]  # best first, with the score of that list


class IndexFault(Exception):
    """An index that cannot be used: stale, damaged, foreign or missing. `remedy` is the command that mends it."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        self.path, self.problem, self.remedy = path, problem, remedy
        super().__init__(f"{path}: {problem} {remedy}")


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found. Higher is better everywhere: `score` is the fused rank score, `cosine` in [-1, 1], `bm25` >= 0.

    `cosine` is the best over the passage's own text, its sentences and its question keys.
    """

    passage: Passage
    score: float
    cosine: float = 0.0
    bm25: float = 0.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """One text through the encoder, word piece by word piece, special tokens left out.

    `vectors` is (n, dim) float32 with unit rows; `spans` the (start, end) characters of each piece in the text;
    `ids` the vocabulary ids, which in a word-piece vocabulary grow with rarity.
    """

    vectors: FloatMatrix
    spans: tuple[tuple[int, int], ...]
    ids: tuple[int, ...]


class Encoder(Protocol):
    """Turns text into vectors whose inner product is their cosine."""

    @property
    def name(self) -> str:
        """Which model this is; an index built with another name is refused."""

    @property
    def window(self) -> int:
        """How many word pieces fit, special ones not counted."""

    def count(self, text: str) -> int:
        """How many word pieces `text` has, special ones not counted."""

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Texts in, (n, dim) float32 with unit rows out."""

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Texts in, their contextual token vectors out."""


class Store(Protocol):
    """Documents, passages and vectors, kept. Two ranked lists come out; fusing them is the index's work.

    Each call answers from one state of the whole, whoever writes meanwhile.
    """

    def replace_document(self, document: Document, passages: Sequence[Passage], vectors: Sequence[FloatMatrix]) -> None:
        """Put a document in place of its older self: atomic, durable on return; no passages deletes it.

        `vectors[i]` is (m_i, dim) for `passages[i]`: first its text, then its sentences, then its keys.
        """

    def documents(self) -> Mapping[str, str]:
        """Document id → digest: drives incremental builds."""

    def document(self, id: str) -> Document | None:
        """The document of that id, or None."""

    def passage(self, id: str) -> Passage | None:
        """The passage of that id, or None."""

    def passages(self, document: str) -> list[Passage]:
        """The passages of a document, in order; together they are its text."""

    def vectors(self, passage: str) -> FloatMatrix:
        """(m, dim): the passage's text, then its sentences, then its keys."""

    def dense(self, vector: FloatMatrix, k: int) -> list[Hit]:
        """The k passages nearest to a (dim,) unit vector; score = cosine, best first."""

    def lexical(self, text: str, k: int) -> list[Hit]:
        """The k best passages by BM25, best first; never raises, whatever the text."""

    def both(
        self, vector: FloatMatrix, text: str, k: int, choose: Callable[[Ranked, Ranked], Mapping[Key, float]]
    ) -> list[Hit]:
        """The passages that `choose` gives a score, of the lists of `dense` and `lexical`, in any order.

        Only those are read. Their `cosine` and `bm25` are 0 where they were not in that list.
        """

    def revision(self) -> str:
        """Changes whenever the content does; keys every cache."""

    def close(self) -> None:
        """Let go of what holds it open."""


class Calibrator(Protocol):
    """Finds out how far what is read in an index can be trusted, by asking it."""

    @property
    def name(self) -> str:
        """Whom the findings hold for: found by another, an index is stale."""

    def __call__(self, index: Index) -> Mapping[str, float]:
        """The findings on an index that nothing was found about yet: the same for the same index."""
