"""One reply, written down: as the contract's JSON, as plain text, as Markdown, as an HTML fragment.

Comes in: a `Reply`. Goes out: a dict or a string that always holds the disclaimer. One function a format escapes what
documents and people wrote. Does not know: HTTP, terminals, pages, or how an answer was found.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from bot.reply import Citation, Claim, Contact, Disclaimer, Kind, Reply
from corpus.document import Document

UNREVIEWED = "not yet reviewed by a clinician"
REVIEW_MONTHS = 36  # as the settings have it, where the caller names no other age

# Everything that starts an element, an entity, an emphasis, code, a link, an image, a table or a struck word.
_MARKDOWN = re.compile(r"[\\`*_\[\]~|$]")
# A bare address turns into a link by itself; a backslash before its mark stops that and does not show.
_ADDRESS = re.compile(r"(?i)(?<=http)(?=:)|(?<=https)(?=:)|(?<=ftp)(?=:)|(?<=www)(?=\.)|(?=@)")
# Spaces first on a line open a block of code; what follows them may open a heading, a quote, a list or a rule.
_INDENT = re.compile(r"(?m)^[ \t]+")
_OPENING = re.compile(r"(?m)^(?:(?=[#>+=-])|(\d{1,9})(?=[.)](?:\s|$)))")
# Control characters can drive a terminal; direction overrides can turn a line, the disclaimer's too, around.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Part:
    """Claims said in one breath. `lead` names the document they quote, None where they are the bot's own words."""

    lead: str | None
    claims: tuple[Claim, ...]


def parts(reply: Reply) -> tuple[Part, ...]:
    """The claims in order, quotes of one document under one lead-in."""
    runs = groupby(reply.claims, key=lambda claim: claim.citation.document.title if claim.citation else None)
    return tuple(Part(f"{title} says:" if title is not None else None, tuple(claims)) for title, claims in runs)


def overdue(document: Document, months: int = REVIEW_MONTHS, today: date | None = None) -> bool:
    """Whether the last review is more than `months` old, or the document's own date for the next one has passed."""
    today = today or date.today()
    if document.review_by and document.review_by < today:
        return True
    if not document.reviewed:
        return False
    age = (today.year - document.reviewed.year) * 12 + today.month - document.reviewed.month
    return (age, today.day) > (months, document.reviewed.day)


def review(document: Document, months: int = REVIEW_MONTHS, today: date | None = None) -> str:
    """Whether and when a clinician reviewed the document, and whether that is too long ago."""
    if not document.reviewed:
        return UNREVIEWED
    late = ", review overdue" if overdue(document, months, today) else ""
    return f"reviewed {document.reviewed.isoformat()}{late}"


def origin(document: Document, months: int = REVIEW_MONTHS) -> str:
    """Publisher and review, in one line."""
    return f"{document.publisher or 'Publisher not stated'} · {review(document, months)}"


def place(citation: Citation) -> str:
    """Where in the document a quote stands: its headings, then its page where there are pages."""
    page = [f"page {citation.passage.page}"] if citation.passage.page else []
    return " › ".join([*citation.passage.headings, *page])


def ways(contact: Contact) -> str:
    """How to reach a contact, in words: "call 999, text 50808, https://…, 24/7"."""
    said = (contact.call and f"call {contact.call}", contact.text and f"text {contact.text}", contact.url)
    return ", ".join([way for way in said if way] + ([contact.hours] if contact.hours else []))


def offer(reply: Reply) -> str:
    """What stands above the suggestions: questions the documents do answer, where they did not answer this one."""
    return "They do answer:" if reply.kind == Kind.ABSTAIN else "You can ask:"


def reworded(reply: Reply, asked: str) -> bool:
    """Whether something else was looked up than was typed: a follow-up made whole, or its spelling mended."""
    return " ".join(reply.query.split()).casefold() != " ".join(asked.split()).casefold()


def looked_for(reply: Reply) -> str:
    """What was looked up, said to whoever typed something else."""
    return f"Looked for: {reply.query}"


