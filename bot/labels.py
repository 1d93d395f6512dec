"""What is said beside a reply's claims, in its language: where a quote stands, who wrote it, when it was reviewed.

Comes in: parts of a `Reply`. Goes out: lines of the shipped phrases, unescaped. Does not know: formats, or what the
claims say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache

from bot.grade import grade
from bot.reply import Citation, Contact, Kind, Reply
from bot.words import BASE, Words
from corpus.document import Document

REVIEW_MONTHS = 36  # as the settings have it, where the caller names no other age
HARD = 10  # US school grade above which a quote is said to be hard to read


def label(id: str, locale: str, **values: object) -> str:
    """One of the shipped phrases: the labels beside what a reply says are in its language."""
    return _words().text(id, locale, **values)


@cache
def _words() -> Words:
    return Words.load()


def overdue(document: Document, months: int = REVIEW_MONTHS, today: date | None = None) -> bool:
    """Whether the last review is more than `months` old, or the document's own date for the next one has passed."""
    today = today or date.today()
    if document.review_by and document.review_by < today:
        return True
    if not document.reviewed:
        return False
    age = (today.year - document.reviewed.year) * 12 + today.month - document.reviewed.month
    return (age, today.day) > (months, document.reviewed.day)


def review(document: Document, months: int = REVIEW_MONTHS, today: date | None = None, locale: str = BASE) -> str:
    """Whether and when a clinician reviewed the document, and whether that is too long ago."""
    if not document.reviewed:
        return label("label-not-reviewed", locale)
    said = label("label-reviewed", locale, date=document.reviewed.isoformat())
    return f"{said}, {label('label-overdue', locale)}" if overdue(document, months, today) else said


def origin(document: Document, months: int = REVIEW_MONTHS, locale: str = BASE) -> str:
    """Publisher and review, in one line."""
    publisher = document.publisher or label("label-no-publisher", locale)
    return f"{publisher} · {review(document, months, locale=locale)}"


def place(citation: Citation, locale: str = BASE) -> str:
    """Where in the document a quote stands: its headings, then its page where there are pages."""
    page = [label("label-page", locale, page=citation.passage.page)] if citation.passage.page else []
    return " › ".join([*citation.passage.headings, *page])


def hard(citations: Iterable[Citation]) -> int | None:
    """The US school grade of the hardest quote where that is above HARD; None where none is, or none is in English."""
    english = (one.quote for one in citations if one.document.language.partition("-")[0].casefold() == BASE)
    worst = max((grade(quote) for quote in english if any(map(str.isalnum, quote))), default=0.0)
    return round(worst) if worst > HARD else None


def beside(citation: Citation, months: int = REVIEW_MONTHS, locale: str = BASE) -> list[str]:
    """What is shown with a quote under its document's title, line by line: place, origin, that it is hard to read."""
    school = hard([citation])
    lines = (
        place(citation, locale),
        origin(citation.document, months, locale),
        school and label("hard-to-read", locale, grade=school),
    )
    return [line for line in lines if line]


def ways(contact: Contact, locale: str = BASE) -> str:
    """How to reach a contact, in words: "call 999, text 50808, https://…, 24/7"."""
    said = (
        contact.call and label("label-call", locale, number=contact.call),
        contact.text and label("label-text", locale, number=contact.text),
        contact.url,
        contact.hours,
    )
    return ", ".join(way for way in said if way)


def offer(reply: Reply) -> str:
    """What stands above the suggestions: questions the documents do answer, where they did not answer this one."""
    return label("they-do-answer" if reply.kind == Kind.ABSTAIN else "offer", reply.disclaimer.locale)


def reworded(reply: Reply, asked: str) -> bool:
    """Whether something else was looked up than was typed: a follow-up made whole, or its spelling mended."""
    return " ".join(reply.query.split()).casefold() != " ".join(asked.split()).casefold()


def looked_for(reply: Reply) -> str:
    """What was looked up, said to whoever typed something else."""
    return label("looked-for", reply.disclaimer.locale, query=reply.query)


def left_open(reply: Reply) -> list[str]:
    """A line for each question of the message that the documents do not answer, beside those that they do."""
    return [label("unanswered", reply.disclaimer.locale, question=question) for question in reply.unanswered]
