"""The plain pages: the quote marked in its document, every question listed, no script, nobody's words as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import httpx
import pytest

from bot.bot import Bot
from bot.compose import Speaker
from bot.faces import pages
from bot.faces.api import create_app
from bot.faces.pages import lines
from bot.settings import load
from corpus.document import Block, Document, Section
from index.index import build
from tests.serving import served

HOSTILE = """---
id: hostile
title: "</title><script>alert('title')</script> & co"
publisher: '"><img src=x onerror=alert(1)>'
licence: "<b>CC0</b>"
url: https://leaflets.example/"onclick="alert(3)
reviewed: 2019-02-03
---
# A deep start

Words with a [link](javascript:alert(2)) and an address http://evil.example to no place.
The code is `<img src=x onerror=alert(4)>` here. {{ 7 * 7 }} stays as it is.

#### Levels are skipped here?

- One item
  - An item under it
- Two items

##### </h5><script>alert(5)</script>

A last paragraph.
"""


class Page(HTMLParser):
    """What a page is made of: its elements, ids, addresses, headings and the text of each mark."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.attributes: set[str] = set()
        self.marks: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, "an element was left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, its id and where it leads."""
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "mark":
            self.marks.append("")
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.targets += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_endtag(self, tag: str) -> None:
        """Elements close in the order they were opened."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text, and whether it is marked."""
        self.text += data
        if "mark" in self.open:
            self.marks[-1] += data

    @property
    def levels(self) -> list[int]:
        """The levels of the headings, in order."""
        return [int(tag[1]) for tag in self.tags if re.fullmatch("h[1-6]", tag)]


@pytest.fixture(scope="module")
def client(bot: Bot) -> Iterator[httpx.Client]:
    """A client of the pages of the bundled documents."""
    app = create_app(bot, bot.settings)
    app.include_router(pages.router(bot, bot.settings))
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of the pages of a document that tries everything."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.md").write_text(HOSTILE, encoding="utf-8")
    (folder / "plain.txt").write_text("No heading at all.\n\nTwo paragraphs.\n", encoding="utf-8")
    settings = load(index=folder / "index", documents=folder)
    built = build(folder, settings.index, settings.encoder, settings.passage_pieces)
    assert not built.faults
    bot = Bot.open(settings.index, settings)
    app = create_app(bot, settings)
    app.include_router(pages.router(bot, settings))
    with served(app) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def no_script(page: Page) -> None:
    """Nothing on the page can run or load from another host."""
    assert not {"script", "img", "iframe", "style", "form"} & set(page.tags)
    assert not any(name.startswith("on") or name == "style" for name in page.attributes)
    for target in page.targets:
        assert target.startswith(("/", "#", "https://leaflets.example/")), target


def test_a_citation_s_address_shows_the_quote_marked(client: httpx.Client, bot: Bot) -> None:
    """Every citation opens at its quote, marked once, in the words that were said, with origin and disclaimer."""
    for asked in ("Can men produce milk?", "What is induced lactation?"):
        reply = bot.reply(asked)
        assert reply.citations
        for citation in reply.citations:
            address, _, fragment = citation.url.partition("#")
            answer = client.get(address)
            page = Page(answer.text)
            assert answer.status_code == 200
            assert page.marks == [citation.quote]
            assert page.ids.count(fragment) == 1
            assert reply.disclaimer.text in page.text
            assert citation.document.publisher in page.text
            assert "Not yet reviewed by a clinician" in page.text
            no_script(page)


def test_the_page_is_the_document(client: httpx.Client, bot: Bot) -> None:
    """All its text, in order, and one anchor for every passage."""
    document = bot.index.documents()[0]
    page = Page(client.get(f"/documents/{document.id}").text)
    shown = " ".join(page.text.split())
    at = 0
    for section in document.sections:
        for block in section.blocks:
            at = shown.index(document.text[block.start : block.end], at)
    anchors = [pages.anchor(passage) for passage in bot.index.passages(document.id)]
    assert [id for id in page.ids if id.startswith("p-")] == anchors
    assert not page.marks


@pytest.mark.parametrize("path", ["/faq", "/healthz", "/documents/human-lactation", "/documents/nope"])
def test_a_monitor_may_ask_for_the_headers_alone(client: httpx.Client, path: str) -> None:
    """HEAD gives what GET gives, less the body."""
    head, whole = client.head(path), client.get(path)
    assert (head.status_code, head.headers["content-type"]) == (whole.status_code, whole.headers["content-type"])
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert not head.content


@pytest.mark.parametrize(
    "query", ["from=0", "to=9", "from=9&to=3", "from=-1&to=3", "from=x&to=y", "from=1e3&to=2", "from=0&to=99999999999",
              "from=0&to=0", "from=%D9%A1&to=%D9%A3", "from=0&to=" + "9" * 5000, "from=&to="]
)  # fmt: skip
def test_a_place_that_is_not_there_is_said(client: httpx.Client, query: str) -> None:
    """Bad offsets mark nothing, say so, and break nothing."""
    answer = client.get(f"/documents/human-lactation?{query}")
    assert answer.status_code == 200
    assert not Page(answer.text).marks
    assert "is not in this document" in answer.text


