"""What the editor's commands do: measure, report, erase, build and roll back with the golden cases asked around it.

Comes in: settings. Goes out: lines on the terminal. Does not know: arguments or exit codes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.bot import Bot
from bot.compare import Change, compare, load_report, read_floor
from bot.differences import differences
from bot.faces import terminal
from bot.golden import ReportError, load_cases
from bot.journal import Journal, JournalFault
from bot.measure import Report as Measured
from bot.measure import measure
from bot.plot import plot as draw
from bot.report import Report, report
from bot.settings import Settings
from bot.words import country
from corpus.crawl import visit
from corpus.document import CorpusError
from index import generations
from index.contract import IndexFault
from index.home import named


def gathered(settings: Settings, sources: Sequence[str], private: bool) -> tuple[Settings, bool]:
    """The settings with the documents named: a path, or addresses read into a folder beside the index first.

    Second, whether some page could not be read. Raises CorpusError where none could, or several paths are named.
    """
    web = [source for source in sources if source.startswith(("https://", "http://"))]
    if not web:
        if len(sources) > 1:
            raise CorpusError(sources[1], "", "several paths were named.", "Name one file or folder.")
        return (settings.model_copy(update={"documents": Path(sources[0])}) if sources else settings), False
    if len(web) < len(sources):
        raise CorpusError(sources[0], "", "paths and addresses were mixed.", "Name one path, or addresses alone.")
    folder = settings.index.with_name(f"{settings.index.name}-pages")
    done = visit(web, folder, private=private)
    terminal.visited(done, terminal.console(), terminal.console(stderr=True))
    return settings.model_copy(update={"documents": folder}), bool(done.faults)


def journal(settings: Settings) -> Journal:
    """The journal there is, whether or not it is still written. Raises JournalFault where there is none."""
    file = settings.journal.file
    if not file.is_file():
        state = "on: it begins with the first question" if settings.journal.on else "off"
        raise JournalFault(f"{file}: there is no journal here. [journal] in milkwise.toml is {state}.")
    return Journal(settings.journal, country(settings.locale))


def reported(kept: Journal, bot: Bot) -> Report:
    """What visitors asked and did not get."""
    return report(kept, bot)


def roll_back(settings: Settings) -> None:
    """Put the index before back in use, and say so."""
    if settings.store:
        remedy = "Put the documents back as they were, and run: milkwise build DOCUMENTS --store ADDRESS"
        raise IndexFault(named(settings.home), "an index in a database keeps no earlier one to go back to.", remedy)
    with compared(settings):
        folder = generations.rollback(settings.index)
        terminal.console().print(f"{'index':8}{folder.name}")
        terminal.console().print("The documents left behind are kept out until they change, or until milkwise build.")


def scored(
    cases: Path, opened: Callable[[], Bot], plot: Path | None, against: Path | None, floors: Sequence[str]
) -> tuple[Measured, Change | None, list[str]]:
    """Score the bot `opened` gives: the report, what changed since an earlier one, and a line for each floor missed.

    Draws to `plot`. Raises GoldenError or ReportError where a file is not what it should be, before the bot is opened.
    """
    asked = load_cases(cases)
    earlier = load_report(against) if against else None
    gates = [read_floor(text, asked) for text in floors]
    found = measure(opened(), asked)
    if plot:
        try:
            draw(found, plot)
        except ValueError as fault:  # no such format, or nothing to draw
            raise ReportError(f"{plot}: {fault}") from None
    change = compare(found, earlier) if earlier is not None else None
    return found, change, [line for gate in gates if (line := gate.missed(found))]


def show(found: Report | Measured, change: Change | None = None) -> None:
    """Print a report of the journal, or a measurement and what changed since an earlier one."""
    if isinstance(found, Report):
        terminal.reported(found, terminal.console())
    else:
        terminal.measured(found, terminal.console(), change)


def csv_text(found: Report) -> str:
    """The clusters of a report as CSV, header first."""
    out = io.StringIO()
    csv.writer(out).writerows(found.rows())
    return out.getvalue()


@contextmanager
def compared(settings: Settings) -> Iterator[None]:
    """Ask the golden cases before and after the block, and print which of them answer differently now."""
    cases = load_cases(settings.cases) if settings.cases and settings.cases.is_file() else []
    before = None
    if cases:
        with suppress(IndexFault):  # a first build, or one that mends: there is nothing to compare with
            before = Bot.open(settings=settings)
    yield
    if not before:
        return
    out = terminal.console()
    found = differences(before, Bot.open(settings=settings), cases)
    out.print(f"{'cases':8}{len(found)} of {len(cases)} answer differently")
    for one in found:
        out.print("\n".join(f"  {line}" for line in str(one).splitlines()))
