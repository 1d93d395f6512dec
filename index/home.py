"""Where an index lives: in a folder, or in a database that several servers share. Everything else is the same.

Comes in: a folder's path, or an address, `postgresql://…`. Goes out: the index there, built, opened, renewed, verified.
Does not know: how either is done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from index import generations, index
from index.contract import Calibrator, IndexFault
from index.embed import Progress
from index.index import Admit, Built, Index

Home = Path | str


def is_address(home: Home) -> bool:
    """Whether that is a database, not a folder."""
    return isinstance(home, str) and home.startswith(("postgresql://", "postgres://"))


def open_index(home: Home, encoder: str) -> Index:
    """Open the generation in use. Raises IndexFault where there is none, or it is damaged, foreign or stale."""
    if is_address(home):
        with _extra():
            from index import shared
        return shared.open_index(str(home), encoder)
    return Index.open(Path(home), encoder)


def renewed(opened: Index, home: Home, encoder: str) -> Index | None:
    """The generation in use now, opened, where it is another than the one open; else None. Cheap to ask.

    What was open stays so. Raises IndexFault where the other generation cannot be used.
    """
    if is_address(home):
        from index import shared

        return shared.renewed(opened, encoder)
    return None if generations.current(Path(home)).name == opened.place else Index.open(Path(home), encoder)


def build(
    documents: Path,
    home: Home,
    encoder: str,
    limit: int,
    progress: Progress | None = None,
    admit: Admit | None = None,
    calibrator: Calibrator | None = None,
) -> Built:
    """Build or update the index of a file or folder; see `index.index.build`."""
    if is_address(home):
        with _extra():
            from index import shared
        return shared.build(documents, str(home), encoder, limit, progress, admit, calibrator)
    return index.build(documents, Path(home), encoder, limit, progress, admit, calibrator)


def verify(home: Home) -> list[str]:
    """Check the index in use to the last passage; one line a file, or a document where a database keeps it.

    Raises IndexFault naming the first thing wrong.
    """
    if is_address(home):
        with _extra():
            from index import shared
        return shared.verify(str(home))
    return index.verify(Path(home))


def named(home: Home) -> str:
    """The folder, or which database, without its password: for messages."""
    if is_address(home):
        from index.database import redacted

        return redacted(str(home))
    return str(home)


@contextlib.contextmanager
def _extra() -> Iterator[None]:
    """Import what a database needs: an extra, and slow, so only where one is used."""
    try:
        yield
    except ModuleNotFoundError as missing:
        remedy = "Run: pip install 'milkwise[postgres]'"
        raise IndexFault("the store", f"needs {missing.name}, which is not installed.", remedy) from None
