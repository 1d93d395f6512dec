"""A report as a picture: what refusing costs, and whether confidence can be believed.

Comes in: a `Report`. Goes out: a PNG or SVG file. Does not know: how cases are scored. The only import of matplotlib,
inside the function that draws, because it takes a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot.measure import Report
from bot.reply import Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACCENT, GROUND, INK, MUTED, LINE = "#0F6B5C", "#FAF8F5", "#24211E", "#6B645C", "#E4DED6"


def plot(report: Report, path: Path | str) -> None:
    """Draw risk against coverage, and reliability, side by side. Raises ValueError where there is nothing to draw."""
    if not report.curve():
        raise ValueError("no case was decided by evidence: nothing to draw. Add cases that expect answer or abstain.")
    import matplotlib  # here, not above: it takes a second, and only this function draws

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(13, 4.6), facecolor=GROUND, layout="constrained")
    _tradeoff(report, left)
    _reliability(report, right)
    for axes in (left, right):
        axes.set_facecolor(GROUND)
        axes.tick_params(colors=MUTED)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(MUTED)
    figure.savefig(str(path), dpi=160)
    pyplot.close(figure)


def _tradeoff(report: Report, axes: Axes) -> None:
    """Risk against coverage, with the point at which the bot stands."""
    _, covered, risk = zip(*report.curve(), strict=True)
    given = [one for one in report.outcomes if one.kind == Kind.ANSWER and one.would is not None]
    able = [one for one in report.outcomes if Kind.ANSWER in one.case.expect and one.would is not None]
    here = (
        sum(Kind.ANSWER in one.case.expect for one in given) / max(len(able), 1),
        sum(not one.would for one in given) / max(len(given), 1),
    )
    axes.plot([100 * share for share in covered], [100 * share for share in risk], color=ACCENT, linewidth=2)
    axes.plot(100 * here[0], 100 * here[1], "o", color=ACCENT, markersize=9)
    late = here[0] > 0.6
    axes.annotate(
        f"as shipped: {here[0]:.0%} answered,\n{here[1]:.0%} of answers wrong",
        (100 * here[0], 100 * here[1]),
        textcoords="offset points",
        xytext=(-12 if late else 12, 16),
        ha="right" if late else "left",
        color=INK,
    )
    axes.set_title("Answering more questions means more wrong answers", loc="left", color=INK, fontweight="bold")
    axes.set_xlabel("answerable questions answered, %", color=INK)
    axes.set_ylabel("answers given that are wrong, %", color=INK)
    axes.set_xlim(0, 102)
    axes.set_ylim(0, max(20.0, *(110 * share for share in risk)))


def _reliability(report: Report, axes: Axes) -> None:
    """How often the bot was right at each confidence, with 95 % intervals, against the line of a true one."""
    bins = report.reliability()
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle=(0, (4, 4)))
    axes.annotate("a true confidence", (70, 70), xytext=(6, -14), textcoords="offset points", color=MUTED)
    sure, share = (
        [100 * value for value in values] for values in zip(*((b.confidence, b.right.share) for b in bins), strict=True)
    )
    low = [100 * (each.right.share - each.right.low) for each in bins]
    high = [100 * (each.right.high - each.right.share) for each in bins]
    axes.errorbar(sure, share, yerr=[low, high], fmt="o-", color=ACCENT, ecolor=ACCENT, elinewidth=1, markersize=7)
    for x, y, each in zip(sure, share, bins, strict=True):
        axes.annotate(str(each.right.of), (x, y), xytext=(7, 5), textcoords="offset points", color=MUTED, fontsize=8)
    error = report.calibration_error()
    axes.set_title(f"Confidence is off by {error:.0%} on average", loc="left", color=INK, fontweight="bold")
    axes.set_xlabel("confidence, % (beside each point: cases)", color=INK)
    axes.set_ylabel("right, %", color=INK)
    axes.set_xlim(0, 102)
    axes.set_ylim(0, 102)
