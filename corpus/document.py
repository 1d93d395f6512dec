"""What we may say, as values: a document, its sections, passages and sentences.

Comes in: nothing. Goes out: frozen values with exact character offsets into one normalised text.
Does not know: files, formats, encoders, or how any of this is stored.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from typing import Literal

BlockKind = Literal["heading", "paragraph", "item", "row"]


class CorpusError(Exception):
    """Something in a document that an editor has to mend.

    `file` and `place` ("line 3", "page 2", or "") say where, `problem` what, `remedy` how to mend it.
    """

    def __init__(self, file: str, place: str, problem: str, remedy: str) -> None:
        self.file, self.place, self.problem, self.remedy = file, place, problem, remedy
        where = f"{file}, {place}" if place else file
        super().__init__(f"{where}: {problem} {remedy}")


@dataclass(frozen=True, slots=True)
class Block:
    """One heading, paragraph, list item or table row: `text[start:end]` of its document.

    `level` is 1 to 6 for a heading, the depth (1, 2, …) for a list item, else 0.
    `page` counts from 1; None where the format has no pages.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with all that follows it up to the next heading; the sections tile the document.

    `headings` is the path from the outermost heading to this one, empty before the first heading.
    `questions` are retrieval keys: what a visitor might ask that this section answers. Never evidence.
    """

    headings: tuple[str, ...]
    start: int
    end: int
    blocks: tuple[Block, ...]
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A question that a document does not answer, and where to turn instead, in its editor's words. Never evidence."""

    question: str
    turn_to: str


@dataclass(frozen=True, slots=True)
class Document:
    """A vetted document: one normalised text, and what is known of its origin.

    `publisher`, `licence` and `url` are "" where unknown; `written`, `reviewed` and `review_by` are None where
    unknown, and `reviewed` stays None until a clinician has reviewed the text. `elsewhere` are questions it leaves to
    others. `source` is the file it came from.
    """

    id: str
    title: str
    text: str
    sections: tuple[Section, ...]
    publisher: str = ""
    licence: str = ""
    url: str = ""
    written: date | None = None
    reviewed: date | None = None
    review_by: date | None = None
    language: str = "en"
    elsewhere: tuple[Elsewhere, ...] = ()
    source: str = ""

    @property
    def sha256(self) -> str:
        """SHA-256 of the text, hexadecimal: what a quote's offsets refer to."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 of everything the index keeps of it, metadata included: a change here means a rebuild."""
        fields = asdict(self)
        del fields["source"]
        return hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a claim quotes: `document.text[start:end] == text`, inside the passage of that id."""

    passage: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one section, small enough for the encoder: `document.text[start:end] == text`.

    `id` is a readable slug, `human-lactation#let-down`, that survives edits in other sections; `document` is the
    document's id. `keys` are the questions it answers. `spans` are the (start, end) offsets in the document of the
    sentences that may be quoted: headings are not among them.
    """

    id: str
    document: str
    headings: tuple[str, ...]
    text: str
    start: int
    end: int
    page: int | None = None
    keys: tuple[str, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The sentences that may be quoted, in order."""
        return tuple(
            Sentence(self.id, self.text[start - self.start : end - self.start], start, end) for start, end in self.spans
        )
