"""A model's words as people meet them: marked in every face, announced where they can be, and never kept by mistake."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import Client
from typer.testing import CliRunner

from bot import render
from bot.bot import Bot
from bot.faces import cli, doctor, mcp, ui_parts
from bot.faces.doctor import State
from bot.reply import Claim, Kind, Reply
from bot.settings import ComposerSettings, SettingsError, load
from bot.voice import Voice
from bot.words import KEPT, SENT, Words
from tests.replies import DISCLAIMER, answer, cite, document
from tests.scripted_model import Scripted, modelled, parts, raw
from tests.serving import events, served

ASKED = "What is induced lactation?"
LINE = "Added by an AI model, not in the document: First:"
SPANISH = "Añadido por un modelo de IA, no está en el documento: First:"
SECRET = "sk_zebrafish_7431"
FOLDER = Words.load().folder / "phrases"


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    """A server that answers well."""
    with modelled() as model:
        model.script = parts(("First", [1]), ("", [2]))
        yield model


@pytest.fixture(scope="module")
def voiced(index_dir: Path, bot: Bot, model: Scripted) -> Bot:
    """A bot that asks it."""
    told = {"kind": "model", "model": "tiny", "url": model.url, "seconds": 9, "run_by": "Example AI"}
    return Bot.open(
        index_dir, bot.settings.model_copy(update={"composer": ComposerSettings.model_validate(told), "title": "Help"})
    )


@pytest.fixture(scope="module")
def site(voiced: Bot) -> Iterator[httpx.Client]:
    """The whole site around it."""
    with served(cli.compose(voiced, voiced.settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def test_json_events_and_messages_hold_the_mark(site: httpx.Client) -> None:
    """In the claim's own text; beside it whose words they are, and the citations they were checked against."""
    line = {"text": LINE, "source": "model:tiny", "citation": None, "introduces": [1]}
    reply = site.post("/v1/ask", json={"question": ASKED}).json()
    assert reply["claims"][0] == line
    assert [claim["introduces"] for claim in reply["claims"][1:]] == [[], []]
    streamed = site.post("/v1/ask", json={"question": ASKED}, headers={"Accept": "text/event-stream"})
    assert json.loads(events(streamed.text)[0][1]) == line
    spoken = site.post("/v1/ask", json={"question": ASKED, "locale": "es-ES"}).json()
    assert spoken["claims"][0]["text"] == SPANISH
    body = {"model": "milkwise", "messages": [{"role": "user", "content": ASKED}]}
    done = site.post("/v1/chat/completions", json=body).json()
    message = done["choices"][0]["message"]
    assert message["content"].startswith(f"*{LINE}*\n\n")
    assert len(message["annotations"]) == 2
    assert done["milkwise"]["claims"] == reply["claims"]


def test_text_markdown_and_html_hold_the_mark(voiced: Bot) -> None:
    """What is printed, copied and shown in a notebook too; on the chat page it stands apart from the quotes."""
    reply = voiced.reply(ASKED)
    assert render.as_text(reply).startswith(f"{LINE}\n\n")
    assert f"*{LINE}*" in render.as_markdown(reply)
    assert f'<p class="by-model">{LINE}</p>' in render.as_html(reply)
    step = ui_parts.steps(reply, ASKED, 1, lambda id, **values: voiced.words.text(id, "en", **values))[0]
    assert step == f'<div class="by-model">\n\n*{LINE}*\n\n</div>'


def test_tools_say_so_and_search_asks_no_model(voiced: Bot, model: Scripted) -> None:
    """MCP: the mark in text and JSON, and before all that questions are sent; a search sends none."""

    async def use() -> tuple[Any, Any, Any, str]:
        async with Client(mcp.server(voiced, voiced.settings)) as client:
            tools = (await client.list_tools()).tools
            asked = await client.call_tool("ask", {"question": ASKED})
            before = len(model.asked)
            found = await client.call_tool("search", {"question": "What is relactation?"})
            assert len(model.asked) == before
            return tools, asked, found, client.instructions or ""

    tools, asked, found, instructions = anyio.run(use)
    assert LINE in asked.content[0].text
    assert asked.structured_content["claims"][0]["source"] == "model:tiny"
    assert found.structured_content["notices"] == []
    assert "run by Example AI" in instructions
    assert {tool.name for tool in tools if tool.annotations.open_world_hint} == {"ask"}


