"""The gate over HTTP: which site gets what, sessions that are signed and short, limits that say how long to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from bot.bot import Bot
from bot.faces.cli import compose
from bot.faces.limiting import FREELY, network
from bot.faces.schema import ProblemBody
from bot.faces.sessions import HEADER, Sessions
from bot.settings import SettingsError, load
from tests.serving import served

SITE, OTHER = "https://www.example.org", "https://also.example"
JOIN = "/chat/gradio_api/queue/join"
ASKED = {"question": "Hello"}
VISITOR = {"X-Forwarded-For": "203.0.113.7"}  # this machine is a trusted proxy; only other addresses are counted


@contextmanager
def site(bot: Bot, **settings: object) -> Iterator[httpx.Client]:
    """A client of the whole site, with these settings."""
    chosen = load(index=bot.settings.index, origins=(SITE, OTHER), **settings)
    with served(compose(bot, chosen)) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def client(bot: Bot) -> Iterator[httpx.Client]:
    """A client of the site as it is by default, with two sites allowed."""
    with site(bot) as client:
        yield client


def token(client: httpx.Client, **headers: str) -> str:
    """A fresh session's token."""
    got = client.get("/v1/session", headers=headers)
    assert got.headers["cache-control"] == "no-store"
    assert got.json()["seconds"] == 30 * 60
    return str(got.json()["token"])


def refused(answer: httpx.Response, status: int) -> str:
    """The remedy in a refusal, which is a problem under the disclaimer like every other."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return ProblemBody.model_validate(answer.json()).errors[0].remedy


def own(client: httpx.Client) -> str:
    """The site's own origin."""
    return str(client.base_url).rstrip("/")


