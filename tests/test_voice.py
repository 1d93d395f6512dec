"""A model's voice over real HTTP: what a good answer may change, and that nothing else changes anything."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.bot import Bot
from bot.reply import Kind, Reply
from bot.settings import ComposerSettings
from bot.voice import Voice
from tests.scripted_model import (
    Script,
    Scripted,
    content,
    cut,
    drip,
    flood,
    hang_up,
    modelled,
    parts,
    raw,
    stall,
)

ASKED = "What is induced lactation?"  # two quotes from two passages
ONE = "Can men produce milk?"
KEY = "sk-zebrafish"
PATIENT_S, HASTY_S = 9.0, 0.4  # a busy machine makes no model late; one that is meant to be is so at once
Asked = Callable[[str], Reply]
MARK = "Added by an AI model, not in the document: "


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    """The server."""
    with modelled() as model:
        yield model


def chosen(model: Scripted, **more: Any) -> ComposerSettings:
    """Settings that name it."""
    told = {"kind": "model", "model": "tiny:1b", "url": model.url, "seconds": PATIENT_S, **more}
    return ComposerSettings.model_validate(told)


@pytest.fixture(scope="module")
def opened(index_dir: Path, bot: Bot, model: Scripted) -> Bot:
    """A bot that asks it."""
    return Bot.open(index_dir, bot.settings.model_copy(update={"composer": chosen(model)}))


@pytest.fixture
def voiced(opened: Bot, voice: Voice) -> Bot:
    """The same with nothing remembered, of earlier answers or failures."""
    opened.voice = voice
    return opened


def made(bot: Bot, model: Scripted, **more: Any) -> Voice:
    """A voice of that model by itself, which remembers nothing."""
    return Voice(bot.settings.model_copy(update={"composer": chosen(model, **more)}), bot.words)


@pytest.fixture
def voice(bot: Bot, model: Scripted) -> Voice:
    """One of a model that has heard nothing yet."""
    model.asked.clear()
    return made(bot, model)


@pytest.fixture(scope="module")
def plain(bot: Bot) -> Asked:
    """The reply to a question without a model, found once."""
    return lru_cache(bot.reply)


def said(reply: Reply) -> list[str]:
    """The claims' words."""
    return [claim.text for claim in reply.claims]


def test_the_model_orders_and_introduces(voiced: Bot, bot: Bot, model: Scripted) -> None:
    """Quotes in its order, numbered anew and read from the documents; its words marked, with whose they are."""
    first, second = bot.reply(ASKED).claims
    model.script = parts(("About induced lactation", [1]), ("", [2]))
    reply = voiced.reply(ASKED)
    assert said(reply) == [f"{MARK}About induced lactation:", first.text, second.text]
    assert (reply.claims[0].source, reply.claims[0].introduces) == ("model:tiny:1b", (1,))
    model.script = parts(("First", [2]), ("Next", [1]))
    voiced.voice = made(bot, model)
    reply = voiced.reply(ASKED)
    assert said(reply) == [f"{MARK}First:", second.text, f"{MARK}Next:", first.text]
    assert [one.number for one in reply.citations] == [1, 2]
    assert all(one.document.text[one.start : one.end] == one.quote for one in reply.citations)
    assert reply.lasting


def test_it_hears_the_question_and_the_quotes_alone(voiced: Bot, bot: Bot, model: Scripted) -> None:
    """As it was looked up, and nothing of what was asked before it or of who asks from where."""
    model.script = parts(("", [1]))
    reply = voiced.reply("How long does it take?", [bot.turn(ASKED)], "en-GB")
    (headers, body), heard = model.asked[-1], model.heard
    assert heard["question"] == reply.query == "How long does induced lactation take?"
    assert set(heard) == {"question", "quotes"}
    assert ASKED not in json.dumps(body)
    assert "en-GB" not in json.dumps(body)
    assert [quote["number"] for quote in heard["quotes"]] == list(range(1, len(heard["quotes"]) + 1))
    assert body["model"] == "tiny:1b"
    assert body["response_format"]["json_schema"]["strict"] is True
    assert "authorization" not in headers


def test_a_message_of_its_own_number_is_redacted(voiced: Bot, model: Scripted) -> None:
    """Numbers and addresses in the very question do not reach it either."""
    model.script = parts(("", [1]))
    assert voiced.reply("Can men produce milk, say anna@example.org born 12/03/1985?").kind == Kind.ANSWER
    assert "anna" not in model.heard["question"]
    assert "1985" not in model.heard["question"]


@pytest.mark.parametrize(
    "asked",
    [
        "My baby has stopped breathing",
        "I want to die",
        "How much domperidone should I take?",
        "What is a kumquat?",
        "Does it have side effects?",
        "¿Puedo dar el pecho si tengo fiebre?",
        "hi",
    ],
)
def test_nothing_but_an_answer_is_sent(voiced: Bot, bot: Bot, model: Scripted, asked: str) -> None:
    """Red flags, referrals, refusals, questions back and small talk never reach the model."""
    model.script = parts(("First", [1]))
    reply, plain = voiced.reply(asked), bot.reply(asked)
    assert reply.kind != Kind.ANSWER
    assert not model.asked
    assert (said(reply), reply.disclaimer) == (said(plain), plain.disclaimer)


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


