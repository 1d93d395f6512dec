"""Lists of questions and answers to drafts: CSV with a header row, or JSON lines.

Comes in: the bytes of a file. Goes out: `Source`; each question is a heading over its answer, and each row that cannot
be used is a fault that stops no other. Does not know: offsets, sections, or where defaults come from.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from corpus.document import CorpusError
from corpus.draft import Draft, Source, clean, decode
from corpus.read_html import html_drafts
from corpus.read_plain import plain_drafts

QUESTION, ANSWER = ("question", "questions", "q"), ("answer", "answers", "a")  # what a column or key may be called
_DELIMITERS = (",", ";", "\t", "|")
_MARKUP = re.compile(r"</?(p|br|ul|ol|li|div|span|strong|em|b|i|u|a|h[1-6]|table)(\s[^<>]*)?/?>", re.IGNORECASE)

Row = tuple[int, Mapping[str, object]]  # line, cells by lower-case name


def read_csv(data: bytes, name: str) -> Source:
    """Read a CSV file whose header row names a question and an answer column; other columns are left.

    Raises CorpusError for a wrong encoding, no such header, or quotes that do not close.
    """
    text = decode(data, name)
    faults: list[CorpusError] = []
    rows = list(_csv_rows(text, name, faults))
    return _source(rows, name, faults)


def read_jsonl(data: bytes, name: str) -> Source:
    """Read a JSON object from each line, its keys question and answer. Raises CorpusError for a wrong encoding."""
    faults: list[CorpusError] = []
    rows: list[Row] = []
    for number, line in enumerate(decode(data, name).split("\n"), 1):
        try:
            found = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError) as fault:
            reason = fault.msg if isinstance(fault, json.JSONDecodeError) else "nested too deep, or too long a number"
            faults.append(CorpusError(name, f"line {number}", f"it is not JSON ({reason}).", _EXAMPLE))
            continue
        if isinstance(found, dict):
            rows += [(number, {key.strip().lower(): value for key, value in found.items()})] if found else []
        else:
            faults.append(CorpusError(name, f"line {number}", "it is not a JSON object.", _EXAMPLE))
    return _source(rows, name, faults)


_EXAMPLE = 'Write {"question": "…", "answer": "…"} on one line.'


def _csv_rows(text: str, name: str, faults: list[CorpusError]) -> Iterator[Row]:
    delimiter, header = _header(text, name)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    line = 1
    try:
        for number, cells in enumerate(rows):
            start, line = line, rows.line_num + 1
            if number == 0 or not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                problem = f"the row has {len(cells)} cells, the header {len(header)}."
                remedy = f"Put quotes around a cell that holds {delimiter!r}."
                faults.append(CorpusError(name, f"line {start}", problem, remedy))
                continue
            yield start, dict(zip(header, cells, strict=False))
    except csv.Error as fault:
        raise CorpusError(
            name, f"line {line}", f"it is not CSV ({fault}).", "Close each quote, double those inside."
        ) from None


def _header(text: str, name: str) -> tuple[str, list[str]]:
    """The delimiter that makes a header of the first row, and the names in it."""
    first = text.split("\n", 1)[0]
    for delimiter in _DELIMITERS:
        cells = [clean(cell).lower() for cell in next(csv.reader([first], delimiter=delimiter), [])]
        if set(cells) & set(QUESTION) and set(cells) & set(ANSWER):
            return delimiter, cells
    problem = f"the first row names no question and answer columns: {clean(first)[:80]!r}."
    raise CorpusError(name, "line 1", problem, "Make the first row: question,answer.")


def _source(rows: list[Row], name: str, faults: list[CorpusError]) -> Source:
    drafts: list[Draft] = []
    for line, cells in rows:
        question, answer = (_cell(cells, names) for names in (QUESTION, ANSWER))
        blocks = _blocks(answer or "", line)
        if not question or not clean(question) or not blocks:
            missing = "answer" if question and clean(question) else "question"
            faults.append(CorpusError(name, f"line {line}", f"the {missing} is empty.", f"Add the {missing}."))
            continue
        drafts += [Draft("heading", question, 2, line=line, asks=True), *blocks]
    return Source(tuple(drafts), faults=tuple(faults))


def _cell(cells: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((value for key in names if isinstance(value := cells.get(key), str)), None)


def _blocks(answer: str, line: int) -> list[Draft]:
    """The paragraphs and items of an answer, with or without markup; nothing in it is a heading of its own."""
    marked = _MARKUP.search(answer)
    found = html_drafts(answer) if marked else plain_drafts(answer.splitlines())
    found = [draft for draft in found if clean(draft.text)]
    return [
        replace(draft, kind="paragraph", level=0, line=line) if draft.kind == "heading" else replace(draft, line=line)
        for draft in found
    ]
