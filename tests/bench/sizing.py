"""How many machines a number of passages and of questions a second takes, from what one of them does.

Comes in: the table FIGURES, measured or assumed, as it says. Goes out: the table of docs/scale.md. A sum, not a
measurement: its test checks the sum.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from itertools import pairwise

# One core of a shared AMD EPYC (Zen 5), CPU milliseconds, all-MiniLM-L6-v2 in single precision.
FIGURES = {
    "pass_ms": 4.1,  # one question through the encoder: measured on a busy machine
    # Both lists and their fusion: measured for 30,000 on a busy machine, assumed to grow with the root beyond.
    "search_ms": {30_000: 2.3, 1_000_000: 13.0, 100_000_000: 130.0},
    "compose_ms": 2.0,  # triage, rewriting, composing and rendering: assumed
    "http_ms": 1.0,  # one request by HTTP: assumed; an empty one was measured at 0.25
    "index_ms": 17.0 * 2,  # a passage of 120 words: measured; its sentences again as much: assumed
    "vectors_bytes": 384 * 2 * 7,  # half precision; a passage, its five sentences, one question
    "words_bytes": 70 * 8,  # word scores: seventy different words a passage, eight bytes each
    "stored_bytes": 384 * 4 * 7 + 4_000,  # vectors in single precision; text and full-text index: assumed
}
AT_HAND = 0.7  # of the questions asked, those asked before; FAQ traffic repeats
BUSY = 0.6  # of a core, at most: beyond, waiting grows faster than use
CORES, MEMORY_GB, DISK_GB = 16, 64, 1_000  # of one machine
PASSAGES = (10_000, 1_000_000, 100_000_000)
QUESTIONS = (10, 1_000, 100_000)


@dataclass(frozen=True, slots=True)
class Size:
    """What it takes. Memory and disk are gigabytes on each machine that holds the whole index."""

    answers: float
    cores: int
    machines: int
    memory_gb: float
    disk_gb: float
    index_core_hours: float
    first: str


def search_ms(passages: int) -> float:
    """CPU milliseconds to search so many passages, between the sizes known by their logarithms."""
    known = sorted(FIGURES["search_ms"].items())  # type: ignore[attr-defined]  # of this key, a table
    if passages <= known[0][0]:
        return float(known[0][1])
    for (low, few), (high, many) in pairwise(known):
        if passages <= high:
            part = math.log(passages / low) / math.log(high / low)
            return float(few * (many / few) ** part)
    return float(known[-1][1]) * math.sqrt(passages / known[-1][0])


def size(passages: int, questions: float) -> Size:
    """What so many passages and questions a second take."""
    fact = {name: value for name, value in FIGURES.items() if isinstance(value, float | int)}
    answers = questions * (1 - AT_HAND)
    answer_ms = fact["pass_ms"] + search_ms(passages) + fact["compose_ms"]
    cores = math.ceil((questions * fact["http_ms"] + answers * answer_ms) / 1000 / BUSY)
    memory = passages * (fact["vectors_bytes"] + fact["words_bytes"]) / 1e9 + 0.5
    disk = passages * (fact["vectors_bytes"] + fact["words_bytes"] + fact["stored_bytes"]) / 1e9 + 0.1
    machines = max(1, math.ceil(cores / CORES))
    shares = {"cores": cores / CORES / machines, "memory": memory / MEMORY_GB, "disk": disk / DISK_GB}
    first = max(shares, key=lambda name: shares[name])
    over = [name for name, share in shares.items() if share > 1]
    hours = passages * fact["index_ms"] / 3.6e6
    return Size(answers, cores, machines, memory, disk, hours, "too large: shard" if over else first)


def rows() -> list[str]:
    """The lines of the table in docs/scale.md."""
    lines = []
    for passages in PASSAGES:
        for questions in QUESTIONS:
            it = size(passages, questions)
            cells = (f"{passages:,}", f"{questions:,}", f"{it.answers:,.0f}", f"{it.cores:,}", f"{it.machines:,}",
                     f"{it.memory_gb:,.1f} GB", f"{it.disk_gb:,.1f} GB", it.first)  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    sys.stdout.write("\n".join(rows()) + "\n")