def left_open(reply: Reply) -> list[str]:
    """A line for each question of the message that the documents do not answer, beside those that they do."""
    return [f"These documents don't say: {question}" for question in reply.unanswered]


def plain(text: str) -> str:
    """Escape for a terminal or a text file: no control character but tab and newline, no direction override."""
    return _CONTROL.sub("", text.replace("\r\n", "\n"))


def markdown(text: str) -> str:
    """Escape for Markdown: shows exactly these words; no HTML, image, link, list or heading can come of them."""
    text = _INDENT.sub("", plain(text)).replace("&", "&amp;").replace("<", "&lt;")
    text = _MARKDOWN.sub(lambda found: "\\" + found.group(), text)
    text = _ADDRESS.sub(r"\\", text)
    return _OPENING.sub(lambda found: f"{found.group(1) or ''}\\", text)


def markup(text: str) -> str:
    """Escape for HTML text and attribute values."""
    return html.escape(plain(text), quote=True)


def as_dict(reply: Reply) -> dict[str, Any]:
    """The reply as the contract's JSON: these keys, in this order."""
    return {
        "kind": reply.kind.value,
        "claims": [claim_dict(claim) for claim in reply.claims],
        "citations": [_citation_dict(citation) for citation in reply.citations],
        "disclaimer": disclaimer_dict(reply.disclaimer),
        "contacts": [
            {"label": one.label, "call": one.call, "text": one.text, "url": one.url, "hours": one.hours}
            for one in reply.contacts
        ],
        "suggestions": list(reply.suggestions),
        "unanswered": list(reply.unanswered),
        "query": reply.query,
        "topic": reply.topic,
        "reason": reply.reason,
        "confidence": reply.confidence,
        "index": reply.index,
        "ms": reply.ms,
    }


def claim_dict(claim: Claim) -> dict[str, Any]:
    """One claim of the contract's JSON."""
    return {
        "text": claim.text,
        "source": claim.source,
        "citation": claim.citation.number if claim.citation else None,
    }


def disclaimer_dict(disclaimer: Disclaimer) -> dict[str, str]:
    """The disclaimer of the contract's JSON."""
    return {
        "id": disclaimer.id,
        "version": disclaimer.version,
        "locale": disclaimer.locale,
        "text": disclaimer.text,
    }


def _citation_dict(citation: Citation) -> dict[str, Any]:
    document = citation.document
    return {
        "number": citation.number,
        "passage": citation.passage.id,
        "document": document.id,
        "title": document.title,
        "headings": list(citation.passage.headings),
        "page": citation.passage.page,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "sha256": document.sha256,
        "publisher": document.publisher,
        "reviewed": document.reviewed.isoformat() if document.reviewed else None,
        "url": citation.url,
    }


def as_text(reply: Reply, months: int = REVIEW_MONTHS, asked: str | None = None) -> str:
    """The reply as plain text: what is said, whom to turn to, sources, what else can be asked, the disclaimer.

    Given what was `asked`, it starts with what was looked up where that differs.
    """
    blocks = [looked_for(reply)] if asked is not None and reworded(reply, asked) else []
    for part in parts(reply):
        lead = [part.lead] if part.lead else []
        blocks.append("\n".join([*lead, *(_numbered(claim, plain, "[{}]") for claim in part.claims)]))
    blocks += left_open(reply)
    if reply.contacts:
        blocks.append("\n".join(f"{contact.label}: {ways(contact)}" for contact in reply.contacts))
    if reply.citations:
        blocks.append("\n".join(["Sources", *(_source_text(citation, months) for citation in reply.citations)]))
    if reply.suggestions:
        blocks.append("\n".join([offer(reply), *(f"- {question}" for question in reply.suggestions)]))
    blocks.append(reply.disclaimer.text)
    return plain("\n\n".join(blocks)) + "\n"


