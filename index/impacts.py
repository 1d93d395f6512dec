"""What each word adds to the BM25 of each passage, worked out once: a question's words are then added up, not scored.

Comes in: a store's full-text table, complete; then any text as a question. Goes out: the rows that FTS5 gives, with
its very scores but for float noise, in a small part of its time (eager scoring, as bm25s does, Lù 2024). Does not know:
passages, or why they matter.

FTS5 scores every passage that has any of the words, which takes milliseconds from a few thousand passages on.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from index import lexical

SCHEMA = "CREATE TABLE impacts (word TEXT PRIMARY KEY, rows BLOB NOT NULL, added BLOB NOT NULL) WITHOUT ROWID"
FEW = 2_000  # passages; among as many, FTS5 is quick enough
SHORT = 20_000  # rows of a word; to add up as many is quicker than to ask whether it could be left
K1, B, LEAST = 1.2, 0.75, 1e-6  # FTS5's own: see bm25() in its documentation

Impacts = tuple[NDArray[np.int32], NDArray[np.float32]]  # rows, in order, and what a word adds to each


def write(connection: sqlite3.Connection) -> None:
    """Work them out from the table `lexical`, complete; none where passages are few."""
    passages = int(connection.execute("SELECT count(*) FROM lexical").fetchone()[0])
    if passages <= FEW:
        return
    connection.execute("CREATE VIRTUAL TABLE temp.found USING fts5vocab(main, lexical, instance)")
    columns = [row[1] for row in connection.execute("SELECT * FROM pragma_table_info('lexical')")]
    weight = dict(zip(columns, lexical.WEIGHTS, strict=False))
    lengths: dict[int, int] = {}
    for (row,) in connection.execute("SELECT doc FROM found"):
        lengths[row] = lengths.get(row, 0) + 1
    mean = sum(lengths.values()) / len(lengths)
    stands = connection.execute("SELECT term, doc, col FROM found")  # in order of words, then of rows
    for word, places in groupby(stands, itemgetter(0)):
        times: dict[int, float] = {}
        for _, row, column in places:
            times[row] = times.get(row, 0.0) + weight[column]
        held = len(times)
        rarity = math.log((passages - held + 0.5) / (held + 0.5))
        rows = np.fromiter(times, "<i4", held)
        counts = np.fromiter(times.values(), np.float64, held)
        long = np.fromiter((lengths[row] for row in times), np.float64, held)
        added = (rarity if rarity > 0 else LEAST) * counts * (K1 + 1) / (counts + K1 * (1 - B + B * long / mean))
        packed = rows.tobytes(), added.astype("<f4").tobytes()
        connection.execute("INSERT INTO impacts (word, rows, added) VALUES (?, ?, ?)", (word, *packed))
    connection.execute("DROP TABLE temp.found")


def best(connection: sqlite3.Connection, text: str, k: int) -> list[tuple[int, float]]:
    """The k best rows with their BM25, positive, best first, ties by row. Never raises, whatever the text."""
    words = lexical.terms(text)
    if not words or k < 1:
        return []
    cut = _stemmer().stems(words)
    if any(len(stems) != 1 for stems in cut):  # FTS5 alone knows where words stand side by side
        return lexical.best(connection, text, k)
    query = f"SELECT word, rows, added FROM impacts WHERE word IN ({', '.join('?' * len(cut))})"
    held: dict[str, Impacts] = {
        word: (np.frombuffer(rows, "<i4"), np.frombuffer(added, "<f4"))
        for word, rows, added in connection.execute(query, [word for (word,) in cut])
    }
    if not held and not connection.execute("SELECT 1 FROM impacts LIMIT 1").fetchone():
        return lexical.best(connection, text, k)
    found = [held[word] for (word,) in cut if word in held]
    rows, scores = _summed(sorted(found, key=lambda impacts: len(impacts[0])), k)
    ranked = np.lexsort((rows, -scores))[:k]
    return list(zip(rows[ranked].tolist(), scores[ranked].tolist(), strict=True))


def _summed(found: Sequence[Impacts], k: int) -> Impacts:
    """Rows and their sums, the k greatest among them; `found` holds the rarest word first.

    Once what the words still to come can add does not lift a new row among the k, they are only looked up for the rows
    that are there (MaxScore, Turtle and Flood 1995).
    """
    total = np.zeros(max((int(rows[-1]) for rows, _ in found), default=-1) + 1, np.float32)
    coming = sum(float(added.max()) for _, added in found)
    seen = 0
    for number, (held, added) in enumerate(found):
        if len(held) > SHORT and seen >= k:
            rows = _distinct(found[:number], total)
            least = _kth(total[rows], k)
            if least > coming:
                rows = rows[total[rows] + coming >= least]
                return rows, total[rows] + _looked_up(found[number:], rows)
        total[held] += added
        coming -= float(added.max())
        seen += len(held)
    rows = _distinct(found, total)
    rows = rows[total[rows] >= _kth(total[rows], k)]
    return rows, total[rows]


def _distinct(found: Sequence[Impacts], total: NDArray[np.float32]) -> NDArray[np.int32]:
    """The rows of some words, each once: what was added to is not zero."""
    if sum(len(rows) for rows, _ in found) * 8 > len(total):
        return np.flatnonzero(total).astype(np.int32)
    return np.unique(np.concatenate([rows for rows, _ in found])) if found else np.zeros(0, np.int32)


def _kth(scores: NDArray[np.float32], k: int) -> float:
    """The k-th greatest; minus infinity where there are fewer."""
    return float(np.partition(scores, len(scores) - k)[len(scores) - k]) if len(scores) >= k else -math.inf


def _looked_up(found: Sequence[Impacts], rows: NDArray[np.int32]) -> NDArray[np.float32]:
    """What some words add to some rows."""
    total = np.zeros(len(rows), np.float32)
    for held, added in found:
        place = np.searchsorted(held, rows).clip(max=len(held) - 1)
        total += np.where(held[place] == rows, added[place], 0)
    return total


@lru_cache(maxsize=1)
def _stemmer() -> lexical.Stemmer:
    return lexical.Stemmer()
