"""Scores a bot on golden cases: right, wrong or refused, with intervals, and the trade-off a threshold makes.

Comes in: a `Bot` and cases. Goes out: a `Report`, and a picture of it. Does not know: how answers are found. The only
import of matplotlib, inside the function that draws, because it takes a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any, Literal

from bot.bot import Bot
from bot.golden import Case, GoldenError, load_cases
from bot.reply import Kind, Reply, Turn
from bot.rewrite import rewrite
from bot.weigh import weigh

__all__ = ["Case", "Figure", "GoldenError", "Outcome", "Report", "load_cases", "measure", "plot", "right"]

Verdict = Literal["right", "wrong", "refused"]
RANKS = (1, 3, 8)
ACCENT, GROUND, INK, MUTED = "#0F6B5C", "#FAF8F5", "#24211E", "#6B645C"


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
        reply = bot.reply(case.ask, history)
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
    query = rewrite(case.ask, history, bot.index)
    evidence = weigh(query, bot.index.search(query.text, bot.settings.top_k), bot.index, threshold=0.0)
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


def plot(report: Report, path: Path | str) -> None:
    """Draw the refusal trade-off to a PNG or SVG file. Raises ValueError where no case was decided by evidence."""
    points = report.curve()
    if not points:
        raise ValueError("no case was decided by evidence: nothing to draw. Add cases that expect answer or abstain.")
    import matplotlib  # here, not above: it takes a second, and only this function draws

    matplotlib.use("Agg")
    from matplotlib import pyplot

    _, covered, risk = zip(*points, strict=True)
    given = [one for one in report.outcomes if one.kind == Kind.ANSWER and one.would is not None]
    able = [one for one in report.outcomes if Kind.ANSWER in one.case.expect and one.would is not None]
    here = (
        sum(Kind.ANSWER in one.case.expect for one in given) / max(len(able), 1),
        sum(not one.would for one in given) / max(len(given), 1),
    )
    figure, axes = pyplot.subplots(figsize=(7, 4.2), facecolor=GROUND, layout="constrained")
    axes.set_facecolor(GROUND)
    axes.plot([100 * share for share in covered], [100 * share for share in risk], color=ACCENT, linewidth=2)
    axes.plot(100 * here[0], 100 * here[1], "o", color=ACCENT, markersize=9)
    left = here[0] > 0.6
    axes.annotate(
        f"as shipped: {here[0]:.0%} answered,\n{here[1]:.0%} of answers wrong",
        (100 * here[0], 100 * here[1]),
        textcoords="offset points",
        xytext=(-12 if left else 12, 16),
        ha="right" if left else "left",
        color=INK,
    )
    axes.set_title("Answering more questions means more wrong answers", loc="left", color=INK, fontweight="bold")
    axes.set_xlabel("answerable questions answered, %", color=INK)
    axes.set_ylabel("answers given that are wrong, %", color=INK)
    axes.set_xlim(0, 102)
    axes.set_ylim(0, max(20.0, *(110 * share for share in risk)))
    axes.tick_params(colors=MUTED)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
    figure.savefig(str(path), dpi=160)
    pyplot.close(figure)
