"""One document changed among many: what the build takes that puts it right, in a folder and in PostgreSQL.

Run: `python -m tests.bench.update [DOCUMENTS]`. Documents of one made-up passage each, encoded for real.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.settings import hush
from index.encode import BUNDLED
from index.home import Home, build
from tests.bench import made
from tests.postgres_server import primary

DOCUMENTS, WORDS = 2_000, 20
Row = tuple[str, str, str, str]


def write(shelf: Path, count: int) -> None:
    """So many documents, each a title and some words."""
    words, odds = made.vocabulary()
    chosen = random.Random(0)
    shelf.mkdir()
    for number in range(count):
        text = " ".join(chosen.choices(words, cum_weights=odds, k=WORDS)).capitalize()
        (shelf / f"d{number}.md").write_text(f"# Number {number}\n\n{text}.\n", encoding="utf-8")


def spent(shelf: Path, home: Home) -> tuple[float, float]:
    """Wall and CPU seconds of the second build, one document of its changed."""
    build(shelf, home, BUNDLED, 200)
    (shelf / "d7.md").write_text(f"# Number 7\n\nAnother text, for {len(str(home))}.\n", encoding="utf-8")
    wall, cpu = time.perf_counter(), time.process_time()
    done = build(shelf, home, BUNDLED, 200)
    assert done.changed == ("d7",), done
    return time.perf_counter() - wall, time.process_time() - cpu


def rows(count: int = DOCUMENTS) -> list[Row]:
    """(what, measured, bar, remark) for each row of the report."""
    hush()
    listed = []
    with TemporaryDirectory() as folder, primary() as server:
        shelf = Path(folder) / "documents"
        write(shelf, count)
        for name, home in (("a folder", Path(folder) / "index"), ("PostgreSQL", server.create("faq"))):
            wall, cpu = spent(shelf, home)
            remark = f"{cpu:.1f} CPU s of this process; it reads and compares all documents"
            listed.append((f"one document of {count:,} changed, {name}", f"{wall:.1f} s", "≤ 1 s of 100,000", remark))
    return listed


if __name__ == "__main__":
    for row in rows(*(int(argument) for argument in sys.argv[1:2])):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
