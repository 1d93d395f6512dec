"""Every way a reply is written down says the same, keeps the disclaimer, and lets no one's words become markup."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot import labels, render
from bot.grade import grade
from bot.reply import Kind, Reply
from tests.replies import DISCLAIMER, HOSTILE, answer, cite, document, every_kind

FORMATS = (render.as_text, render.as_markdown, render.as_html)


class Tags(HTMLParser):
    """Collects the elements and the text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.targets: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and where it leads."""
        self.tags.append(tag)
        self.targets += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        """Note its text."""
        self.text += data


def rendered(markdown: str) -> Tags:
    """Markdown as a browser would get it from a renderer that lets HTML through, tables and strikethrough included."""
    tags = Tags()
    tags.feed(
        MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"]).render(markdown)
    )
    return tags


def test_json_is_the_contract_s() -> None:
    """The keys of the contract, in its order, and nothing else."""
    text = "Rest helps. Ask someone if it does not."
    body = render.as_dict(answer(cite(document(text), "Rest helps.")))
    assert " ".join(body) == (
        "kind claims citations disclaimer contacts suggestions unanswered query topic reason confidence index ms"
    )
    assert body["claims"] == [{"text": "Rest helps.", "source": "leaflet#part-one", "citation": 1, "introduces": []}]
    (citation,) = body["citations"]
    assert " ".join(citation) == (
        "number passage document title headings page quote start end sha256 publisher reviewed labels url"
    )
    assert text[citation["start"] : citation["end"]] == citation["quote"] == "Rest helps."
    assert citation["reviewed"] is None
    assert citation["url"] == "/documents/leaflet?from=0&to=11#quote"
    assert list(body["disclaimer"]) == ["id", "version", "locale", "text"]


def test_json_of_a_contact_and_a_reviewed_document() -> None:
    """Dates are ISO dates, contacts have the contract's five fields."""
    urgent = render.as_dict(every_kind()[Kind.URGENT])
    assert urgent["contacts"] == [
        {"label": "Emergency services", "call": "112", "text": None, "url": None, "hours": "24/7"}
    ]
    reviewed = render.as_dict(answer(cite(document("Rest helps.", reviewed=date(2026, 11, 1)), "Rest helps.")))
    assert reviewed["citations"][0]["reviewed"] == "2026-11-01"


@pytest.mark.parametrize("kind", Kind)
def test_every_format_of_every_kind_says_it_all(kind: Kind) -> None:
    """Claims, contacts, suggestions and the disclaimer are in each format."""
    reply = every_kind()[kind]
    for form in FORMATS:
        text = html.unescape(form(reply))
        assert DISCLAIMER.text in text
        assert all(claim.text in text for claim in reply.claims)
        assert all(contact.call in text for contact in reply.contacts if contact.call)
        assert all(question in text for question in (*reply.suggestions, *reply.unanswered))


def test_every_format_says_whether_a_clinician_reviewed_it() -> None:
    """No review is said, and so is the date of one."""
    for form in FORMATS:
        assert "not yet reviewed by a clinician" in form(answer(cite(document("Rest helps."), "Rest helps.")))
        reviewed = form(answer(cite(document("Rest helps.", reviewed=date(2026, 11, 1)), "Rest helps.")))
        assert "reviewed 2026-11-01" in reviewed
        assert "not yet reviewed by a clinician" not in reviewed


@pytest.mark.parametrize(
    ("reviewed", "by", "late"),
    [
        (date(2023, 11, 23), None, False),
        (date(2023, 11, 22), None, True),
        (date(2026, 1, 1), date(2026, 11, 22), True),
        (date(2026, 1, 1), date(2026, 11, 23), False),
        (None, None, False),
    ],
)
def test_an_overdue_review_is_said(reviewed: date | None, by: date | None, late: bool) -> None:
    """More than 36 months after a review, or past the day the document names, its review is overdue."""
    leaflet = replace(document("Rest helps.", reviewed=reviewed), review_by=by)
    assert labels.overdue(leaflet, 36, date(2026, 11, 23)) == late
    assert ("overdue" in labels.review(leaflet, 36, date(2026, 11, 23))) == late


