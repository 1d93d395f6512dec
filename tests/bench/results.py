"""Measure what the project costs and write docs/RESULTS.md: the machine, the rows, their bars, what missed.

Run: `make bench`, or `python -m tests.bench.results [KILLS] [FLIPS]`. Some minutes on an idle machine.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.bench import cost, load, safety, speed, start

REPORT = Path(__file__).parents[2] / "docs" / "RESULTS.md"
LIBRARIES = ("onnxruntime", "tokenizers", "faiss-cpu", "sentence-transformers", "torch", "gradio")

Row = tuple[str, str, str, str]


def table(rows: Sequence[Row]) -> list[str]:
    """Rows as a Markdown table."""
    head = ["| what | measured | bar | remark |", "|---|---|---|---|"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows), ""]


def machine() -> str:
    """The hardware and the libraries, and how busy it was."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        chip = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        chip = platform.processor() or platform.machine()
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    used = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{chip}, {os.cpu_count()} cores, Python {platform.python_version()}; {used}. Load averages {busy}."


def main() -> None:
    """Measure everything, then write the report."""
    counts = [int(argument) for argument in sys.argv[1:3]]
    text = [
        "# Results",
        "",
        f"Written by `make bench` on {date.today()}. {machine()}",
        "",
        "CPU time, one thread, medians of interleaved rounds; a ratio compares what ran in turns. A busy machine makes",
        "wall times useless and CPU times a little high. Bars are what was set before measuring; a missed one stays.",
        "",
        "## Speed",
        "",
        *table([*speed.rows(), *start.rows(), *load.rows()]),
        "## An answer, stage by stage",
        "",
        *cost.lines(),
        "",
        "## Safety",
        "",
        *table(safety.rows(*counts)),
    ]
    REPORT.write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
