"""Plain text to drafts: headings are bare lines, bullets are items, blank lines part paragraphs.

Comes in: the bytes of a file. Goes out: `Source`; a bare first line is its title. Does not know: Markdown, offsets or
sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from corpus.draft import Draft, Source, clean, decode
from corpus.metadata import Noted

LONGEST_HEADING = 100  # characters
UNWRAPPED = 200  # characters; a file with longer lines keeps each paragraph on one line
_BULLET = re.compile(r"\s*(?:[-*+•‣◦▪·–]|\(?\d{1,3}[.)])\s+(?=\S)")
_UNDERLINE = re.compile(r"\s*(={3,}|-{3,})\s*")

Lines = Sequence[tuple[int, str]]  # line number, text


def read_plain(data: bytes, name: str) -> Source:
    """Read a plain text file. Raises CorpusError for a wrong encoding."""
    lines = decode(data, name).split("\n")
    drafts = _headings(plain_drafts(lines), {number for number, line in enumerate(lines, 1) if clean(line)})
    first = drafts[0] if drafts else None
    if first and first.kind == "heading" and first.level == 1:
        return Source(tuple(drafts), {"title": Noted(name, first.line, first.text)})
    return Source(tuple(drafts))


def plain_drafts(lines: Sequence[str]) -> list[Draft]:
    """The paragraphs, items and underlined headings of some lines; bare lines are paragraphs still."""
    return [draft for group in _groups(lines) for draft in _drafts(group)]


def _groups(lines: Sequence[str]) -> Iterator[Lines]:
    """Runs of lines that belong together: between blank lines, or each alone where paragraphs are single long lines."""
    alone = any(len(line) > UNWRAPPED for line in lines)
    group: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not clean(line) or (group and alone and not _UNDERLINE.fullmatch(line)):
            yield group
            group = []
        if clean(line):
            group.append((number, line))
    yield group


def _drafts(group: Lines) -> Iterator[Draft]:
    """The blocks of one run of lines: an underlined heading, bullets with their lead-in, or a paragraph."""
    drafts: list[Draft] = []
    for number, line in group:
        text = clean(line)
        under = _UNDERLINE.fullmatch(line)
        bullet = _BULLET.match(line)
        if under and len(drafts) == 1 and drafts[0].kind == "paragraph":
            yield Draft("heading", drafts.pop().text, 1 if under[1][0] == "=" else 2, line=number - 1)
        elif under:
            continue  # a rule, not words
        elif bullet:
            drafts.append(Draft("item", clean(line[bullet.end() :]), 1, line=number))
        elif drafts:
            drafts[-1] = replace(drafts[-1], text=f"{drafts[-1].text} {text}")
        else:
            drafts.append(Draft("paragraph", text, line=number))
    yield from drafts


def _headings(drafts: Sequence[Draft], written: set[int]) -> list[Draft]:
    """Make headings of the bare lines: short, alone between blank lines, unpunctuated, and followed by other text."""
    found: list[Draft] = []
    for place, draft in enumerate(drafts):
        after = drafts[place + 1] if place + 1 < len(drafts) else None
        if _is_bare(draft, written) and after:
            if place == 0:
                draft = replace(draft, kind="heading", level=1)
            elif not _is_bare(after, written):
                draft = replace(draft, kind="heading", level=2)
        found.append(draft)
    return found


def _is_bare(draft: Draft, written: set[int]) -> bool:
    text, line = draft.text, draft.line or 0
    return (
        draft.kind == "paragraph"
        and len(text) <= LONGEST_HEADING
        and not {line - 1, line + 1} & written
        and not text[0].islower()
        and any(letter.isalpha() for letter in text)
        and not re.search(r"[.!:;,…。！]['\"”’)]*$", text)
    )
