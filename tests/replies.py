"""Replies built by hand, for tests of how they are shown: hostile words, several documents, every kind."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot.reply import Citation, Claim, Contact, Disclaimer, Kind, Reply
from corpus.document import Block, Document, Passage, Section

HOSTILE = "<script>alert(1)</script> ![x](http://evil.example/x.png) [a](javascript:alert(2)) # **b** www.evil.example"
DISCLAIMER = Disclaimer("medical-information", "1", "en", "An automated assistant. Not medical advice.")


def document(text: str, id: str = "leaflet", title: str = "A leaflet", reviewed: date | None = None) -> Document:
    """A document of one section with one paragraph."""
    block = Block("paragraph", 0, len(text))
    return Document(
        id, title, text, (Section(("Part one",), 0, len(text), (block,)),), publisher="A clinic", reviewed=reviewed
    )


def cite(source: Document, quote: str, number: int = 1) -> Claim:
    """A claim that quotes these words of the document."""
    passage = Passage(f"{source.id}#part-one", source.id, ("Part one",), source.text, 0, len(source.text))
    start = source.text.index(quote)
    return Claim(quote, passage.id, Citation(number, source, passage, start, start + len(quote)))


def answer(*claims: Claim) -> Reply:
    """An answer of these claims."""
    return Reply(
        Kind.ANSWER,
        claims,
        DISCLAIMER,
        query="a question",
        reason="covered",
        index="0123456789ab",
        topic="a topic",
        suggestions=("Another question?",),
        unanswered=("And what of this?",),
        confidence=0.9,
        ms=1.5,
    )


def every_kind() -> dict[Kind, Reply]:
    """One reply of each kind."""
    quote = cite(document("Rest helps. Ask someone if it does not."), "Rest helps.")
    own = Claim("Words of the bot.", "phrase:words")
    rule = Claim("Ask a person first.", "rule:ask")
    line = Contact("emergency", "Emergency services", call="112", hours="24/7")
    common: dict[str, Any] = {"query": "a question", "reason": "because", "index": "0123456789ab"}
    return {
        Kind.ANSWER: answer(quote),
        Kind.ABSTAIN: Reply(Kind.ABSTAIN, (own,), DISCLAIMER, suggestions=("Another question?",), **common),
        Kind.CLARIFY: Reply(Kind.CLARIFY, (own,), DISCLAIMER, suggestions=("This?", "That?"), **common),
        Kind.REFER: Reply(Kind.REFER, (rule, quote), DISCLAIMER, **common),
        Kind.URGENT: Reply(Kind.URGENT, (rule,), DISCLAIMER, contacts=(line,), **common),
        Kind.SMALLTALK: Reply(Kind.SMALLTALK, (own,), DISCLAIMER, **common),
    }
