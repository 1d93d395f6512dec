"""Follow-ups: what they resolve to, what they are about, and what holds whatever is typed."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.reply import Turn
from bot.rewrite import rewrite
from bot.topics import topic
from index.index import Index

SAID = [
    # earlier questions, follow-up, what is looked up, topic
    (
        "What is induced lactation?",
        "How long does it take?",
        "How long does induced lactation take?",
        "induced lactation",
    ),
    ("What is induced lactation?", "why?", "Why does induced lactation happen?", "induced lactation"),
    ("What is domperidone for?", "what are its side effects", "What are domperidone’s side effects?", "domperidone"),
    ("What is domperidone for?", "and the side effects?", "What about the side effects of domperidone?", "domperidone"),
    ("What is domperidone for?", "what are the risks?", "What are the risks of domperidone?", "domperidone"),
    ("Does domperidone help?", "and metoclopramide?", "Does metoclopramide help?", "metoclopramide"),
    ("Can men produce milk?", "Why does that happen?", "Why can men produce milk?", "men producing milk"),
    ("Can men produce milk?", "how come?", "Why can men produce milk?", "men producing milk"),
    ("Can men produce milk?", "is that unusual?", "Is it unusual that men can produce milk?", "men producing milk"),
    ("Can men produce milk?", "what about women?", "Can women produce milk?", "women producing milk"),
    ("What are the effects of X-ray dye?", "do they last?", "Do the effects of X-ray dye last?", "X-ray dye"),
    ("Can I feed an adopted baby?", "how long does it take?", "How long does feeding an adopted baby take?", "feeding"),
    ("What is relactation?", "tell me more", "What else is there to know about relactation?", "relactation"),
    ("What is relactation?", "what happens next?", "What happens next? (relactation)", "relactation"),
    ("How does let-down work?", "What do these hormones do?", "What do these hormones do? (let-down)", "let-down"),
    ("What is relactation? / hi", "is it safe", "Is relactation safe?", "relactation"),
    ("What is relactation? / Who does it?", "is it hard?", "Is relactation hard?", "relactation"),
    ("What is relactation? / What is oxytocin?", "where is it made?", "Where is oxytocin made?", "oxytocin"),
]

ALONE = [
    "What is oxytocin?",
    "Is it safe to use a breast pump?",
    "How long does it take to build a milk supply?",
    "Which hormone is it that makes milk?",
    "If I take domperidone, does it have side effects?",
    "the hormone that makes milk",
    "How do I change a bicycle tyre?",
    "hello",
]


def turns(text: str) -> list[Turn]:
    """Earlier questions, parted by " / "."""
    return [Turn(asked) for asked in text.split(" / ")]


@pytest.mark.parametrize(("before", "asked", "text", "about"), SAID, ids=lambda value: value)
def test_a_follow_up_stands_alone(index: Index, before: str, asked: str, text: str, about: str) -> None:
    """A follow-up is looked up as a question of its own, with its topic shown and marked as carried."""
    query = rewrite(asked, turns(before), index)
    assert query.text == text
    assert about in (query.topic or "")
    assert query.carried
    assert query.asked == asked


@pytest.mark.parametrize("asked", ALONE)
def test_a_question_of_its_own_drags_nothing_along(index: Index, asked: str) -> None:
    """A question with its own subject is looked up as typed, whatever came before."""
    query = rewrite(asked, turns("What is galactorrhea? / What causes it?"), index)
    assert (query.text, query.carried) == (asked, False)
    assert "galactorrhea" not in (query.topic or "")


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("What is induced lactation?", "induced lactation"),
        ("what are the side effects of metoclopramide", "metoclopramide"),
        ("Could you tell me about the let-down reflex please?", "the let-down reflex"),
        ("How long does induced lactation take?", "induced lactation"),
        ("What causes galactorrhea?", "galactorrhea"),
        ("Is it possible to restart milk after a pause?", "restarting milk after a pause"),
        ("Can I breastfeed an adopted baby?", "breastfeeding an adopted baby"),
        ("thyroid trouble", "thyroid trouble"),
        ("What dose of domperidone should I take?", "domperidone"),
    ],
)
def test_a_topic_is_a_short_phrase(question: str, phrase: str) -> None:
    """The topic is what the question is about, without the asking."""
    found = topic(question)
    assert found
    assert found.phrase == phrase


@pytest.mark.parametrize("question", ["hi", "why?", "How does that work?", "", "???", "what are the side effects"])
def test_no_topic_is_made_up(question: str) -> None:
    """Words of asking alone are about nothing."""
    assert topic(question) is None


def test_the_heading_of_what_was_cited_serves_as_topic(index: Index) -> None:
    """Where an earlier question names no subject, the section its answer came from does."""
    cited = index.passage("human-lactation#lactation-without-pregnancy")
    assert cited
    query = rewrite("how long does it take?", [Turn("does it even go?", (cited.id,))], index)
    assert query.topic == "Lactation without pregnancy"
    assert "Lactation without pregnancy" in query.text


@pytest.mark.parametrize(
    "asked", ["Why does that happen?", "how long does it take", "what are its side effects?", "why?"]
)
def test_pointing_at_nothing_is_unclear(index: Index, asked: str) -> None:
    """With nothing said before, a question that only points is left for the visitor to make clear."""
    assert rewrite(asked, [], index).unclear
    assert not rewrite(asked, turns("What is relactation?"), index).unclear
    assert not rewrite("it hurts when I breastfeed", [], index).unclear


def test_unknown_ids_in_the_history_are_passed_over(index: Index) -> None:
    """A history that cites what does not exist changes nothing."""
    made_up = [Turn("does it even go?", ("nobody#nowhere", "", "'; drop table"))]
    assert rewrite("how long does it take?", made_up, index).text == "how long does it take?"


WORDS = (
    "what is are does it that they why how long about and the side effects of induced lactation men produce milk ? ! , "
    "hi tell me more its these domperidone can i next other one (happen) 'that 10 mg é 乳 \u200f"
)
PIECES = st.sampled_from(re.split(" ", WORDS))
TEXT = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=10).map(" ".join))
TURNS = st.lists(st.builds(Turn, TEXT, st.lists(st.text(max_size=10), max_size=2).map(tuple)), max_size=4)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=TEXT, history=TURNS)
def test_whatever_is_typed(index: Index, asked: str, history: list[Turn]) -> None:
    """It never raises; something typed stays something; without history nothing is changed; a second look agrees."""
    query = rewrite(asked, history, index)
    assert bool(query.text.strip()) >= bool(asked.strip())
    assert query.asked == asked
    assert query.carried or query.text == asked
    assert rewrite(asked, [], index).text == asked
    assert rewrite(asked, history, index) == query
