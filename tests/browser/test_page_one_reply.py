"""The chat page says what the API says: the same claims, citations, suggestions, topic and disclaimer."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from tests.browser.chat import LOCALE, Chat
from tests.test_one_reply import ASKED

pytestmark = pytest.mark.browser
Visit = Callable[..., Chat]


def plain(text: str) -> str:
    """Words without the white space of their layout."""
    return " ".join(text.split())


@pytest.mark.parametrize("asked", ASKED)
def test_the_page_gives_the_reply_of_the_api(visit: Visit, site: str, asked: str) -> None:
    """One question, asked on the page and of the API of the same server, gives one Reply."""
    reply = httpx.post(f"{site}/v1/ask", json={"question": asked, "locale": LOCALE}, timeout=60).json()
    chat = visit()
    chat.ask(asked)
    shown = plain(chat.answer.inner_text())
    for claim in reply["claims"]:
        for sentence in re.split(r"(?<=\.) ", plain(claim["text"])):  # a signpost shows its contacts between them
            assert sentence in shown
    assert [int(number) for number in chat.citations.all_inner_texts()] == [one["number"] for one in reply["citations"]]
    for contact in reply["contacts"]:
        assert contact["call"] is None or contact["call"] in shown
    sources = chat.page.locator("#panel")
    panel = plain(sources.inner_text()) if reply["citations"] else ""
    assert sources.is_visible() == bool(reply["citations"])
    for citation in reply["citations"]:
        assert plain(citation["quote"]) in panel
        assert citation["title"] in panel and citation["publisher"] in panel
    assert chat.suggestions.all_inner_texts() == reply["suggestions"]
    if reply["topic"]:
        assert reply["topic"] in chat.topic.inner_text()
    assert plain(chat.page.get_by_role("note").inner_text()) == plain(reply["disclaimer"]["text"])
