"""Replies, progress and findings on a terminal, and as plain text where the output is a pipe or a file.

Comes in: values the core made. Goes out: lines for Rich to print. Does not know: arguments, exit codes, or where
values came from.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bot.compose import Speaker
from bot.labels import left_open, looked_for, offer, origin, place, reworded, ways
from bot.render import as_text, parts, plain
from bot.reply import Claim, Kind, Reply, Turn

if TYPE_CHECKING:  # an answer is shown without any of these
    from bot.bot import Bot
    from bot.compare import Change
    from bot.measure import Report as Measured
    from bot.report import Report
    from corpus.check import Finding
    from corpus.crawl import Visit
    from index.index import Built

MEASURE = 76  # columns
LONGEST = 2000  # characters of a question
TOP = 10  # clusters of a report
LEVELS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
ACCENT = "cyan"
SOFT = "dim"


def console(stderr: bool = False) -> Console:
    """Where to print: no wider than can be read, no markup and no guessing at what words mean."""
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if made.is_terminal:
        made.width = min(made.width, MEASURE)
    else:
        made.soft_wrap = True
    return made


def show(reply: Reply, to: Console, months: int, asked: str) -> None:
    """One reply to what was `asked`: lead-in, quotes with their numbers, a rule, sources, the disclaimer dim.

    Above it stands what was looked up, where that is not what was typed. Reviews age in `months`.
    """
    if not to.is_terminal:
        to.out(as_text(reply, months, asked), end="", highlight=False)
        return
    if reworded(reply, asked):
        to.print(Text(plain(looked_for(reply)), style=SOFT))
    locale = reply.disclaimer.locale
    strong = "bold red" if reply.kind == Kind.URGENT else ""
    for part in parts(reply):
        to.print()
        if part.lead:
            to.print(Text(plain(part.lead), style=f"{SOFT} italic"))
        for claim in part.claims:
            to.print(_said(claim, strong))
    for line in left_open(reply):
        to.print()
        to.print(Text(plain(line)))
    for contact in reply.contacts:
        to.print(Text.assemble((plain(contact.label), "bold"), ": ", (plain(ways(contact, locale)), ACCENT)))
    _closing(reply, to, months)


def _closing(reply: Reply, to: Console, months: int) -> None:
    locale = reply.disclaimer.locale
    to.print()
    to.print(Rule(style=SOFT))
    for citation in reply.citations:
        where = f": {place(citation, locale)}" if place(citation, locale) else ""
        to.print(Text.assemble((f"[{citation.number}] ", ACCENT), plain(citation.document.title + where)))
        to.print(Padding(Text(plain(origin(citation.document, months, locale)), style=SOFT), (0, 0, 0, 4)))
    if reply.suggestions:
        to.print(Text(offer(reply), style=SOFT))
        for question in reply.suggestions:
            to.print(Text(f"  {plain(question)}"))
    if reply.citations or reply.suggestions:
        to.print()
    to.print(Text(plain(reply.disclaimer.text), style=SOFT))


def _said(claim: Claim, style: str) -> Text:
    number = f" [{claim.citation.number}]" if claim.citation else ""
    return Text.assemble((plain(claim.text), style), (number, ACCENT))


@contextmanager
def progress(to: Console) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, or a line at the start and at the end where nobody watches; told (done, all) passages."""
    if not to.is_terminal:
        yield _spoken(to)
        return
    columns = TextColumn("Indexing"), BarColumn(complete_style=ACCENT), MofNCompleteColumn(), TextColumn("passages")
    with Progress(*columns, console=to, transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, all_of_them: bar.update(task, completed=done, total=all_of_them)


def _spoken(to: Console) -> Callable[[int, int], None]:
    last = -1

    def say(done: int, all_of_them: int) -> None:
        nonlocal last
        if done != last and done in (0, all_of_them):
            to.print(f"Indexed {done} of {all_of_them} passages")
        last = done

    return say


def visited(done: Visit, out: Console, err: Console) -> None:
    """What a visit to a site did; pages that were left or could not be read go to `err`."""
    out.print(f"pages   {len(done.fetched)} fetched, {len(done.unchanged)} unchanged, {len(done.removed)} removed")
    for reason in done.left:
        err.print(plain(f"left out: {reason}"))
    for fault in done.faults:
        err.print(plain(f"not read: {fault}"))


def built(result: Built, out: Console, err: Console) -> None:
    """What a build did, a line for each kind of change; files that were left or could not be read go to `err`."""
    for name, ids in (
        ("added", result.added),
        ("changed", result.changed),
        ("removed", result.removed),
        ("kept", result.kept),
    ):
        listed = f": {', '.join(map(plain, ids))}" if ids else ""
        out.print(f"{name:8}{len(ids)}{listed}")
    out.print(f"{'index':8}{result.generation}")
    if result.slow:
        err.print(plain(f"note: the encoder runs by sentence-transformers, slower and larger: {result.slow}"))
    for reason in result.left:
        err.print(plain(f"left out: {reason}"))
    for fault in result.faults:
        err.print(plain(f"not read: {fault}"))


def vetted(findings: Sequence[Finding], to: Console) -> bool:
    """What vetting found, errors first, a line each; whether any of it is an error."""
    errors = [finding for finding in findings if finding.error]
    for finding in [*errors, *(finding for finding in findings if not finding.error)]:
        to.print(
            Text(plain(str(finding) if finding.error else f"note: {finding}"), style="" if finding.error else SOFT)
        )
    to.print(f"{len(errors)} to mend, {len(findings) - len(errors)} to note")
    return bool(errors)


def verified(index: str, files: Sequence[str], to: Console) -> None:
    """The index whose checksums are right, and what has one: its files, or the documents in a database."""
    to.print(f"{plain(index)}: every checksum is right")
    for line in files:
        to.print(Text(f"  {plain(line)}", style=SOFT))


def measured(report: Measured, to: Console, change: Change | None = None) -> None:
    """The shares of cases right, wrong and refused with their intervals, what refusing costs, and what was amiss.

    `change` is what became of the cases of an earlier report.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("cases", "n", "right", "wrong", "refused"):
        table.add_column(title, justify="left" if title == "cases" else "right", no_wrap=True)
    for sort, shares in report.figures().items():
        cells = [f"{one.share:.0%} ({one.low:.0%} to {one.high:.0%})" for one in shares.values()]
        table.add_row(plain(sort), str(shares["right"].of), *cells)
    to.print(table)
    found = ", ".join(f"{figure.share:.0%} in the first {k}" for k, figure in report.recall().items())
    to.print(f"\nRight passage found: {found}")
    curve = report.curve()
    if curve:
        to.print("\nAnswering only from a confidence on:")
        tradeoff = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("confidence", "answered", "of these wrong"):
            tradeoff.add_column(title, justify="right")
        for level in LEVELS:
            at = [point for point in curve if point[0] >= level]
            _, covered, risk = at[-1] if at else (level, 0.0, 0.0)
            tradeoff.add_row(f"{level:.2f}", f"{covered:.0%}", f"{risk:.0%}")
        to.print(tradeoff)
        to.print(f"\nConfidence is off by {report.calibration_error():.1%} on average (expected calibration error)\n")
    if change:
        _changed(change, to)
    for one in report.failures:
        to.print(Text(plain(f"line {one.case.line}: {one.verdict}: {one.why}  ({one.case.ask})"), style=SOFT))


def _changed(change: Change, to: Console) -> None:
    before, now = (f"{one.share:.1%} ({one.low:.0%} to {one.high:.0%})" for one in (change.before, change.now))
    to.print(f"Since the earlier report, on {change.shared} shared cases: {before}, now {now}")
    to.print(f"{len(change.gained)} gained, {len(change.lost)} lost; by chance alone p = {change.chance:.2g}")
    if change.new or change.gone:
        to.print(f"{change.new} cases are new, {change.gone} are gone")
    for name, outcomes in (("gained", change.gained), ("lost", change.lost)):
        for one in outcomes:
            to.print(Text(plain(f"{name}: line {one.case.line}: {one.why or 'right'}  ({one.case.ask})")))
    to.print()


def reported(report: Report, to: Console) -> None:
    """What visitors asked and did not get: clusters, most first, then the counts."""
    for title, clusters in (
        ("Not answered", report.unanswered),
        ("Answered, and not helpful", report.unhelpful),
        ("Most asked", report.most[:TOP]),
    ):
        to.print(Text(title, style="bold"))
        for one in clusters[:TOP]:
            to.print(Text.assemble((f"{one.count:4}  ", ACCENT), plain(one.example)))
            why = " ".join(part for part in (one.why, one.place and f"Nearest: {one.place}.") if part)
            to.print(Padding(Text(plain(f"{why} Today: {one.now}."), style=SOFT), (0, 0, 0, 6)))
        if not clusters:
            to.print(Text("      none", style=SOFT))
        to.print()
    for title, counts in (("Replies", report.kinds), ("Refusals", report.refusals), ("Red flags", report.flags)):
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        to.print(plain(f"{title}: {listed or 'none'}"))


def chat(bot: Bot, locale: str | None, to: Console) -> None:
    """A conversation, one line a question, until the input ends."""
    locale = locale or bot.settings.locale
    speaker = Speaker(bot.index, bot.words, locale)
    to.print(Text(plain(bot.words.disclaimer(locale).text), style=SOFT))
    if bot.voice:
        to.print(Text(plain(bot.words.text("privacy", locale)), style=SOFT))
    to.print()
    to.print(plain(bot.words.text("starters", locale)))
    for question in speaker.starters():
        to.print(Text(f"  {plain(question)}"))
    to.print(Text("/new forgets what the talk was about, /quit ends it.", style=SOFT))
    history: list[Turn] = []
    for line in _questions(to):
        if line == "/quit":
            return
        if line == "/new":
            history.clear()
            to.print("A new subject.")
            continue
        if len(line) > LONGEST:
            to.print(plain(bot.words.text("error-long", locale)))
            continue
        reply = bot.reply(line, history, locale)
        history.append(Turn(line, tuple(dict.fromkeys(citation.passage.id for citation in reply.citations))))
        if reply.topic:
            to.print(Text(plain(bot.words.text("about", locale, topic=reply.topic)), style=SOFT))
        show(reply, to, bot.settings.review_months, line)
        if not to.is_terminal:
            to.print()


def _questions(to: Console) -> Iterator[str]:
    """The lines typed or piped in, trimmed, empty ones left out."""
    watched = to.is_terminal and sys.stdin.isatty()
    while True:
        if watched:
            to.print()
            try:
                line = to.input(Text("> ", style=ACCENT))
            except EOFError:
                return
        elif not (line := sys.stdin.readline()):
            return
        if line.strip():
            yield line.strip()