@pytest.mark.parametrize("path", ["/safety", "/widget", "/widget.js"])
def test_every_page_says_that_questions_are_sent(site: httpx.Client, path: str) -> None:
    """And to whom; none says that nothing is sent, or that only quotes are shown."""
    page = html.unescape(site.get(path).text)
    assert "sent to an AI model, run by Example AI" in page
    assert "not sent to anyone else" not in page
    assert "It only quotes" not in page


def test_the_chat_page_and_the_terminal_say_so(voiced: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the first questions of the page, and at the start of a conversation in the terminal."""
    assert "run by Example AI" in ui_parts.below(lambda id, **values: voiced.words.text(id, "en", **values))
    monkeypatch.setattr(cli, "opened", lambda *_: voiced)
    done = CliRunner().invoke(cli.app, ["chat"], input=f"{ASKED}\n")
    assert done.stdout.index("run by Example AI") < done.stdout.index(LINE)


@pytest.mark.parametrize("locale", ["en", "es", "ar"])
def test_every_language_tells_the_truth_whatever_is_switched_on(locale: str) -> None:
    """With a journal, a model or both, the notice names what is, and the link to /safety keeps its name."""
    shipped = Words.load()
    sent = shipped.telling(SENT, who="Example AI")
    both = shipped.telling(KEPT, days=90).telling(SENT, who="Example AI")
    for id in ("privacy", "safety-private"):
        assert "Example AI" in sent.text(id, locale)
        assert "90" not in sent.text(id, locale)
        assert "Example AI" in both.text(id, locale)
        assert "90" in both.text(id, locale)
        assert "Example AI" not in shipped.text(id, locale)
    assert both.text("safety", locale) == shipped.text("safety", locale)


def test_a_language_without_the_truer_phrase_falls_back(tmp_path: Path) -> None:
    """A translation that only has "not stored" says it in English where questions are sent, rather than not at all."""
    for path in (*FOLDER.glob("en.toml"), *(FOLDER.parent / "rules").glob("*.toml")):
        target = tmp_path / path.parent.name / path.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    head = '[disclaimer]\nid = "medical-information"\nversion = "1"\ntext = "Hinweis."\n[phrases]\n'
    (tmp_path / "phrases" / "de.toml").write_text(head + 'privacy = "Nichts wird gespeichert."\n', encoding="utf-8")
    words = Words.load(tmp_path)
    assert words.text("privacy", "de") == "Nichts wird gespeichert."
    assert "Example AI" in words.telling(SENT, who="Example AI").text("privacy", "de")


def test_what_was_missed_is_not_kept(voiced: Bot, model: Scripted) -> None:
    """A plain answer given because the model was away is not the answer for good; the counter tells which is which."""
    voice = voiced.voice
    voiced.voice = Voice(voiced.settings, voiced.words, voiced.nobodys)
    asked, said = {"question": "What is relactation?"}, model.script
    try:
        with served(cli.compose(voiced, voiced.settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
            model.script = raw(200, "{}")
            assert client.post("/v1/ask", json=asked).json()["claims"][0]["citation"] == 1
            model.script = said
            assert client.post("/v1/ask", json=asked).json()["claims"][0]["text"] == LINE
            told = client.get("/metrics").text
    finally:
        voiced.voice, model.script = voice, said
    assert 'milkwise_voiced_total{outcome="missed"} 1.0' in told
    assert 'milkwise_voiced_total{outcome="arranged"} 1.0' in told
    assert 'milkwise_stage_seconds_count{stage="introduce"} 2.0' in told


def test_a_reply_cannot_hold_words_that_nothing_backs() -> None:
    """A model's words stand before the quotes they name, in an answer, and nowhere else."""
    quote = cite(document("Rest helps."), "Rest helps.")
    line = Claim(LINE, "model:tiny", introduces=(1,))
    assert answer(line, quote).claims[0].by_model
    for wrong in ((quote, line), (line,), (Claim(LINE, "model:tiny", introduces=(2,)), quote)):
        with pytest.raises(ValueError, match=r"model's words|does not quote"):
            answer(*wrong)
    for source, introduces in (("model:tiny", ()), ("phrase:first", (1,))):
        with pytest.raises(ValueError, match="introduce"):
            Claim(LINE, source, introduces=introduces)
    ask = Claim("Ask a person first.", "rule:ask")
    with pytest.raises(ValueError, match="answers alone"):
        Reply(Kind.REFER, (ask, line, quote), DISCLAIMER, query="q", reason="r", index="i")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"kind": "model", "url": "http://127.0.0.1:1/v1"}, "composer.model"),
        ({"kind": "model", "model": "m"}, "composer.url"),
        ({"kind": "voice"}, "composer.kind"),
        ({"kind": "model", "model": "m", "url": "http://model.example.org/v1"}, "composer.plain_http"),
        ({"url": "http://10.0.0.7/v1"}, "unencrypted"),
        ({"url": f"https://me:{SECRET}@example.org/v1"}, "composer.url"),
        ({"url": f"https://example.org/v1?key={SECRET}"}, "composer.url"),
        ({"url": "ftp://example.org"}, "composer.url"),
        ({"url": "https://example.org:99999/v1"}, "composer.url"),
        ({"model": "a#b"}, "composer.model"),
        ({"key_from": f"{SECRET}-x"}, "composer.key_from"),
        ({"key": SECRET}, "composer.key"),
        ({"seconds": 0}, "composer.seconds"),
    ],
)
def test_a_bad_setting_is_named_and_no_key_repeated(told: dict[str, Any], says: str) -> None:
    """Each fault names the key to mend; what could be a password or a key is not printed."""
    with pytest.raises(SettingsError) as caught:
        load(composer=told)
    assert says in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["http://localhost:1/v1/", "http://[::1]:1/v1", "https://example.org/v1"])
