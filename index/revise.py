"""One revision of the tables in PostgreSQL into the next, in one transaction: all of it is seen, or none.

Comes in: a connection, and documents to put in or take out. Goes out: nothing; the tables have changed. Does not know:
who reads them, or why documents changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from psycopg.sql import SQL, Identifier, Literal

from corpus.document import Document, Passage
from index.contract import FloatMatrix
from index.database import KEY, Connection
from index.manifest import Manifest, corpus_digest
from index.postings import Cutter
from index.rows import document_json, passage_json

GRACE = "1 minute"  # a revision is kept this long after it was replaced, for those still reading it
GRAPH_FROM = 10_000  # vectors; fewer are compared one by one, in milliseconds and exactly
LARGE = 1_000  # passages in one revision after which the planner wants to know
VECTORS = SQL("COPY milkwise.vectors (passage, place, dim, embedding) FROM STDIN (FORMAT binary)")
POSTINGS = SQL("COPY milkwise.postings (word, passage, weight, length) FROM STDIN (FORMAT binary)")
PASSAGES = SQL("COPY milkwise.passages (row, id, document, place, length, json, added) FROM STDIN (FORMAT binary)")


@dataclass(frozen=True, slots=True)
class Change:
    """A document to put in place of its older self; without passages, to take out. `vectors[i]` is (m_i, dim)."""

    document: Document
    passages: Sequence[Passage]
    vectors: Sequence[FloatMatrix]

    def check(self, dim: int) -> None:
        """Raises ValueError where its parts do not belong together."""
        for passage, rows in zip(self.passages, self.vectors, strict=True):
            if rows.ndim != 2 or len(rows) < 1 or rows.shape[1] != dim:
                raise ValueError(f"vectors of {passage.id!r} have shape {rows.shape}, not (1 or more, {dim})")
            if passage.document != self.document.id:
                raise ValueError(f"passage {passage.id!r} is of {passage.document!r}, not {self.document.id!r}")


def revise(
    connection: Connection, changes: Sequence[Change], dim: int, cutter: Cutter, manifest: Manifest | None = None
) -> None:
    """Make the next revision, durable on return, and drop those nobody reads any more.

    `manifest` holds the facts of the build; without it those of the revision before go on. Raises ValueError where
    the documents are then not those of `manifest`: someone else has changed them meanwhile.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [KEY])
        newest = "SELECT number, facts, passages, words FROM milkwise.revisions ORDER BY number DESC LIMIT 1"
        before, facts, passages, words = connection.execute(newest).fetchone() or (0, None, 0, 0)
        number = before + 1
        gone, gone_words = _take_out(connection, number, [change.document.id for change in changes])
        come, come_words = _put_in(connection, number, changes, dim, cutter)
        current = "SELECT id, digest FROM milkwise.documents WHERE removed IS NULL ORDER BY id"
        documents: dict[str, str] = dict(connection.execute(current).fetchall())
        if manifest and documents != dict(manifest.documents):
            raise ValueError("its documents were changed by someone else while this was built")
        if facts and not manifest:
            manifest = Manifest.from_json(facts)
        made = replace(manifest, documents=documents, corpus=corpus_digest(documents)) if manifest else None
        connection.execute(
            "INSERT INTO milkwise.revisions (number, generation, facts, passages, words) VALUES (%s, %s, %s, %s, %s)",
            [
                number,
                made.generation if made else corpus_digest(documents)[:12],
                replace(made, documents={}).to_json() if made else None,
                passages - gone + come,
                words - gone_words + come_words,
            ],
        )
        _forget(connection, before)
        _index(connection, dim)
        if come > LARGE:
            connection.execute("ANALYZE milkwise.documents, milkwise.passages, milkwise.vectors, milkwise.postings")


def manifest_of(facts: str, documents: Mapping[str, str]) -> Manifest:
    """The manifest of a revision. Raises ValueError saying what is wrong with it."""
    return replace(Manifest.from_json(facts), documents=documents)


