"""Words, for what vectors blur: drug names, abbreviations, rare terms. BM25 by SQLite's FTS5.

Comes in: passages under a row number, and any text as a question. Goes out: row numbers with their BM25. Does not
know: vectors, documents, or how its rows are kept.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import unicodedata
from functools import lru_cache
from pathlib import Path

from corpus.document import Passage
from index import impacts

SCHEMA = (
    "CREATE VIRTUAL TABLE lexical USING fts5(headings, keys, text, tokenize = 'porter unicode61 remove_diacritics 2')"
)
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
    if connection.execute("SELECT 1 FROM impacts LIMIT 1").fetchone():
        cut = [stems(word) for word in words]
        if all(len(each) == 1 for each in cut):  # FTS5 alone knows where words stand side by side
            return impacts.best(connection, [each[0] for each in cut], k)
    query = " OR ".join(f'"{word}"' for word in words)
    found = connection.execute(
        "SELECT rowid, -bm25(lexical, ?, ?, ?) AS score FROM lexical WHERE lexical MATCH ? "
        "ORDER BY score DESC, rowid LIMIT ?",
        (*WEIGHTS, query, k),
    )
    return [(int(row), max(0.0, float(score))) for row, score in found]


@lru_cache(maxsize=4096)
def stems(word: str) -> tuple[str, ...]:
    """A word as the full-text table cuts and stems it: more than one where its script is written without spaces."""
    with contextlib.closing(sqlite3.connect(":memory:")) as table:
        table.execute(SCHEMA)
        table.execute("CREATE VIRTUAL TABLE found USING fts5vocab(lexical, instance)")
        table.execute("INSERT INTO lexical (text) VALUES (?)", (word,))
        return tuple(term for (term,) in table.execute("SELECT term FROM found ORDER BY offset"))


def terms(text: str) -> list[str]:
    """The distinct words worth looking up: without function words, unless nothing else is there."""
    words = list(dict.fromkeys(WORD.findall(unicodedata.normalize("NFC", text.lower()))))
    return [word for word in words if word not in _function_words()] or words


@lru_cache(maxsize=1)
def _function_words() -> frozenset[str]:
    lines = Path(__file__).with_name("function_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())
