"""A report held against an earlier one, and against floors: what got better, what got worse, what fell too low.

Comes in: reports, one of them as the JSON that `milkwise measure --json` printed. Goes out: what changed. Does not
know: how cases are scored, or how a change is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path

from bot.golden import Case, ReportError
from bot.measure import Figure, Outcome, Report

Key = tuple[tuple[str, ...], str]  # the questions before it, and the question


@dataclass(frozen=True, slots=True)
class Change:
    """Two reports on the cases they share. `chance` is how likely as lopsided a change is where nothing changed.

    It is the two-sided sign test over the cases that changed sides (McNemar's, exact); 1 where none did.
    """

    shared: int
    before: Figure
    now: Figure
    gained: tuple[Outcome, ...]
    lost: tuple[Outcome, ...]
    new: int
    gone: int

    @property
    def chance(self) -> float:
        """The probability of a change as lopsided by chance alone."""
        n, fewer = len(self.gained) + len(self.lost), min(len(self.gained), len(self.lost))
        return min(1.0, sum(comb(n, k) for k in range(fewer + 1)) / 2 ** (n - 1)) if n else 1.0


def load_report(path: Path) -> Mapping[Key, bool]:
    """Which cases an earlier report had right. Raises ReportError where it is none, OSError where there is no file."""
    try:
        kept = json.loads(path.read_bytes())["outcomes"]
        return {(tuple(one["before"]), one["ask"]): one["verdict"] == "right" for one in kept}
    except (ValueError, KeyError, TypeError):
        raise ReportError(f"{path}: no report. Write one with 'milkwise measure CASES --json > {path.name}'.") from None


def compare(report: Report, earlier: Mapping[Key, bool]) -> Change:
    """What changed since an earlier report, on the cases both have."""
    now = {(one.case.before, one.case.ask): one for one in report.outcomes}
    shared = [key for key in now if key in earlier]
    right = {key: now[key].verdict == "right" for key in shared}
    return Change(
        shared=len(shared),
        before=Figure.over(earlier[key] for key in shared),
        now=Figure.over(right.values()),
        gained=tuple(now[key] for key in shared if right[key] and not earlier[key]),
        lost=tuple(now[key] for key in shared if earlier[key] and not right[key]),
        new=len(now) - len(shared),
        gone=len(earlier) - len(shared),
    )


@dataclass(frozen=True, slots=True)
class Floor:
    """The least share of the cases of one sort ("all" for all of them) that has to be right."""

    sort: str
    least: float

    def missed(self, report: Report) -> str:
        """How a report falls below it, in a line; "" where it doesn't."""
        right = report.figures()[self.sort]["right"]
        if right.share >= self.least:
            return ""
        return f"{self.sort}: {right.count} of {right.of} right, {right.share:.1%}, below the floor of {self.least:.1%}"


def read_floor(text: str, cases: Sequence[Case]) -> Floor:
    """A floor as it is written: "0.9", or "near-miss=0.92" for one sort of cases.

    Raises ReportError for a sort that no case is of, and for a share that is not between 0 and 1.
    """
    sort, _, share = text.rpartition("=")
    sort = sort.strip() or "all"
    sorts = dict.fromkeys(["all", *(case.sort or "unsorted" for case in cases)])
    if sort not in sorts:
        raise ReportError(f"--floor {text}: no case is of sort {sort!r}. There are {', '.join(sorts)}.")
    try:
        least = float(share)
    except ValueError:
        least = -1.0
    if not 0 <= least <= 1:
        raise ReportError(f"--floor {text}: {share!r} is no share. Give a number from 0 to 1, such as 0.9.")
    return Floor(sort, least)
