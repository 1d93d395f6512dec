"""The widget as it is served: small, whole, cached, open to the sites an operator names and to no other."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.bot import Bot
from bot.faces.api import create_app
from bot.faces.embed import SAID, STATIC, UNFILLED, Script, close, embed, filled
from bot.faces.sessions import HEADER
from bot.faces.tally import REASONS
from bot.settings import Settings, SettingsError, load
from bot.words import Words
from index.index import build
from tests.conftest import ENCODER
from tests.index_samples import write
from tests.serving import served

SOURCE = (STATIC / "widget.js").read_text(encoding="utf-8")
SITE = "https://www.example.org"
BUDGET_BYTES = 8 * 1024
ROOM_BYTES = 90
STRANGERS = (
    "https://evil.example",
    "http://www.example.org",
    "https://www.example.org:8443",
    "https://www.example.org.evil.example",
    "https://example.org",
    "null",
)


def _settings(bot: Bot, **more: object) -> Settings:
    return load(index=bot.settings.index, locale="en-GB", **more)


@pytest.fixture(scope="module")
def client(bot: Bot) -> Iterator[httpx.Client]:
    """A client of a server that one other site may ask."""
    settings = _settings(bot, origins=(SITE,))
    with (
        served(embed(create_app(bot, settings), bot, settings)) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        yield client


@pytest.mark.parametrize("locale", Words.load().locales)
def test_the_widget_fits_its_budget(client: httpx.Client, locale: str) -> None:
    """Words, disclaimer and all, it weighs less than 8 KiB on the wire in every language, room for a long name left."""
    answer = client.get(f"/widget.js?locale={locale}", headers={"accept-encoding": "br, gzip"})
    assert answer.headers["content-encoding"] == "br"
    assert int(answer.headers["content-length"]) <= BUDGET_BYTES - ROOM_BYTES


@pytest.mark.parametrize("locale", Words.load().locales)
def test_with_all_that_can_be_switched_on_it_still_fits(bot: Bot, index_dir: Path, locale: str) -> None:
    """A journal and a model make the notice longer and add reasons."""
    told = {"kind": "model", "model": "tiny", "url": "http://127.0.0.1:9/v1", "run_by": "Example AI"}
    settings = _settings(bot, journal={"on": True}, composer=told)
    script = filled(Bot.open(index_dir, settings), settings, locale)
    assert "Example AI" in script
    assert "90" in json.loads(re.findall(r"const SERVED = (.*);\n", script)[0])["words"]["privacy"]
    assert len(Script.of(script).packed["br"]) <= BUDGET_BYTES


def test_reasons_are_offered_only_where_they_are_kept(bot: Bot) -> None:
    """Without a journal a thumb is a thumb; with one the script has the page's reasons."""
    assert '"reasons":[]' in filled(bot, _settings(bot))
    kept = filled(bot, _settings(bot, journal={"on": True}))
    reasons = [bot.words.text(id, "en") for id in REASONS]
    assert json.dumps(reasons, separators=(",", ":")) in kept


def test_first_questions_are_those_of_the_documents_as_they_are_now(tmp_path: Path) -> None:
    """An index swapped while the server runs: the next session has its questions, and pinned scripts stay good."""
    shelf, folder = tmp_path / "shelf", tmp_path / "index"
    shelf.mkdir()

    def put(question: str) -> None:
        write(shelf, "guide", {question: "Rest for a day. Drink water often."})
        build(shelf, folder, ENCODER, limit=200)

    put("How is a cold treated?")
    settings = load(index=folder)
    bot = Bot.open(folder, settings)
    with served(embed(create_app(bot, settings), bot, settings)) as url, httpx.Client(base_url=url) as client:
        pinned = client.get("/widget.js").headers["etag"]
        assert client.get("/v1/session").json()["starters"] == ["How is a cold treated?"]
        put("How is a burn treated?")
        assert bot.renew()
        assert client.get("/v1/session").json()["starters"] == ["How is a burn treated?"]
        assert client.get("/widget.js").headers["etag"] == pinned


