"""The lines of PDF pages to drafts: paragraphs joined, headings told by their size or weight, margins dropped.

Comes in: lines with where they stand and how they are set. Goes out: drafts, each with its page. Does not know: how a
PDF is opened, or tables, which PDF does not mark.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from corpus.draft import Draft

HYPHEN = "\x02"  # what PDFium makes of a hyphen that parts a word at a line's end
LARGER = 1.15  # times the body's size: a heading
WIDER = 1.4  # times the usual distance between lines: a new paragraph
LONGEST_HEADING = 200  # characters
_BULLET = re.compile(r"(?:[-*•‣◦▪·–●○■]|\(?\d{1,2}[.)])\s+(?=\S)|[•‣◦▪●○■]\s*(?=\S)")
_ENDED = re.compile(r"[.!?:;…。！？]['\"”’)\]]*$")
_NUMBER = re.compile(r"[-–—\s]*(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?[-–—\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page: `size` and edges in points, `y` its baseline from the page's foot; it may end in HYPHEN."""

    page: int
    text: str
    size: float
    bold: bool
    left: float
    right: float
    y: float


def drafts_of(pages: Sequence[Sequence[Line]]) -> list[Draft]:
    """The blocks of all pages, without page numbers and running heads."""
    lines = [line for page in _without_margins(pages) for line in page]
    if not lines:
        return []
    letters = Counter[tuple[float, bool]]()
    for line in lines:
        letters[line.size, line.bold] += len(line.text)
    body, heavy = letters.most_common(1)[0][0]
    sizes = sorted({line.size for line in lines if line.size >= body * LARGER}, reverse=True)
    known = {word for line in lines for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", line.text.casefold())}
    drafts: list[Draft] = []
    for block in _blocks(lines, body):
        draft = _draft(block, sizes, heavy, known)
        before = drafts[-1] if drafts else None
        if before and _runs_over(before, draft):  # the sentence is kept whole, on the page it starts on
            drafts[-1] = replace(before, text=_join(before.text, draft.text, known))
        else:
            drafts.append(draft)
    return [replace(draft, text=draft.text.replace(HYPHEN, "-")) for draft in drafts]


def _blocks(lines: Sequence[Line], body: float) -> Iterator[list[Line]]:
    """Lines that make one paragraph, item or heading."""
    gaps = [a.y - b.y for a, b in pairwise(lines) if a.page == b.page and a.size == b.size == body]
    pitch = median([gap for gap in gaps if 0 < gap < 3 * body] or [1.2 * body])
    rights: dict[int, float] = {}
    for line in lines:
        rights[line.page] = max(line.right, rights.get(line.page, 0.0))
    block: list[Line] = []
    for line in lines:
        if block and _parted(block, line, pitch * line.size / body, rights[line.page]):
            yield block
            block = []
        block.append(line)
    yield block


def _parted(block: Sequence[Line], line: Line, pitch: float, right: float) -> bool:
    before = block[-1]
    gap = before.y - line.y
    ended = bool(_ENDED.search(before.text))
    indented = line.left > block[0].left + 2
    return (
        line.page != before.page
        or (line.size, line.bold) != (before.size, before.bold)
        or gap > WIDER * pitch
        or (gap < 0 and (ended or not line.text[0].islower()))  # the next column, unless the sentence goes on there
        or bool(_BULLET.match(line.text))
        or (bool(_BULLET.match(block[0].text)) and not indented and ended)
        or (ended and before.right < 0.8 * right and not line.text[0].islower())
    )


def _draft(block: Sequence[Line], sizes: Sequence[float], heavy: bool, known: set[str]) -> Draft:
    first = block[0]
    text = first.text
    for line in block[1:]:
        text = _join(text, line.text, known)
    bullet = _BULLET.match(text)
    letters = sum(letter.isalpha() for letter in text)
    if letters > 1 and len(text) <= LONGEST_HEADING:
        if first.size in sizes:
            return Draft("heading", text, min(sizes.index(first.size) + 1, 5), first.page)
        if first.bold and not heavy and len(block) < 3 and not re.search(r"[.!:;,]$", text) and not bullet:
            return Draft("heading", text, min(len(sizes) + 1, 6), first.page)
    if bullet:
        return Draft("item", text[bullet.end() :], 1, first.page)
    return Draft("paragraph", text, 0, first.page)


def _runs_over(before: Draft, draft: Draft) -> bool:
    """Whether a paragraph goes on, on the next page."""
    parted = before.page != draft.page and draft.kind == "paragraph" and before.kind in ("paragraph", "item")
    return parted and not _ENDED.search(before.text) and draft.text[0].islower()


def _join(before: str, after: str, known: set[str]) -> str:
    """Two lines as one. A word parted by a hyphen loses it, unless the file elsewhere writes it with one."""
    if not before.endswith(HYPHEN):
        return f"{before} {after}"
    before = before.removesuffix(HYPHEN)
    left, right = re.search(r"[^\W\d_]*$", before), re.match(r"[^\W\d_]*", after)
    word = f"{left[0] if left else ''}-{right[0] if right else ''}".casefold()
    hyphenated = word in known or not after[0].islower()
    return f"{before}-{after}" if hyphenated else f"{before}{after}"


def _without_margins(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The lines of each page without its number, and without what stands in one place at the edge of most pages."""
    sizes = Counter[float]()
    for line in (line for lines in pages for line in lines):
        sizes[line.size] += len(line.text)
    largest = sizes.most_common(1)[0][0] if sizes else 0.0  # a running head is no larger than the body
    often = Counter(key for lines in pages for key in {_key(line) for line in (*lines[:2], *lines[-2:])})
    running = {key for key, times in often.items() if times > 1 and times > len(pages) / 2}
    kept = []
    for lines in pages:
        last = len(lines) - 1
        edges = [line for place, line in enumerate(lines) if place in (0, 1, last - 1, last) and line.size <= largest]
        outer = [line for line in edges if line in (lines[0], lines[last])]
        dropped = [line for line in edges if _key(line) in running]
        dropped += [line for line in outer if _NUMBER.fullmatch(line.text)]
        kept.append([line for line in lines if line not in dropped])
    return kept


def _key(line: Line) -> tuple[str, int, int]:
    return re.sub(r"\d+", "#", line.text.casefold()), round(line.size), round(line.y)