def _source_text(citation: Citation, months: int) -> str:
    where = f": {place(citation)}" if place(citation) else ""
    document = citation.document
    return f"[{citation.number}] {document.title}{where}\n    {origin(document, months)}\n    {citation.url}"


def as_markdown(reply: Reply, anchor: Callable[[int], str] | None = None, *, closing: bool = True) -> str:
    """The reply as Markdown. `anchor` gives the link target of a citation's number; without it numbers link nowhere.

    `closing=False` leaves out sources, suggestions and disclaimer, for a page that shows all three beside it.
    """
    chip = (lambda number: f"[\\[{number}\\]]({anchor(number)})") if anchor else (lambda number: f"\\[{number}\\]")
    blocks = []
    for part in parts(reply):
        if part.lead:
            blocks.append(f"*{markdown(part.lead)}*")
        blocks.extend(_numbered(claim, markdown, "{}", chip) for claim in part.claims)
    blocks += map(markdown, left_open(reply))
    if reply.contacts:
        blocks.append("\n".join(f"- **{markdown(one.label)}**: {markdown(ways(one))}" for one in reply.contacts))
    if not closing:
        return "\n\n".join(blocks) + "\n"
    if reply.citations:
        blocks.append("\n".join(_source_markdown(citation) for citation in reply.citations))
    if reply.suggestions:
        listed = "\n".join(f"- {markdown(question)}" for question in reply.suggestions)
        blocks.append(f"{offer(reply)}\n\n{listed}")
    blocks.append(f"---\n\n{markdown(reply.disclaimer.text)}")
    return "\n\n".join(blocks) + "\n"


def _source_markdown(citation: Citation) -> str:
    where = f": {markdown(place(citation))}" if place(citation) else ""
    document = citation.document
    return f"- \\[{citation.number}\\] {markdown(document.title)}{where} ({markdown(origin(document))})"


def as_html(reply: Reply, root: str = "") -> str:
    """The reply as an HTML fragment. `root` is the prefix the server is reached under, such as "/faq"."""
    lines = [f'<div class="reply" data-kind="{markup(reply.kind.value)}">']
    for part in parts(reply):
        if part.lead:
            lines.append(f'<p class="lead">{markup(part.lead)}</p>')
        lines.extend(f"<p>{_claim_html(claim, root)}</p>" for claim in part.claims)
    lines += [f"<p>{markup(line)}</p>" for line in left_open(reply)]
    if reply.contacts:
        lines.append(_list("ul", "contacts", [f"{markup(one.label)}: {markup(ways(one))}" for one in reply.contacts]))
    if reply.citations:
        lines.append(_list("ol", "sources", [_source_html(citation, root) for citation in reply.citations]))
    if reply.suggestions:
        lines.append(f"<p>{offer(reply)}</p>")
        lines.append(_list("ul", "suggestions", [markup(question) for question in reply.suggestions]))
    lines.append(f'<p class="disclaimer" role="note">{markup(reply.disclaimer.text)}</p></div>')
    return "\n".join(lines)


def _claim_html(claim: Claim, root: str) -> str:
    if not claim.citation:
        return markup(claim.text)
    href = markup(root + claim.citation.url)
    return f'<q>{markup(claim.text)}</q> <a class="number" href="{href}">{claim.citation.number}</a>'


def _source_html(citation: Citation, root: str) -> str:
    href, title = markup(root + citation.url), markup(citation.document.title)
    return f'<a href="{href}">{title}</a>: {markup(place(citation))} ({markup(origin(citation.document))})'


def _list(tag: str, name: str, items: list[str]) -> str:
    return f'<{tag} class="{name}">' + "".join(f"<li>{item}</li>" for item in items) + f"</{tag}>"


def _numbered(claim: Claim, escape: Callable[[str], str], shape: str, chip: Callable[[int], str] = str) -> str:
    """The claim's words, then the number of its citation where it has one."""
    return f"{escape(claim.text)} {shape.format(chip(claim.citation.number))}" if claim.citation else escape(claim.text)
