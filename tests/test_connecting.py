"""Words a model puts between quotes are kept only where they add nothing to them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.connecting import LANGUAGES, kept
from bot.terms import words

QUOTES = "Men can produce milk when prolactin is high. Domperidone increases prolactin."
DOUBT = "Domperidone may help in increasing prolactin, or the level of prolactin. It is not approved for making milk."
HEADINGS = ("How human lactation works", "Lactation without pregnancy")
ASKED = "Can men produce milk?"


def keep(said: str, quotes: str = QUOTES, question: str = ASKED, language: str = "en") -> str:
    """What is kept of the words, under the same headings."""
    return kept(said, quotes, HEADINGS, question, language)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("On whether men can produce milk:", "On whether men can produce milk:"),
        ("first, about prolactin", "First, about prolactin:"),
        ("The document describes when men can produce milk.", "The document describes when men can produce milk:"),
        ("In more detail, about men and prolactin…", "In more detail, about men and prolactin:"),
        ("On lactation without pregnancy", "On lactation without pregnancy:"),
        ("About domperidone", "About domperidone:"),
        (" Next: ", "Next:"),
        ("It goes on:", "It goes on:"),
    ],
)
def test_what_names_a_subject_is_kept(said: str, shown: str) -> None:
    """An order, or what the quotes are about, with a colon at its end."""
    assert keep(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Yes:",
        "Men can produce milk:",  # says what the quotes say
        "Yes, men can produce milk:",
        "About domperidone increases milk:",  # words of the quotes, another claim
        "On prolactin is high:",
        "On milk increases prolactin:",
        "On metoclopramide:",  # a drug that is not quoted
        "On domperidone and metoclopramide:",
        "On the safety of domperidone:",
        "On safe milk:",
        "About the best milk:",
        "On 3 men:",
        "On two men:",
        "On half of men:",
        "On no milk:",
        "On whether men can not produce milk:",
        "On whether men can't produce milk:",
        "On milk without prolactin:",
        "On all men:",
        "On milk only:",
        "As a doctor, I would say:",
        "I think:",
        "On your milk:",
        "You should take domperidone:",
        "Ask your doctor about milk:",
        "On milk, men produce milk:",
        "On milk; on men:",
        "On milk. Men:",
        "On milk: men:",
        "**On milk:**",
        "<b>On milk</b>:",
        "[On milk](https://example.org):",
        "On https://example.org:",
        "On milk.example.org:",
        "On \u202emilk:",
        "On mi\u200blk:",
        "On milk\u0000:",
        "On milk\n\n# Milk:",
        "On “milk”:",
        "On МILK:",
        "On mіlk:",  # a Cyrillic i
        "ON MILK:",
        "On MILK:",
        "Ignore the disclaimer:",
        "This is no medical advice:",
        "Sobre la leche:",
        "On " + "milk and " * 20 + "milk:",
    ],
)
def test_what_adds_something_is_dropped(said: str) -> None:
    """A number, a drug, a claim, a negation, a verdict, advice, a person's voice, markup, a link, an unseen sign."""
    assert keep(said) == ""


@pytest.mark.parametrize(
    ("said", "question", "shown"),
    [
        ("On whether domperidone increases prolactin:", "Does domperidone increase prolactin?", True),
        ("On domperidone:", "Does domperidone increase prolactin?", True),
        ("On how domperidone increases prolactin:", "How does domperidone increase prolactin?", False),
        ("On the level of prolactin:", "Does domperidone work?", False),
        ("On domperidone increasing prolactin:", "Does domperidone increase prolactin?", False),
        ("On increase prolactin:", "Does domperidone increase prolactin?", False),
        ("On increasing prolactin:", "Is there a way of increasing prolactin?", True),
    ],
)
def test_where_the_quotes_doubt_nothing_is_taken_for_granted(said: str, question: str, shown: bool) -> None:
    """Of quotes that limit or take back what they say, a line may name only what was asked."""
    assert bool(keep(said, DOUBT, question)) == shown


def test_other_languages_have_fixed_lines_only() -> None:
    """What cannot be checked is not kept: Spanish has its orders, and no subjects."""
    assert kept("además", "La leche.", (), "¿La leche?", "es") == "Además:"
    assert kept("Sobre la leche:", "La leche.", (), "¿La leche?", "es") == ""
    assert kept("First:", "La leche.", (), "¿La leche?", "es") == ""


def test_every_form_of_the_file_is_kept() -> None:
    """Each line the file allows by itself is kept as it stands, in each language."""
    for language, forms in LANGUAGES.items():
        for line in re.findall(r'"([^"<…]+):"', forms.example):
            assert kept(line, QUOTES, (), ASKED, language) == f"{line}:"


SOUP = """
first , on about whether the of and how what no not never two half 3 milk men prolactin domperidone increases high
metoclopramide safe doctor I you is can produce when without The document describes : . ** http://x \u202e cures only
all should
"""
LINES = st.lists(st.sampled_from(SOUP.split()), max_size=10).map(" ".join)
LEADS = "first next then also and finally last in more detail on about as for to the document documents describes say"
GLUE = "a an and between during for from in into its of on or over the their through to when with has this says goes"


@settings(deadline=None)
@given(st.one_of(LINES, st.text(max_size=60), LINES.map("On whether {}".format), LINES.map("About {}:".format)))
def test_whatever_is_said_nothing_is_added(said: str) -> None:
    """Kept words hold no sign but letters, no word from outside forms, quotes and headings, and are kept again."""
    shown = keep(said)
    if not shown:
        return
    assert re.fullmatch(r"[^\W\d_]+(?:[ ,’'-]+[^\W\d_]+)*:", shown)
    backed = {term.stem for term in words(" ".join((QUOTES, *HEADINGS)))}
    form = {term.stem for term in words(f"{LEADS} {GLUE} whether what when where which who how why it goes")}
    assert {term.stem for term in words(shown)} <= backed | form
    assert not {"no", "not", "never", "two", "half", "only", "all", "should", "i", "you"} & set(shown.lower().split())
    assert keep(shown) == shown
