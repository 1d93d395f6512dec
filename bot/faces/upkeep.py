"""The index behind a command: which documents it is of, whether it is there, and building it in plain sight.

Comes in: settings. Goes out: an index that is there, and lines on the terminal. Does not know: which command asked, or
how an index is built.
"""

from __future__ import annotations

import logging
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from bot.bot import Bot
from bot.faces import terminal
from bot.settings import BUNDLED, Settings
from index.contract import IndexFault
from index.generations import CURRENT
from index.home import build
from index.index import is_stale

FOLLOW_S = 1.0  # between two looks for a newer index
_LOG = logging.getLogger("milkwise")
SOURCE = "SOURCE"  # beside an index: the documents it was built from, where they are not the bundled ones


def documents(settings: Settings) -> Path:
    """The documents set; else those the index was built from; else the bundled ones.

    Without the second, serving an index that `milkwise build FOLDER` made would put the bundled article in its place.
    For the same reason a note of them that names no path is an IndexFault, not a note that counts as none.
    """
    remembered = settings.index / SOURCE
    if settings.store:
        return settings.documents
    if "documents" in settings.model_fields_set or not remembered.is_file():
        return settings.documents
    told = remembered.read_bytes().decode("utf-8", errors="replace").strip()
    if not told or not told.isprintable() or "\N{REPLACEMENT CHARACTER}" in told:
        remedy = f"Run: milkwise build FOLDER --index {shlex.quote(str(settings.index))}"
        raise IndexFault(str(remembered), f"names no folder of documents: {told[:80]!r}.", remedy)
    return Path(told)


def indexed(settings: Settings) -> bool:
    """Whether there is an index, good or bad; in a database only opening it can tell."""
    return bool(settings.store) or (settings.index / CURRENT).is_file()


@contextmanager
def followed(bot: Bot, every_s: float = FOLLOW_S) -> Iterator[None]:
    """While the block runs, answer from a newer index soon after someone has built it.

    One that cannot be used is told once, and the one in use goes on serving.
    """
    stop = threading.Event()

    def follow() -> None:
        told = ""
        while not stop.wait(every_s):
            try:
                if bot.renew():
                    _LOG.info("The index was renewed: answering from %s.", bot.index.generation)
                told = ""
            except (IndexFault, OSError) as fault:
                if str(fault) != told:
                    _LOG.warning("The index in use goes on serving. %s", told := str(fault))

    thread = threading.Thread(target=follow, name="milkwise-follow", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(every_s)


def refresh(settings: Settings) -> None:
    """Build the index where it is missing or behind its documents, saying so on stderr.

    An index in a database is left as it is: others serve from it too, and this one may only read.
    """
    if settings.store:
        return
    path, err = documents(settings), terminal.console(stderr=True)
    if not indexed(settings):
        err.print(f"No index in {settings.index} yet: building it from {path}")
    elif not path.exists():
        err.print(f"{path}: not there any more. The index is used as it is.")
        return
    elif not is_stale(path, settings.index, settings.encoder, settings.passage_pieces):
        return
    else:
        err.print(f"The index in {settings.index} is behind {path}: updating it")
    rebuild(settings, err)


def rebuild(settings: Settings, out: Console) -> bool:
    """Build the index, print what was done to `out`, and return whether some file could not be read."""
    path, err = documents(settings), terminal.console(stderr=True)
    with terminal.progress(err) as progress:
        built = build(path, settings.home, settings.encoder, settings.passage_pieces, progress)
    remembered = settings.index / SOURCE
    if settings.store:
        pass  # servers never build there, and so need not know from what
    elif path == BUNDLED:
        remembered.unlink(missing_ok=True)
    else:
        remembered.write_text(f"{path.resolve()}\n", encoding="utf-8")
    terminal.built(built, out, err)
    return bool(built.faults)