NONE: dict[str, str] = {}
MATRIX: list[tuple[str, Callable[[httpx.Client], dict[str, str]], int, int, int]] = [
    # who asks, with which headers; then what a session, a question without one and a question with one get
    ("a program, no origin", lambda client: NONE, 200, 200, 200),
    ("our own page", lambda client: {"Origin": own(client)}, 200, 200, 200),
    ("our own page, renamed by a proxy", lambda _: {"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200, 200, 200),
    ("an allowed site", lambda _: {"Origin": SITE}, 200, 401, 200),
    ("a program that forges an allowed site", lambda _: {"Origin": SITE, "User-Agent": "curl"}, 200, 401, 200),
    ("another site", lambda _: {"Origin": "https://evil.example"}, 403, 403, 403),
    ("the right host on another port", lambda _: {"Origin": f"{SITE}:8443"}, 403, 403, 403),
    ("the right host without TLS", lambda _: {"Origin": SITE.replace("https", "http")}, 403, 403, 403),
    ("a name that begins alike", lambda _: {"Origin": f"{SITE}.evil.example"}, 403, 403, 403),
    ("a file, a sandboxed frame", lambda _: {"Origin": "null"}, 403, 403, 403),
    ("no address at all", lambda _: {"Origin": "http://[::1"}, 403, 403, 403),
    ("no origin at all but a word", lambda _: {"Origin": "garbage"}, 403, 403, 403),
]


@pytest.mark.parametrize(("who", "headers", "session", "bare", "signed"), MATRIX, ids=[row[0] for row in MATRIX])
def test_the_origin_matrix(
    client: httpx.Client,
    who: str,
    headers: Callable[[httpx.Client], dict[str, str]],
    session: int,
    bare: int,
    signed: int,
) -> None:
    """Who gets a session, who may ask without one, who with one; and only an allowed site's pages read any of it."""
    sent = headers(client)
    got = client.get("/v1/session", headers=sent)
    held = got.json().get("token", "none")
    answers = [
        got,
        client.post("/v1/ask", json=ASKED, headers=sent),
        client.post("/v1/ask", json=ASKED, headers={**sent, HEADER: held}),
    ]
    assert [answer.status_code for answer in answers] == [session, bare, signed]
    readable = [answer.headers.get("access-control-allow-origin") for answer in answers]
    assert readable == [sent.get("Origin") if sent.get("Origin") == SITE else None] * 3
    assert not any("access-control-allow-credentials" in answer.headers for answer in answers)


def test_a_token_is_one_site_s_and_cannot_be_made(client: httpx.Client) -> None:
    """Another site's, a changed and an invented one are refused, and the remedy says where to get one."""
    mine = token(client, Origin=SITE)
    # In its middle: the last letter of base64 has spare bits, and another may stand for the same signature.
    changed = mine[:-9] + ("A" if mine[-9] != "A" else "B") + mine[-8:]
    for wrong in (token(client, Origin=OTHER), token(client), changed, "made.up.token", "é"):
        sent = {"Origin": SITE, HEADER: wrong.encode()}
        answer = client.post("/v1/ask", json=ASKED, headers=sent)  # type: ignore[arg-type]  # bytes and str mixed
        assert "/v1/session" in refused(answer, 401)
        assert answer.headers["www-authenticate"] == HEADER
    assert client.post("/v1/ask", json=ASKED, headers={"Origin": SITE, HEADER: mine}).status_code == 200
    refused(client.post("/v1/ask", json=ASKED, headers={HEADER: "made.up.token"}), 401)


def test_a_token_ages_and_a_secret_outlives_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Good for its minutes and no longer; another process accepts it only where both were given one secret."""
    sessions = Sessions("", 1)
    old = sessions.issue(SITE)
    assert sessions.number(old, SITE)
    assert sessions.number(old, SITE) != sessions.number(sessions.issue(SITE), SITE)
    assert Sessions("", 1).number(old, SITE) is None
    assert Sessions("shared", 1).number(Sessions("shared", 1).issue(SITE), SITE)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 62)
    assert sessions.number(old, SITE) is None


def test_without_programs_everything_needs_a_session(bot: Bot) -> None:
    """No origin, no session, no answer; the site's own pages still get one."""
    with site(bot, programs=False) as client:
        refused(client.post("/v1/ask", json=ASKED), 401)
        refused(client.get("/v1/session"), 403)
        refused(client.post(JOIN, json={}), 403)
        held = token(client, **{"Sec-Fetch-Site": "same-origin"})
        assert client.post("/v1/ask", json=ASKED, headers={HEADER: held}).status_code == 200
        assert client.post("/v1/feedback", json={"vote": "up", "kind": "answer"}).status_code == 401


def test_an_address_has_its_limit_and_others_theirs(bot: Bot) -> None:
    """The third is told how long to wait, and may after that; other addresses have their own."""
    with site(bot, address_limit="2/second, 9/minute") as client:
        asked = [client.post("/v1/ask", json=ASKED, headers=VISITOR) for _ in range(3)]
        assert [answer.status_code for answer in asked[:2]] == [200, 200]
        assert "1 seconds" in refused(asked[2], 429)
        assert asked[2].headers["retry-after"] == "1"
        elsewhere = {"X-Forwarded-For": "203.0.113.8"}
        assert client.post("/v1/ask", json=ASKED, headers=elsewhere).status_code == 200
        assert client.post("/v1/feedback", json={"vote": "up", "kind": "answer"}, headers=VISITOR).status_code == 204
        time.sleep(1.05)
        assert client.post("/v1/ask", json=ASKED, headers=VISITOR).status_code == 200
        assert [client.post("/v1/ask", json=ASKED).status_code for _ in range(5)] == [200] * 5  # this machine


def test_a_session_has_its_limit_and_new_ones_are_counted(bot: Bot) -> None:
    """A session used up leaves the address its others; taking ever new ones is counted too. A site reads how long."""
    with site(bot, session_limit="2/minute", address_limit="6/minute") as client:
        sent = {"Origin": SITE, **VISITOR}
        held = {**sent, HEADER: token(client, **sent)}
        statuses = [client.post("/v1/ask", json=ASKED, headers=held).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        full = client.post("/v1/ask", json=ASKED, headers=held)
        assert 50 <= int(full.headers["retry-after"]) <= 60
        assert full.headers["access-control-allow-origin"] == SITE
        assert "retry-after" in full.headers["access-control-expose-headers"].lower()
        fresh = {**sent, HEADER: token(client, **sent)}
        assert client.post("/v1/ask", json=ASKED, headers=fresh).status_code == 200
        taken = [client.get("/v1/session", headers=sent).status_code for _ in range(6 * FREELY)]
        assert taken[-1] == 429


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("no address", "no address"),
    ],
)
def test_what_counts_as_one_address(host: str, counted: str) -> None:
    """One customer's whole network under IPv6; this machine not at all."""
    assert network(host) == counted


@pytest.mark.parametrize("limit", ["many", "0/minute", "5/minut", "5/minute 6/hour", "-1/hour"])
def test_what_is_no_limit_is_refused(limit: str) -> None:
    """Named with its remedy, when the settings are read."""
    with pytest.raises(SettingsError, match="session_limit"):
        load(session_limit=limit)
    with pytest.raises(SettingsError, match="proxies"):
        load(proxies=["no.address"])


def test_the_secret_shows_nowhere() -> None:
    """Not in what is printed of the settings."""
    assert "hush" not in repr(load(secret="hush-hush"))
