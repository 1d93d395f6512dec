"""Documents and passages as JSON text, and back exactly.

Comes in: a Document or a Passage. Goes out: JSON with sorted keys, the same for the same value, and the value again.
Does not know: where the text is kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Any

from corpus.document import Block, Document, Elsewhere, Passage, Section

DATES = ("written", "reviewed", "review_by")


def document_json(document: Document) -> str:
    """A document as JSON, dates as ISO 8601."""
    return json.dumps(asdict(document), default=date.isoformat, ensure_ascii=False, sort_keys=True)


def read_document(text: str) -> Document:
    """The document again, equal to the one written."""
    fields: dict[str, Any] = json.loads(text)
    for name in DATES:
        fields[name] = date.fromisoformat(fields[name]) if fields[name] else None
    fields["elsewhere"] = tuple(Elsewhere(**one) for one in fields.get("elsewhere", ()))
    fields["sections"] = tuple(_section(section) for section in fields["sections"])
    return Document(**fields)


def passage_json(passage: Passage) -> str:
    """A passage as JSON."""
    return json.dumps(asdict(passage), ensure_ascii=False, sort_keys=True)


def read_passage(text: str) -> Passage:
    """The passage again, equal to the one written."""
    fields: dict[str, Any] = json.loads(text)
    fields["spans"] = tuple((start, end) for start, end in fields["spans"])
    return Passage(**{**fields, "headings": tuple(fields["headings"]), "keys": tuple(fields["keys"])})


def _section(fields: dict[str, Any]) -> Section:
    blocks = tuple(Block(**block) for block in fields["blocks"])
    return Section(
        headings=tuple(fields["headings"]),
        start=fields["start"],
        end=fields["end"],
        blocks=blocks,
        questions=tuple(fields["questions"]),
    )
