"""What an answer costs, stage by stage, as a ratio to one bare forward pass of the same question in the same run.

Run: `make bench`. CPU time of this process, one thread; every question's stages are measured one after another, so that
whatever else the machine does falls on all of them. Asks the development questions of the bundled article.
"""

from __future__ import annotations

import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.bot import Bot
from bot.golden import load_cases
from bot.reply import Query
from bot.settings import BUNDLED, load
from bot.triage import triage
from bot.weigh import weigh
from index.index import build

GOLDEN = Path(__file__).parents[1] / "golden" / "dev.txt"
ROUNDS = 3


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call, all threads of this process."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def main() -> None:
    """Build, warm up, measure, write a table to standard output."""
    settings = load()
    with TemporaryDirectory() as folder:
        build(BUNDLED, Path(folder), settings.encoder, settings.passage_pieces)
        bot = Bot.open(folder, settings)
        asked = [case.ask for case in load_cases(GOLDEN) if not case.before]
        cold = [cpu_ms(lambda: bot.reply(asked[0]))]
        for question in asked:
            bot.reply(question)
        stages: dict[str, list[float]] = {}
        for question in asked * ROUNDS:
            hits = bot.index.search(question, settings.top_k)
            for name, work in {
                "one forward pass": lambda: bot.index.encoder.encode([question]),  # noqa: B023  # called at once
                "triage": lambda: triage(question, (), bot.rules, bot.intent),  # noqa: B023
                "search": lambda: bot.index.search(question, settings.top_k),  # noqa: B023
                "weigh": lambda: weigh(Query(question, question), hits, bot.index),  # noqa: B023
                "whole answer": lambda: bot.reply(question),  # noqa: B023
            }.items():
                stages.setdefault(name, []).append(cpu_ms(work))
    base = statistics.median(stages["one forward pass"])
    lines = [f"{platform.machine()}, Python {platform.python_version()}, {len(asked)} questions, {ROUNDS} rounds", ""]
    lines += ["| stage | CPU ms, median | 95th percentile | × one forward pass |", "|---|---|---|---|"]
    for name, spent in stages.items():
        middle, high = statistics.median(spent), statistics.quantiles(spent, n=20)[-1]
        lines.append(f"| {name} | {middle:.1f} | {high:.1f} | {middle / base:.2f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * (1024 if sys.platform == "darwin" else 1))
    lines += ["", f"first answer, passages not yet seen: {cold[0]:.0f} ms; peak memory: {peak:.0f} MB"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
