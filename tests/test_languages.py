"""Spanish from end to end, Arabic for the widget's frame, and a question in a language the documents are not in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import render
from bot.bot import Bot
from bot.faces import cli
from bot.faces.embed import SAID
from bot.faces.problems import TOLD
from bot.golden import load_cases
from bot.language import spoken
from bot.reply import Kind
from bot.words import ROLES, Words, places
from tests.grade_es import crawford, inflesz, syllables
from tests.serving import served

WORDS = Words.load()
FOLDER = WORDS.folder / "phrases"
EN, ES, AR = (tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))["phrases"] for name in ("en", "es", "ar"))
GOLDEN = Path(__file__).parent / "golden"
LABEL = 5  # words; a label or title this short has no grade worth measuring
VALUES = {name: "la página" for text in EN.values() for name in places(text) if name not in ROLES}


@pytest.fixture(scope="module")
def site(bot: Bot) -> Iterator[httpx.Client]:
    """The whole site, set to Spanish as it is spoken in Spain."""
    spanish = bot.settings.model_copy(update={"locale": "es-ES"})
    site = cli.compose(Bot(bot.index, spanish, bot.rules, bot.words), spanish)
    with served(site) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.mark.parametrize(("word", "count"), [("agua", 2), ("guía", 2), ("quien", 1), ("ley", 1), ("médico", 3)])
def test_spanish_syllables(word: str, count: int) -> None:
    """A sample counted by hand: diphthong, hiatus, a silent u, a final y."""
    assert syllables(word) == count


def test_spanish_is_complete_and_keeps_the_places() -> None:
    """Every phrase there is in English, with the same things filled in."""
    assert set(EN) == set(ES)
    for id, text in ES.items():
        assert places(text) == places(EN[id]), id


@pytest.mark.parametrize("id", ES)
def test_a_spanish_phrase_is_plain(id: str) -> None:
    """Longer than a label, it asks at most six years of schooling and is not hard on the scale for patients."""
    text = WORDS.text(id, "es-ES", **VALUES)
    if len(text.split()) > LABEL and not id.startswith("no-number-"):
        assert crawford(text) <= 6.0, (crawford(text), text)
        assert inflesz(text) >= 55, (inflesz(text), text)


def test_the_spanish_phrases_as_a_whole_are_fairly_easy() -> None:
    """All of them together, the disclaimer first, are "fairly easy" on the INFLESZ scale."""
    whole = " ".join([WORDS.disclaimer("es").text, *(WORDS.text(id, "es-ES", **VALUES) for id in ES)])
    assert inflesz(whole) >= 65


def test_no_refusal_or_referral_names_a_figure_in_any_language() -> None:
    """A referral with a digit in it would be refused when it is said."""
    for phrases in (EN, ES, AR):
        assert not [id for id, text in phrases.items() if id.startswith("refer-") and re.search(r"\d", text)]


def test_arabic_frames_the_widget() -> None:
    """All the widget shows by itself is there in Arabic; replies are not, and fall back to English."""
    assert not set(SAID) - set(AR)
    assert WORDS.text("urgent-adult", "ar") == WORDS.text("urgent-adult", "en")
    assert WORDS.disclaimer("ar-EG").locale == "ar-EG"


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ("Can men produce milk?", "answer", ["dice:", "Fuentes", "ningún profesional de la salud", "Puede preguntar:"]),
        ("Which breast pump should I buy?", "abstain", ["Estos documentos no lo dicen.", "Sí responden a esto:"]),
        ("How much domperidone should I take?", "refer", ["Cuánto tomar se decide"]),
        ("my baby has stopped breathing", "urgent", ["Llame ya al 112", "llame al 112"]),
        ("hi", "smalltalk", ["Hola."]),
    ],
)
def test_every_kind_of_reply_is_framed_in_spanish(bot: Bot, asked: str, kind: str, said: list[str]) -> None:
    """Lead-in, labels, refusal, referral, signpost and disclaimer; what is quoted stays as the document has it."""
    reply = bot.reply(asked, locale="es-ES")
    assert reply.kind == kind
    assert reply.disclaimer.locale == "es-ES"
    for text in (render.as_text(reply), render.markup(render.as_text(reply))):
        assert all(render.markup(words) in text or words in text for words in said)
    for form in (render.as_text, render.as_markdown, render.as_html):
        shown = form(reply)
        assert not re.search(r"\b(says:|Sources|reviewed by|They do answer|You can ask|call \d)", shown), shown


@pytest.mark.parametrize("path", ["/chat/", "/faq", "/documents/human-lactation?from=9&to=40"])
def test_the_pages_are_in_spanish(site: httpx.Client, path: str) -> None:
    """Their language is declared, the disclaimer and the frame are in it, and no English label is left."""
    page = site.get(path).text
    assert '<html lang="es-ES">' in page
    assert "No da consejo médico" in page
    for label in ("Skip to", "All questions", "Published by", "not yet reviewed", "Read the document", "is marked"):
        assert label not in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/documents/nothing", 404), ("DELETE", "/faq", 405), ("GET", "/safety", 200)],
)
def test_what_goes_wrong_is_said_in_spanish(site: httpx.Client, method: str, path: str, status: int) -> None:
    """A browser gets a page in the site's language, a program the fault in English; the safety page says its own."""
    page = site.request(method, path, headers={"accept": "text/html"})
    assert page.status_code == status
    assert '<html lang="es-ES">' in page.text
    assert "No da consejo médico" in page.text
    if status != 200:
        assert ES["fault-title"] in page.text
        assert ES[f"fault-{status}"] in page.text
        assert not re.search("There is|Ask a question|Not Found|Method", page.text)
        assert site.request(method, path).json()["title"] in ("Not Found", "Method Not Allowed")


@pytest.mark.parametrize("status", TOLD)
def test_every_fault_a_page_tells_of_has_its_words(status: int) -> None:
    """In English and in Spanish, a sentence each."""
    assert {f"fault-{status}", "fault-other"} <= set(EN) & set(ES)


@pytest.mark.parametrize(
    ("asked", "locale", "language"),
    [
        ("¿Puedo dar el pecho si tengo fiebre?", "en-GB", "es"),
        ("¿Cuánto tiempo dura la lactancia inducida?", "es-ES", "es"),
        ("هل يمكن للرجال إنتاج الحليب؟", "en", "ar"),
        ("Können Männer auch Milch geben?", "en-GB", "en"),  # no German phrases: in the page's language
    ],
)
def test_a_question_in_another_language_is_told_so_in_its_own(bot: Bot, asked: str, locale: str, language: str) -> None:
    """With the documents' language named, an emergency number or words for it, and its own disclaimer where known."""
    reply = bot.reply(asked, locale=locale)
    assert (reply.kind, reply.reason) == (Kind.ABSTAIN, "other-language")
    assert reply.disclaimer.locale.partition("-")[0] == language
    assert reply.claims[0].source == "phrase:abstain-language"
    assert WORDS.text("language-en", language) in reply.claims[0].text
    if locale == "en-GB":
        assert "999" in reply.claims[0].text


def test_no_english_question_is_taken_for_another_language() -> None:
    """Of all golden questions, each in English, none; single drug names and slips are not told at all."""
    asked: list[Any] = [case.ask for name in ("dev", "heldout") for case in load_cases(GOLDEN / f"{name}.txt")]
    assert not [text for text in asked if spoken(text) not in ("en", "")]
    assert spoken("domperidone") == ""
