"""One reply, written down: as the contract's JSON, as plain text, as Markdown, as an HTML fragment.

Comes in: a `Reply`. Goes out: a dict or a string that always holds the disclaimer. One function a format escapes what
documents and people wrote. Does not know: HTTP, terminals, pages, or how an answer was found.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bot.labels import REVIEW_MONTHS, beside, label, left_open, looked_for, offer, origin, place, reworded, ways
from bot.reply import Citation, Claim, Disclaimer, Reply

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
    return tuple(
        Part(None if title is None else label("lead-in", reply.disclaimer.locale, title=title), tuple(claims))
        for title, claims in runs
    )


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


def as_dict(reply: Reply, months: int = REVIEW_MONTHS) -> dict[str, Any]:
    """The reply as the contract's JSON: these keys, in this order. A review older than `months` is overdue."""
    return {
        "kind": reply.kind.value,
        "claims": [claim_dict(claim) for claim in reply.claims],
        "citations": [_citation_dict(one, months, reply.disclaimer.locale) for one in reply.citations],
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
        "introduces": list(claim.introduces),
    }


def disclaimer_dict(disclaimer: Disclaimer) -> dict[str, str]:
    """The disclaimer of the contract's JSON."""
    return {
        "id": disclaimer.id,
        "version": disclaimer.version,
        "locale": disclaimer.locale,
        "text": disclaimer.text,
    }


def _citation_dict(citation: Citation, months: int, locale: str) -> dict[str, Any]:
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
        "labels": beside(citation, months, locale),
        "url": citation.url,
    }


def as_text(reply: Reply, months: int = REVIEW_MONTHS, asked: str | None = None) -> str:
    """The reply as plain text: what is said, whom to turn to, sources, what else can be asked, the disclaimer.

    Given what was `asked`, it starts with what was looked up where that differs.
    """
    locale = reply.disclaimer.locale
    blocks = [looked_for(reply)] if asked is not None and reworded(reply, asked) else []
    for part in parts(reply):
        lead = [part.lead] if part.lead else []
        blocks.append("\n".join([*lead, *(_numbered(claim, plain, "[{}]") for claim in part.claims)]))
    blocks += left_open(reply)
    if reply.contacts:
        blocks.append("\n".join(f"{contact.label}: {ways(contact, locale)}" for contact in reply.contacts))
    if reply.citations:
        blocks.append(
            "\n".join(
                [label("sources", locale), *(_source_text(citation, months, locale) for citation in reply.citations)]
            )
        )
    if reply.suggestions:
        blocks.append("\n".join([offer(reply), *(f"- {question}" for question in reply.suggestions)]))
    blocks.append(reply.disclaimer.text)
    return plain("\n\n".join(blocks)) + "\n"


def _source_text(citation: Citation, months: int, locale: str) -> str:
    where = f": {place(citation, locale)}" if place(citation, locale) else ""
    document = citation.document
    return f"[{citation.number}] {document.title}{where}\n    {origin(document, months, locale)}\n    {citation.url}"


def as_markdown(
    reply: Reply,
    anchor: Callable[[int], str] | None = None,
    *,
    closing: bool = True,
    months: int = REVIEW_MONTHS,
) -> str:
    """The reply as Markdown. `anchor` gives the link target of a citation's number; without it numbers link nowhere.

    `closing=False` leaves out sources, suggestions and disclaimer, for a page that shows all three beside it.
    """
    chip = (lambda number: f"[\\[{number}\\]]({anchor(number)})") if anchor else (lambda number: f"\\[{number}\\]")
    blocks, locale = [], reply.disclaimer.locale
    for part in parts(reply):
        if part.lead:
            blocks.append(f"*{markdown(part.lead)}*")
        blocks.extend(
            f"*{markdown(claim.text)}*" if claim.by_model else _numbered(claim, markdown, "{}", chip)
            for claim in part.claims
        )
    blocks += map(markdown, left_open(reply))
    if reply.contacts:
        blocks.append(
            "\n".join(f"- **{markdown(one.label)}**: {markdown(ways(one, locale))}" for one in reply.contacts)
        )
    if not closing:
        return "\n\n".join(blocks) + "\n"
    if reply.citations:
        blocks.append("\n".join(_source_markdown(citation, months, locale) for citation in reply.citations))
    if reply.suggestions:
        listed = "\n".join(f"- {markdown(question)}" for question in reply.suggestions)
        blocks.append(f"{offer(reply)}\n\n{listed}")
    blocks.append(f"---\n\n{markdown(reply.disclaimer.text)}")
    return "\n\n".join(blocks) + "\n"


def _source_markdown(citation: Citation, months: int, locale: str) -> str:
    where = f": {markdown(place(citation, locale))}" if place(citation, locale) else ""
    document = citation.document
    return f"- \\[{citation.number}\\] {markdown(document.title)}{where} ({markdown(origin(document, months, locale))})"


def as_html(reply: Reply, root: str | None = "") -> str:
    """The reply as an HTML fragment. `root` is the server's prefix, such as "/faq"; None leaves the links out."""
    locale = reply.disclaimer.locale
    lines = [f'<div class="reply" data-kind="{markup(reply.kind.value)}">']
    for part in parts(reply):
        if part.lead:
            lines.append(f'<p class="lead">{markup(part.lead)}</p>')
        lines.extend(
            f'<p class="by-model">{markup(claim.text)}</p>' if claim.by_model else f"<p>{_claim_html(claim, root)}</p>"
            for claim in part.claims
        )
    lines += [f"<p>{markup(line)}</p>" for line in left_open(reply)]
    if reply.contacts:
        lines.append(
            _list("ul", "contacts", [f"{markup(one.label)}: {markup(ways(one, locale))}" for one in reply.contacts])
        )
    if reply.citations:
        lines.append(_list("ol", "sources", [_source_html(citation, root, locale) for citation in reply.citations]))
    if reply.suggestions:
        lines.append(f"<p>{markup(offer(reply))}</p>")
        lines.append(_list("ul", "suggestions", [markup(question) for question in reply.suggestions]))
    lines.append(f'<p class="disclaimer" role="note">{markup(reply.disclaimer.text)}</p></div>')
    return "\n".join(lines)


def _claim_html(claim: Claim, root: str | None) -> str:
    if not claim.citation:
        return markup(claim.text)
    if root is None:
        return f"<q>{markup(claim.text)}</q> [{claim.citation.number}]"
    href = markup(root + claim.citation.url)
    return f'<q>{markup(claim.text)}</q> <a class="number" href="{href}">{claim.citation.number}</a>'


def _source_html(citation: Citation, root: str | None, locale: str) -> str:
    title = markup(citation.document.title)
    if root is not None:
        title = f'<a href="{markup(root + citation.url)}">{title}</a>'
    return f"{title}: {markup(place(citation, locale))} ({markup(origin(citation.document, locale=locale))})"


def _list(tag: str, name: str, items: list[str]) -> str:
    return f'<{tag} class="{name}">' + "".join(f"<li>{item}</li>" for item in items) + f"</{tag}>"


def _numbered(claim: Claim, escape: Callable[[str], str], shape: str, chip: Callable[[int], str] = str) -> str:
    """The claim's words, then the number of its citation where it has one."""
    return f"{escape(claim.text)} {shape.format(chip(claim.citation.number))}" if claim.citation else escape(claim.text)
