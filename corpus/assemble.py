"""Drafts and metadata to a document: one normalised text, its sections and blocks, every offset exact.

Comes in: what a reader handed over. Goes out: `Assembled`, the document and where its parts stood in the file. Does not
know: any file format, folders, or passages.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath

from corpus.document import Block, CorpusError, Document, Elsewhere, Section
from corpus.draft import Draft, Source, clean
from corpus.metadata import Asked, Noted, nearest


@dataclass(frozen=True, slots=True)
class Assembled:
    """A document with what vetting needs to point at: its metadata by key, and its drafts, cleaned."""

    document: Document
    meta: Mapping[str, Noted]
    drafts: tuple[Draft, ...]


def assemble(source: Source, name: str) -> Assembled:
    """Build the document of the file `name`. Raises CorpusError for no text, or questions that fit no heading."""
    drafts = [replace(draft, text=clean(draft.text)) for draft in source.drafts]
    drafts = [draft for draft in drafts if draft.text]
    if not any(draft.kind != "heading" for draft in drafts):
        raise CorpusError(name, "", "the document is empty: no text to quote.", "Add text, or remove the file.")
    meta = source.meta
    stem = PurePosixPath(name).stem
    title = meta["title"].text if "title" in meta else ""
    title = clean(title) or _first_heading(drafts) or clean(re.sub(r"[-_]+", " ", stem)).capitalize() or stem
    text, blocks = _lay_out(drafts)
    sections = _sections(text, blocks, title, [draft.asks for draft in drafts])
    if "questions" in meta:
        sections = _ask(sections, meta["questions"], title)
    document = Document(
        id=_text(meta, "id") or slug(stem),
        title=title,
        text=text,
        sections=tuple(sections),
        publisher=clean(_text(meta, "publisher")),
        licence=clean(_text(meta, "licence")),
        url=_text(meta, "url"),
        written=meta["written"].day if "written" in meta else None,
        reviewed=meta["reviewed"].day if "reviewed" in meta else None,
        review_by=meta["review_by"].day if "review_by" in meta else None,
        language=_text(meta, "language") or "en",
        elsewhere=_elsewhere(meta["elsewhere"]) if "elsewhere" in meta else (),
        source=name,
    )
    return Assembled(document, meta, tuple(drafts))


def slug(text: str, longest: int = 80) -> str:
    """Words as a readable part of an id: letters and digits of any script, hyphens between, cut between words."""
    text = re.sub(r"['’ʼ]", "", unicodedata.normalize("NFC", text.casefold()))
    words = re.sub(r"[\W_]+", "-", text).strip("-")
    if len(words) > longest:
        words = words[: longest + 1].rpartition("-")[0] or words[:longest]
    return words or "untitled"


def is_question(heading: str) -> bool:
    """Whether a heading asks something."""
    return heading.endswith(("?", "？", "؟", ";?"))


def _text(meta: Mapping[str, Noted], key: str) -> str:
    return meta[key].text if key in meta else ""


def _elsewhere(noted: Noted) -> tuple[Elsewhere, ...]:
    """Each question the document leaves to others, with where to turn."""
    return tuple(
        Elsewhere(clean(question), clean(asked.heading)) for asked in noted.asked for question in asked.questions
    )


def _first_heading(drafts: Sequence[Draft]) -> str:
    """The first heading, where it opens the document, is the only one of level 1, and asks nothing."""
    first, others = drafts[0], [draft.level for draft in drafts[1:] if draft.kind == "heading"]
    asks = first.asks or is_question(first.text)
    return first.text if first.kind == "heading" and first.level == 1 and 1 not in others and not asks else ""


def _lay_out(drafts: Sequence[Draft]) -> tuple[str, list[Block]]:
    """The text, blocks parted by a blank line, and the lines of a list or table by a line end."""
    parts: list[str] = []
    blocks: list[Block] = []
    end = 0
    for place, draft in enumerate(drafts):
        before = drafts[place - 1] if place else None
        gap = "" if before is None else "\n" if _touches(before, draft) else "\n\n"
        if draft.kind == "item":
            gap += "  " * (draft.level - 1) + "- "
        start = end + len(gap)
        end = start + len(draft.text)
        parts += gap, draft.text
        blocks.append(Block(draft.kind, start, end, draft.level, draft.page))
    return "".join(parts), blocks


def _touches(before: Draft, draft: Draft) -> bool:
    same = before.kind == draft.kind and draft.kind in ("item", "row")
    led = before.kind == "paragraph" and draft.kind in ("item", "row") and before.text.endswith((":", "："))
    return same or led


def _sections(text: str, blocks: Sequence[Block], title: str, asks: Sequence[bool]) -> list[Section]:
    """Cut at every heading. A heading's path is made of those above it; the title that opens a document is in none."""
    starts = [number for number, block in enumerate(blocks) if block.kind == "heading" or number == 0]
    sections: list[Section] = []
    path: list[tuple[int, str]] = []  # the headings above, each with its level
    for first, after in pairwise([*starts, len(blocks)]):
        head = blocks[first]
        questions: tuple[str, ...] = ()
        if head.kind == "heading":
            heading = text[head.start : head.end]
            path = [above for above in path if above[0] < head.level]
            if first or heading.casefold() != title.casefold():
                path.append((head.level, heading))
            questions = (heading,) if asks[first] or is_question(heading) else ()
        start = head.start if first else 0
        end = blocks[after].start if after < len(blocks) else len(text)
        sections.append(Section(tuple(words for _, words in path), start, end, tuple(blocks[first:after]), questions))
    return sections


def _ask(sections: Sequence[Section], noted: Noted, title: str) -> list[Section]:
    """Give the sections the questions that the metadata says they answer."""
    found = list(sections)
    known: dict[str, list[int]] = {}
    for number, section in enumerate(found):
        names = {section.headings[-1], " > ".join(section.headings)} if section.headings else {title}
        for name in names:
            known.setdefault(name.casefold(), []).append(number)
    spelt = {name.casefold(): name for section in found for name in section.headings[-1:] or (title,)}
    for asked in noted.asked:
        _attach(found, asked, known, list(spelt.values()), noted.file)
    return found


def _attach(found: list[Section], asked: Asked, known: Mapping[str, list[int]], spelt: list[str], file: str) -> None:
    heading = clean(asked.heading)
    numbers = known.get(heading.casefold(), [])
    place = f"line {asked.line}"
    if not numbers:
        problem = f"'questions' names the heading {heading!r}, which is not there."
        raise CorpusError(file, place, problem, nearest(heading, spelt))
    if len(numbers) > 1:
        problem = f"'questions' names the heading {heading!r}, which is there {len(numbers)} times."
        raise CorpusError(file, place, problem, "Write 'Heading above > Heading'.")
    section = found[numbers[0]]
    words = tuple(dict.fromkeys((*section.questions, *(clean(question) for question in asked.questions))))
    found[numbers[0]] = replace(section, questions=words)
