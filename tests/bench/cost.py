"""What an answer costs, stage by stage, as a ratio to one bare forward pass of the same question in the same run.

Run: `make bench`. CPU time of this process, one thread; every question's stages are measured one after another, so that
whatever else the machine does falls on all of them. Asks the development questions of the bundled article.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np

from bot import weigh as weigher
from bot.bot import Bot
from bot.golden import load_cases
from bot.reply import Query
from bot.scorer import load_scorer
from bot.settings import BUNDLED, load
from bot.triage import triage
from index.contract import FloatMatrix
from index.index import build

GOLDEN = Path(__file__).parents[1] / "golden" / "dev.txt"
ROUNDS = 2


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call, all threads of this process."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


class Remembering:
    """A scorer that reads nothing twice: with every pair known, a reply costs all but the reading, and is the same."""

    def __init__(self) -> None:
        self.scorer, self.known = load_scorer(), dict[tuple[str, str], float]()

    def predict(self, pairs: Sequence[tuple[str, str]]) -> FloatMatrix:
        """(n,) logits; a question is known however its words are spaced."""
        keys = [(" ".join(question.split()), sentence) for question, sentence in pairs]
        if new := [key for key in keys if key not in self.known]:
            self.known.update(zip(new, map(float, self.scorer.predict(new)), strict=True))
        return np.array([self.known[key] for key in keys], dtype=np.float32)


def without(bot: Bot, text: str, scorer: Remembering) -> object:
    """A reply made without reading anything anew."""
    with patch.object(weigher, "load_scorer", lambda: scorer):
        return bot.reply(text)


def rows() -> list[tuple[str, str, str, str]]:
    """(what, measured, bar, remark) for each row of the report."""
    settings, gaps = load(), dict[str, int]()

    def anew(question: str) -> str:
        """The same words, spaced as never before: the encoder has not just seen them."""
        gaps[question] = gaps.get(question, 1) + 1  # each its own, so that no gap grows long enough to cost something
        return question.replace(" ", " " * gaps[question], 1)

    with TemporaryDirectory() as folder:
        build(BUNDLED, Path(folder), settings.encoder, settings.passage_pieces)
        bot = Bot.open(folder, settings)
        asked = [case.ask for case in load_cases(GOLDEN) if not case.before]
        cold = cpu_ms(lambda: bot.reply(asked[0]))
        scorer = Remembering()
        for question in asked:
            without(bot, question, scorer)
        stages: dict[str, list[float]] = {}
        for question in asked * ROUNDS:
            hits = bot.index.search(question, settings.top_k)
            works: dict[str, Callable[[str], object]] = {
                "one forward pass": lambda text: bot.index.encoder.encode([text]),
                "triage, its pass included": lambda text: triage(text, (), bot.rules, bot.intent),
                "search, its pass included": lambda text: bot.index.search(text, settings.top_k),
                "weigh, its pass included": lambda text: weigher.weigh(Query(text, text), hits, bot.index),  # noqa: B023
                "whole answer without the scorer": lambda text: without(bot, text, scorer),
                "whole answer": lambda text: bot.reply(text),
            }
            for name, work in works.items():
                text = anew(question)
                stages.setdefault(name, []).append(cpu_ms(lambda: work(text)))  # noqa: B023  # called at once
    base, listed = statistics.median(stages["one forward pass"]), []
    for name, spent in stages.items():
        middle, high = statistics.median(spent), statistics.quantiles(spent, n=20)[-1]
        bar = "≤ 2.0" if name == "whole answer without the scorer" else ""
        remark = f"{middle:.1f} CPU ms, 95th percentile {high:.1f}"
        listed.append((f"{name} / one forward pass", f"{middle / base:.2f}", bar, remark))
    first = f"passages not yet seen; the others: {len(asked)} questions, {ROUNDS} rounds, passages seen before"
    return [*listed, ("the first answer of a process / one forward pass", f"{cold / base:.0f}", "", first)]


if __name__ == "__main__":
    for row in rows():
        sys.stdout.write(f"| {' | '.join(row)} |\n")