def test_styles_lose_only_space_that_means_nothing() -> None:
    """What is served styles the same: a space before a colon stands for "inside", and inside a value it parts."""
    css = (
        ".log :focus, .a > .b {\n  inset: 0 auto;\n  width: min(1px, 2px - 1px);\n}\n@media (a: b) {\n  p { top: 0 }\n}"
    )
    assert close(css) == ".log :focus,.a > .b{inset:0 auto;width:min(1px,2px - 1px)}@media (a:b){p{top:0}}"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None), ("", None)],
)
def test_every_encoding_holds_the_same_script(client: httpx.Client, accepted: str, encoding: str | None) -> None:
    """A browser gets what it can unpack, and always the same text."""
    answer = client.get("/widget.js", headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.text == client.get("/widget.js", headers={"accept-encoding": "identity"}).text


def test_any_site_may_load_it_and_pin_it(client: httpx.Client) -> None:
    """The line on /widget is true: the pinned address is cached for good, and its integrity is the script's."""
    (line,) = re.findall(r'<code id="pinned">(.*)</code>', client.get("/widget").text)
    (pin,) = re.findall(r"\bwidget-([0-9a-f]+)\.js", line)
    (integrity,) = re.findall(r"sha384-([\w+/=]+)", line.replace("&#43;", "+"))
    pinned = client.get(f"/widget-{pin}.js", headers={"origin": "https://any.example"})
    assert base64.b64encode(hashlib.sha384(pinned.content).digest()).decode() == integrity
    assert "immutable" in pinned.headers["cache-control"]
    for answer in (pinned, client.get("/widget.js"), client.head("/widget.js")):
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "max-age=" in answer.headers["cache-control"]
    assert client.get("/widget-000000000000.js").status_code == 404


def test_an_unchanged_widget_is_not_sent_again(client: httpx.Client) -> None:
    """Its ETag is enough."""
    etag = client.get("/widget.js").headers["etag"]
    again = client.get("/widget.js", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_disclaimer_is_in_the_script_itself(client: httpx.Client, bot: Bot) -> None:
    """Nothing has to be asked before it can be shown, in the site's language or the one its address names."""
    for query, language in {"": "en", "?locale=es-MX": "es", "?locale=ar": "ar", "?locale=xx": "en"}.items():
        (line,) = re.findall(r"const SERVED = (.*);\n", client.get(f"/widget.js{query}").text)
        given = json.loads(line)
        assert given["locale"].startswith(language)
        assert given["words"]["disclaimer"] == bot.words.disclaimer(language).text
        assert "starters" not in given  # they would be as old as the copy in a browser's cache


def test_words_and_script_agree(bot: Bot) -> None:
    """Every word the script says is sent along, and none that it does not say."""
    assert SOURCE.count(UNFILLED) == 1
    named = set(re.findall(r'"([a-z]+(?:-[a-z]+)*)"', SOURCE))
    assert set(SAID) <= named
    said = set(re.findall(r'[sS]ay\("([\w-]+)"', SOURCE)) | set(re.findall(r'#link\([^,]+, "([\w-]+)"', SOURCE))
    assert said <= set(SAID) | {"looking", "disclaimer", "dir"}
    assert UNFILLED not in filled(bot, _settings(bot))


def test_the_script_keeps_nothing_and_interprets_nothing() -> None:
    """No storage, no cookie, no HTML from strings, no code from strings."""
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "localStorage",
    ):
        assert word not in SOURCE
    for word in ("sessionStorage", "indexedDB", "document.cookie", "sendBeacon", "window.milkwise"):
        assert word not in SOURCE


def test_the_page_is_strict_and_shows_the_widget(client: httpx.Client) -> None:
    """It lives by the policy it asks of others, and holds the disclaimer, the line to paste and who may ask."""
    page = client.get("/widget")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert SITE in page.text
    assert "does not give medical advice" in page.text
    line = page.text.split('<code id="line">')[1].replace("&lt;", "<").replace("&#34;", '"')
    assert line.startswith(f'<script src="{client.base_url}/widget.js" defer data-locale="en-GB"')


def test_only_the_frame_may_be_framed_and_only_by_named_sites(client: httpx.Client) -> None:
    """/frame names the sites in frame-ancestors and sends nothing that contradicts it; other pages stay their own."""
    frame = client.get("/frame")
    assert f"frame-ancestors 'self' {SITE}" in frame.headers["content-security-policy"]
    assert "unsafe" not in frame.headers["content-security-policy"]
    assert "x-frame-options" not in frame.headers
    for path in ("/widget", "/docs"):
        assert SITE not in client.get(path).headers["content-security-policy"]


def test_the_frame_takes_choices_from_its_address_as_text(client: httpx.Client) -> None:
    """They become attributes, escaped; a locale that is none is left out; without scripts the disclaimer is there."""
    asked = {"locale": "en-GB", "title": '"><script>', "starters": "One?|Two?", "onload": "x", "accent": "#fff"}
    page = client.get("/frame", params=asked).text
    assert (
        'data-locale="en-GB" data-title="&#34;&gt;&lt;script&gt;" data-starters="One?|Two?" data-accent="#fff"' in page
    )
    assert "onload" not in page
    without = page.split("<noscript>")[1]
    assert "does not give medical advice" in without
    assert 'href="/faq"' in without
    assert "data-locale" not in client.get("/frame?locale=%22%3E").text


def test_the_operator_s_colours_reach_page_and_widget(bot: Bot) -> None:
    """One table of colours, wherever it is sent."""
    settings = _settings(bot, accent="#1D4ED8", accent_dark="#93C5FD")
    with served(embed(create_app(bot, settings), bot, settings)) as url, httpx.Client(base_url=url) as client:
        for path in ("/static/tokens.css", "/widget.js"):
            text = client.get(path).text
            assert "#1D4ED8" in text
            assert "#93C5FD" in text
            assert "#0F6B5C" not in text


def _preflight(client: httpx.Client, origin: str) -> httpx.Response:
    wanted = "content-type,milkwise-session"
    asking = {"access-control-request-method": "POST", "access-control-request-headers": wanted}
    return client.options("/v1/ask", headers={"origin": origin, **asking})


def test_a_named_site_may_ask(client: httpx.Client) -> None:
    """It gets leave to send, may read the answer and the faults, and never sends credentials."""
    leave = _preflight(client, SITE)
    assert leave.status_code == 200
    assert leave.headers["access-control-allow-origin"] == SITE
    session = client.get("/v1/session", headers={"origin": SITE}).json()["token"]
    sent = {"origin": SITE, HEADER: session}
    for body, status in (({"question": "hi"}, 200), ({}, 422), ({"question": "x" * 70_000}, 413)):
        answer = client.post("/v1/ask", json=body, headers=sent)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == SITE
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", STRANGERS)
def test_no_other_site_may_ask(client: httpx.Client, origin: str) -> None:
    """No leave to send, and nothing to read."""
    leave = _preflight(client, origin)
    assert leave.status_code == 400
    assert "access-control-allow-origin" not in leave.headers
    answer = client.post("/v1/ask", json={"question": "hi"}, headers={"origin": origin})
    assert "access-control-allow-origin" not in answer.headers


def test_without_an_origin_it_answers(client: httpx.Client) -> None:
    """A program that is no browser names none."""
    answer = client.post("/v1/ask", json={"question": "hi"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_by_default_no_other_site_may_ask(bot: Bot) -> None:
    """Until an operator names a site, there is none."""
    settings = _settings(bot)
    with served(embed(create_app(bot, settings), bot, settings)) as url, httpx.Client(base_url=url) as client:
        assert _preflight(client, SITE).status_code == 400
        assert "Only this site itself so far" in client.get("/widget").text


@pytest.mark.parametrize("site", ["*", "https://www.example.org/", "www.example.org", "https://Example.org", "null"])
def test_what_is_no_origin_is_refused(site: str) -> None:
    """A slip in the setting is named; it does not silently allow nothing, or all."""
    with pytest.raises(SettingsError, match="origins"):
        load(origins=[site])


def test_a_variable_names_several_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between commas or spaces."""
    monkeypatch.setenv("MILKWISE_ORIGINS", "https://a.example, https://b.example:8443")
    assert load().origins == ("https://a.example", "https://b.example:8443")
