"""What the HTTP face takes and gives, as types: the request models that name a wrong field, and OpenAPI's examples.

Comes in: parsed JSON. Goes out: checked values. Does not know: routes, status codes, or how a reply is found.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from bot.bot import HISTORY
from bot.reply import Turn
from corpus.document import Document, Passage

LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def _well_formed(locale: str) -> str:
    if len(locale) > 35 or not LOCALE.fullmatch(locale):
        raise PydanticCustomError("locale", "not a BCP 47 language tag")
    return locale


def _latest(history: object) -> object:
    """Only the last turns count; older ones are not even checked."""
    return history[-HISTORY:] if isinstance(history, list) else history


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


LONGEST = 2000  # characters of a question
Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
Locale = Annotated[str, AfterValidator(_well_formed)]


class TurnBody(BaseModel):
    """One earlier question and the passage ids its answer cited."""

    asked: Question = Field(description="the earlier question", examples=["What is induced lactation?"])
    cited: list[str] = Field(default=[], description="passage ids its answer cited; unknown ones are ignored")


class AskBody(BaseModel):
    """A question, what was asked before it, and where the visitor is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"question": "Can men produce milk?"},
                {
                    "question": "How long does it take?",
                    "history": [
                        {
                            "asked": "What is induced lactation?",
                            "cited": ["human-lactation#lactation-without-pregnancy"],
                        }
                    ],
                    "locale": "en-GB",
                },
            ]
        }
    )

    question: Question = Field(description="1 to 2,000 characters after trimming")
    history: Annotated[list[TurnBody], BeforeValidator(_latest)] = Field(
        default=[], description="earlier turns, oldest first; the last 20 count"
    )
    locale: Locale | None = Field(default=None, description="BCP 47; chooses the disclaimer and the contacts")

    @property
    def turns(self) -> list[Turn]:
        """The history as the bot takes it."""
        return [Turn(turn.asked, tuple(turn.cited)) for turn in self.history]


KindName = Literal["answer", "abstain", "clarify", "refer", "urgent", "smalltalk"]


class FeedbackBody(BaseModel):
    """A thumb. Only counters move, and no text is kept, unless the operator has switched the journal on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"vote": "up", "kind": "answer", "passages": []}]})

    vote: Literal["up", "down"]
    kind: KindName
    passages: list[str] = []
    reason: Annotated[str, StringConstraints(max_length=2000)] | None = None
    question: Annotated[str, StringConstraints(max_length=2000)] | None = None


class SessionBody(BaseModel):
    """A session: what the next questions are counted under, and nothing else of who asks."""

    token: str = Field(description="for the header Milkwise-Session; good for pages of the site that asked for it")
    seconds: int = Field(description="how long it is good for")
    starters: list[str] = Field(description="questions to begin with, of the documents as they are now")


class ClaimBody(BaseModel):
    """One thing said, and the id of the passage, rule or phrase that backs it, or "model:" and whose words they are."""

    text: str
    source: str
    citation: int | None = Field(description="number of its citation, null for what is no quote")
    introduces: list[int] = Field(
        default=[], description="of a model's words: the citations they introduce and were checked against"
    )


class CitationBody(BaseModel):
    """Where a quote stands: `document.text[start:end] == quote`."""

    number: int
    passage: str
    document: str
    title: str
    headings: list[str]
    page: int | None
    quote: str
    start: int
    end: int
    sha256: str = Field(description="of the document's text")
    publisher: str
    reviewed: str | None = Field(description="null where no clinician has reviewed the document")
    labels: list[str] = Field(
        description="to be shown with the quote, in the reply's language: its place; publisher and review, and whether "
        "that is overdue today; that it is hard to read, where it is"
    )
    url: str = Field(description="page of the document with the quote marked, relative to the server's root")


class DisclaimerBody(BaseModel):
    """The medical disclaimer; its text is never empty."""

    id: str
    version: str
    locale: str
    text: str = Field(min_length=1)


class ContactBody(BaseModel):
    """Someone to turn to, and how to reach them."""

    label: str
    call: str | None
    text: str | None
    url: str | None
    hours: str | None


class ReplyBody(BaseModel):
    """One reply, whichever face it is asked through."""

    model_config = ConfigDict(extra="forbid")

    kind: KindName
    claims: list[ClaimBody] = Field(min_length=1)
    citations: list[CitationBody]
    disclaimer: DisclaimerBody
    contacts: list[ContactBody]
    suggestions: list[str]
    unanswered: list[str] = Field(description="questions of the message that the documents leave open")
    query: str
    topic: str | None
    reason: str
    confidence: float | None
    index: str
    ms: float


class DocumentBody(BaseModel):
    """What is known of a document."""

    id: str
    title: str
    publisher: str
    licence: str
    origin: str = Field(description="address it was published at, empty where unknown")
    language: str
    written: str | None
    reviewed: str | None = Field(description="null where no clinician has reviewed the document")
    review_by: str | None
    sha256: str
    url: str = Field(description="page of the document, relative to the server's root")

    @staticmethod
    def facts(document: Document) -> dict[str, Any]:
        """The fields of a document, its text left out."""
        return {
            "id": document.id,
            "title": document.title,
            "publisher": document.publisher,
            "licence": document.licence,
            "origin": document.url,
            "language": document.language,
            "written": _day(document.written),
            "reviewed": _day(document.reviewed),
            "review_by": _day(document.review_by),
            "sha256": document.sha256,
            "url": f"/documents/{quote(document.id)}",
        }


class DocumentsBody(BaseModel):
    """The documents that may be quoted, with the disclaimer they are read under."""

    documents: list[DocumentBody]
    disclaimer: DisclaimerBody


class SectionBody(BaseModel):
    """A heading path and what follows it: `text[start:end]` of the document."""

    headings: list[str]
    start: int
    end: int


class WholeDocumentBody(DocumentBody):
    """A document with its text, sections and passage ids."""

    text: str
    sections: list[SectionBody]
    passages: list[str]
    disclaimer: DisclaimerBody


class SpanBody(BaseModel):
    """A sentence that may be quoted: `text` stands at [start:end] of the document."""

    text: str
    start: int
    end: int


class PassageBody(BaseModel):
    """A stretch of one section of a document."""

    id: str
    document: str
    headings: list[str]
    page: int | None
    text: str
    start: int
    end: int
    questions: list[str] = Field(description="what a visitor might ask that it answers")
    sentences: list[SpanBody]
    url: str = Field(description="page of the document with the passage marked, relative to the server's root")
    disclaimer: DisclaimerBody

    @staticmethod
    def facts(passage: Passage) -> dict[str, Any]:
        """The fields of a passage."""
        return {
            "id": passage.id,
            "document": passage.document,
            "headings": list(passage.headings),
            "page": passage.page,
            "text": passage.text,
            "start": passage.start,
            "end": passage.end,
            "questions": list(passage.keys),
            "sentences": [{"text": one.text, "start": one.start, "end": one.end} for one in passage.sentences],
            "url": PassageBody.link(passage),
        }

    @staticmethod
    def link(passage: Passage) -> str:
        """Address of the document's page with the passage marked, relative to the server's root."""
        return f"/documents/{quote(passage.document)}?from={passage.start}&to={passage.end}#quote"


class FaultBody(BaseModel):
    """One wrong field; never what was sent in it."""

    field: str
    problem: str
    remedy: str


class ProblemBody(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultBody]
    disclaimer: DisclaimerBody
