"""The index behind a command: which documents it is of, whether it is there, and building it in plain sight.

Comes in: settings. Goes out: an index that is there, and lines on the terminal. Does not know: which command asked, or
how an index is built.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from rich.console import Console

from bot.calibrate import Calibrator
from bot.faces import terminal
from bot.settings import BUNDLED, Settings
from corpus.document import Document
from index.contract import IndexFault
from index.generations import CURRENT
from index.home import build
from index.index import Admit, Built, is_stale

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
    elif not behind(settings):
        return
    else:
        err.print(f"The index in {settings.index} is behind {path}: updating it")
    rebuild(settings, err)


def behind(settings: Settings) -> bool:
    """Whether a build would change the index in the settings' folder."""
    chosen = settings.encoder, settings.passage_pieces, admit(settings), Calibrator(settings.top_k)
    return is_stale(documents(settings), settings.index, *chosen)


def rebuild(settings: Settings, out: Console) -> Built:
    """Build the index, and print what was done to `out`."""
    path, err = documents(settings), terminal.console(stderr=True)
    with terminal.progress(err) as progress:
        chosen = settings.encoder, settings.passage_pieces, progress, admit(settings), Calibrator(settings.top_k)
        built = build(path, settings.home, *chosen)
    remembered = settings.index / SOURCE
    if settings.store:
        pass  # servers never build there, and so need not know from what
    elif path == BUNDLED:
        remembered.unlink(missing_ok=True)
    else:
        remembered.write_text(f"{path.resolve()}\n", encoding="utf-8")
    terminal.built(built, out, err)
    out.print(f"{'expects':8}{expects(built.trust)}")
    return built


def admit(settings: Settings) -> Admit:
    """Why a document may not be used: its review is overdue by its own date, and the operator withholds such ones."""
    today = date.today()

    def reason(document: Document) -> str:
        late = settings.expired == "withhold" and document.review_by and document.review_by < today
        return f"withheld, it was due for review by {document.review_by}" if late else ""

    return reason


def expects(trust: Mapping[str, str | float]) -> str:
    """How far an index can be trusted, by what a build found out: one line for whoever runs it."""
    if "wrong" not in trust:
        return f"nothing to go by: {trust.get('asked', 0):.0f} questions of its own are too few"
    asked, hidden, wrong, missed = (float(trust[each]) for each in ("asked", "hidden", "wrong", "missed"))
    return (
        f"where half of the questions have no answer, about {wrong:.0%} of the answers given wrong"
        f" and {missed:.0%} of the right ones declined"
        f" (by {asked:.0f} questions of its own, and {hidden:.0f} without an answer)"
    )


def told(built: Built) -> str:
    """What a build did, in one line."""
    parts = [("added", built.added), ("changed", built.changed), ("removed", built.removed)]
    done = [f"{name} {', '.join(ids)}" for name, ids in parts if ids]
    faults = [f"not read: {fault}" for fault in built.faults]
    return "; ".join([*(done or ["nothing changed"]), *faults, *(one for one in built.left if "withheld" in one)])
