"""Words, for what vectors blur: drug names, abbreviations, rare terms. BM25 by SQLite's FTS5.

Comes in: passages under a row number, and any text as a question. Goes out: row numbers with their BM25. Does not
know: vectors, documents, or how its rows are kept.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

from corpus.document import Passage

TOKENIZE = "tokenize = 'porter unicode61 remove_diacritics 2'"
SCHEMA = f"CREATE VIRTUAL TABLE lexical USING fts5(headings, keys, text, {TOKENIZE})"
WEIGHTS = (2.0, 2.0, 1.0)  # a word in a heading or a question says more of what a passage is about
WORD = re.compile(r"[^\W_]+")


def add(connection: sqlite3.Connection, row: int, title: str, passage: Passage) -> None:
    """Index a passage of a document of that title under a row number.

    The title counts as a heading: under "Side effects", the text seldom repeats of what.
    """
    texts = (" ".join((title, *passage.headings)), " ".join(passage.keys), passage.text)
    connection.execute("INSERT INTO lexical (rowid, headings, keys, text) VALUES (?, ?, ?, ?)", (row, *texts))


def remove(connection: sqlite3.Connection, row: int) -> None:
    """Forget the passage of that row number."""
    connection.execute("DELETE FROM lexical WHERE rowid = ?", (row,))


def best(connection: sqlite3.Connection, text: str, k: int) -> list[tuple[int, float]]:
    """The k best rows with their BM25, positive, best first, ties by row. Never raises, whatever the text."""
    words = terms(text)
    if not words or k < 1:
        return []
    query = " OR ".join(f'"{word}"' for word in words)
    found = connection.execute(
        "SELECT rowid, -bm25(lexical, ?, ?, ?) AS score FROM lexical WHERE lexical MATCH ? "
        "ORDER BY score DESC, rowid LIMIT ?",
        (*WEIGHTS, query, k),
    )
    return [(int(row), max(0.0, float(score))) for row, score in found]


class Stemmer:
    """Cuts and stems words as a full-text table does, by one in memory. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._table = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._table.execute(f"CREATE VIRTUAL TABLE lexical USING fts5(text, content = '', columnsize = 0, {TOKENIZE})")
        self._table.execute("CREATE VIRTUAL TABLE found USING fts5vocab(lexical, instance)")

    def stems(self, words: Sequence[str]) -> list[list[str]]:
        """For each word its stem; none where nothing of it is kept, several where the table cuts it in pieces."""
        stems: list[list[str]] = [[] for _ in words]
        plain = all(word.isascii() and word.isalnum() for word in words)  # none of these is cut: one row will do
        rows = [(0, " ".join(words))] if plain else list(enumerate(words))
        with self._lock:
            self._table.execute("BEGIN")
            try:
                self._table.executemany("INSERT INTO lexical (rowid, text) VALUES (?, ?)", rows)
                for row, place, stem in sorted(self._table.execute("SELECT doc, offset, term FROM found")):
                    stems[place if plain else row].append(stem)
            finally:
                self._table.execute("ROLLBACK")  # quicker than to delete them again
        return stems


def terms(text: str) -> list[str]:
    """The distinct words worth looking up: without function words, unless nothing else is there."""
    words = list(dict.fromkeys(WORD.findall(unicodedata.normalize("NFC", text.lower()))))
    return [word for word in words if word not in _function_words()] or words


@lru_cache(maxsize=1)
def _function_words() -> frozenset[str]:
    lines = Path(__file__).with_name("function_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