def test_a_quote_may_span_paragraphs_and_have_one_id(client: httpx.Client, bot: Bot) -> None:
    """A range over several blocks marks each of them; only the first is the target."""
    text = bot.index.documents()[0].text
    end = text.index("\n\n", text.index("\n\n") + 2) + 9
    page = Page(client.get(f"/documents/human-lactation?from=3&to={end}").text)
    assert len(page.marks) > 1
    assert page.ids.count("quote") == 1


def test_headings_skip_no_level(client: httpx.Client, hostile: httpx.Client) -> None:
    """One h1, and each heading at most one level below the one before, whatever the document does."""
    for page in (client.get("/documents/human-lactation"), hostile.get("/documents/hostile"), client.get("/faq")):
        levels = Page(page.text).levels
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(below - above <= 1 for above, below in pairwise(levels))


@pytest.mark.parametrize("path", ["/documents/hostile", "/documents/hostile?from=20&to=90", "/faq", "/docs"])
def test_a_hostile_document_stays_words(hostile: httpx.Client, path: str) -> None:
    """Scripts, images, handlers and addresses in title, metadata, headings and text are shown, not obeyed."""
    page = Page(hostile.get(path).text)
    no_script(page)
    if path != "/docs":
        assert "<script>alert('title')</script>" in page.text
    if path.startswith("/documents"):
        assert '"><img src=x onerror=alert(1)>' in page.text
        assert "[link](javascript:alert(2))" in page.text
        assert "{{ 7 * 7 }}" in page.text
        assert "review overdue" in page.text


def test_a_document_without_headings_has_a_page(hostile: httpx.Client) -> None:
    """Plain paragraphs and nothing known of their origin, which is said."""
    page = Page(hostile.get("/documents/plain").text)
    assert "Two paragraphs." in page.text
    assert "not stated" in page.text
    assert page.levels == [1]


def test_lists_are_lists() -> None:
    """Items stand under their item, rows are items too, and what follows a list is not part of it."""
    text = "One\n  Under\nTwo\nAfter\nRow"
    blocks = (
        Block("item", 0, 3, 1),
        Block("item", 6, 11, 2),
        Block("item", 12, 15, 1),
        Block("paragraph", 16, 21),
        Block("row", 22, 25),
    )
    document = Document("a", "A", text, (Section((), 0, len(text), blocks),))
    shown = list(lines(document, [], None))
    assert [(line.tag, line.pieces[0].text) for line in shown] == [
        ("item", "One"),
        ("item", "Two"),
        ("p", "After"),
        ("item", "Row"),
    ]
    assert [line.pieces[0].text for line in shown[0].under] == ["Under"]


def test_page_numbers_are_shown_where_they_change() -> None:
    """A document with pages says where each begins."""
    text = "First. Second. Third."
    blocks = tuple(Block("paragraph", start, start + 6, 0, page) for start, page in ((0, 1), (7, 1), (15, 2)))
    document = Document("a", "A", text, (Section((), 0, len(text), blocks),))
    assert [line.tag for line in lines(document, [], None)] == ["page", "p", "p", "page", "p"]


def test_the_questions_page_lists_every_question(client: httpx.Client, bot: Bot) -> None:
    """Each question the documents answer is there once and leads to the passage that answers it."""
    page = Page(client.get("/faq").text)
    no_script(page)
    questions = Speaker(bot.index, bot.words, "en").questions()
    assert len(questions) > 10
    for question, id in questions:
        assert page.text.count(question) == 1
        passage = bot.index.passage(id)
        assert passage
        assert f"/documents/{passage.document}#{pages.anchor(passage)}" in [unquote(target) for target in page.targets]
    for target in {target.partition("#")[0] for target in page.targets if target.startswith("/documents/")}:
        found = Page(client.get(target).text)
        wanted = {unquote(one.partition("#")[2]) for one in page.targets if one.startswith(f"{target}#")}
        assert wanted <= set(found.ids)


def test_sections_without_a_question_are_listed_by_heading(hostile: httpx.Client) -> None:
    """What nobody wrote a question for can still be found; a heading that asks is a question."""
    page = Page(hostile.get("/faq").text)
    assert "A deep start" in page.text
    assert page.text.count("Levels are skipped here?") >= 1


def test_an_unknown_document_is_a_page_with_the_disclaimer(client: httpx.Client, bot: Bot) -> None:
    """404, in words, with the way back; a path out of the folder is just another unknown name."""
    accept = {"Accept": "text/html"}
    for path in ("/documents/no-such", "/documents/..%2f..%2fetc%2fpasswd", "/documents/%3Cscript%3E"):
        answer = client.get(path, headers=accept)
        assert answer.status_code == 404
        page = Page(answer.text)
        no_script(page)
        assert bot.words.disclaimer("en").text in page.text


def test_pages_have_what_a_reader_needs(client: httpx.Client) -> None:
    """A language, a title, one main landmark that the skip link leads to, and a width for phones."""
    for path in ("/documents/human-lactation", "/faq", "/docs"):
        html = client.get(path).text
        page = Page(html)
        assert '<html lang="en">' in html
        assert page.tags.count("main") == page.tags.count("title") == 1
        assert "#main" in page.targets
        assert "main" in page.ids
        assert "width=device-width" in html
        assert len(page.ids) == len(set(page.ids))
