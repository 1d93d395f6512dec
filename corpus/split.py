"""A document to passages and the sentences in them: nothing is lost in cutting, every offset exact.

Comes in: a document, the longest passage and how to count it. Goes out: passages that follow the sections; joined, they
are the document's text. Does not know: files, encoders, or what is asked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from semantic_text_splitter import TextSplitter

from corpus.assemble import slug
from corpus.document import Block, Document, Passage, Section
from corpus.sentences import Span, sentences

PARAGRAPHS = 3  # a passage seldom has more: one idea is easier to find
SHORT_LIST = 400  # characters; a list this short is quoted whole, with the words that lead to it
SLICE = 2500  # characters
DENSEST = 12  # characters a piece; a tokenizer may take a word of any length for one unknown piece

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class _Part:
    """A block with the stretch of text it owns: the stretches of a section's blocks tile the section."""

    block: Block
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """A stretch that is packed whole, its size as counted, and how many paragraphs it has."""

    start: int
    end: int
    size: int
    paragraphs: int


def split(document: Document, limit: int, count: Count) -> list[Passage]:
    """Cut a document into passages of at most `limit` by `count`, the heading path included where it leaves room.

    No passage crosses a section or a page; joined, their texts are `document.text`.
    """

    def size(text: str) -> int:
        return max(count(text), len(text) // DENSEST)

    passages: list[Passage] = []
    paths = {"intro": 1}  # kept for what comes before any heading
    for section in document.sections:
        path = "/".join(slug(heading) for heading in section.headings)
        paths[path] = paths.get(path, 0) + 1
        name = f"{path}~{paths[path]}" if paths[path] > 1 else path or "intro"
        cuts = list(_cuts(document, section, limit, size))
        spans = _spans(document, section, cuts)
        for number, (start, end) in enumerate(cuts):
            passages.append(
                Passage(
                    id=f"{document.id}#{name}:{number + 1}" if number else f"{document.id}#{name}",
                    document=document.id,
                    headings=section.headings,
                    text=document.text[start:end],
                    start=start,
                    end=end,
                    page=next((block.page for block in section.blocks if block.end > start), None),
                    keys=section.questions,
                    spans=tuple(spans[number]),
                )
            )
    return passages


def _cuts(document: Document, section: Section, limit: int, count: Count) -> Iterator[Span]:
    """Where the passages of a section start and end."""
    room = limit - count(" > ".join(section.headings)) if section.headings else limit
    if room < limit / 2:  # such headings would crowd out the text
        room = limit
    for _, parts in groupby(_parts(document.text, section), key=lambda part: part.block.page):
        units = [unit for group in _groups(document.text, list(parts)) for unit in _units(document, group, room, count)]
        yield from _pack(document.text, units, room, count)


def _parts(text: str, section: Section) -> list[_Part]:
    blocks = section.blocks
    starts = [section.start]
    starts += [text.rfind("\n", before.end, block.start) + 1 for before, block in pairwise(blocks)]
    return [_Part(*each) for each in zip(blocks, starts, [*starts[1:], section.end], strict=True)]


def _groups(text: str, parts: Sequence[_Part]) -> list[list[_Part]]:
    """What belongs together: a heading with what follows it, a list or table with the words that lead to it."""
    groups: list[list[_Part]] = []
    for part in parts:
        before = groups[-1] if groups else None
        if before and (before[-1].block.kind == "heading" or _goes_on(text, before, part)):
            before.append(part)
        else:
            groups.append([part])
    return groups


def _goes_on(text: str, group: Sequence[_Part], part: _Part) -> bool:
    """Whether a list item or table row belongs to the words before it."""
    last = group[-1].block
    if part.block.kind not in ("item", "row"):
        return False
    if last.kind == "paragraph":
        return text[last.start : last.end].endswith((":", "："))
    return last.kind == part.block.kind and _lead(group) is not None


def _lead(group: Sequence[_Part]) -> Block | None:
    """The paragraph that leads to the list or table of a group; only a heading may stand before it."""
    if group[-1].block.kind not in ("item", "row"):
        return None
    return next((part.block for part in group[:2] if part.block.kind == "paragraph"), None)


def _units(document: Document, group: Sequence[_Part], room: int, count: Count) -> Iterator[_Unit]:
    """A group whole where it fits, else its blocks, else their sentences, else what a text splitter makes of those."""
    text, start, end = document.text, group[0].start, group[-1].end
    size = count(text[start:end])
    if size <= room:
        yield _Unit(start, end, size, sum(part.block.kind == "paragraph" for part in group))
        return
    pieces = [piece for part in group for piece in _pieces(document, part, room, count)]
    for place, part in enumerate(group[1:], 1):  # the words that lead to a list stay with its first item
        if part.block.kind in ("item", "row") and group[place - 1].block.kind == "paragraph":
            first = next(number for number, piece in enumerate(pieces) if piece[0] == part.start)
            joined = (pieces[first - 1][0], pieces[first][1])
            if count(text[joined[0] : joined[1]]) <= room:
                pieces[first - 1 : first + 1] = [joined]
    paragraphs = {part.start for part in group if part.block.kind == "paragraph"}
    for start, end in pieces:
        size = count(text[start:end])
        if size <= room:
            yield _Unit(start, end, size, int(start in paragraphs))
            continue
        for chunk in _chunks(text[start:end], room, count):
            yield _Unit(start, start + len(chunk), count(chunk), 0)
            start += len(chunk)


def _chunks(text: str, room: int, count: Count) -> Iterator[str]:
    """A sentence too long for a passage, cut at clauses, words, or where it must be."""
    splitter = TextSplitter.from_callback(count, room, trim=False)
    while text:  # a slice at a time, for the splitter's work grows with the square of the length
        end = text.rfind(" ", 0, SLICE) + 1 if len(text) > SLICE else 0
        yield from splitter.chunks(text[: end or SLICE])
        text = text[end or SLICE :]


def _pieces(document: Document, part: _Part, room: int, count: Count) -> list[Span]:
    text, block = document.text, part.block
    if block.kind != "paragraph" and count(text[part.start : part.end]) <= room:
        return [(part.start, part.end)]
    found = sentences(text[block.start : block.end], document.language)
    starts = [part.start, *(block.start + start for start, _ in found[1:])]
    return list(zip(starts, [*starts[1:], part.end], strict=True))


def _pack(text: str, units: Sequence[_Unit], room: int, count: Count) -> Iterator[Span]:
    held: list[_Unit] = []
    for unit in units:
        full = sum(each.size for each in held) + unit.size > room
        many = unit.paragraphs and sum(each.paragraphs for each in held) + unit.paragraphs > PARAGRAPHS
        if held and (full or many):
            yield from _close(text, held, room, count)
            held = []
        held.append(unit)
    if held:
        yield from _close(text, held, room, count)


def _close(text: str, held: Sequence[_Unit], room: int, count: Count) -> Iterator[Span]:
    start, end = held[0].start, held[-1].end
    if len(held) == 1 or count(text[start:end]) <= room:
        yield start, end
    else:  # some tokenizers make more of the whole than of its parts
        yield from _close(text, held[: len(held) // 2], room, count)
        yield from _close(text, held[len(held) // 2 :], room, count)


def _spans(document: Document, section: Section, cuts: Sequence[Span]) -> list[list[Span]]:
    """Per passage the sentences that may be quoted. One that was too long for a passage is in none."""
    text, held = document.text, [list[Span]() for _ in cuts]
    starts = [start for start, _ in cuts]

    def home(span: Span) -> list[Span] | None:
        number = bisect_right(starts, span[0]) - 1
        return held[number] if span[1] <= cuts[number][1] else None

    for group in _groups(text, _parts(text, section)):
        found = [span for part in group for span in _quotable(document, part.block)]
        lead = _lead(group)
        if lead:
            first = next(number for number, (_, end) in enumerate(found) if end == lead.end)
            whole = (found[first][0], group[-1].block.end)
            if whole[1] - whole[0] <= SHORT_LIST and home(whole) is not None:
                found[first:] = [whole]
        for span in found:
            passage = home(span)
            if passage is not None:
                passage.append(span)
    return held


def _quotable(document: Document, block: Block) -> list[Span]:
    text = document.text[block.start : block.end]
    if block.kind == "heading":
        return []
    if block.kind != "paragraph" and len(text) <= SHORT_LIST:
        return [(block.start, block.end)]
    found = sentences(text, document.language)
    return [(block.start + start, block.start + end) for start, end in found]
