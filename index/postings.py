"""Which words a passage holds and how much they weigh: the counts BM25 needs, for a store that has no FTS5.

Comes in: passages, or a question. Goes out: words as FTS5 cuts and stems them, with their weights, so that every store
ranks by the same words. Does not know: where postings are kept, or how they are ranked.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from corpus.document import Passage
from index import lexical

COLUMNS = dict(zip(("headings", "keys", "text"), lexical.WEIGHTS, strict=True))


@dataclass(frozen=True, slots=True)
class Words:
    """Of one text: word → weight, and how many words it has, repeated ones and all columns counted."""

    weights: dict[str, float]
    length: int


class Cutter:
    """Cuts texts into words by an FTS5 table in memory, emptied after each use. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._connection.execute(lexical.SCHEMA)
        self._connection.execute("CREATE VIRTUAL TABLE found USING fts5vocab(lexical, instance)")

    def passages(self, title: str, passages: Sequence[Passage]) -> list[Words]:
        """The words of each passage of a document of that title."""
        with self._lock:
            for row, passage in enumerate(passages):
                lexical.add(self._connection, row, title, passage)
            return self._counted(len(passages))

    def question(self, text: str) -> Counter[str]:
        """The words of a question worth looking up; one that stands in two forms counts twice."""
        with self._lock:
            words = lexical.terms(text)
            for row, word in enumerate(words):
                self._connection.execute("INSERT INTO lexical (rowid, text) VALUES (?, ?)", (row, word))
            return Counter(word for each in self._counted(len(words)) for word in each.weights)

    def _counted(self, count: int) -> list[Words]:
        weights: list[dict[str, float]] = [defaultdict(float) for _ in range(count)]
        lengths = [0] * count
        for row, word, column, times in self._connection.execute(
            "SELECT doc, term, col, count(*) FROM found GROUP BY doc, term, col ORDER BY doc, term, col"
        ):
            weights[row][word] += COLUMNS[column] * times
            lengths[row] += times
        self._connection.execute("DELETE FROM lexical")
        return [Words(dict(each), length) for each, length in zip(weights, lengths, strict=True)]