@pytest.mark.parametrize(
    "words",
    [
        "Induced lactation takes 3 weeks:",
        "About metoclopramide:",
        "Induced lactation is safe:",
        "About no lactation:",
        "As a doctor, I say:",
        "<img src=x onerror=alert(1)>",
        "[About lactation](javascript:alert(1))",
        "About \u202enoitatcal:",
        "Ignore the disclaimer",
        "About lactation\n\n---\n\nNot medical advice",
        "Call 999",
    ],
)
def test_words_that_add_something_are_dropped(voice: Voice, plain: Asked, model: Scripted, words: str) -> None:
    """The order stays, the words go, and the reply may be kept: the model has had its say."""
    first, second = said(plain(ASKED))
    model.script = parts((words, [2]), (words, [1]))
    reply = voice.introduce(plain(ASKED))
    assert said(reply) == [second, first]
    assert reply.lasting


def test_a_line_is_said_once(voice: Voice, plain: Asked, model: Scripted) -> None:
    """The same words before two parts stand before the first."""
    first, second = said(plain(ASKED))
    model.script = parts(("Next", [2]), ("Next", [1]))
    assert said(voice.introduce(plain(ASKED))) == [f"{MARK}Next:", second, first]


def test_what_travels_together_still_does(voice: Voice, plain: Asked, model: Scripted) -> None:
    """Sentences that lean on each other are one quote to the model, and stay whole and in order."""
    asked = "Is metoclopramide available as an injection?"
    one, two, three = said(plain(asked))
    model.script = parts(("", [2]), ("", [1]))
    assert said(voice.introduce(plain(asked))) == [three, one, two]
    assert [quote["text"] for quote in model.heard["quotes"]] == [f"{one} {two}", three]


def test_what_takes_something_back_cannot_be_left_out(bot: Bot, plain: Asked, model: Scripted) -> None:
    """A quote may be left out, but none that limits what others say: it comes at the end."""
    found = plain("What is galactorrhea?")
    model.script = parts(("", [1]))
    made(bot, model).introduce(found)
    texts = [quote["text"] for quote in model.heard["quotes"]]
    limits = next(number for number, text in enumerate(texts, 1) if " not " in text)
    other = next(number for number, text in enumerate(texts, 1) if " not " not in text)
    model.script = parts(("", [other]))
    assert " ".join(said(made(bot, model).introduce(found))) == f"{texts[other - 1]} {texts[limits - 1]}"
    model.script = parts(("", [limits]))
    assert " ".join(said(made(bot, model).introduce(found))) == texts[limits - 1]


def test_of_several_questions_each_keeps_its_answer(voiced: Bot, bot: Bot, model: Scripted) -> None:
    """Where a message asks two things, nothing is left out."""
    asked = "What is relactation? What is prolactin?"
    plain = said(bot.reply(asked))
    model.script = parts(("", [2]))
    assert sorted(said(voiced.reply(asked))) == sorted(plain)
    assert len(plain) > 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_answer_of_a_model_breaks_the_contract(bot: Bot, plain: Asked, model: Scripted, data: st.DataObject) -> None:
    """Any numbers and words: at most the plain answer's quotes, each once, each verbatim, and marked words between."""
    asked = data.draw(st.sampled_from([ASKED, ONE, "What is galactorrhea?", "What is relactation? What is prolactin?"]))
    told = st.tuples(
        st.one_of(st.text(max_size=30), st.sampled_from(["First", "On whether men can produce milk", "About 3 doses"])),
        st.lists(st.integers(-1, 4), max_size=4),
    )
    model.script = parts(*data.draw(st.lists(told, max_size=4)))
    found = plain(asked)
    reply = made(bot, model).introduce(found)
    quotes = [claim.text for claim in reply.claims if claim.citation]
    assert quotes
    assert len(set(quotes)) == len(quotes) <= 3
    assert set(quotes) <= set(said(found))
    for claim in reply.claims:
        assert claim.citation or claim.text.startswith(MARK)
    assert (reply.disclaimer, reply.kind, reply.reason) == (found.disclaimer, found.kind, found.reason)


def test_the_same_question_is_asked_once(voice: Voice, plain: Asked, model: Scripted) -> None:
    """What the model made is kept: the same reply whatever it would say now."""
    model.script = parts(("First", [2, 1]))
    reply = voice.introduce(plain(ASKED))
    model.script = parts(("Next", [1, 2]))
    assert voice.introduce(plain(ASKED)).claims == reply.claims
    assert len(model.asked) == 1


def test_who_counts_or_compares_asks_no_model(voiced: Bot, bot: Bot, model: Scripted) -> None:
    """Plain replies, and what a turn cites, come without it."""
    assert voiced.reply(ASKED, plain=True).claims == bot.reply(ASKED).claims
    assert voiced.turn(ASKED) == bot.turn(ASKED)
    assert not model.asked


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
