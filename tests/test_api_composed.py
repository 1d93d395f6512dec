"""Origins, headers and limits on the whole site, as `milkwise serve` serves it: the chat page's own routes included."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from bot.bot import Bot
from bot.faces.cli import compose
from bot.faces.guard import CHAT_CSP, PAGE_CSP
from bot.faces.problems import LIMIT_BYTES
from bot.faces.sessions import HEADER
from tests.serving import served

ALLOWED = "https://help.example"
FOREIGN = ["https://elsewhere.example", "http://localhost:9", "null", f"{ALLOWED}.elsewhere.example"]
JOIN = "/chat/gradio_api/queue/join"
EVERY = ["/", "/faq", "/widget", "/widget.js", "/v1/documents", "/healthz", "/no-such-page", "/chat/", "/chat/config"]


@pytest.fixture(scope="module")
def site(bot: Bot) -> Iterator[httpx.Client]:
    """A client of the composed site, on which one other site is allowed."""
    settings = bot.settings.model_copy(update={"origins": (ALLOWED,)})
    with served(compose(bot, settings)) as base, httpx.Client(base_url=base, timeout=30) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/ask", JOIN])
@pytest.mark.parametrize("origin", FOREIGN)
def test_no_foreign_origin_reads_or_asks(site: httpx.Client, origin: str, path: str) -> None:
    """Neither a request nor its preflight is let in; Gradio, which trusts localhost by itself, is held to the same."""
    asked = site.post(path, json={"question": "Can men produce milk?"}, headers={"Origin": origin})
    wants = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for said in (asked, site.options(path, headers=wants), site.get("/chat/config", headers={"Origin": origin})):
        assert "access-control-allow-origin" not in said.headers
        assert "access-control-allow-credentials" not in said.headers


def test_an_allowed_origin_gets_itself_and_no_cookies(site: httpx.Client) -> None:
    """Its own name, never a star, and never with credentials."""
    session = site.get("/v1/session", headers={"Origin": ALLOWED}).json()["token"]
    sent = {"Origin": ALLOWED, HEADER: session}
    asked = site.post("/v1/ask", json={"question": "Can men produce milk?"}, headers=sent)
    preflight = site.options("/v1/ask", headers={"Origin": ALLOWED, "Access-Control-Request-Method": "POST"})
    assert (asked.status_code, preflight.status_code) == (200, 200)
    for said in (asked, preflight):
        assert said.headers["access-control-allow-origin"] == ALLOWED
        assert "Origin" in said.headers["vary"]
        assert "access-control-allow-credentials" not in said.headers


@pytest.mark.parametrize("path", EVERY)
def test_every_page_carries_the_security_headers(site: httpx.Client, path: str) -> None:
    """A policy without scripts from elsewhere, no sniffing, no referrer; errors and the chat page too."""
    said = site.get(path)
    assert said.status_code == (404 if path == "/no-such-page" else 307 if path == "/" else 200)
    policy = said.headers["content-security-policy"]
    assert policy == CHAT_CSP if path.startswith("/chat") else policy.startswith(PAGE_CSP.split(";")[0])
    assert "frame-ancestors 'self'" in policy
    assert said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["referrer-policy"] == "same-origin"


def test_a_body_beyond_the_limit_is_refused(site: httpx.Client) -> None:
    """413 as a problem, announced or in chunks."""
    long = b'{"question": "' + b"a" * LIMIT_BYTES + b'"}'
    json = {"Content-Type": "application/json"}
    for body in (long, iter([long])):
        said = site.post("/v1/ask", content=body, headers=json)
        assert (said.status_code, said.headers["content-type"]) == (413, "application/problem+json")
