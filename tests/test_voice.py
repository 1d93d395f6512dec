"""A model's voice over real HTTP: what a good answer may change, and that nothing else changes anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.bot import Bot
from bot.redact import NAME
from bot.reply import Kind, Reply
from bot.voice import Voice
from tests.scripted_model import MARK, Scripted, chosen, made, modelled, parts, said

ASKED = "What is induced lactation?"  # two quotes that may be parted
ONE = "Can men produce milk?"
Asked = Callable[[str], Reply]


@pytest.fixture(scope="module")
def model() -> Iterator[Scripted]:
    """The server."""
    with modelled() as model:
        yield model


@pytest.fixture(scope="module")
def opened(index_dir: Path, bot: Bot, model: Scripted) -> Bot:
    """A bot that asks it."""
    return Bot.open(index_dir, bot.settings.model_copy(update={"composer": chosen(model)}))


@pytest.fixture
def voiced(opened: Bot, voice: Voice) -> Bot:
    """The same with nothing remembered, of earlier answers or failures."""
    opened.voice = voice
    return opened


@pytest.fixture
def voice(bot: Bot, model: Scripted) -> Voice:
    """One of a model that has heard nothing yet."""
    model.asked.clear()
    return made(bot, model)


@pytest.fixture(scope="module")
def plain(bot: Bot) -> Asked:
    """The reply to a question without a model, found once."""
    return lru_cache(bot.reply)


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
    assert voiced.reply("Can men produce milk? Ask anna@example.org, born 12/03/1985").kind == Kind.ANSWER
    assert "anna" not in model.heard["question"]
    assert "1985" not in model.heard["question"]


def test_names_do_not_reach_it_and_what_the_documents_name_does(voiced: Bot, model: Scripted) -> None:
    """A person's name goes; a medicine, and a word of the documents that looks like a name, are nobody's."""
    model.script = parts(("", [1]))
    for asked in ("What are the side effects of domperidone?", "Where do the nerve signals go when a baby suckles?"):
        assert voiced.reply(asked).kind == Kind.ANSWER
        assert model.heard["question"] == asked
    assert voiced.reply("Is domperidone used to induce lactation, asks Priya Sharma?").kind == Kind.ANSWER
    assert model.heard["question"] == f"Is domperidone used to induce lactation, asks {NAME}?"


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
    asked = "Why does milk come in once the placenta is out?"
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
