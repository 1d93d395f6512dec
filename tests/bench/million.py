"""A million passages in one folder: how soon it is open, what a search costs, what it holds in memory.

Run: `python -m tests.bench.million [PASSAGES]`. Texts and rows are made up (see made.py), one row a passage. The index
is built in one process and searched in a fresh one. Takes about ten minutes, 10 GB of memory and 6 GB of disk.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bot.settings import hush
from index.encode import BUNDLED
from index.index import DEPTH, Index, fuse
from tests.bench import made
from tests.bench.load import resident_mb

PASSAGES, ASKED, FIRST = 1_000_000, 600, 100  # the first searches touch the file for the first time: told apart
Row = tuple[str, str, str, str]


def search(folder: Path) -> None:
    """Open the index in a folder and search it; print what came of that as JSON. For a process of its own."""
    began, used = time.perf_counter(), time.process_time()
    index = Index.open(folder / "index", BUNDLED)
    opened = [time.perf_counter() - began, time.process_time() - used]
    vectors = np.load(folder / "vectors.npy", allow_pickle=False)
    texts = (folder / "texts.txt").read_text(encoding="utf-8").splitlines()
    spent: dict[str, list[list[float]]] = {"vectors": [], "both": []}
    for name, spends in spent.items():
        for vector, text in zip(vectors, texts, strict=True):
            began, used = time.perf_counter(), time.process_time()
            asked = text if name == "both" else ""
            index.store.both(vector, asked, DEPTH, lambda dense, lexical: fuse(dense, lexical, 8))
            spends.append([(time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000])
    resident = resident_mb(os.getpid())
    near = [[hit.passage.id for hit in index.store.dense(vector, DEPTH)[:10]] for vector in vectors]
    sys.stdout.write(json.dumps({"opened": opened, "resident": resident, "near": near, **spent}))


def rows(passages: int = PASSAGES) -> list[Row]:
    """(what, measured, bar, remark) for each row of the report. Needs Linux."""
    hush()
    with TemporaryDirectory() as name:
        folder, began = Path(name), time.process_time()
        made.build(folder / "index", passages, 1)
        built = time.process_time() - began
        vectors, texts, true = made.questions(passages, 1, 384, ASKED)
        np.save(folder / "vectors.npy", vectors)
        (folder / "texts.txt").write_text("\n".join(texts), encoding="utf-8")
        command = [sys.executable, "-m", "tests.bench.million", "search", name]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        disk = sum(file.stat().st_size for file in (folder / "index").rglob("*") if file.is_file())
    overlap = statistics.mean(len(mine & {*theirs}) / 10 for mine, theirs in zip(true, found["near"], strict=True))
    what = f"{passages:,} passages"
    listed = [(f"{what}: overlap with exact search", f"{overlap:.3f}", "≥ 0.97", "ten nearest, vectors near rows")]
    for name, told in (("vectors", "nearest vectors"), ("both", "both lists, fused, eight passages read")):
        wall, cpu = (sorted(each[kind] for each in found[name][FIRST:]) for kind in (0, 1))
        first = statistics.median(each[0] for each in found[name][:FIRST])
        middle, high = statistics.median(cpu), cpu[int(len(cpu) * 0.99)]
        remark = f"CPU; wall {statistics.median(wall):.1f} ms; the first {FIRST}: {first:.1f} ms"
        listed.append((f"{what}: {told}", f"{middle:.1f} ms", "≤ 5 ms", remark))
        listed.append((f"{what}: the same, 99th percentile / median", f"{high / middle:.1f}", "≤ 5", "CPU"))
    wall, cpu = found["opened"]
    return [
        *listed,
        (f"{what}: resident memory after these", f"{found['resident']:,.0f} MB", "≤ 1 GB", "mapped pages counted"),
        (f"{what}: opened in", f"{wall:.2f} s", "≤ 1 s", f"{cpu:.2f} CPU s, the encoder's start included"),
        (f"{what}: built in", f"{built:,.0f} CPU s", "", f"without encoding; {disk / 1e9:.1f} GB on disk"),
    ]


def main() -> None:
    """Print the rows, or search for who does."""
    if sys.argv[1:2] == ["search"]:
        hush()
        search(Path(sys.argv[2]))
        return
    for row in rows(*(int(argument) for argument in sys.argv[1:2])):
        sys.stdout.write(f"| {' | '.join(row)} |\n")


if __name__ == "__main__":
    main()
