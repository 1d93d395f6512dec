"""The folder an index lives in: complete generations beside each other, and one file naming the one in use.

    <index>/CURRENT            the name of a generation folder
    <index>/milkwise.lock      held by whoever builds
    <index>/<generation>/      store.sqlite, dense.faiss, manifest.json: never changed once named by CURRENT
    <index>/encoder-<hash>/    the encoder written down for serving, shared by the generations (see encode.py)
    <index>/HELD               after a rollback: the documents left behind, which are not built again by themselves
    <index>/building/          a build under way, or what a killed one left

Comes in: a folder. Goes out: the generation in use, verified; a place to build aside; the swap. Does not know: what a
store or an encoder is. Deletes nothing but the files above.
"""

from __future__ import annotations

import contextlib
import fcntl
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from index.contract import IndexFault
from index.files import checksum, sync
from index.manifest import Manifest

CURRENT, LOCK, BUILDING, MANIFEST = "CURRENT", "milkwise.lock", "building", "manifest.json"
HELD = "HELD"
STORE, DENSE = "store.sqlite", "dense.faiss"
QUICK = 256 << 20  # bytes that are read and compared in a fraction of a second
NAME = re.compile(r"[0-9a-f]{12}(-\d+)?")
OURS = (STORE, f"{STORE}-wal", f"{STORE}-shm", DENSE, MANIFEST)


def fault(index: Path, problem: str) -> IndexFault:
    """An IndexFault with the command that mends it."""
    return IndexFault(str(index), problem, f"Run: milkwise build --index {shlex.quote(str(index))}")


def current(index: Path) -> Path:
    """The folder of the generation in use. Raises IndexFault where there is none."""
    if not index.is_dir():
        raise fault(index, "there is no index here." if not index.exists() else "is a file, not an index folder.")
    try:
        name = (index / CURRENT).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise fault(index, "there is no index here: it has no CURRENT.") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise fault(index, f"the index is damaged: CURRENT cannot be read ({problem}).") from None
    if not NAME.fullmatch(name):
        raise fault(index, f"the index is damaged: CURRENT names {name[:40]!r}, which is no generation.")
    return index / name


