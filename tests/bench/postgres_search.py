"""What the two ranked lists cost in PostgreSQL, and how much of the exact one pgvector's graph finds.

Run: `python -m tests.bench.postgres_search [PASSAGES]`. Made-up passages: 60 words by Zipf's law, six
vectors of 384 numbers in clusters. Writes a table to standard output.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sized
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.document import Document, Passage
from index.contract import FloatMatrix
from index.database import Database, migrate
from index.postgres import PostgresStore
from index.postings import Cutter
from index.revise import Change, revise
from tests.postgres_server import Server, primary

DIM, ROWS, ROUNDS, K = 384, 6, 100, 200


def main() -> None:
    """Build, search, write the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    made = np.random.default_rng(1)
    centres = made.standard_normal((200, DIM))
    rows = centres[made.integers(0, 200, count)][:, None, :] + made.standard_normal((count, ROWS, DIM))
    rows = (rows / np.linalg.norm(rows, axis=2, keepdims=True)).astype(np.float32)
    words = np.minimum(made.zipf(1.3, (count, 60)), 50_000)
    with primary(shared_buffers="512MB") as server:
        address = server.create("faq")
        database = Database(address, write=True)
        start = time.perf_counter()
        with database.connection() as connection:
            migrate(connection)
            revise(connection, [change(n, words[n], rows[n]) for n in range(count)], DIM, Cutter())
        built = time.perf_counter() - start
        one = change(0, words[1], rows[1])
        store = PostgresStore(database, DIM)
        replaced = seconds(lambda: store.replace_document(one.document, one.passages, one.vectors))
        reader = PostgresStore(database, DIM, store.newest())
        queries = rows[made.integers(1, count, ROUNDS), 0] + 0.5 * made.standard_normal((ROUNDS, DIM)) / DIM**0.5
        queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
        texts = [" ".join(f"w{word}" for word in words[n][:8]) for n in made.integers(1, count, ROUNDS)]
        found = 0
        for query in queries[:50]:
            best = np.argsort(-(rows[1:] @ query).max(1))[:10] + 1
            found += len({f"d{n}#0" for n in best} & {hit.passage.id for hit in reader.dense(query, K)[:10]})
        dense = cpu_ms(server, lambda: [reader.dense(query, K) for query in queries])
        lexical = cpu_ms(server, lambda: [reader.lexical(text, K) for text in texts])
        size = server.run("faq", "SELECT pg_size_pretty(pg_database_size('faq'))")[0][0]
        tables = """
            SELECT relname || ' ' || pg_size_pretty(pg_relation_size(oid)) FROM pg_class
            WHERE relnamespace = 'milkwise'::regnamespace ORDER BY pg_relation_size(oid) DESC
        """
        parts = ", ".join(str(part) for (part,) in server.run("faq", tables)[:6])
        database.close()
    for name, value in {
        "passages, vectors": f"{count:,}, {count * ROWS:,}",
        "first build, without encoding": f"{built:.0f} s",
        "one document replaced": f"{replaced * 1000:.0f} ms",
        f"{K} nearest passages, CPU of the server + of the client": dense,
        "recall of the ten nearest": f"{found / 500:.3f}",
        f"{K} best by BM25 for 8 words, CPU of the server + of the client": lexical,
        "size": f"{size}: {parts}",
    }.items():
        sys.stdout.write(f"| {name} | {value} |\n")


def change(number: int, words: NDArray[np.int64], rows: FloatMatrix) -> Change:
    """A document of one passage."""
    id, text = f"d{number}", " ".join(f"w{word}" for word in words)
    return Change(Document(id, id, text, ()), [Passage(f"{id}#0", id, (), text, 0, len(text))], [rows])


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cpu_ms(server: Server, work: Callable[[], Sized]) -> str:
    """What one of several searches costs, in CPU milliseconds: the machine may have other work."""
    before = ticks(server)
    mine = time.process_time()
    count = len(work())
    mine = (time.process_time() - mine) * 1000 / count
    theirs = (ticks(server) - before) * 1000 / os.sysconf("SC_CLK_TCK") / count
    return f"{theirs:.1f} + {mine:.1f} ms"


def ticks(server: Server) -> int:
    """CPU time of a server's processes, those that have ended left out."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    stats = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children]
    return sum(int(each[11]) + int(each[12]) for each in stats)


if __name__ == "__main__":
    main()