def test_where_a_model_may_be(url: str) -> None:
    """On this machine without TLS, elsewhere with it, or as the operator insists."""
    assert load(composer={"kind": "model", "model": "m", "url": url}).composer.url == url.rstrip("/")
    assert load(composer={"plain_http": True, "url": "http://10.0.0.7/v1"}).composer.url == "http://10.0.0.7/v1"


@pytest.mark.parametrize("key", ["", "two words", "ключ", "line\nbreak"])
def test_a_key_that_is_none_stops_the_start(index_dir: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """The variable is named, its value is not."""
    monkeypatch.setenv("MODEL_KEY", key)
    composer = {"kind": "model", "model": "m", "url": "http://127.0.0.1:1/v1", "key_from": "MODEL_KEY"}
    with pytest.raises(SettingsError, match=r"MODEL_KEY, which composer\.key_from names") as caught:
        Bot.open(index_dir, load(index=index_dir, composer=composer))
    assert not key or key not in str(caught.value)


def test_the_doctor_asks_the_model(index_dir: Path, model: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it took and whether a line was kept; what failed, and where to look; nothing at all where it is off."""

    def look(**composer: Any) -> list[doctor.Finding]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(doctor, "_LOOKS", {"composer": doctor._LOOKS["composer"]})
            return list(doctor.examine(load(index=index_dir, composer=composer)))

    on = {"kind": "model", "model": "tiny", "url": model.url, "seconds": 9}
    before = len(model.asked)
    assert look()[0].what == "quotes alone: no question is sent to a model"
    assert len(model.asked) == before
    said = model.script
    try:
        model.script = parts(("First", [1]))
        (well,) = look(**on)
        model.script = parts(("Yes, it is safe", [1]))
        (dropped,) = look(**on)
        model.script = raw(401, "{}")
        (refused,) = look(**on)
    finally:
        model.script = said
    assert (well.state, "1 of its lines kept" in well.what) == (State.OK, True)
    assert (dropped.state, "no line of it kept" in dropped.what) == (State.OK, True)
    assert (refused.state, "status 401" in refused.what) == (State.WRONG, True)
    (unset,) = look(**on, key_from="NO_SUCH_VARIABLE_HERE")
    assert (unset.state, "NO_SUCH_VARIABLE_HERE" in unset.what) == (State.WRONG, True)
    late, _ = look(**{**on, "seconds": 60})
    assert (late.state, "answer_seconds" in late.remedy) == (State.NOTE, True)