def verified(index: Path, folder: Path, *, wholly: bool = False) -> Manifest:
    """The manifest of a generation, its files compared with it. Raises IndexFault naming what is wrong.

    A store of more than QUICK bytes is only compared by its size, unless `wholly`: to read it takes seconds. What is
    quoted of it is compared with the manifest when it is (see `Index.document`).
    """
    try:
        manifest = Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError:
        raise fault(index, f"the index is damaged: {folder.name}/{MANIFEST} is missing.") from None
    except ValueError as problem:
        raise fault(index, f"the index cannot be used: {folder.name}/{MANIFEST}: {problem}.") from None
    named = NAME.fullmatch(folder.name)  # a build under way has no name yet
    if named and folder.name.partition("-")[0] != manifest.generation:
        raise fault(index, f"the index is damaged: {folder.name}/{MANIFEST} is not what was built.")
    if set(manifest.files) != {STORE, DENSE}:
        raise fault(index, f"the index cannot be used: its manifest lists {', '.join(sorted(manifest.files))}.")
    for name, wanted in manifest.files.items():
        try:
            size = (folder / name).stat().st_size
            quick = name == STORE and size > QUICK and not wholly
            found = wanted if quick else checksum(folder / name)
        except OSError:
            raise fault(index, f"the index is damaged: {folder.name}/{name} is missing.") from None
        if size != manifest.sizes.get(name) or found != wanted:
            raise fault(index, f"the index is damaged: {folder.name}/{name} is not what was built (checksum differs).")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest of a generation beside its files."""
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


@contextlib.contextmanager
def builder(index: Path) -> Iterator[Path]:
    """An empty folder to build in, for one builder at a time; gone afterwards unless `publish` took it.

    Raises IndexFault where another process builds, or the folder is someone else's.
    """
    if index.exists() and not index.is_dir():
        raise IndexFault(str(index), "is a file.", "Choose another folder for the index.")
    other = next(index.iterdir(), None) if index.is_dir() else None  # before the lock: another builder's comes first
    if other and not (index / LOCK).exists() and not _name_in_use(index):
        raise IndexFault(
            str(index), f"is no index folder: it holds {other.name}.", "Choose an empty or new folder for the index."
        )
    index.mkdir(parents=True, exist_ok=True)
    with _locked(index):
        aside = index / BUILDING
        _remove(aside)
        aside.mkdir()
        try:
            yield aside
        finally:
            _remove(aside)


@contextlib.contextmanager
def _locked(index: Path) -> Iterator[None]:
    """The right to change the folder, for one process at a time."""
    with (index / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given up by the system when the process dies
        except OSError:
            raise IndexFault(
                str(index), "another build is under way here.", "Wait until it has ended, then run it again."
            ) from None
        yield


def publish(index: Path, aside: Path, manifest: Manifest) -> Path:
    """Make what was built in `aside` the generation in use, atomically; keep the previous one for its readers."""
    for name in (*manifest.files, MANIFEST, "."):
        sync(aside / name)
    previous = _name_in_use(index)
    folder = _place(index, manifest)
    if folder.exists():
        _remove(aside)  # the very same content is here already, whole
    else:
        aside.rename(folder)
        sync(index)  # the folder has to be on the disk before CURRENT names it
    (index / HELD).unlink(missing_ok=True)
    if folder.name != previous:
        _point(index, folder)
    sync(index)
    (index / f"{CURRENT}.new").unlink(missing_ok=True)  # of a build killed before its swap
    for other in index.iterdir():
        if NAME.fullmatch(other.name) and other.name not in (folder.name, previous):
            _remove(other)
    return folder


def held(index: Path) -> list[Manifest]:
    """The manifests of the generations in the folder, as far as they can be read."""
    found = []
    for folder in index.iterdir():
        if NAME.fullmatch(folder.name):
            with contextlib.suppress(OSError, ValueError):
                found.append(Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8")))
    return found


def rollback(index: Path) -> Path:
    """Put the generation before back in use, atomically; doing it again goes forward. Raises IndexFault.

    The documents left behind are noted, so that no server builds them again until they change.
    """
    folder = current(index)
    with _locked(index):
        others = [each for each in index.iterdir() if NAME.fullmatch(each.name) and each.name != folder.name]
        if not others:
            raise IndexFault(
                str(index), "there is no earlier index to go back to.", "It is kept from the next build on."
            )
        before = others[0]
        verified(index, before)  # a damaged one is named, and the one in use stays
        left = Manifest.from_json((folder / MANIFEST).read_text(encoding="utf-8"))
        (index / HELD).write_text(f"{left.corpus}\n", encoding="ascii")
        sync(index / HELD)
        _point(index, before)
        sync(index)
    return before


def left_behind(index: Path) -> str:
    """The digest of the documents that were rolled back from; "" where none were."""
    try:
        return (index / HELD).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _point(index: Path, folder: Path) -> None:
    """Name another generation as the one in use, in one step."""
    fresh = index / f"{CURRENT}.new"
    fresh.write_text(folder.name + "\n", encoding="ascii")
    sync(fresh)
    fresh.replace(index / CURRENT)


def _place(index: Path, manifest: Manifest) -> Path:
    """Where the content goes: its name, numbered where a damaged copy stands in the way."""
    number, folder = 1, index / manifest.generation
    while folder.exists():
        with contextlib.suppress(IndexFault):
            if verified(index, folder, wholly=True) == manifest:
                break
        number += 1
        folder = index / f"{manifest.generation}-{number}"
    return folder


def _name_in_use(index: Path) -> str:
    try:
        return current(index).name
    except IndexFault:
        return ""


def _remove(folder: Path) -> None:
    """Delete our files in it, then the folder; anything else in it is left, and the folder with it."""
    for name in OURS:
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
