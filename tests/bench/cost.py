"""What an answer costs, stage by stage, as a ratio to one bare forward pass of the same question in the same run.

Run: `make bench`. CPU time of this process, one thread; every question's stages are measured one after another, so that
whatever else the machine does falls on all of them. Asks the development questions of the bundled article.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from itertools import count
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


def lines() -> list[str]:
    """Build, warm up, measure: the lines of a table."""
    settings, number = load(), count(2)

    def anew(question: str) -> str:
        """The same words, spaced as never before: the encoder has not just seen them."""
        return question.replace(" ", " " * next(number), 1)

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
            works: dict[str, Callable[[str], object]] = {
                "one forward pass": lambda text: bot.index.encoder.encode([text]),
                "triage": lambda text: triage(text, (), bot.rules, bot.intent),
                "search, its pass included": lambda text: bot.index.search(text, settings.top_k),
                "weigh, its pass included": lambda text: weigh(Query(text, text), hits, bot.index),  # noqa: B023
                "whole answer, one pass": lambda text: bot.reply(text),
            }
            for name, work in works.items():
                text = anew(question)
                stages.setdefault(name, []).append(cpu_ms(lambda: work(text)))  # noqa: B023  # called at once
    base = statistics.median(stages["one forward pass"])
    table = [f"{len(asked)} questions, {ROUNDS} rounds; the passages they find were seen before.", ""]
    table += ["| stage | CPU ms, median | 95th percentile | × one forward pass |", "|---|---|---|---|"]
    for name, spent in stages.items():
        middle, high = statistics.median(spent), statistics.quantiles(spent, n=20)[-1]
        table.append(f"| {name} | {middle:.1f} | {high:.1f} | {middle / base:.2f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * (1024 if sys.platform == "darwin" else 1))
    first = f"First answer, passages not yet seen: {cold[0]:.0f} CPU ms."
    return [*table, "", f"{first} Peak memory, the build included: {peak:.0f} MB."]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines()) + "\n")
