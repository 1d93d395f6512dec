"""Measure what the project costs and bears, and write docs/RESULTS.md: the machine, the rows, their bars, what missed.

Run: `make bench`, or `python -m tests.bench.results PART ...` for some of its parts; what the report holds of the
others stays. `--peers PYTHON` names the interpreter of an environment with the packages of tests/bench/peers.py. All of
it takes some three hours on two idle cores; the numbers of killed builds and so on can be made smaller, and the report
says how many there were.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
from collections.abc import Callable, Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path

from bot.faces.doctor import without_avx2

REPORT = Path(__file__).parents[2] / "docs" / "RESULTS.md"
LIBRARIES = ("onnxruntime", "tokenizers", "faiss-cpu", "sentence-transformers", "torch", "gradio")
TITLES = {
    "speed": "Encoding, finding, indexing",
    "stages": "An answer, stage by stage",
    "peers": "Beside LangChain, LlamaIndex, Haystack and txtai",
    "start": "Starting, and memory",
    "load": "Requests over HTTP",
    "update": "One document changed",
    "million": "A million passages",
    "kills": "Killed builds",
    "flips": "Flipped bits",
    "questions": "Many questions",
    "faults": "What an operator meets",
    "overload": "More than it can answer",
    "updates": "PostgreSQL: updates killed, and read",
    "failover": "PostgreSQL: failed over",
    "same": "PostgreSQL: the same answers",
}
HEAD = """# Results

Made by `make bench` (`python -m tests.bench.results`), part by part: each says when, and how busy the machine was.
CPU time where it says CPU, medians of interleaved rounds; a ratio compares what ran in turns. A busy machine makes wall
times useless and CPU times a little high. Bars are what was set before measuring; a missed one is marked and stays.
"""

Row = tuple[str, str, str, str]


def table(rows: Iterable[Row]) -> list[str]:
    """Rows as a Markdown table; a bar that is missed is marked."""
    head = ["| what | measured | bar | remark |", "|---|---|---|---|"]
    return [*head, *(f"| {what} | {marked(found, bar)} | {bar} | {remark} |" for what, found, bar, remark in rows)]


def marked(measured: str, bar: str) -> str:
    """The figure, with the word "missed" where it is not within its bar."""
    limit, found = re.match(r"([≤≥<]?) ?([\d.]+)", bar), re.match(r"[+-]?[\d.,]+", measured)
    within = measured != "FAILED"
    if limit and found:
        number, most = float(found[0].replace(",", "")), float(limit[2])
        number *= 0.001 if " MB" in measured and " GB" in bar else 1
        within = {"≤": number <= most, "<": number < most, "≥": number >= most, "": number == most}[limit[1]]
    return measured if within else f"**{measured}, missed**"


def machine() -> str:
    """The hardware, the libraries, the day, and how busy it was."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        chip = next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        chip = platform.processor() or platform.machine()
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    chip += " without AVX2" if without_avx2() else ""
    used = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    where = f"{chip}, {os.cpu_count()} cores, Python {platform.python_version()}; {used}"
    return f"{date.today()}, {where}. Load averages before: {busy}."


def sections(report: str) -> dict[str, str]:
    """Part → its text in a report, as far as it is there."""
    names = {title: part for part, title in TITLES.items()}
    found = (text.partition("\n") for text in report.split("\n## ")[1:])
    return {names[title]: text.strip() for title, _, text in found if title in names}


def main() -> None:
    """Measure the parts named, or all, and write each into the report as it is done."""
    # Here, not above: to read a report none of these and their libraries is needed.
    from tests.bench import cluster, cost, endurance, faults, load, million, overload, peers, speed, start, update

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*TITLES, []], metavar="PART", help=", ".join(TITLES))
    parser.add_argument("--peers", metavar="PYTHON", default="")
    for name, count in (
        ("kills", endurance.KILLS),
        ("flips", endurance.FLIPS),
        ("questions", endurance.QUESTIONS),
        ("passages", million.PASSAGES),
        ("turns", peers.TURNS),
    ):
        parser.add_argument(f"--{name}", type=int, default=count)
    asked = parser.parse_args()
    works: dict[str, Callable[[], list[str]]] = {
        "speed": lambda: table(speed.rows()),
        "stages": lambda: table(cost.rows()),
        "peers": lambda: table(peers.rows(asked.peers, asked.turns)),
        "start": lambda: table(start.rows()),
        "load": lambda: table(load.rows()),
        "update": lambda: table(update.rows()),
        "million": lambda: table(million.rows(asked.passages)),
        "kills": lambda: table([endurance.killed(asked.kills)]),
        "flips": lambda: table([endurance.flipped(asked.flips)]),
        "questions": lambda: table([endurance.asked_often(asked.questions)]),
        "faults": lambda: table(faults.rows()),
        "overload": lambda: table(overload.rows()),
        "updates": lambda: table(cluster.rows(["killed_updates", "half_documents"])),
        "failover": lambda: table(cluster.rows(["failover"])),
        "same": lambda: table(cluster.rows(["answers"])),
    }
    for part in asked.parts or [part for part in TITLES if part != "peers" or asked.peers]:
        where, lines = machine(), works[part]()
        known = sections(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else {}
        known[part] = "\n".join([where, "", *lines]).strip()
        text = [f"## {title}\n\n{known.get(name, 'Not measured yet.')}\n" for name, title in TITLES.items()]
        REPORT.write_text("\n".join([HEAD, *text]), encoding="utf-8")


if __name__ == "__main__":
    main()
