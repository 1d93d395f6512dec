"""What each word adds to the BM25 of each passage, worked out once: a question's words are then added up, not scored.

Comes in: a store's full-text table, complete; then any text as a question. Goes out: the rows that FTS5 gives, with
its very scores but for float noise, in a small part of its time (eager scoring, as bm25s does, Lù 2024). Does not know:
passages, or why they matter.

FTS5 scores every passage that has any of the words, which takes milliseconds from a few thousand passages on.
"""

from __future__ import annotations

import math
import sqlite3
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from index import lexical

SCHEMA = "CREATE TABLE impacts (word TEXT PRIMARY KEY, rows BLOB NOT NULL, added BLOB NOT NULL) WITHOUT ROWID"
FEW = 2_000  # passages; among as many, FTS5 is quick enough
K1, B, LEAST = 1.2, 0.75, 1e-6  # FTS5's own: see bm25() in its documentation


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
    if not words or k < 1 or not connection.execute("SELECT 1 FROM impacts LIMIT 1").fetchone():
        return lexical.best(connection, text, k)
    cut = _stemmer().stems(words)
    if any(len(stems) != 1 for stems in cut):  # FTS5 alone knows where words stand side by side
        return lexical.best(connection, text, k)
    found: list[tuple[NDArray[np.int32], NDArray[np.float32]]] = []
    for (word,) in cut:
        held = connection.execute("SELECT rows, added FROM impacts WHERE word = ?", (word,)).fetchone()
        if held:
            found.append((np.frombuffer(held[0], "<i4"), np.frombuffer(held[1], "<f4")))
    if not found:
        return []
    total = np.zeros(max(int(rows[-1]) for rows, _ in found) + 1, np.float64)
    for rows, added in found:
        total[rows] += added
    rows = np.concatenate([rows for rows, _ in found])
    scores = total[rows]
    if len(rows) > (most := k * len(found)):  # a row stands here once a word: that many hold k different ones
        kept = np.argpartition(-scores, most - 1)[:most]
        rows = rows[scores >= scores[kept].min()]
    ranked = sorted(((int(row), float(total[row])) for row in set(rows.tolist())), key=lambda hit: (-hit[1], hit[0]))
    return ranked[:k]


@lru_cache(maxsize=1)
def _stemmer() -> lexical.Stemmer:
    return lexical.Stemmer()
