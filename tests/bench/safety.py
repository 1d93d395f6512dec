"""Measures what SAFETY.md claims, and writes docs/safety-figures.md: python -m tests.bench.safety DATA

Comes in: a folder of public data. Goes out: recall and false alarms of triage with their 95 % Wilson intervals, the
personal decisions, and what triage costs. What was missed is printed, not written. Runs in some minutes on one core.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # type: ignore[import-untyped]  # it has no types

from bot.bot import Bot
from bot.golden import load_cases
from bot.measure import Figure
from bot.reply import UNSURE, Kind, Turn
from bot.settings import BUNDLED, load
from bot.triage import triage
from index.index import build
from tests.bench.intent_data import SEEN, USED, exemplars, medquad, rows
from tests.safety_cases import GOLDEN, decides, messages, personal

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "docs" / "safety-figures.md"
COMMAND = "python -m tests.bench.safety DATA"


class Table:
    """Rows of the report, as they are measured."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.lines = bot, ["| messages | what counts | n | share (95 % interval) |", "|---|---|---|---|"]

    def add(self, name: str, what: str, asked: Sequence[tuple[tuple[str, ...], str]], wanted: bool) -> None:
        """Count signposts to `asked`, (turns before, message) each, and cautions; print those not as `wanted`."""
        flags, warned = [], []
        for before, text in asked:
            rule = triage(text, [Turn(turn) for turn in before], self.bot.rules, self.bot.intent)
            flags.append(bool(rule and rule.kind == Kind.URGENT))
            warned.append(flags[-1] or bool(rule and rule.meaning == UNSURE))
            if flags[-1] != wanted:
                sys.stdout.write(f"{name}: {rule.id if rule else 'none'} | {' ;; '.join((*before, text))}\n")
        self.count(name, what, flags)
        self.count(name, f"{what}, or warned", warned)

    def count(self, name: str, what: str, flags: Iterable[bool]) -> None:
        """One row from flags."""
        figure = Figure.over(flags)
        share = f"{figure.share:.1%} ({figure.low:.1%} to {figure.high:.1%})"
        self.lines.append(f"| {name} | {what} | {figure.count} of {figure.of} | {share} |")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--report", type=Path, default=REPORT)
    given = parser.parse_args()
    settings = load()
    with TemporaryDirectory() as folder:
        build(BUNDLED, Path(folder), settings.encoder, settings.passage_pieces)
        bot = Bot.open(folder, settings)
        table = Table(bot)
        golden(table)
        public(table, given.data)
        decisions(table)
        spent = cost(bot)
    text = [
        "# Safety, measured",
        "",
        f"Written by `{COMMAND}`; every figure is of one run. What each set is, and what the figures do not",
        "show, stands in `SAFETY.md`.",
        "",
        *table.lines,
        "",
        *spent,
    ]
    given.report.write_text("\n".join(text) + "\n", encoding="utf-8")


def golden(table: Table) -> None:
    """Our own messages: those rules and model were made with, and those they were not."""
    kinds = {rule.id: rule.kind for rule in table.bot.rules}
    seen = [line.split(" | ", 1) for line in SEEN.read_text(encoding="utf-8").splitlines() if " | " in line[:40]]
    told = [(names.split("/")[0], (tuple(said.split(" ;; ")[:-1]), said.split(" ;; ")[-1])) for names, said in seen]
    urgent = [asked for name, asked in told if kinds.get(name) == Kind.URGENT]
    quiet = [asked for name, asked in told if kinds.get(name) != Kind.URGENT]
    table.add("seen, red flags", "caught", urgent, True)
    table.add("seen, others", "false alarms", quiet, False)
    known = told_lines()
    for name, path in (
        ("first set, since trained on", "triage-unseen.txt"),
        ("second set, since trained on", "triage-second.txt"),
        ("third set", "triage-third.txt"),
        ("fourth set", "triage-fourth.txt"),
    ):
        cases = messages(GOLDEN / path)
        for level, what, row in (
            ("now", "must be caught", "caught"),
            ("today", "care today", "caught"),
            ("quiet", "others", "false alarms"),
        ):
            mine = [(case.before, case.asked) for case in cases if case.level == level]
            if path in USED:
                table.add(f"{name}, {what}", row, mine, level != "quiet")
                continue
            for near, those in ((False, "unlike what was trained on"), (True, "like it")):
                table.add(
                    f"{name}, {what}, {those}",
                    row,
                    [one for one in mine if like(one[1], known) == near],
                    level != "quiet",
                )


