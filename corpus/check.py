"""Vetting: is each document fit to publish? Who says so, on what terms, reviewed when, and is its text undamaged?

Comes in: a path and today's date. Goes out: findings, each with file, line, what and remedy. Does not know: the index,
or how a finding is shown.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ftfy.badness import is_bad

from corpus.assemble import Assembled
from corpus.document import CorpusError
from corpus.read import DEFAULTS, Shelf

REPLACEMENT = "\ufffd"  # what a program leaves in place of a byte that it could not read


@dataclass(frozen=True, slots=True)
class Finding:
    """Something an editor should see to. `line` counts from 1, None where the format has no lines.

    `error` is False for what may stay: a document that nobody has reviewed yet is shown as such.
    """

    file: str
    line: int | None
    what: str
    remedy: str
    error: bool = True

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.what} {self.remedy}"


def check(path: Path, today: date, review_months: int) -> list[Finding]:
    """Vet a file or folder: what could not be read first, then document by document. Never raises for bad input.

    A review is overdue when it is more than `review_months` old, or the document's own `review_by` has passed.
    """
    shelf = Shelf(path)
    findings = [_fault(fault) for fault in shelf.faults]
    for found in shelf.assembled:
        findings += _origin(found)
        findings += _review(found, today, review_months)
        findings += _damage(found, path / found.document.source if path.is_dir() else path)
    return findings


def _fault(fault: CorpusError) -> Finding:
    line = re.fullmatch(r"line (\d+)", fault.place)
    what = fault.problem if line or not fault.place else f"{fault.place}: {fault.problem}"
    return Finding(fault.file, int(line[1]) if line else None, what, fault.remedy)


def _origin(found: Assembled) -> Iterator[Finding]:
    for key, value in (("publisher", found.document.publisher), ("licence", found.document.licence)):
        if not value:
            yield Finding(*_place(found, key), f"the {key} is missing.", f"Add '{key}: …' to {_where(found)}.")


def _review(found: Assembled, today: date, months: int) -> Iterator[Finding]:
    reviewed, by = found.document.reviewed, found.document.review_by
    if reviewed is None:
        remedy = f"Once a clinician has, add 'reviewed: {today}' to {_where(found)}."
        yield Finding(*_place(found, "reviewed"), "no clinician has reviewed it yet.", remedy, error=False)
    elif reviewed > today:
        what = f"the review date {reviewed} has not come yet."
        yield Finding(*_place(found, "reviewed"), what, "Give the day of the last review.")
    elif _later(reviewed, months) < today:
        what = f"the review of {reviewed} is more than {months} months old."
        yield Finding(*_place(found, "reviewed"), what, "Have it reviewed again, and give that date.")
    if by and by < today:
        what = f"it was due for review by {by}."
        yield Finding(*_place(found, "review_by"), what, "Have it reviewed, and give the next date.")


def _damage(found: Assembled, file: Path) -> Iterator[Finding]:
    for draft in found.drafts:
        if REPLACEMENT not in draft.text and not is_bad(draft.text):
            continue
        sign = next((word for word in draft.text.split() if REPLACEMENT in word or is_bad(word)), draft.text)
        where = f"page {draft.page}: " if draft.page else ""
        what = f"{where}the text looks damaged at {sign[:60]!r}."
        line = draft.line or _line(file, sign)
        yield Finding(found.document.source, line, what, "Restore it from the original, and save it as UTF-8.")


def _line(file: Path, words: str) -> int | None:
    """The line of some words in a file whose reader keeps none, such as HTML; None where its bytes do not show them."""
    data = file.read_bytes()
    at = data.find(words.encode())
    return data.count(b"\n", 0, at) + 1 if at >= 0 else None


def _place(found: Assembled, key: str) -> tuple[str, int | None]:
    """The file and line where a key stands, or else would: the first line of a file that has lines."""
    noted = found.meta.get(key)
    if noted:
        return noted.file, noted.line
    return found.document.source, 1 if found.drafts[0].line else None


def _where(found: Assembled) -> str:
    source = Path(found.document.source)
    if source.suffix.lower() in (".md", ".markdown"):
        return "its front matter"
    return f"{source.name}.yaml beside it, or to {DEFAULTS} in its folder"


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
