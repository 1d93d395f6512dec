"""Keeps a running server with its documents: a file dropped in, changed or expired is built aside and taken up.

Comes in: a bot that serves, settings. Goes out: the bot's index swapped between two replies, and a `Change` for the
editor. Whoever else swaps the index, `milkwise build` or `milkwise rollback`, is followed too; an index in a database
is only followed, for others serve from it and this server may only read. A fault leaves the index
in use as it is. Does not know: how an index is built, or what a request is.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType

from watchfiles import watch

from bot.bot import Bot
from bot.differences import Difference, differences
from bot.faces import terminal, upkeep
from bot.golden import GoldenError, load_cases
from bot.journal import Journal, JournalFault
from bot.settings import Settings
from corpus.document import CorpusError
from index.contract import IndexFault
from index.generations import CURRENT

LOOK_S = 1.0  # between two looks for a newer index in a database
PATIENCE_MS = 30_000  # a new day, or an index nobody told of, is noticed within this time
_LOG = logging.getLogger("milkwise")


@dataclass(frozen=True, slots=True)
class Change:
    """What the server took up and when, or why it could not; the golden cases that now answer differently."""

    at: str
    what: str
    differences: tuple[Difference, ...] = ()


class Keeper:
    """Watches in a thread of its own while the block runs. `changes` gets the newest first.

    With a journal, what is past its days is deleted each new day, even where nobody asks anything.
    """

    def __init__(self, bot: Bot, settings: Settings, changes: deque[Change], journal: Journal | None = None) -> None:
        self.bot, self.settings, self.changes, self.journal = bot, settings, changes, journal
        self._documents, self._index = upkeep.documents(settings).resolve(), settings.index.resolve()
        self._day, self._done, self._fault = date.today(), "", ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10)

    def look(self, *, build: bool = True) -> None:
        """Take up the index in use where it is another one; first, `build` what is behind its documents."""
        try:
            if build and not self.settings.store and self._documents.exists() and upkeep.behind(self.settings):
                built = upkeep.rebuild(self.settings, terminal.console(stderr=True))
                self._done = upkeep.told(built)
            self._take()
            self._fault = ""
        except (CorpusError, GoldenError, IndexFault, OSError) as fault:
            if str(fault) != self._fault:
                self._fault = str(fault)
                _LOG.error("the index in use goes on serving; the documents could not be taken up: %s", fault)
                self._tell(f"Could not be taken up: {fault}")

    def new_day(self) -> None:
        """What is due once a day: what the journal may no longer keep."""
        self._day = date.today()
        if self.journal:
            try:
                self.journal.prune()
            except JournalFault as fault:
                _LOG.error("%s", fault)

    def _take(self) -> None:
        """Swap first, compare after: nobody waits for the comparison."""
        before = copy(self.bot)
        if not self.bot.renew():
            return
        done, self._done = self._done, ""
        cases = self.settings.cases
        known = load_cases(cases) if cases and cases.is_file() else []
        self._tell(
            f"{done or 'another index was put in use'}; index {self.bot.index.generation}",
            differences(before, self.bot, known),
        )

    def _tell(self, what: str, found: tuple[Difference, ...] = ()) -> None:
        self.changes.appendleft(Change(datetime.now().strftime("%Y-%m-%d %H:%M"), what, found))
        err = terminal.console(stderr=True)
        for one in found:
            err.print(f"answers differently: {one}")

    def _run(self) -> None:
        if self.settings.store:
            while not self._stop.wait(LOOK_S):
                self.look()
                self._turn()
            return
        folder = self._documents if self._documents.is_dir() else self._documents.parent
        watched = {path for path in (folder, self._index) if path.is_dir()}
        for found in watch(
            *watched,
            watch_filter=lambda _, path: self._concerns(Path(path)),
            stop_event=self._stop,
            rust_timeout=PATIENCE_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
        ):
            # A document may have expired overnight; not every file system tells of every change.
            self.look(build=bool(found) or date.today() != self._day)
            self._turn()

    def _turn(self) -> None:
        if date.today() != self._day:
            self.new_day()

    def _concerns(self, path: Path) -> bool:
        if self._index in path.parents:
            return path == self._index / CURRENT
        return path == self._documents or self._documents in path.parents
