"""A file or folder to documents: each file by its reader, faults collected, nothing stops the rest.

Comes in: a path. Goes out: `Reading`: the documents, the faults and the files left. Does not know: what is inside any
format, passages, or whether a document is fit to publish.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.assemble import Assembled, assemble
from corpus.document import CorpusError, Document
from corpus.draft import Source, decode
from corpus.metadata import KEYS, OWN, Noted, parse
from corpus.read_markdown import read_markdown
from corpus.read_plain import read_plain

LARGEST = 20 * 1024 * 1024  # bytes
DEFAULTS = "defaults.yaml"

READERS: Mapping[str, Callable[[bytes, str], Source]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a path held: documents in the order read, the faults, and the files left, each with the reason."""

    documents: tuple[Document, ...]
    faults: tuple[CorpusError, ...]
    left: tuple[str, ...]


@dataclass(slots=True)
class Shelf:
    """A reading under way, with what vetting needs to point at lines."""

    assembled: list[Assembled] = field(default_factory=list)
    faults: list[CorpusError] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def read(path: Path) -> Reading:
    """Read a file, or a folder and those below it in sorted order. Never raises: each fault is one CorpusError."""
    shelf = gather(path)
    return Reading(tuple(each.document for each in shelf.assembled), tuple(shelf.faults), tuple(shelf.left))


def gather(path: Path) -> Shelf:
    """The same as `read`, keeping where each part of a document stood in its file."""
    shelf = Shelf()
    if path.is_dir():
        _folder(path, path, shelf, {}, {})
    else:
        defaults = _defaults(path.parent, path.parent, shelf, {})
        _file(path, path.name, shelf, defaults)
    return shelf


def _folder(root: Path, folder: Path, shelf: Shelf, above: Mapping[str, Noted], opened: dict[Path, str]) -> None:
    """Read one folder, then what is below. `opened` maps each real folder to the name it was reached by."""
    name = _name(root, folder)
    try:
        real = folder.resolve(strict=True)
        entries = sorted(folder.iterdir())
    except (OSError, RuntimeError) as fault:
        shelf.faults.append(_unreadable(name, fault))
        return
    opened[real] = name
    defaults = _defaults(root, folder, shelf, above)
    names = {entry.name for entry in entries}
    for entry in entries:
        name = _name(root, entry)
        if entry.name.startswith("."):
            shelf.left.append(f"{name}: hidden")
        elif entry.is_dir():
            target = entry.resolve()
            if target in real.parents or target == real:
                remedy = "Remove the link."
                shelf.faults.append(CorpusError(name, "", f"the link leads back to {target.name!r}.", remedy))
            elif target in opened:
                shelf.left.append(f"{name}: the same folder as {opened[target]}")
            else:
                _folder(root, entry, shelf, defaults, opened)
        elif entry.name == DEFAULTS:
            continue
        elif entry.suffix.lower() == ".yaml" and _is_document(entry.stem):
            if entry.stem not in names:
                shelf.left.append(f"{name}: describes {entry.stem}, which is not there")
        elif entry.is_symlink() or _is_document(entry.name):
            _file(entry, name, shelf, defaults)
        else:
            shelf.left.append(f"{name}: unknown ending; known are {' '.join(READERS)}")


def _file(file: Path, name: str, shelf: Shelf, defaults: Mapping[str, Noted]) -> None:
    try:
        if not _is_document(file.name):
            remedy = f"Use one of {' '.join(READERS)}."
            raise CorpusError(name, "", f"the ending {file.suffix!r} is unknown.", remedy)
        source = READERS[file.suffix.lower()](_bytes(file, name), name)
        beside = file.with_name(f"{file.name}.yaml")
        sidecar = _yaml(beside, f"{name}.yaml", KEYS) if beside.exists() else {}
        found = assemble(Source(source.drafts, {**defaults, **source.meta, **sidecar}), name)
        earlier = next((each for each in shelf.assembled if each.document.id == found.document.id), None)
        if earlier:
            place = f"line {found.meta['id'].line}" if "id" in found.meta and found.meta["id"].line else ""
            problem = f"the id {found.document.id!r} is already that of {earlier.document.source}."
            raise CorpusError(name, place, problem, "Give it another id.")
        shelf.assembled.append(found)
    except CorpusError as fault:
        shelf.faults.append(fault)


def _defaults(root: Path, folder: Path, shelf: Shelf, above: Mapping[str, Noted]) -> Mapping[str, Noted]:
    file = folder / DEFAULTS
    if not file.exists():
        return above
    name = _name(root, file)
    try:
        return {**above, **_yaml(file, name, [key for key in KEYS if key not in OWN])}
    except CorpusError as fault:
        shelf.faults.append(fault)
        return above


def _yaml(file: Path, name: str, allowed: Sequence[str]) -> dict[str, Noted]:
    return parse(decode(_bytes(file, name), name), name, allowed=allowed)


def _bytes(file: Path, name: str) -> bytes:
    try:
        size = file.stat().st_size
        if size > LARGEST:
            problem = f"{size / 2**20:.0f} MB is more than the {LARGEST // 2**20} MB that a document may have."
            raise CorpusError(name, "", problem, "Split the file.")
        data = file.read_bytes()
    except (OSError, RuntimeError) as fault:
        raise _unreadable(name, fault) from None
    if not data.strip():
        raise CorpusError(name, "", "the file is empty.", "Add text, or remove the file.")
    return data


def _unreadable(name: str, fault: OSError | RuntimeError) -> CorpusError:
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return CorpusError(name, "", f"it cannot be read ({reason}).", "Mend the link or the permissions, or remove it.")


def _is_document(name: str) -> bool:
    return Path(name).suffix.lower() in READERS


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
