"""Bad input over HTTP: each fault is named, with its remedy, and repeats nothing of what was sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.bot import Bot
from bot.faces.api import create_app
from bot.faces.schema import ProblemBody
from bot.reply import Reply
from bot.settings import load
from tests.serving import served

SECRET = "zebrafish lighthouse"  # stands for what a visitor typed: no fault may repeat it
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def client(bot: Bot) -> Iterator[httpx.Client]:
    """A client of a served API."""
    with served(create_app(bot, bot.settings)) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem details of a fault, checked for what all of them have."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    ProblemBody.model_validate(body)
    assert body["status"] == status
    assert body["disclaimer"]["text"]
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    return body


WRONG: list[tuple[Any, str]] = [
    ({}, "question"),
    ({"question": ""}, "question"),
    ({"question": " \n\t "}, "question"),
    ({"question": SECRET * 200}, "question"),
    ({"question": [SECRET]}, "question"),
    ({"question": None}, "question"),
    ({"question": "hi", "locale": SECRET}, "locale"),
    ({"question": "hi", "locale": "e" * 40}, "locale"),
    ({"question": "hi", "locale": ""}, "locale"),
    ({"question": "hi", "history": SECRET}, "history"),
    ({"question": "hi", "history": [SECRET]}, "history[0]"),
    ({"question": "hi", "history": [{"cited": []}]}, "history[0].asked"),
    ({"question": "hi", "history": [{"asked": SECRET * 200}]}, "history[0].asked"),
    ({"question": "hi", "history": [{"asked": "hi", "cited": [1]}]}, "history[0].cited[0]"),
    ([SECRET], "body"),
    (SECRET, "body"),
]


@pytest.mark.parametrize(("body", "field"), WRONG)
def test_a_wrong_field_is_named_with_its_remedy(client: httpx.Client, body: object, field: str) -> None:
    """422 says which field, what is wrong and what to send instead, and repeats nothing that was sent."""
    errors = problem(client.post("/v1/ask", json=body), 422)["errors"]
    assert [error["field"] for error in errors] == [field]
    assert all(error["problem"] and error["remedy"] for error in errors)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"question": "' + SECRET.encode(), b"\xff\xfe", b"[" * 60_000, b'{"question": NaN,}']
)
def test_what_is_not_json_is_400(client: httpx.Client, body: bytes) -> None:
    """Broken, empty, badly encoded and absurdly nested bodies are told apart from wrong fields."""
    problem(client.post("/v1/ask", content=body, headers={"content-type": "application/json"}), 400)


def test_null_is_json_but_no_question(client: httpx.Client) -> None:
    """`null` is told apart from no JSON at all."""
    problem(client.post("/v1/ask", content=b"null", headers={"content-type": "application/json"}), 422)


def test_a_lone_surrogate_is_a_wrong_field(client: httpx.Client) -> None:
    """JSON can hold half a character; the bot never sees it."""
    asked = b'{"question": "\\ud800"}'
    problem(client.post("/v1/ask", content=asked, headers={"content-type": "application/json"}), 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "garbage"])
def test_another_media_type_is_415(client: httpx.Client, kind: str) -> None:
    """Only JSON is taken: what a form on a foreign page could send is refused."""
    problem(client.post("/v1/ask", content=b'{"question": "hi"}', headers={"content-type": kind}), 415)


def test_json_may_name_its_charset(client: httpx.Client) -> None:
    """Parameters of the media type do no harm."""
    headers = {"content-type": "application/json; charset=utf-8"}
    assert client.post("/v1/ask", content=b'{"question": "hi"}', headers=headers).status_code == 200


def test_a_long_body_is_413(client: httpx.Client) -> None:
    """More than 64 KiB is refused, whether its length is announced or it comes in chunks; exactly 64 KiB is not."""
    headers = {"content-type": "application/json"}
    start = b'{"question": "hi", "padding": "'
    fits = start + b"x" * (64 * 1024 - len(start) - 2) + b'"}'
    assert client.post("/v1/ask", content=fits, headers=headers).status_code == 200
    long = fits[:-2] + SECRET.encode() + b'"}'
    problem(client.post("/v1/ask", content=long, headers=headers), 413)
    problem(client.post("/v1/ask", content=iter([long[:9000], long[9000:]]), headers=headers), 413)


def test_other_addresses_and_methods(client: httpx.Client) -> None:
    """404 and 405 are problems too, and 405 says what is allowed."""
    problem(client.get("/v1/nothing"), 404)
    problem(client.get("/v1/documents/no%23such"), 404)
    problem(client.get("/v1/passages/no%23such"), 404)
    refused = client.get("/v1/ask")
    problem(refused, 405)
    assert refused.headers["allow"] == "POST"


def test_a_browser_gets_a_page_of_the_fault(client: httpx.Client) -> None:
    """Where a person is reading, the fault is HTML and carries the disclaimer too; under /v1 it stays JSON."""
    accept = {"Accept": "text/html,application/xhtml+xml"}
    page = client.get("/no-such-page", headers=accept)
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert client.get("/openapi.json").json()["info"]["description"] in page.text
    problem(client.get("/v1/nothing", headers=accept), 404)


def test_nothing_is_answered_without_an_index() -> None:
    """No index: alive but not ready, and every question is 503 with a remedy."""
    with served(create_app(None, load())) as url, httpx.Client(base_url=url) as client:
        assert client.get("/healthz").status_code == 200
        problem(client.get("/readyz"), 503)
        body = problem(client.post("/v1/ask", json={"question": SECRET}), 503)
        assert "milkwise build" in body["errors"][0]["remedy"]
        problem(client.get("/v1/documents"), 503)


def test_a_fault_inside_tells_nothing(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    """A bot that breaks gives 500; neither the response nor the log repeats the question."""

    class Broken(Bot):
        def reply(self, asked: str, *rest: object, **more: object) -> Reply:
            raise ValueError(asked)

    broken = Broken(bot.index, bot.settings, bot.rules, bot.words)
    with (
        caplog.at_level(logging.DEBUG),
        served(create_app(broken, bot.settings)) as url,
        httpx.Client(base_url=url) as client,
    ):
        fault = client.post("/v1/ask", json={"question": SECRET})
        problem(fault, 500)
        assert fault.headers["x-content-type-options"] == "nosniff"
    assert "ValueError at" in caplog.text
    assert SECRET not in caplog.text
