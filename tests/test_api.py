"""The API keeps the contract: replies, events, faults as problem details, headers, and nothing kept or echoed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.openapi.models import OpenAPI

from bot.bot import Bot
from bot.faces.api import POSTED, create_app
from bot.faces.schema import (
    AskBody,
    DocumentsBody,
    FeedbackBody,
    PassageBody,
    ReplyBody,
    WholeDocumentBody,
)
from tests.serving import events, served

SECRET = "zebrafish lighthouse"  # stands for what a visitor typed: no fault may repeat it
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def client(bot: Bot) -> Iterator[httpx.Client]:
    """A client of a served API."""
    with served(create_app(bot, bot.settings)) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def test_a_question_gives_the_contract_s_json(client: httpx.Client) -> None:
    """One question, one reply that fits its schema, quotes cut from the documents the same API shows."""
    answer = client.post("/v1/ask", json={"question": "Can men produce milk?"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    reply = answer.json()
    ReplyBody.model_validate(reply, strict=True)
    assert reply["kind"] == "answer"
    for claim, citation in zip(reply["claims"], reply["citations"], strict=True):
        whole = client.get(f"/v1/documents/{citation['document']}").json()
        assert whole["text"][citation["start"] : citation["end"]] == citation["quote"] == claim["text"]
        assert whole["sha256"] == citation["sha256"]


def test_history_locale_and_null_are_taken(client: httpx.Client) -> None:
    """A follow-up is resolved, the locale names the disclaimer, null stands for no locale."""
    asked = {
        "question": "How long does it take?",
        "history": [{"asked": "What is induced lactation?", "cited": ["no-such-document#nowhere"]}],
        "locale": "en-GB",
    }
    reply = client.post("/v1/ask", json=asked).json()
    assert "induced lactation" in reply["query"]
    assert reply["disclaimer"]["locale"] == "en-GB"
    assert client.post("/v1/ask", json={"question": "hi", "locale": None}).status_code == 200


def test_old_turns_are_cut_not_refused(client: httpx.Client) -> None:
    """A history of any length is taken; only its last 20 turns are even looked at."""
    history: list[Any] = [{"asked": 7}] * 5 + [{"asked": "Can men produce milk?"}] * 20
    assert client.post("/v1/ask", json={"question": "hi", "history": history}).status_code == 200


def test_events_end_with_the_very_same_reply(client: httpx.Client) -> None:
    """A claim event each, then one reply event with exactly the JSON body; no proxy may hold them back."""
    asked = {"question": "What is relactation?"}
    answer = client.post("/v1/ask", json=asked, headers={"Accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    found = events(answer.text)
    *claims, (last, data) = found
    reply = json.loads(data)
    assert [name for name, _ in claims] == ["claim"] * len(reply["claims"])
    assert [json.loads(claim) for _, claim in claims] == reply["claims"]
    assert last == "reply"
    assert answer.text.startswith(f": {reply['disclaimer']['text']}\n")  # there even if the stream is cut
    plain = client.post("/v1/ask", json=asked).json()
    assert {**reply, "ms": 0} == {**plain, "ms": 0}


def test_feedback_moves_counters_only(client: httpx.Client) -> None:
    """204, one counter one higher, and no text anywhere."""
    vote = {"vote": "up", "kind": "answer", "passages": ["a#b"], "reason": SECRET, "question": SECRET}
    line = 'milkwise_feedback_total{kind="answer",vote="up"}'
    for times in (1, 2):
        answer = client.post("/v1/feedback", json=vote)
        assert answer.status_code == 204
        assert not answer.content
        assert f"{line} {times}.0\n" in client.get("/metrics").text
    assert SECRET not in client.get("/metrics").text
    refused = client.post("/v1/feedback", json={**vote, "vote": SECRET})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "vote")
    assert SECRET not in refused.text


def test_documents_and_passages(client: httpx.Client) -> None:
    """What may be quoted can be read: documents, their passages, and each passage's place."""
    listed = DocumentsBody.model_validate(client.get("/v1/documents").json())
    assert [one.id for one in listed.documents] == ["human-lactation"]
    whole = WholeDocumentBody.model_validate(client.get("/v1/documents/human-lactation").json())
    assert whole.reviewed is None
    texts = []
    for id in whole.passages:
        passage = PassageBody.model_validate(client.get(f"/v1/passages/{id.replace('#', '%23')}").json())
        assert passage.id == id
        assert whole.text[passage.start : passage.end] == passage.text
        assert all(whole.text[one.start : one.end] == one.text for one in passage.sentences)
        texts.append(passage.text)
    assert "".join(texts) == whole.text


