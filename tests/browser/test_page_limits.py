"""The chat page where too many questions come from one address: it says how long to wait, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from bot.faces.ui_guard import CALLS
from tests.browser.chat import Chat, say
from tests.browser.conftest import Held, serving

VISITOR = {"X-Forwarded-For": "203.0.113.9"}
API = "/chat/gradio_api"


@pytest.fixture(scope="module")
def narrow(held: Held) -> Iterator[str]:
    """A site that answers one question a minute from each address but this machine's."""
    settings = held.settings.model_copy(update={"address_limit": "1/minute"})
    with serving(Held(held.index, settings, held.rules, held.words)) as url:
        yield url


def test_too_many_questions_get_kind_words_in_their_place(browser: Browser, narrow: str) -> None:
    """The second is answered by how long to wait, and can be retried; the disclaimer stays in view, uncovered."""
    context = browser.new_context(extra_http_headers=VISITOR)
    chat = Chat(context, narrow)
    chat.ask("Can men produce milk?")
    httpx.post(f"{narrow}/v1/ask", json={"question": "Hello"}, headers=VISITOR)  # this route counts on the same limit
    chat.ask("How long does it take?")
    expect(chat.answer).to_contain_text(say("error-wait", minutes=1))
    expect(chat.button("retry")).to_be_visible()
    chat.assert_disclaimer_in_view()
    assert httpx.post(f"{narrow}/v1/ask", json={"question": "Hello"}, headers=VISITOR).status_code == 429
    context.close()


def test_the_page_and_the_api_share_one_count(narrow: str) -> None:
    """As Gradio's own script asks: what comes back is the phrase with the minutes, as an answer and not as a fault."""
    with httpx.Client(base_url=narrow + "/chat", headers={"X-Forwarded-For": "203.0.113.10"}, timeout=60) as client:
        typed = client.get("/config").json()["dependencies"][0]["id"]
        assert client.post(narrow + "/v1/ask", json={"question": "Hello"}).status_code == 200
        sent = {"data": ["Can men produce milk?", None], "fn_index": typed, "session_hash": "limited"}
        assert client.post("/gradio_api/queue/join", json=sent).status_code == 200
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "limited"}) as stream:
            told = next(line for line in stream.iter_lines() if '"process_completed"' in line)
        assert '"success":true' in told.replace(" ", "")
        assert say("error-wait", minutes=1) in told


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"session_hash": "a"}',
        b'{"session_hash": "a", "fn_index": 9999, "data": []}',
        b'{"session_hash": "a", "fn_index": true, "data": [null]}',
        b'{"session_hash": "a", "fn_index": 0, "data": [NaN, 1e999]}',
        b'{"session_hash": "a", "fn_index": 0, "data": ["\\ud800", null]}',
        b'{"session_hash": {}, "fn_index": 0, "data": []}',
        b"[" * 60_000,
    ],
)
def test_what_no_page_sends_never_reaches_gradio(narrow: str, call: str, body: bytes) -> None:
    """422, where Gradio by itself would answer some of these with five hundred."""
    headers = {"content-type": "application/json"}
    assert httpx.post(narrow + API + call, content=body, headers=headers).status_code == 422


def test_gradio_s_other_posts_are_closed(narrow: str) -> None:
    """404 for everything the page does not post to."""
    for route in ("/upload", "/api/ask", "/call/ask", "/component_server", "/queue/nothing"):
        assert httpx.post(narrow + API + route, json={}).status_code == 404
