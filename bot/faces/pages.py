"""Plain pages that work without scripts: a document with a quote marked, the questions answered, and /safety.

Comes in: a bot. Goes out: routes that give escaped HTML: documents, questions, and what is done for safety. Does not
know: the chat page, or how answers are found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bot.bot import Bot
from bot.compose import Speaker
from bot.faces.problems import Problem
from bot.faces.templating import page
from bot.labels import label, review
from bot.settings import Settings
from bot.words import BASE, Words, read_toml
from corpus.document import Block, Document, Passage


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text in a block. `anchors` are ids that stand before it; `first` is the start of the marked quote."""

    text: str
    marked: bool = False
    first: bool = False
    anchors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One block to show: tag "h2" to "h6", "p", "item" or "page"; items may hold items."""

    tag: str
    pieces: tuple[Piece, ...]
    under: list[Line] = field(default_factory=list)


def router(bot: Bot, settings: Settings) -> APIRouter:
    """The routes `/documents/{id}`, `/faq` and `/safety`."""
    routes = APIRouter(include_in_schema=False)
    disclaimer = bot.words.disclaimer(settings.locale)
    reviewed = read_toml(bot.words.folder / "rules" / "redflags.toml")["reviewed"]

    @routes.get("/documents/{id:path}")
    def document(id: str, request: Request) -> HTMLResponse:
        index = bot.index  # one for the whole page, should it be swapped meanwhile
        found = index.document(id)
        if found is None:
            raise Problem(404, "There is no document of that name here.")
        chosen, misplaced = _chosen(request, found)
        shown = page(
            "document.html",
            request,
            settings.title,
            disclaimer,
            title=found.title,
            document=found,
            review=review(found, settings.review_months, locale=settings.locale),
            runs=[
                (listed, list(run))
                for listed, run in groupby(
                    lines(found, index.passages(id), chosen, settings.locale), key=lambda line: line.tag == "item"
                )
            ],
            quoted=chosen is not None,
            misplaced=misplaced,
        )
        return HTMLResponse(shown)

    @routes.get("/faq")
    def faq(request: Request) -> HTMLResponse:
        index = bot.index
        asked = Speaker(index, bot.words, settings.locale).questions()
        shelves = [_shelf(document, index.passages(document.id), asked) for document in index.documents()]
        shown = page(
            "faq.html",
            request,
            settings.title,
            disclaimer,
            title=bot.words.text("faq-title", settings.locale),
            shelves=shelves,
        )
        return HTMLResponse(shown)

    @routes.get("/safety")
    def safety(request: Request) -> HTMLResponse:
        words, locale = bot.words, settings.locale
        shown = page(
            "safety.html",
            request,
            settings.title,
            disclaimer,
            title=words.text("safety-title", locale),
            say=partial(_said, words, locale),
            home=words.country(locale),
            countries=words.countries,
            names=words.names,
            reviewed=reviewed,
            report_to=settings.report_to,
        )
        return HTMLResponse(shown)

    return routes


def _said(words: Words, locale: str, id: str, **values: str) -> str:
    """A phrase, for a template: those of this page are the bot's own words, and held to the same plainness."""
    return words.text(id, locale, **values)


def anchor(passage: Passage) -> str:
    """The id of a passage's place on its document's page; it cannot be the quote's."""
    return "p-" + passage.id.partition("#")[2]


def lines(
    document: Document, passages: Sequence[Passage], chosen: tuple[int, int] | None, locale: str = BASE
) -> Iterator[Line]:
    """The document's blocks in order, the characters [from, to) marked and each passage's start anchored."""
    starts = [(passage.start, anchor(passage)) for passage in passages]
    marking = chosen
    number: int | None = None
    items: list[tuple[int, Line]] = []
    for section in document.sections:
        for block in section.blocks:
            if block.kind == "heading" and not section.headings:
                continue  # the title, which the page already shows
            if block.page != number and block.page is not None:
                number, items = block.page, []
                yield Line("page", (Piece(label("page", locale, page=number)),))
            here = [(max(start, block.start), name) for start, name in starts if start < block.end]
            starts = starts[len(here) :]
            pieces = tuple(_pieces(document.text, block, here, chosen, first=marking is not None))
            if any(piece.marked for piece in pieces):
                marking = None
            if block.kind in ("item", "row"):
                line = Line("item", pieces)
                items = [(level, above) for level, above in items if level < max(block.level, 1)]
                if items:
                    items[-1][1].under.append(line)
                else:
                    yield line
                items.append((max(block.level, 1), line))
                continue
            items = []
            yield Line(f"h{min(6, len(section.headings) + 1)}" if block.kind == "heading" else "p", pieces)


def _pieces(
    text: str, block: Block, anchors: Sequence[tuple[int, str]], chosen: tuple[int, int] | None, first: bool
) -> Iterator[Piece]:
    """A block's text, cut where the mark begins and ends and where a passage starts."""
    start, end = chosen or (block.start, block.start)
    cuts = {block.start, block.end, *(at for at, _ in anchors)}
    cuts |= {at for at in (start, end) if block.start < at < block.end}
    for at, upto in zip(ordered := sorted(cuts), ordered[1:], strict=False):
        marked = start <= at < end
        yield Piece(text[at:upto], marked, marked and first, tuple(name for place, name in anchors if place == at))
        first = first and not marked


def _chosen(request: Request, document: Document) -> tuple[tuple[int, int] | None, bool]:
    """The characters asked for, and whether the address names a place that is not in the document."""
    asked = [request.query_params.get(name) for name in ("from", "to")]
    if asked == [None, None]:
        return None, False
    numbers = [int(one) if one and one.isascii() and one.isdigit() and len(one) < 10 else -1 for one in asked]
    start, end = numbers
    shown = any(
        block.start < end and start < block.end
        for section in document.sections
        for block in section.blocks
        if section.headings or block.kind != "heading"
    )
    if 0 <= start < end <= len(document.text) and shown:
        return (start, end), False
    return None, True


def _shelf(document: Document, passages: Sequence[Passage], asked: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """One document of the FAQ page: its sections, each with the questions it answers."""
    address = f"/documents/{quote(document.id)}"
    sections = []
    for headings, group in groupby(passages, key=lambda passage: passage.headings):
        under = list(group)
        ids = {passage.id: f"{address}#{quote(anchor(passage))}" for passage in under}
        questions = [(question, ids[id]) for question, id in asked if id in ids]
        if headings or questions:
            sections.append({"headings": headings, "url": ids[under[0].id], "questions": questions})
    return {"document": document, "url": address, "sections": sections}