def test_json_has_the_lines_that_stand_beside_a_quote() -> None:
    """Place, publisher and review, that it is overdue by the operator's own rule, that it is hard to read."""
    hard = "Hyperprolactinaemia secondary to dopaminergic antagonism necessitates endocrinological evaluation."
    leaflet = document(f"Rest helps. {hard}", reviewed=date(2024, 1, 1))
    said = answer(cite(leaflet, "Rest helps."), cite(leaflet, hard, 2))
    easy, other = render.as_dict(said, months=120)["citations"]
    assert easy["labels"] == ["Part one", "A clinic · reviewed 2024-01-01"]
    assert other["labels"] == [*easy["labels"], f"Hard to read: US school grade {round(grade(hard))}"]
    late = render.as_dict(said, months=1)["citations"][0]
    assert late["labels"][1] == "A clinic · reviewed 2024-01-01, review overdue"


def test_only_english_is_graded() -> None:
    """The grade counts English syllables: of another language nothing is said."""
    words = "Hyperprolactinaemia secondary to dopaminergic antagonism necessitates endocrinological evaluation."
    english, other = document(words), replace(document(words), language="es-MX")
    assert labels.hard([cite(english, words).citation]) == round(grade(words))  # type: ignore[list-item]  # it has one
    assert labels.hard([cite(other, words).citation]) is None  # type: ignore[list-item]  # it has one


def test_quotes_of_two_documents_have_two_lead_ins() -> None:
    """Each run of quotes is led in by the title of its document; the bot's own words are not."""
    one, two = document("First. Third.", "a", "Leaflet A"), document("Second.", "b", "Leaflet B")
    said = answer(cite(one, "First."), cite(two, "Second.", 2), cite(one, "Third.", 3))
    assert [part.lead for part in render.parts(said)] == ["Leaflet A says:", "Leaflet B says:", "Leaflet A says:"]
    assert [part.lead for part in render.parts(every_kind()[Kind.REFER])] == [None, "A leaflet says:"]


def hostile() -> Reply:
    """A reply whose title and quote try everything."""
    return answer(cite(document(HOSTILE, title=HOSTILE), HOSTILE))


def test_markdown_lets_no_markup_through() -> None:
    """A hostile title and quote become text: no script, image, link, heading or emphasis of theirs."""
    tags = rendered(render.as_markdown(hostile()))
    assert set(tags.tags) <= {"p", "em", "ul", "li", "hr", "br"}
    assert not tags.targets
    assert HOSTILE in tags.text


def test_markdown_citations_link_only_where_told() -> None:
    """With an anchor each number links to it, and nothing else is a link."""
    tags = rendered(render.as_markdown(hostile(), anchor=lambda number: f"#q-{number}", closing=False))
    assert tags.targets == ["#q-1"]
    assert DISCLAIMER.text not in tags.text


def test_html_lets_no_markup_through() -> None:
    """Only our own elements, and links only to the document's page under the prefix."""
    tags = Tags()
    tags.feed(render.as_html(hostile(), root="/faq"))
    assert "script" not in tags.tags
    assert "img" not in tags.tags
    assert all(target.startswith("/faq/documents/leaflet?") for target in tags.targets)
    assert HOSTILE in tags.text


def test_text_drives_no_terminal() -> None:
    """Escape sequences and direction overrides of a document do not reach the terminal."""
    words = "Red \x1b[31mtext\x07 and \u202eback\u202c and \x9b2J."
    text = render.as_text(answer(cite(document(words), words)))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_escaped_markdown_shows_the_very_words(words: str) -> None:
    """Whatever the words, escaping them gives one run of plain text that reads as they do."""
    tags = rendered(render.markdown(words))
    assert set(tags.tags) <= {"p", "br"}
    assert "".join(tags.text.split()) == "".join(render.plain(words).split())


@given(
    st.sampled_from(["#", "-", "+", "*", "1.", "1)", ">", "=", "|", "~~~", "```", "    ", "\t", "<b>", "&amp;", "_a_"])
)
def test_openings_of_blocks_stay_words(opening: str) -> None:
    """What opens a block in Markdown opens none after escaping, at the start or on a later line."""
    for words in (f"{opening} word", f"word\n{opening} word", f"word\n{opening}"):
        assert set(rendered(render.markdown(words)).tags) <= {"p", "br"}, words


def test_bare_addresses_do_not_link() -> None:
    """No address is left in a shape that a renderer links by itself."""
    for words in (
        "https://evil.example",
        "HTTP://evil.example",
        "www.evil.example",
        "a@evil.example",
        "ftp://e.example",
    ):
        assert not re.search(r"(?i)(https?|ftp)://|www\.|\w@\w", render.markdown(words))