def _take_out(connection: Connection, number: int, ids: list[str]) -> tuple[int, int]:
    """Documents as of this revision no longer; how many passages and words went with them."""
    documents = "UPDATE milkwise.documents SET removed = %s WHERE id = ANY(%s) AND removed IS NULL"
    passages = "UPDATE milkwise.passages SET removed = %s WHERE document = ANY(%s) AND removed IS NULL RETURNING length"
    connection.execute(documents, [number, ids])
    lengths = [length for (length,) in connection.execute(passages, [number, ids])]
    return len(lengths), sum(lengths)


def _put_in(
    connection: Connection, number: int, changes: Iterable[Change], dim: int, cutter: Cutter
) -> tuple[int, int]:
    """Documents as of this revision; how many passages and words came with them."""
    newest = connection.execute("SELECT coalesce(max(row), 0) + 1 FROM milkwise.passages").fetchone()
    rows = count(int(newest[0]) if newest else 1)
    passages, words, postings, vectors = 0, 0, [], []
    cursor = connection.cursor()
    put = [change for change in changes if change.passages]
    cursor.executemany(
        "INSERT INTO milkwise.documents (id, digest, json, added) VALUES (%s, %s, %s, %s)",
        [(each.document.id, each.document.digest, document_json(each.document), number) for each in put],
    )
    with cursor.copy(PASSAGES) as copy:
        copy.set_types(["bigint", "text", "text", "integer", "integer", "text", "bigint"])
        for change in put:
            cut = cutter.passages(change.document.title, change.passages)
            for place, passage in enumerate(change.passages):
                row, found = next(rows), cut[place]
                json = passage_json(passage)
                copy.write_row((row, passage.id, passage.document, place, found.length, json, number))
                postings += [(word, row, weight, found.length) for word, weight in found.weights.items()]
                vectors += [(row, at, dim, each) for at, each in enumerate(change.vectors[place])]
                passages, words = passages + 1, words + found.length
    with cursor.copy(VECTORS) as copy:
        copy.set_types(["bigint", "integer", "integer", "vector"])
        for *keys, each in vectors:
            copy.write_row((*keys, np.ascontiguousarray(each, np.float32)))
    with cursor.copy(POSTINGS) as copy:
        copy.set_types(["text", "bigint", "real", "integer"])
        for posting in postings:
            copy.write_row(posting)
    return passages, words


def _forget(connection: Connection, before: int) -> None:
    """Delete what is seen at no revision but those before the one that was current GRACE ago, or before the last."""
    old = "SELECT max(number) FROM milkwise.revisions WHERE made < now() - %s::interval"
    row = connection.execute(old, [GRACE]).fetchone()
    kept = min(before, row[0]) if row and row[0] is not None else 0
    connection.execute("DELETE FROM milkwise.revisions WHERE number < %s", [kept])
    connection.execute("DELETE FROM milkwise.documents WHERE removed <= %s", [kept])
    dropped = connection.execute("DELETE FROM milkwise.passages WHERE removed <= %s RETURNING row", [kept]).fetchall()
    if rows := [row for (row,) in dropped]:
        connection.execute("DELETE FROM milkwise.vectors WHERE passage = ANY(%s)", [rows])
        connection.execute("DELETE FROM milkwise.postings WHERE passage = ANY(%s)", [rows])


def _index(connection: Connection, dim: int) -> None:
    """The graph over the vectors of this length, once there are many: filled by the rows, then kept by each insert."""
    graph = f"vectors_{dim}"
    have = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"milkwise.{graph}"]).fetchone()
    many = "SELECT count(*) >= %s FROM (SELECT FROM milkwise.vectors WHERE dim = %s LIMIT %s) AS few"
    if have == (True,) or connection.execute(many, [GRAPH_FROM, dim, GRAPH_FROM]).fetchone() != (True,):
        return
    connection.execute("SET LOCAL maintenance_work_mem = '512MB'")  # a graph that does not fit is built far slower
    connection.execute(
        SQL(
            "CREATE INDEX {} ON milkwise.vectors USING hnsw ((embedding::halfvec({})) halfvec_ip_ops) WHERE dim = {}"
        ).format(Identifier(graph), Literal(dim), Literal(dim))
    )
