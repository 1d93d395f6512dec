"""Documents, passages and vectors in PostgreSQL, for several servers at once: pgvector, and BM25 over postings.

Comes in: documents with their passages and vectors. Goes out: the `Store` protocol, live or as of one revision. Does
not know: encoders, how the two ranked lists are fused, or what a build is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import numpy as np
from psycopg.sql import SQL, Composed, Literal

from corpus.document import Document, Passage
from index.contract import FloatMatrix, Hit, IndexFault, Key, Ranked
from index.database import Connection, Database
from index.postings import Cutter
from index.revise import Change, revise
from index.rows import read_document, read_passage

LAG_S = 1.0  # how long a standby may be behind the node that told of a revision
SPREAD = 3  # rows asked for at first for each passage wanted: several of one passage are often near
KEPT = 20_000  # passages, and rows of vectors, remembered by a handle on one revision

# Every query reads through this: it gives no row where the revision is not on this node, and then nothing is believed.
SEEN = SQL("WITH seen AS (SELECT * FROM milkwise.revisions WHERE number = %(number)s AND generation = %(generation)s)")
VISIBLE = SQL("p.added <= seen.number AND (p.removed IS NULL OR p.removed > seen.number)")
NEWEST: LiteralString = "SELECT number, generation, facts FROM milkwise.revisions ORDER BY number DESC LIMIT 1"
NEAREST = SQL(""",
near AS MATERIALIZED (
    SELECT passage, -(embedding <#> %(vector)s) AS cosine FROM milkwise.vectors WHERE dim = {dim}
    ORDER BY embedding::halfvec({dim}) <#> %(vector)s::halfvec({dim}) LIMIT {wanted}
),
best AS (SELECT passage, max(cosine) AS cosine FROM near GROUP BY passage)
SELECT (SELECT count(*) FROM near), (SELECT min(cosine) FROM near), p.id, best.cosine
FROM seen LEFT JOIN (best JOIN milkwise.passages p ON p.row = best.passage) ON {visible}
ORDER BY round(best.cosine::numeric, 5) DESC NULLS LAST, p.document, p.place LIMIT {k}
""")
# The formula of SQLite's FTS5, with its k1 = 1.2 and b = 0.75, so that both stores rank alike.
RANKED = SQL(""",
hidden AS MATERIALIZED (
    SELECT p.row FROM milkwise.passages p, seen WHERE p.removed <= seen.number
    UNION ALL SELECT p.row FROM milkwise.passages p, seen WHERE p.added > seen.number
),
asked AS (SELECT * FROM unnest(%(words)s::text[], %(times)s::integer[]) AS asked (word, times)),
found AS MATERIALIZED (
    SELECT word, passage, weight, length FROM milkwise.postings
    WHERE word = ANY(%(words)s::text[]) AND passage NOT IN (SELECT row FROM hidden)
),
rare AS (
    SELECT word, times * greatest(ln((passages - held + 0.5) / (held + 0.5)), 1e-6)::float8 AS idf
    FROM (SELECT word, count(*)::float8 AS held FROM found GROUP BY word) AS counted JOIN asked USING (word), seen
),
scored AS (
    SELECT passage, sum(idf * weight * 2.2 / (weight + 1.2 * (0.25 + 0.75 * length * passages / words))) AS score
    FROM found JOIN rare USING (word), (SELECT passages::float8, words::float8 FROM seen) AS all_of_it
    GROUP BY passage ORDER BY score DESC FETCH FIRST {k} ROWS WITH TIES
)
SELECT p.id, score FROM seen LEFT JOIN (scored JOIN milkwise.passages p ON p.row = scored.passage) ON true
ORDER BY score DESC NULLS LAST, p.document, p.place LIMIT {k}
""")


@dataclass(frozen=True, slots=True)
class Revision:
    """A state of the whole store: its number, the name of its content, and the facts of the build that made it."""

    number: int
    generation: str
    facts: str | None


class PostgresStore:
    """A `Store` in a database. Safe to share between threads, processes and machines.

    Without `at` it reads what is newest, call by call; with `at` it reads that revision until it is no longer kept,
    which is a minute, and at least until the next revision but one. Then every call raises IndexFault.
    """

    def __init__(self, database: Database, dim: int, at: Revision | None = None) -> None:
        self.database, self.dim, self._at = database, dim, at
        self.cutter = Cutter()
        self._passages: dict[str, Passage] = {}
        self._vectors: dict[str, FloatMatrix] = {}

    def close(self) -> None:
        """Close the connections, those of every other handle on the same `Database` too."""
        self.database.close()

    def newest(self) -> Revision:
        """The revision that is current now."""
        row = self.database.read(lambda connection: connection.execute(NEWEST).fetchone())
        if row is None:
            raise self.database.fault("there is no index in this database.")
        return Revision(*row)

    def replace_document(self, document: Document, passages: Sequence[Passage], vectors: Sequence[FloatMatrix]) -> None:
        """Put a document in place of its older self: atomic, durable on return; no passages deletes it.

        `vectors[i]` is (m_i, dim) for `passages[i]`: first its text, then its sentences, then its keys.
        Raises ValueError where passages and vectors do not belong together; nothing is changed then.
        """
        change = Change(document, passages, vectors)
        change.check(self.dim)
        with self.database.connection() as connection:
            revise(connection, [change], self.dim, self.cutter)

    def documents(self) -> Mapping[str, str]:
        """Document id → digest, in order of id."""
        query = SQL("SELECT p.id, p.digest FROM seen LEFT JOIN milkwise.documents p ON {} ORDER BY p.id")
        return {id: digest for id, digest in self._read(query.format(VISIBLE)) if id is not None}

    def document(self, id: str) -> Document | None:
        """The document of that id, or None."""
        query = SQL("SELECT p.json FROM seen LEFT JOIN milkwise.documents p ON p.id = %(id)s AND {}")
        ((found,),) = self._read(query.format(VISIBLE), id=_text(id))
        return read_document(found) if found else None

    def passage(self, id: str) -> Passage | None:
        """The passage of that id, or None."""
        return self._named([id]).get(id)

    def passages(self, document: str) -> list[Passage]:
        """The passages of a document, in order; together they are its text."""
        query = SQL(
            "SELECT p.json FROM seen LEFT JOIN milkwise.passages p ON p.document = %(id)s AND {} ORDER BY place"
        )
        return [read_passage(json) for (json,) in self._read(query.format(VISIBLE), id=_text(document)) if json]

    def vectors(self, passage: str) -> FloatMatrix:
        """(m, dim): the passage's text, then its sentences, then its keys; (0, dim) for an unknown id."""
        if (known := self._vectors.get(passage)) is not None:
            return known
        query = SQL(
            "SELECT v.embedding FROM seen LEFT JOIN (milkwise.passages p JOIN milkwise.vectors v ON v.passage = p.row)"
            " ON p.id = %(id)s AND {} ORDER BY v.place"
        )
        found = [row.to_numpy() for (row,) in self._read(query.format(VISIBLE), id=_text(passage)) if row is not None]
        rows = np.stack(found) if found else np.zeros((0, self.dim), np.float32)
        self._remember(self._vectors, {passage: rows} if found else {})
        return rows

    def dense(self, vector: FloatMatrix, k: int) -> list[Hit]:
        """The k passages nearest to a (dim,) unit vector; score = cosine, best first.

        Exact in a small store; in a large one the graph of pgvector is asked, and cosines of what it finds are exact.
        """
        at, near = self._near(vector, k)
        found = self._named(list(near), at)
        return [Hit(found[id], cosine, cosine=cosine) for id, cosine in near.items()]

    def lexical(self, text: str, k: int) -> list[Hit]:
        """The k best passages by BM25, best first; never raises for its text, whatever that is."""
        at, worded = self._worded(text, k)
        found = self._named(list(worded), at)
        return [Hit(found[id], score, bm25=score) for id, score in worded.items()]

    def both(
        self, vector: FloatMatrix, text: str, k: int, choose: Callable[[Ranked, Ranked], Mapping[Key, float]]
    ) -> list[Hit]:
        """The passages that `choose` gives a score, of the lists of `dense` and `lexical`, in any order.

        Only those are read. Their `cosine` and `bm25` are 0 where they were not in that list.
        """
        at, near = self._near(vector, k)
        _, worded = self._worded(text, k, at)
        chosen = choose(list(near.items()), list(worded.items()))
        found = self._named([str(id) for id in chosen], at)
        return [Hit(found[id], chosen[id], cosine=near.get(id, 0.0), bm25=worded.get(id, 0.0)) for id in found]

    def _near(self, vector: FloatMatrix, k: int) -> tuple[Revision | None, dict[str, float]]:
        """The revision read, and id → cosine of the k nearest passages, best first."""
        wanted = SPREAD * k
        while k > 0:
            query = NEAREST.format(dim=Literal(self.dim), wanted=Literal(wanted), k=Literal(k), visible=VISIBLE)
            at, rows = self._read_at(query, vector=np.ascontiguousarray(vector, np.float32))
            near, last = rows[0][:2]
            best = {id: max(-1.0, min(1.0, cosine)) for *_, id, cosine in rows if id is not None}
            # Complete once k passages beat the last row seen: one unseen is at most as near as that row.
            if near < wanted or (len(best) == k and rows[-1][3] > last):
                return at, best
            wanted *= 4
        return self._at, {}

    def _worded(self, text: str, k: int, at: Revision | None = None) -> tuple[Revision | None, dict[str, float]]:
        """The revision read, and id → BM25 of the k best passages, best first."""
        words = self.cutter.question(_text(text))
        if not words or k < 1:
            return at, {}
        at, rows = self._read_at(RANKED.format(k=Literal(k)), at, words=list(words), times=list(words.values()))
        return at, {id: max(0.0, score) for id, score in rows if id is not None}

    def postings(self, passage: str) -> dict[str, float]:
        """The words a passage is found by, with their weights."""
        query = SQL(
            "SELECT w.word, w.weight FROM seen LEFT JOIN (milkwise.passages p JOIN milkwise.postings w"
            " ON w.passage = p.row) ON p.id = %(id)s AND {}"
        )
        return {word: weight for word, weight in self._read(query.format(VISIBLE), id=_text(passage)) if word}

    def totals(self) -> tuple[int, int]:
        """How many passages there are, and how many words they have together."""
        ((passages, words),) = self._read(SQL("SELECT passages, words FROM seen"))
        return passages, words

    def revision(self) -> str:
        """Changes whenever the content does; keys every cache."""
        at = self._at or self.newest()
        return f"{at.number}-{at.generation}"

    def _named(self, ids: Sequence[str], at: Revision | None = None) -> dict[str, Passage]:
        """Id → passage, for those there are at that revision."""
        found = {id: known for id in ids if (known := self._passages.get(id)) is not None}
        if missing := [id for id in ids if id not in found]:
            query = SQL("SELECT p.id, p.json FROM seen LEFT JOIN milkwise.passages p ON p.id = ANY(%(ids)s) AND {}")
            _, rows = self._read_at(query.format(VISIBLE), at, ids=[_text(id) for id in missing])
            fresh = {id: read_passage(json) for id, json in rows if id is not None}
            self._remember(self._passages, fresh)
            found |= fresh
        return found

    def _remember(self, kept: dict[str, Any], fresh: dict[str, Any]) -> None:
        if self._at:  # at one revision, what was read stays true
            if len(kept) > KEPT:
                kept.clear()
            kept.update(fresh)

    def _read(self, query: SQL | Composed, **values: object) -> list[Any]:
        return self._read_at(query, None, **values)[1]

    def _read_at(
        self, query: SQL | Composed, at: Revision | None = None, **values: object
    ) -> tuple[Revision, list[Any]]:
        """The revision read, and the rows of a query that reads through `SEEN`; at least one."""
        limit = time.monotonic() + LAG_S
        while True:
            now = at or self._at or self.newest()
            wanted = {"number": now.number, "generation": now.generation, **values}
            rows = self.database.read(lambda one: _fetch(one, SEEN + query, wanted))  # noqa: B023  # called at once
            if rows:
                return now, rows
            behind = self.newest().number < now.number
            if time.monotonic() > limit or not (behind or not (at or self._at)):
                problem = f"revision {now.number} of the index, which was read here, is no longer kept."
                raise IndexFault(self.database.name, problem, "Ask again: the newest one is read then.")
            time.sleep(0.02)


def _fetch(connection: Connection, query: SQL | Composed, values: Mapping[str, object]) -> list[Any]:
    return connection.execute(query, values, binary=True).fetchall()


def _text(value: str) -> str:
    """Text that PostgreSQL takes: a lone surrogate and a NUL, which no id has, become question marks."""
    return value.encode("utf-8", "replace").decode().replace("\0", "?")
