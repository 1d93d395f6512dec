"""A file or folder to documents: each file by its reader, faults collected, nothing stops the rest.

Comes in: a path. Goes out: `Reading`: the documents, the faults and the files left. Does not know: what is inside any
format, passages, or whether a document is fit to publish.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from os import stat_result
from pathlib import Path

from corpus.assemble import Assembled, assemble
from corpus.document import CorpusError, Document
from corpus.draft import Source, decode
from corpus.metadata import KEYS, OWN, Noted, parse
from corpus.read_docx import read_docx
from corpus.read_faq import read_csv, read_jsonl
from corpus.read_html import read_html
from corpus.read_markdown import read_markdown
from corpus.read_pdf import read_pdf
from corpus.read_plain import read_plain

LARGEST = 20 * 1024 * 1024  # bytes
DEFAULTS = "defaults.yaml"

READERS: Mapping[str, Callable[[bytes, str], Source]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
    ".docx": read_docx,
    ".csv": read_csv,
    ".jsonl": read_jsonl,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a path held: documents in the order read, the faults, and the files left, each with the reason."""

    documents: tuple[Document, ...]
    faults: tuple[CorpusError, ...]
    left: tuple[str, ...]


def read(path: Path) -> Reading:
    """Read a file, or a folder and those below it in sorted order. Never raises: each fault is one CorpusError.

    Names in faults and in `left` are relative to the folder.
    """
    shelf = Shelf(path)
    return Reading(tuple(each.document for each in shelf.assembled), tuple(shelf.faults), tuple(shelf.left))


class Shelf:
    """What a path held, as `Reading` has it, with what vetting needs to point at lines."""

    def __init__(self, path: Path) -> None:
        self.assembled: list[Assembled] = []
        self.faults: list[CorpusError] = []
        self.left: list[str] = []
        self._opened: dict[Path, str] = {}  # each real folder by the name it was reached by
        try:
            folder = stat.S_ISDIR(_status(path, _shown(path.name)).st_mode)
            self._root = path if folder else path.parent
            if folder:
                self._folder(path, {})
            else:
                self._file(path, self._defaults(path.parent, {}))
        except CorpusError as fault:
            self.faults.append(fault)

    def _folder(self, folder: Path, above: Mapping[str, Noted]) -> None:
        _named(folder, self._name(folder))
        try:
            self._opened[folder.resolve()] = self._name(folder)
            entries = sorted(folder.iterdir())
        except (OSError, RuntimeError) as fault:
            raise _unreadable(self._name(folder), fault) from None
        defaults = self._defaults(folder, above)
        names = {entry.name for entry in entries}
        for entry in entries:
            try:
                reason = self._entry(entry, names, defaults)
            except CorpusError as fault:
                self.faults.append(fault)
            else:
                if reason:
                    self.left.append(f"{self._name(entry)}: {reason}")

    def _entry(self, entry: Path, names: set[str], defaults: Mapping[str, Noted]) -> str:
        """Read what a folder lists; the reason where it is left."""
        if entry.name.startswith("."):
            return "hidden"
        mode = _status(entry, self._name(entry)).st_mode
        if stat.S_ISDIR(mode):
            return self._below(entry, defaults)
        if not stat.S_ISREG(mode):
            return "not a regular file"
        if entry.name == DEFAULTS:
            return ""
        if entry.suffix == ".yaml" and _is_known(entry.stem):
            return "" if entry.stem in names else f"it describes {entry.stem}, which is not there"
        if not _is_known(entry.name):
            return f"unknown ending; known are {' '.join(READERS)}"
        self._file(entry, defaults)
        return ""

    def _below(self, folder: Path, defaults: Mapping[str, Noted]) -> str:
        target, here = folder.resolve(), folder.parent.resolve()
        if target == here or target in here.parents:
            raise CorpusError(self._name(folder), "", "the link leads back to a folder it is in.", "Remove the link.")
        if target in self._opened:
            return f"the same folder as {self._opened[target]}"
        self._folder(folder, defaults)
        return ""

    def _file(self, file: Path, defaults: Mapping[str, Noted]) -> None:
        name = self._name(file)
        _named(file, name)
        if not _is_known(file.name):
            raise CorpusError(name, "", f"the ending {file.suffix!r} is unknown.", f"Known are {' '.join(READERS)}.")
        source = READERS[file.suffix.lower()](_bytes(file, name), name)
        self.faults += source.faults
        beside = file.with_name(f"{file.name}.yaml")
        sidecar = _yaml(beside, f"{name}.yaml", KEYS) if beside.exists() else {}
        found = assemble(Source(source.drafts, {**defaults, **source.meta, **sidecar}), name)
        for earlier in self.assembled:
            if earlier.document.id == found.document.id:
                noted = found.meta.get("id")
                problem = f"the id {found.document.id!r} is already that of {earlier.document.source}."
                place = f"line {noted.line}" if noted else ""
                raise CorpusError(noted.file if noted else name, place, problem, "Give it another id.")
        self.assembled.append(found)

    def _defaults(self, folder: Path, above: Mapping[str, Noted]) -> Mapping[str, Noted]:
        """What holds for a folder and those below: its own defaults over those above; broken ones count as none."""
        file = folder / DEFAULTS
        try:
            own = _yaml(file, self._name(file), [key for key in KEYS if key not in OWN]) if file.exists() else {}
        except CorpusError as fault:
            self.faults.append(fault)
            return above
        return {**above, **own}

    def _name(self, path: Path) -> str:
        return _shown(path.relative_to(self._root).as_posix() if path != self._root else path.name or str(path))


def _shown(name: str) -> str:
    """A file name as it can be printed: bytes that are not UTF-8 as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _named(path: Path, name: str) -> None:
    """Raise CorpusError where a name is not UTF-8: no index could keep it, and no page show it."""
    if path.name != _shown(path.name):
        raise CorpusError(name, "", "its name is not valid UTF-8.", "Rename it.")


def _status(path: Path, name: str) -> stat_result:
    try:
        return path.stat()
    except OSError as fault:
        raise _unreadable(name, fault) from None


def _bytes(file: Path, name: str) -> bytes:
    size = _status(file, name).st_size
    if size > LARGEST:
        problem = f"{size / 2**20:.0f} MB is more than the {LARGEST // 2**20} MB that a document may have."
        raise CorpusError(name, "", problem, "Split the file.")
    try:
        data = file.read_bytes()
    except OSError as fault:
        raise _unreadable(name, fault) from None
    if not data.strip():
        raise CorpusError(name, "", "the file is empty.", "Add text, or remove the file.")
    return data


def _yaml(file: Path, name: str, allowed: Sequence[str]) -> dict[str, Noted]:
    return parse(decode(_bytes(file, name), name), name, allowed=allowed)


def _unreadable(name: str, fault: OSError | RuntimeError) -> CorpusError:
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return CorpusError(name, "", f"it cannot be read ({reason}).", "Mend the link or the permissions, or remove it.")


def _is_known(name: str) -> bool:
    return Path(name).suffix.lower() in READERS
