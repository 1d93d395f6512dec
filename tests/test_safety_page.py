"""The page /safety: what is done, whom to call and where the number is from, reachable from every page."""

from __future__ import annotations

import html
from collections.abc import Iterator

import httpx
import pytest

from bot.bot import Bot
from bot.faces.cli import compose as site
from bot.faces.ui_parts import sources
from bot.grade import grade
from bot.labels import HARD
from bot.render import markup
from tests.replies import answer, cite, document
from tests.serving import served


@pytest.fixture(scope="module")
def client(bot: Bot) -> Iterator[httpx.Client]:
    """A client of the whole site, in Britain, with somewhere to report to."""
    settings = bot.settings.model_copy(update={"locale": "en-GB", "report_to": "https://example.org/report?a=1&b=2"})
    with served(site(bot, settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_it_says_what_is_done_what_is_not_and_whom_to_call(client: httpx.Client, bot: Bot) -> None:
    """Every part the crisis protocol needs, in the phrases' words, with the disclaimer and without a script."""
    page = client.get("/safety")
    assert page.status_code == 200
    for id in ("now", "words", "crisis", "refer", "quotes", "misses", "not-reviewed", "private", "report-press"):
        assert markup(bot.words.text(f"safety-{id}", "en-GB")) in page.text, id
    assert 'href="https://example.org/report?a=1&amp;b=2"' in page.text
    assert bot.words.disclaimer("en-GB").text in page.text
    assert "<script" not in page.text


def test_every_contact_stands_with_source_and_review(client: httpx.Client, bot: Bot) -> None:
    """The own country first and open, the others to be opened; no contact of any country is left out."""
    text = html.unescape(client.get("/safety").text)
    assert text.index("Samaritans") < text.index("<details>") < text.index("988lifeline.org")
    for country, contacts in bot.words.countries.items():
        assert not country or bot.words.names[country] in text
        for one in contacts:
            assert one.label in text
            assert one.source.removeprefix("https://") in text
    assert text.count("Not yet checked with the line") == sum(map(len, bot.words.countries.values()))


@pytest.mark.parametrize("path", ["/faq", "/widget", "/documents/human-lactation", "/chat/", "/no-such-page", "/docs"])
def test_every_page_links_to_it(client: httpx.Client, path: str) -> None:
    """The chat page, the widget's page and the plain ones, faults among them, are one step away from it."""
    page = client.get(path, headers={"Accept": "text/html"})
    assert 'href="/safety"' in page.text


def test_without_a_country_none_is_put_first(bot: Bot) -> None:
    """Where no country is set, the international contacts stand open and every country is closed."""
    with served(site(bot, bot.settings)) as url:
        text = httpx.get(f"{url}/safety", timeout=60).text
    assert "If your country is not listed" not in text
    assert text.index("112 in many countries") < text.index("<details>") < text.index("Samaritans")


def test_a_quote_that_is_hard_to_read_says_so() -> None:
    """Above grade 10 the sources panel names the grade; at or below it nothing is added."""
    hard = "Hyperprolactinaemia secondary to dopaminergic antagonism necessitates endocrinological evaluation."
    plain = "The milk comes in on day two. It looks thin at first."
    assert grade(plain) <= HARD < grade(hard)
    source = document(f"{plain} {hard}")

    def say(id: str, **values: object) -> str:
        return f"{id} {values}"

    assert "hard-to-read" not in sources(answer(cite(source, plain)), 1, say, 36)
    assert f"hard-to-read {{&#x27;grade&#x27;: {round(grade(hard))}}}" in sources(
        answer(cite(source, hard)), 1, say, 36
    )