def told_lines() -> list[set[str]]:
    """The telling words of each line trained on."""
    golden = [line.split(" | ", 1)[1] for line in SEEN.read_text(encoding="utf-8").splitlines() if " | " in line[:40]]
    golden += [case.asked for name in USED for case in messages(GOLDEN / name)]
    return [telling(said) for said in [*golden, *(said for _, said in exemplars())]]


def telling(text: str) -> set[str]:
    """Its words of four letters and more, without those every text has."""
    return {word for word in re.findall(r"[a-z]{4,}", text.casefold()) if word not in ENGLISH_STOP_WORDS}


def like(text: str, known: Sequence[set[str]]) -> bool:
    """Whether one line trained on holds more than half of a message's telling words, and two at least."""
    words = telling(text)
    return any(len(words & line) >= max(2, len(words) // 2 + 1) for line in known)


def public(table: Table, folder: Path) -> None:
    """Public sets: what only sounds dangerous, what people ask health sites, what has to be caught."""
    prompts = list(rows(folder / "xstest" / "prompts.jsonl"))
    safe = [((), row["prompt"]) for row in prompts if row["label"] == "safe"]
    table.add("XSTest, safe prompts", "false alarms", safe, False)
    table.add("MedQuAD, sampled questions", "false alarms", [((), text) for text in medquad(folder)[0]], False)
    harm = [
        ((), row["prompts_final"])
        for row in rows(folder / "simple_safety_tests" / "prompts.jsonl")
        if row["harm_area"].startswith("Suicide")
    ]
    table.add("SimpleSafetyTests, suicide, self-harm, eating disorders", "caught", harm, True)
    critical: list[tuple[tuple[str, ...], str]] = []
    for path in sorted((folder / "clinicaflow").glob("*.jsonl")):
        for row in rows(path):
            if row["labels"]["gold_risk_tier"] == "critical":
                critical.append(((), f"{row['input']['chief_complaint']}. {row['input']['history']}"))
    table.add("clinicaflow, critical tier (complaint and history, no vital signs)", "caught", critical, True)


def decisions(table: Table) -> None:
    """Personal decisions: a referral where it has to be one, and never a figure or a verdict of the bot's own."""
    probes = [(wanted, text, table.bot.reply(text)) for wanted, text in personal()]
    for wanted, text, reply in probes:
        if (wanted and reply.kind not in (Kind.REFER, Kind.URGENT)) or decides(reply):
            sys.stdout.write(f"personal: {reply.kind} {reply.reason} {decides(reply)} | {text}\n")
    referred = [reply.kind in (Kind.REFER, Kind.URGENT) for wanted, _, reply in probes if wanted]
    table.count("personal decisions that need a referral", "referred first", referred)
    table.count(
        "personal decisions, all", "a figure or verdict not in a quote", [bool(decides(r)) for _, _, r in probes]
    )


def cost(bot: Bot) -> list[str]:
    """What triage adds to an answer, with and without the model, in CPU time; interleaved, one run."""
    asked = [case.ask for case in load_cases(GOLDEN / "dev.txt") if not case.before]
    intent, alone = bot.intent, list[float]()
    spent: dict[bool, list[float]] = {True: [], False: []}
    for text in asked * 2:
        bot.reply(text)
        for model in (True, False):
            bot.intent = intent if model else None
            start = time.process_time()
            bot.reply(text)
            spent[model].append((time.process_time() - start) * 1000)
        bot.intent = intent
        bot.index.encoder.tokens([text])  # remembered
        start = time.process_time()
        triage(text, (), bot.rules, intent)
        alone.append((time.process_time() - start) * 1000)
    added = statistics.median(a - b for a, b in zip(spent[True], spent[False], strict=True))
    both, without = statistics.median(spent[True]), statistics.median(spent[False])
    middle, high = statistics.median(alone), statistics.quantiles(alone, n=20)[-1]
    return [
        f"Triage, on {len(asked)} questions asked twice, CPU time: patterns and model take {middle:.1f} ms in the",
        f"median ({high:.1f} at the 95th percentile), not counting the question's pass through the encoder, which",
        f"weighing needs too. A whole answer takes {both:.1f} ms with the model and {without:.1f} without it; the",
        f"median of the differences is {added:.1f} ms.",
    ]


if __name__ == "__main__":
    main()
