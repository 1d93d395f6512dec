"""Documents, passages and vectors in one SQLite file: the truth that the faiss and BM25 searches derive from.

Comes in: documents with their passages and vectors. Goes out: the `Store` protocol. Does not know: encoders, how the
two ranked lists are fused, or which store an index serves from.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

import numpy as np

from corpus.document import Document, Passage
from index import impacts, lexical
from index.contract import FloatMatrix, Hit, Key, Ranked
from index.dense import Dense
from index.rows import document_json, passage_json, read_document, read_passage

MAPPED = 1 << 40  # bytes of the file SQLite may map; it takes as many as it can
CACHED = 20_000  # passages kept in memory once they were found, at about 2 kB each

TABLES = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE documents (id TEXT PRIMARY KEY, digest TEXT NOT NULL, json TEXT NOT NULL)",
    "CREATE TABLE passages (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL,"
    " json TEXT NOT NULL, vectors BLOB NOT NULL)",
    "CREATE INDEX passages_of ON passages (document, row)",
    lexical.SCHEMA,
    impacts.SCHEMA,
)


class SqliteStore:
    """A `Store` in one file. Safe to share between threads; several processes may read while one writes.

    `sealed` opens a file that nobody will ever write again: without locks, from a folder that may be read-only, and
    it stays readable after the file is deleted. `durable` is off only for files that are synced once, when complete.
    """

    def __init__(self, path: Path, dim: int, *, sealed: bool = False, durable: bool = True) -> None:
        self._dim, self._sealed, self._lock = dim, sealed, RLock()
        address = f"{path.resolve().as_uri()}?{'mode=ro&immutable=1' if sealed else 'mode=rwc'}"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False, isolation_level=None, timeout=30)
        if not sealed:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
            self._create()
        self._connection.execute(f"PRAGMA mmap_size = {MAPPED}")
        self._cache: OrderedDict[int, Passage] = OrderedDict()
        self._dense: Dense | None = None
        self._seen = self.revision()

    def close(self) -> None:
        """Close the file; what was written is in it, with nothing left beside it."""
        with self._lock:
            if not self._sealed:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()

    def replace_document(self, document: Document, passages: Sequence[Passage], vectors: Sequence[FloatMatrix]) -> None:
        """Put a document in place of its older self: atomic, durable on return; no passages deletes it.

        `vectors[i]` is (m_i, dim) for `passages[i]`: first its text, then its sentences, then its keys.
        Raises ValueError where passages and vectors do not belong together; nothing is changed then.
        """
        for passage, rows in zip(passages, vectors, strict=True):
            if rows.ndim != 2 or len(rows) < 1 or rows.shape[1] != self._dim:
                raise ValueError(f"vectors of {passage.id!r} have shape {rows.shape}, not (1 or more, {self._dim})")
            if passage.document != document.id:
                raise ValueError(f"passage {passage.id!r} is of {passage.document!r}, not {document.id!r}")
        with self._transaction("IMMEDIATE") as sql:
            for (row,) in sql.execute("SELECT row FROM passages WHERE document = ?", (document.id,)).fetchall():
                lexical.remove(sql, row)
            sql.execute("DELETE FROM passages WHERE document = ?", (document.id,))
            sql.execute("DELETE FROM documents WHERE id = ?", (document.id,))
            sql.execute("DELETE FROM impacts")
            if passages:
                fields = (document.id, document.digest, document_json(document))
                sql.execute("INSERT INTO documents (id, digest, json) VALUES (?, ?, ?)", fields)
            for passage, rows in zip(passages, vectors, strict=True):
                blob = np.ascontiguousarray(rows, "<f4").tobytes()
                done = sql.execute(
                    "INSERT INTO passages (id, document, json, vectors) VALUES (?, ?, ?, ?)",
                    (passage.id, document.id, passage_json(passage), blob),
                )
                lexical.add(sql, int(done.lastrowid or 0), document.title, passage)
            sql.execute("UPDATE facts SET value = value + 1 WHERE name = 'revision'")

    def documents(self) -> Mapping[str, str]:
        """Document id → digest, in order of id."""
        with self._lock:
            return dict(self._connection.execute("SELECT id, digest FROM documents ORDER BY id").fetchall())

    def document(self, id: str) -> Document | None:
        """The document of that id, or None."""
        found = self._one("SELECT json FROM documents WHERE id = ?", id)
        return read_document(found) if isinstance(found, str) else None

    def passage(self, id: str) -> Passage | None:
        """The passage of that id, or None."""
        found = self._one("SELECT json FROM passages WHERE id = ?", id)
        return read_passage(found) if isinstance(found, str) else None

    def passages(self, document: str) -> list[Passage]:
        """The passages of a document, in order; together they are its text."""
        query = "SELECT json FROM passages WHERE document = ? ORDER BY row"
        with self._lock:
            found = self._connection.execute(query, (_text(document),)).fetchall()
        return [read_passage(text) for (text,) in found]

    def vectors(self, passage: str) -> FloatMatrix:
        """(m, dim): the passage's text, then its sentences, then its keys; (0, dim) for an unknown id."""
        found = self._one("SELECT vectors FROM passages WHERE id = ?", passage)
        return self._rows(found if isinstance(found, bytes) else b"")

    def dense(self, vector: FloatMatrix, k: int) -> list[Hit]:
        """The k passages nearest to a (dim,) unit vector; score = cosine, best first."""
        with self._transaction():
            found = self.derived().best(vector, k)
            passages = self._passages([row for row, _ in found])
            return [Hit(passages[row], score, cosine=score) for row, score in found]

    def lexical(self, text: str, k: int) -> list[Hit]:
        """The k best passages by BM25, best first; never raises, whatever the text."""
        with self._transaction() as sql:
            self._refresh()
            found = impacts.best(sql, text, k)
            passages = self._passages([row for row, _ in found])
            return [Hit(passages[row], score, bm25=score) for row, score in found]

    def both(
        self, vector: FloatMatrix, text: str, k: int, choose: Callable[[Ranked, Ranked], Mapping[Key, float]]
    ) -> list[Hit]:
        """The passages that `choose` gives a score, of the lists of `dense` and `lexical`, in any order.

        Only those are read. Their `cosine` and `bm25` are 0 where they were not in that list.
        """
        with self._transaction() as sql:
            near, worded = self.derived().best(vector, k), impacts.best(sql, text, k)
            chosen = choose(near, worded)
            cosines, scores = dict(near), dict(worded)
            passages = self._passages([int(row) for row in chosen])
            return [
                Hit(passages[row], chosen[row], cosine=cosines.get(row, 0.0), bm25=scores.get(row, 0.0))
                for row in passages
            ]

    def revision(self) -> str:
        """Changes whenever the content does; keys every cache."""
        return str(self._one("SELECT value FROM facts WHERE name = ?", "revision"))

    def derived(self) -> Dense:
        """The faiss search over the vectors as they stand."""
        with self._lock:
            self._refresh()
            if self._dense is None:
                size = self._connection.execute("SELECT coalesce(sum(length(vectors)), 0) FROM passages").fetchone()[0]
                rows = np.empty((size // (4 * self._dim), self._dim), np.float32)  # filled row by row: there are many
                owners, place = np.empty(len(rows), np.int64), 0
                for row, blob in self._connection.execute("SELECT row, vectors FROM passages ORDER BY row"):
                    end = place + len(blob) // (4 * self._dim)
                    rows[place:end], owners[place:end], place = self._rows(blob), row, end
                self._dense = Dense(rows, owners)
            return self._dense

    def work_out(self) -> None:
        """Prepare quick answers by words for the documents as they stand; a change of them drops that again."""
        with self._transaction("IMMEDIATE") as sql:
            impacts.write(sql)

    def adopt(self, dense: Dense) -> None:
        """Search with a `derived` that was read from a file; the caller vouches that it belongs to these rows."""
        with self._lock:
            self._dense = dense

    def _create(self) -> None:
        with self._transaction("IMMEDIATE") as sql:
            if not sql.execute("SELECT 1 FROM sqlite_master WHERE name = 'facts'").fetchone():
                for table in TABLES:
                    sql.execute(table)
                sql.execute("INSERT INTO facts (name, value) VALUES ('revision', 0), ('dim', ?)", (self._dim,))
        if self._one("SELECT value FROM facts WHERE name = ?", "dim") != self._dim:
            raise ValueError(f"the store holds vectors of another length than {self._dim}")

    @contextmanager
    def _transaction(self, kind: str = "DEFERRED") -> Iterator[sqlite3.Connection]:
        """One consistent view: nothing read inside can be half of an older state."""
        with self._lock:
            self._connection.execute(f"BEGIN {kind}")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _refresh(self) -> None:
        """Drop what was derived from an older state; another handle may have written."""
        if not self._sealed and (now := self.revision()) != self._seen:
            self._seen, self._dense = now, None
            self._cache.clear()

    def _passages(self, rows: Sequence[int]) -> dict[int, Passage]:
        """The passages of those rows, from memory where they were found before; the rest in one look."""
        known = {row: self._cache[row] for row in rows if row in self._cache}
        new = json.dumps([row for row in rows if row not in known])
        query = "SELECT row, json FROM passages WHERE row IN (SELECT value FROM json_each(?))"
        for row, text in self._connection.execute(query, (new,)) if len(known) < len(rows) else ():
            known[row] = self._cache[row] = read_passage(text)
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return known

    def _one(self, query: str, value: str) -> object:
        with self._lock:
            found = self._connection.execute(query, (_text(value),)).fetchone()
        return found[0] if found else None

    def _rows(self, blob: bytes) -> FloatMatrix:
        return np.frombuffer(blob, "<f4").reshape(-1, self._dim).astype(np.float32)


def _text(value: str) -> str:
    """An id that SQLite takes: a lone surrogate, which no id has, becomes a question mark."""
    return value.encode("utf-8", "replace").decode()
