"""What a file says of itself: front matter, a sidecar or a folder's defaults, as YAML.

Comes in: YAML text and where it starts. Goes out: known keys with checked values, each with its file and line. Does not
know: which file format carried it, or what a document is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

import yaml

from corpus.document import CorpusError

KEYS = (
    "id",
    "title",
    "publisher",
    "licence",
    "url",
    "written",
    "reviewed",
    "review_by",
    "language",
    "questions",
    "elsewhere",
)
OWN = ("id", "title", "questions", "elsewhere")  # what only one file can say, never a folder's defaults
DATES = ("written", "reviewed", "review_by")
_EMPTY = ("", "~", "null", "Null", "NULL")
_ID = re.compile(r"\w[\w.-]*")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Asked:
    """Visitors' questions: those a section answers, under its heading; or those none does, under where to turn."""

    heading: str
    questions: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Noted:
    """One key's value and where it stands: `day` for a date, `asked` for `questions` and `elsewhere`, else `text`."""

    file: str
    line: int | None = None
    text: str = ""
    day: date | None = None
    asked: tuple[Asked, ...] = ()


def parse(text: str, file: str, first: int = 1, allowed: Iterable[str] = KEYS) -> dict[str, Noted]:
    """Read a YAML mapping whose first line is line `first` of the file.

    Raises CorpusError, with the line, for YAML that does not parse, an unknown or repeated key, or a value of the wrong
    kind.
    """
    root = _tree(text, file, first)
    found: dict[str, Noted] = {}
    for key, value in _pairs(root, file, first, "the metadata"):
        line = key.start_mark.line + first
        name = key.value
        if name not in allowed:
            raise CorpusError(file, f"line {line}", f"{name!r} is no key here.", nearest(name, allowed))
        if name in found:
            raise CorpusError(file, f"line {line}", f"{name!r} is given twice.", "Keep one of them.")
        found[name] = _noted(name, value, file, line, first)
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known word."""
    near = difflib.get_close_matches(name.casefold(), {word.casefold(): word for word in known}, n=1, cutoff=0)
    spelt = next((word for word in known if near and word.casefold() == near[0]), "")
    return f"Did you mean {spelt!r}?" if spelt else "Remove it."


def is_web_address(url: str) -> bool:
    """Whether it is an absolute http or https address, and so safe to link to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"\s", url)


def day(value: str) -> date | None:
    """A date written as 2026-11-30, perhaps with a time behind it; None where it is not one."""
    try:
        return date.fromisoformat(re.split(r"[T ]", value.strip(), maxsplit=1)[0])
    except ValueError:
        return None


def _tree(text: str, file: str, first: int) -> yaml.Node | None:
    try:
        return yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = (mark.line if mark else 0) + first
        problem = f"the metadata is not valid YAML ({fault.problem or fault.context})."
    except (yaml.YAMLError, RecursionError) as fault:
        line, problem = first, f"the metadata is not valid YAML ({str(fault).splitlines()[0]})."
    raise CorpusError(file, f"line {line}", problem, "Write each line as 'key: value', and quote a value with a colon.")


def _pairs(node: yaml.Node | None, file: str, first: int, what: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    if node is None or (isinstance(node, yaml.ScalarNode) and node.value in _EMPTY):
        return []
    if not isinstance(node, yaml.MappingNode):
        line = node.start_mark.line + first
        raise CorpusError(file, f"line {line}", f"{what} is not a list of 'key: value' lines.", "Write it so.")
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            line = key.start_mark.line + first
            raise CorpusError(file, f"line {line}", f"a key of {what} is not a plain word.", "Write 'key: value'.")
    return list(node.value)


def _noted(name: str, node: yaml.Node, file: str, line: int, first: int) -> Noted:
    if name in ("questions", "elsewhere"):
        return Noted(file, line, asked=_questions(node, file, first, name))
    if not isinstance(node, yaml.ScalarNode):
        raise CorpusError(file, f"line {line}", f"{name!r} takes one value, not several.", f"Write '{name}: value'.")
    value = " ".join(node.value.split())
    if value in _EMPTY and (node.style is None or not value):
        return Noted(file, line)
    problem, remedy = f"{name}: {value!r} ", ""
    if name in DATES:
        found = day(value)
        if found:
            return Noted(file, line, day=found)
        problem, remedy = problem + "is not a date.", "Write it as 2026-11-30, or leave it empty."
    elif name == "url" and not is_web_address(value):
        problem, remedy = problem + "is not a web address.", "Give one that starts with https:// or http://."
    elif name == "id" and not _ID.fullmatch(value):
        problem, remedy = problem + "cannot be an id.", "Use letters, digits, hyphens, dots and underscores only."
    elif name == "language" and not LANGUAGE.fullmatch(value):
        problem, remedy = problem + "is not a language tag.", "Write one such as en or pt-BR."
    if remedy:
        raise CorpusError(file, f"line {line}", problem, remedy)
    return Noted(file, line, value)


def _questions(node: yaml.Node, file: str, first: int, name: str) -> tuple[Asked, ...]:
    asked = []
    for key, value in _pairs(node, file, first, repr(name)):
        line = key.start_mark.line + first
        entries = value.value if isinstance(value, yaml.SequenceNode) else [value]
        if not all(isinstance(entry, yaml.ScalarNode) for entry in entries):
            remedy = "Write one '- question' line for each."
            raise CorpusError(file, f"line {line}", f"the questions of {key.value!r} are not a list.", remedy)
        words = (" ".join(entry.value.split()) for entry in entries)
        asked.append(Asked(key.value, tuple(word for word in words if word not in _EMPTY), line))
    return tuple(asked)