def test_health(client: httpx.Client, bot: Bot) -> None:
    """Alive, and ready with the generation it answers from."""
    assert client.get("/healthz").json()["status"] == "alive"
    assert client.get("/readyz").json() == {"status": "ready", "index": bot.index.generation}


def test_openapi_is_valid_and_its_examples_too(client: httpx.Client) -> None:
    """The reference is OpenAPI, its references resolve, its examples are taken, its faults have their media type."""
    body = client.get("/openapi.json").json()
    OpenAPI.model_validate(body)
    text = json.dumps(body)
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in body["components"]["schemas"]
    for model in (AskBody, FeedbackBody):
        examples = body["components"]["schemas"][model.__name__]["examples"]
        assert examples
        for example in examples:
            model.model_validate(example)
            route = "/v1/ask" if model is AskBody else "/v1/feedback"
            assert client.post(route, json=example).is_success
    responses = body["paths"]["/v1/ask"]["post"]["responses"]
    example = responses["200"]["content"]["application/json"]["example"]
    ReplyBody.model_validate(example, strict=True)
    streamed = events(responses["200"]["content"]["text/event-stream"]["example"])
    assert json.loads(streamed[-1][1]) == example
    assert set(responses) == {"200", "503", *map(str, POSTED)}
    assert all(list(one["content"]) == [PROBLEM] for status, one in responses.items() if status != "200")


def test_the_reference_page_needs_no_script(client: httpx.Client) -> None:
    """/docs names every route and loads nothing but our own styles."""
    page = client.get("/docs").text
    assert "<script" not in page
    assert "//" not in page.replace("https://example", "")
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page


def test_every_response_has_the_security_headers(client: httpx.Client) -> None:
    """Pages, files, JSON and faults alike; the chat page's policy allows its own scripts and no one else's."""
    for path in ("/docs", "/static/tokens.css", "/v1/documents", "/v1/nothing", "/", "/healthz", "/chat/"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "'unsafe-eval'" not in policy
        assert ("script-src 'self'" in policy) == path.startswith("/chat")
        assert path.startswith("/chat") or "default-src 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "set-cookie" not in headers


def test_no_foreign_origin_is_let_in(client: httpx.Client) -> None:
    """Another site's script gets no answer it may read."""
    foreign = {"Origin": "https://elsewhere.example"}
    asked = client.post("/v1/ask", json={"question": "hi"}, headers=foreign)
    assert "access-control-allow-origin" not in asked.headers
    preflight = client.options("/v1/ask", headers={**foreign, "Access-Control-Request-Method": "POST"})
    assert "access-control-allow-origin" not in preflight.headers


def test_the_home_page_survives_a_proxy_s_prefix(bot: Bot) -> None:
    """Under a prefix that a proxy strips, the redirect and the pages' links keep it."""
    app = create_app(bot, bot.settings)
    with served(app) as url:
        assert httpx.get(f"{url}/").headers["location"] == "/chat/"
    with served(create_app(bot, bot.settings), root_path="/faq") as url:
        assert httpx.get(f"{url}/").headers["location"] == "/faq/chat/"
        assert 'href="/faq/static/milkwise.css"' in httpx.get(f"{url}/docs").text
        assert "script-src 'self'" in httpx.get(f"{url}/chat/").headers["content-security-policy"]


def test_static_files_do_not_leave_their_folder(client: httpx.Client) -> None:
    """Styles and the icon are served; nothing above their folder is."""
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert client.get("/static/milkwise.css").status_code == 200
    for path in ("/static/../bot.py", "/static/%2e%2e/bot.py", "/static/..%2fsettings.py", "/static/"):
        assert client.get(path).status_code == 404
