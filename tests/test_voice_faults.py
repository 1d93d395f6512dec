"""A model that stalls, floods, cuts off, refuses or answers nonsense: the plain answer is given, and no key is seen."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from bot.bot import Bot
from bot.redact import FOLDER
from bot.reply import Reply
from bot.settings import SettingsError
from bot.voice import Voice
from tests.scripted_model import (
    MARK,
    Script,
    Scripted,
    content,
    cut,
    drip,
    flood,
    hang_up,
    made,
    modelled,
    parts,
    raw,
    said,
    stall,
)

ASKED = "What is induced lactation?"  # two quotes that may be parted
ONE = "Can men produce milk?"
KEY = "sk-zebrafish"
HASTY_S = 0.4  # for a model that is meant to be late
Asked = Callable[[str], Reply]


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    """The server."""
    with modelled() as model:
        yield model


@pytest.fixture
def voice(bot: Bot, model: Scripted) -> Voice:
    """One of a model that has heard nothing yet."""
    model.asked.clear()
    return made(bot, model)


@pytest.fixture(scope="module")
def plain(bot: Bot) -> Asked:
    """The reply to a question without a model, found once."""
    return lru_cache(bot.reply)


@pytest.mark.parametrize("script", [stall(1.0), drip(head=True), drip(head=False)], ids=["stalls", "headers", "body"])
def test_a_slow_model_is_not_waited_for(bot: Bot, plain: Asked, model: Scripted, script: Script) -> None:
    """The plain answer is given when the time is over, counted to the last byte and not from one to the next."""
    voice, found, model.script = made(bot, model, seconds=HASTY_S), plain(ASKED), script
    start = time.perf_counter()
    reply = voice.introduce(found)
    assert HASTY_S <= time.perf_counter() - start < HASTY_S + 5  # the headers or the body take ten seconds to drip
    assert (reply.claims, reply.voiced) == (found.claims, "missed")
    model.asked.clear()
    assert voice.introduce(found).voiced == "missed"
    assert not model.asked


@pytest.mark.parametrize(
    ("script", "rests"),
    [
        pytest.param(flood, True, id="floods"),
        pytest.param(cut, True, id="cuts off"),
        pytest.param(hang_up, True, id="hangs up"),
        pytest.param(raw(500, "oh"), True, id="500"),
        pytest.param(raw(429, "{}", retry_after="5"), True, id="429"),
        pytest.param(raw(401, "{}"), True, id="401"),
        pytest.param(raw(404, "not here"), True, id="404"),
        pytest.param(raw(302, "", location="/v1/elsewhere"), True, id="redirects"),
        pytest.param(raw(204, ""), True, id="204"),
        pytest.param(raw(200, "<html><body>Sign in</body></html>", content_type="text/html"), False, id="HTML"),
        pytest.param(raw(200, b"\xff\xfe\x00"), False, id="bytes"),
        pytest.param(raw(200, "[" * 50_000), False, id="brackets"),
        pytest.param(raw(200, "{}"), False, id="empty object"),
        pytest.param(raw(200, '{"choices": []}'), False, id="no choice"),
        pytest.param(raw(200, "x", content_encoding="gzip"), False, id="lies about its encoding"),
        pytest.param(content(None), False, id="no content"),
        pytest.param(content("I cannot help with that."), False, id="refusal in words"),
        pytest.param(content("{" * 5000), False, id="braces"),
        pytest.param(content('{"parts": [{"words": "First", "quo'), False, id="half of it"),
        pytest.param(content('{"parts": [{"words": "", "quotes": [1]}]}', finish_reason="length"), False, id="length"),
        pytest.param(content("{}", message={"content": '{"parts": []}', "refusal": "no"}), False, id="refusal"),
        pytest.param(content('{"parts": []}'), False, id="empty list"),
        pytest.param(content('{"parts": {}}'), False, id="no list"),
        pytest.param(content('{"parts": null, "parts": 3}'), False, id="number"),
        pytest.param(parts(("First", [])), False, id="no quote"),
        pytest.param(parts(("First", [1, 1])), False, id="twice"),
        pytest.param(parts(("First", [1]), ("Next", [1, 2])), False, id="twice in two"),
        pytest.param(parts(("First", [1, 9])), False, id="foreign"),
        pytest.param(parts(("First", [0])), False, id="zero"),
        pytest.param(parts(("First", [-1])), False, id="negative"),
        pytest.param(parts(("First", [True])), False, id="true"),
        pytest.param(parts(("First", ["1"])), False, id="text"),
        pytest.param(parts(("First", [1.5])), False, id="fraction"),
        pytest.param(parts(("First", [10**30])), False, id="huge"),
        pytest.param(parts(*[("", [1])] * 30), False, id="thirty parts"),
        pytest.param(parts(("x" * 20_000, [1])), False, id="a long line"),
    ],
)
def test_whatever_goes_wrong_the_plain_answer_is_given(
    voice: Voice, plain: Asked, model: Scripted, caplog: pytest.LogCaptureFixture, script: Script, rests: bool
) -> None:
    """Unchanged, with nothing said about it; and after a silence or a refusal the model is left alone."""
    model.script = script
    found = plain(ASKED)
    with caplog.at_level(logging.INFO):
        reply = voice.introduce(plain(ASKED))
    assert reply.claims == found.claims
    assert not reply.lasting
    model.script, before = parts(("First", [1])), len(model.asked)
    again = voice.introduce(plain(ASKED))
    assert (len(model.asked) == before) == rests
    assert (again.claims == found.claims) == rests
    assert "induced" not in caplog.text
    assert ("answers go without it" in caplog.text) == rests


def test_a_server_without_schemas_is_asked_plainly(voice: Voice, plain: Asked, model: Scripted) -> None:
    """Refused with 400, the same question goes without response_format, and so do the next ones."""
    good = content('<think>{"parts": 1}</think>Sure:\n```json\n{"parts": [{"words": "First", "quotes": [1]}]}\n```')

    def picky(handler: Any) -> None:  # noqa: ANN401  # the library's own
        (good if "response_format" not in model.asked[-1][1] else raw(400, "{}"))(handler)

    model.script = picky
    assert said(voice.introduce(plain(ASKED)))[0] == f"{MARK}First:"
    assert len(model.asked) == 2
    assert voice.introduce(plain(ONE)).claims[0].by_model
    assert len(model.asked) == 3
    assert set(model.asked[-1][1]) == {"model", "messages"}


def test_the_key_is_sent_and_never_seen(
    bot: Bot, plain: Asked, model: Scripted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes to the endpoint, not with a redirect, and into no log, fault or printed settings."""
    monkeypatch.setenv("A_KEY", KEY)
    model.script = raw(307, "", location=f"{model.url}/elsewhere")
    model.asked.clear()
    with caplog.at_level(logging.DEBUG):
        voice = made(bot, model, key_from="A_KEY")
        assert voice.introduce(plain(ASKED)).voiced == "missed"
    assert [headers["authorization"] for headers, _ in model.asked] == [f"Bearer {KEY}"]
    held = (voice.settings, voice.settings.model_dump(), vars(voice), vars(voice._endpoint))
    for shown in (caplog.text, *map(repr, held)):
        assert KEY not in shown


def test_nobody_listens(bot: Bot, plain: Asked, model: Scripted) -> None:
    """A model that is down costs a moment once."""
    reply = made(bot, model, url="http://127.0.0.1:9/v1").introduce(plain(ASKED))
    assert (reply.claims, reply.voiced) == (plain(ASKED).claims, "missed")


def test_without_what_takes_names_out_nothing_is_sent(
    bot: Bot, plain: Asked, model: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is damaged the start stops, and a question that comes later goes to nobody."""
    running = made(bot, model)
    model.script, before = parts(("First", [1])), len(model.asked)
    (shutil.copytree(FOLDER, tmp_path / "redactor") / "tokenizer.json").write_text("{}")
    monkeypatch.setattr("bot.redact.FOLDER", tmp_path / "redactor")
    with pytest.raises(SettingsError, match=r"tokenizer\.json .* kind = \"quotes\""):
        made(bot, model)
    assert running.introduce(plain(ASKED)).voiced == "missed"
    assert len(model.asked) == before
