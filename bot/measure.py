"""Scores a bot on golden cases: right, wrong or refused, the trade-off a threshold makes, whether confidence is true.

Comes in: a `Bot` and cases. Goes out: a `Report`, every share with its 95 % interval. Does not know: how answers are
found, how a report is drawn, or what an earlier one said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import sqrt
from typing import Any, Literal

from bot.bot import Bot, together
from bot.golden import Case, GoldenError, load_cases
from bot.reply import Kind, Reply, Turn

__all__ = ["Case", "Figure", "GoldenError", "Outcome", "Report", "load_cases", "measure", "right"]

Verdict = Literal["right", "wrong", "refused"]
RANKS = (1, 3, 8)
BINS = 10  # of confidence, equally wide


@dataclass(frozen=True, slots=True)
class Figure:
    """A share with its 95 % Wilson interval: `count` of `of`."""

    count: int
    of: int
    share: float
    low: float
    high: float

    @classmethod
    def over(cls, flags: Iterable[bool]) -> Figure:
        """The share of flags that are true; all zero where there are none."""
        kept = list(flags)
        n, z = len(kept), 1.959964
        if not n:
            return cls(0, 0, 0.0, 0.0, 0.0)
        share = sum(kept) / n
        middle, spread = share + z * z / (2 * n), z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        whole = 1 + z * z / n
        return cls(sum(kept), n, share, max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole))


@dataclass(frozen=True, slots=True)
class Bin:
    """The cases whose confidence lies in one tenth of its range: its mean, and how often they were right."""

    confidence: float
    right: Figure


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case, scored. `rank` is the place of its passage among the hits, from 1; None where it is not among them.

    `confidence` is how sure the bot was, `would` whether what it held most likely was right, threshold aside; None
    where the reply was not decided by evidence. `why` says what was amiss.
    """

    case: Case
    verdict: Verdict
    kind: Kind
    why: str
    rank: int | None
    confidence: float | None
    would: bool | None
    ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """Outcomes and what follows from them."""

    outcomes: tuple[Outcome, ...] = field(repr=False)

    def figures(self) -> dict[str, dict[str, Figure]]:
        """For all cases and each sort: the shares right, wrong and refused."""
        sorts = dict.fromkeys(["all", *(outcome.case.sort or "unsorted" for outcome in self.outcomes)])
        return {
            sort: {
                verdict: Figure.over(
                    outcome.verdict == verdict
                    for outcome in self.outcomes
                    if sort in ("all", outcome.case.sort or "unsorted")
                )
                for verdict in ("right", "wrong", "refused")
            }
            for sort in sorts
        }

    def recall(self) -> dict[int, Figure]:
        """How often the right passage was among the first k hits, for cases that name one."""
        named = [outcome for outcome in self.outcomes if outcome.case.sources]
        return {k: Figure.over(one.rank is not None and one.rank <= k for one in named) for k in RANKS}

    def curve(self) -> list[tuple[float, float, float]]:
        """(threshold, coverage, risk): answering only from that confidence on, the share of answerable questions
        answered, and the share of all answers given that are wrong."""
        known = sorted(
            (
                (one.confidence, one.would, Kind.ANSWER in one.case.expect)
                for one in self.outcomes
                if one.confidence is not None and one.would is not None
            ),
            key=lambda each: -each[0],
        )
        able, points, right, given = sum(able for _, _, able in known), list[tuple[float, float, float]](), 0, 0
        answered = 0
        for place, (confidence, good, can) in enumerate(known):
            given, right, answered = given + 1, right + good, answered + can
            if place + 1 == len(known) or known[place + 1][0] != confidence:
                points.append((confidence, answered / max(able, 1), 1 - right / given))
        return points

    def reliability(self) -> list[Bin]:
        """What confidence came to: the cases decided by evidence, by tenths of confidence, empty tenths left out.

        A confidence that can be believed is, in each, the share that is right.
        """
        held: dict[int, list[tuple[float, bool]]] = {}
        for one in self.outcomes:
            if one.confidence is not None and one.would is not None:
                held.setdefault(min(int(one.confidence * BINS), BINS - 1), []).append((one.confidence, one.would))
        return [
            Bin(sum(sure for sure, _ in each) / len(each), Figure.over(good for _, good in each))
            for _, each in sorted(held.items())
        ]

    def calibration_error(self) -> float | None:
        """Expected calibration error: how far confidence lies from the share right, over the bins by their cases.

        After Naeini, Cooper and Hauskrecht (AAAI 2015). None where no case was decided by evidence.
        """
        bins = self.reliability()
        n = sum(each.right.of for each in bins)
        return sum(each.right.of * abs(each.right.share - each.confidence) for each in bins) / n if n else None

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The cases that did not come out right."""
        return tuple(outcome for outcome in self.outcomes if outcome.verdict != "right")

    @property
    def right(self) -> float:
        """The share of cases that came out right."""
        return Figure.over(outcome.verdict == "right" for outcome in self.outcomes).share

    def only(self, part: str) -> Report:
        """The report of one part of the cases."""
        return Report(tuple(outcome for outcome in self.outcomes if outcome.case.part == part))

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        times = sorted(outcome.ms for outcome in self.outcomes)
        return {
            "cases": len(self.outcomes),
            "figures": {sort: {v: asdict(f) for v, f in row.items()} for sort, row in self.figures().items()},
            "recall": {str(k): asdict(figure) for k, figure in self.recall().items()},
            "median_ms": times[len(times) // 2] if times else None,
            "curve": [
                {"threshold": round(t, 4), "coverage": round(c, 4), "risk": round(r, 4)} for t, c, r in self.curve()
            ],
            "reliability": [
                {"confidence": round(each.confidence, 4), **asdict(each.right)} for each in self.reliability()
            ],
            "calibration_error": self.calibration_error(),
            "outcomes": [
                {"ask": one.case.ask, "before": list(one.case.before), "verdict": one.verdict} for one in self.outcomes
            ],
            "failures": [
                {
                    "line": one.case.line,
                    "ask": one.case.ask,
                    "sort": one.case.sort,
                    "kind": str(one.kind),
                    "verdict": one.verdict,
                    "why": one.why,
                }
                for one in self.failures
            ],
        }


def measure(bot: Bot, cases: Sequence[Case]) -> Report:
    """Ask every case, earlier turns of its conversation first, and score the replies."""
    return Report(tuple(_outcomes(bot, cases)))


def right(case: Case, reply: Reply) -> bool:
    """Whether a reply is what the case expects."""
    return not _amiss(case, reply, " ".join(citation.quote for citation in reply.citations))


def _outcomes(bot: Bot, cases: Sequence[Case]) -> Iterator[Outcome]:
    history: list[Turn] = []
    for case in cases:
        history = history[-len(case.before) :] if case.before else []
        reply = bot.reply(case.ask, history, plain=True)
        quotes = " ".join(claim.text for claim in reply.claims if claim.citation)
        why = _amiss(case, reply, quotes)
        ids = [hit.passage.id for hit in reply.hits]
        rank = next((place for place, id in enumerate(ids, 1) if id in case.sources), None)
        refused = Kind.ANSWER in case.expect and reply.kind in (Kind.ABSTAIN, Kind.CLARIFY)
        verdict: Verdict = "right" if not why else "refused" if refused else "wrong"
        confidence, would = _held(bot, case, history, reply)
        yield Outcome(case, verdict, reply.kind, why, rank, confidence, would, reply.ms)
        history = [*history, Turn(case.ask, tuple(dict.fromkeys(c.passage.id for c in reply.citations)))]


def _held(bot: Bot, case: Case, history: Sequence[Turn], reply: Reply) -> tuple[float | None, bool | None]:
    """How sure the bot was, and whether it was right in what it held likeliest, said or not."""
    if reply.kind not in (Kind.ANSWER, Kind.ABSTAIN) or not {Kind.ANSWER, Kind.ABSTAIN} & set(case.expect):
        return None, None
    evidence = together(bot.look(case.ask, history, threshold=0.0)).evidence
    quotes = " ".join(sentence.text for sentence in evidence.sentences)
    sources = [sentence.passage for sentence in evidence.sentences]
    return evidence.confidence, Kind.ANSWER in case.expect and not _misquoted(case, quotes, sources)


def _amiss(case: Case, reply: Reply, quotes: str) -> str:
    """What is wrong with a reply, in a few words; empty where nothing is."""
    if reply.kind not in case.expect:
        return f"{reply.kind}, not {' or '.join(case.expect)}"
    if case.query and case.query.lower() not in reply.query.lower():
        return f"looked up {reply.query!r}"
    if case.topic and case.topic.lower() not in (reply.topic or "").lower():
        return f"topic {reply.topic!r}"
    return _misquoted(case, quotes, [citation.passage.id for citation in reply.citations])


def _misquoted(case: Case, quotes: str, sources: Sequence[str]) -> str:
    if case.sources and not set(case.sources) & set(sources):
        return f"quoted from {', '.join(dict.fromkeys(sources)) or 'nowhere'}"
    missing = [choices for choices in case.says if not any(words.lower() in quotes.lower() for words in choices)]
    return f"does not say {' or '.join(missing[0])!r}" if missing else ""
