"""What the tools of the MCP server take and give, as types; clients are sent them as JSON Schema.

Comes in: a tool call's arguments. Goes out: checked values. Does not know: the protocol, or how a passage is found.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from bot.faces.schema import ContactBody, DisclaimerBody, DocumentBody, KindName, Locale, PassageBody, Question
from corpus.document import Document, Passage

_ABOUT = ("title", "publisher", "licence", "reviewed", "sha256")


class SourceBody(PassageBody):
    """A passage and where it comes from."""

    title: str
    publisher: str
    licence: str
    reviewed: str | None = Field(description="null where no clinician has reviewed the document")
    sha256: str = Field(description="of the document's text")

    @staticmethod
    def of(passage: Passage, document: Document) -> dict[str, Any]:
        """The fields of a passage and of its document."""
        about = DocumentBody.facts(document)
        return PassageBody.facts(passage) | {key: about[key] for key in _ABOUT}


class SearchBody(BaseModel):
    """What to look for, and how many passages are wanted."""

    question: Question = Field(description="1 to 2,000 characters after trimming")
    limit: int = Field(default=5, ge=1, le=50, description="passages at most; the server's top_k is the most it gives")
    locale: Locale | None = Field(default=None, description="BCP 47; chooses the disclaimer and the contacts")


class ReadBody(BaseModel):
    """Which passage to read."""

    id: str = Field(description="a passage's id, such as human-lactation#let-down", max_length=2000)


class FoundBody(BaseModel):
    """Passages found, best first, and what is said before them: a signpost, a referral, that none of them answers."""

    kind: KindName
    notices: list[str]
    contacts: list[ContactBody]
    passages: list[SourceBody]
    disclaimer: DisclaimerBody
