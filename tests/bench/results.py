"""Measure what the project costs and write docs/RESULTS.md: the machine, the rows, their bars, what missed.

Run: `make bench`, or `python -m tests.bench.results speed start load stages endurance` for some of its parts. A quarter
of an hour on an idle machine.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from tests.bench import cost, endurance, load, speed, start

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


PARTS: dict[str, Callable[[], list[str]]] = {
    "speed": lambda: table(speed.rows()),
    "start": lambda: table(start.rows()),
    "load": lambda: table(load.rows()),
    "stages": lambda: [*cost.lines(), ""],
    "endurance": lambda: table(endurance.rows()),
}
TITLES = {
    "speed": "Encoding, finding, indexing",
    "start": "Starting, and memory",
    "load": "Requests over HTTP",
    "stages": "An answer, stage by stage",
    "endurance": "Killed builds, flipped bits",
}


def main() -> None:
    """Measure the parts named, or all, then write the report."""
    chosen = sys.argv[1:] or list(PARTS)
    text = [
        "# Results",
        "",
        f"Written by `make bench` on {date.today()}. {machine()}",
        "",
        "CPU time, one thread, medians of interleaved rounds; a ratio compares what ran in turns. A busy machine makes",
        "wall times useless and CPU times a little high. Bars are what was set before measuring; a missed one stays.",
        "",
    ]
    for part in PARTS:
        measured = PARTS[part]() if part in chosen else ["Not measured in this run.", ""]
        text += [f"## {TITLES[part]}", "", *measured]
        REPORT.write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")  # each part as it is done


if __name__ == "__main__":
    main()
