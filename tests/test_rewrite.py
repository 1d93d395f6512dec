"""Follow-ups: what they resolve to, what they are about, and what holds whatever is typed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.reply import Query, Turn
from bot.rewrite import Answered, unanswered
from bot.rewrite import rewrite as rewrite_all
from bot.spelling import mend
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
    (
        "What are the side effects of domperidone?",
        "And of metoclopramide?",
        "What are the side effects of metoclopramide?",
        "metoclopramide",
    ),
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

NAMED = [
    # earlier questions, what the last was answered with, follow-up, what is looked up
    ("Which hormones rise?", "The levels of estrogen and progesterone rise", "what do they do?", "What do {} do?"),
    ("which hormone starts milk production?", "lets prolactin take the lead", "where is it made?", "Where is {} made?"),
    ("Which medicines raise prolactin?", "Next comes a medicine known", "are they safe?", "Are {} safe?"),
    (
        "What is a benign tumor of the gland called?",
        "is called a prolactinoma",
        "how is one removed?",
        "How is {} removed?",
    ),
]

PICKED = [
    # the question before, what it was answered with, follow-up, what is looked up
    ("Which medicines raise prolactin?", "Next comes a medicine", "the second one", "What about metoclopramide?"),
    ("Which medicines raise prolactin?", "Next comes a medicine", "is the first one safe?", "Is domperidone safe?"),
    ("What does prolactin do?", "Prolactin is a hormone", "and the other hormone?", "What does oxytocin do?"),
    ("Is domperidone safe?", "domperidone or metoclopramide, can", "and the other one?", "Is metoclopramide safe?"),
    ("Which drugs cause leaks?", "such as antipsychotics", "what about the last one?", "blood pressure drugs"),
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


def rewrite(asked: str, history: Sequence[Turn], index: Index, answered: Answered = unanswered) -> Query:
    """The one question of a message."""
    (query,) = rewrite_all(asked, history, index, answered)
    return query


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


def saying(index: Index, part: str) -> Answered:
    """Answers every query with the first sentence of the documents that holds these words."""
    every = [one for each in index.documents() for passage in index.passages(each.id) for one in passage.sentences]
    found = next(one for one in every if part in one.text)
    return lambda query: (found,)


@pytest.mark.parametrize(("before", "answer", "asked", "text"), NAMED, ids=lambda value: value)
def test_a_pronoun_means_what_the_answer_named(index: Index, before: str, answer: str, asked: str, text: str) -> None:
    """After a question that asks for a name, "they" or "it" is what the answer named, in number too."""
    names = {"The levels": "estrogen and progesterone", "lets": "prolactin", "Next": "domperidone and metoclopramide"}
    name = next((name for start, name in names.items() if answer.startswith(start)), "prolactinoma")
    query = rewrite(asked, turns(before), index, saying(index, answer))
    assert query.text == text.format(name)
    assert query.topic == name


@pytest.mark.parametrize(("before", "answer", "asked", "text"), PICKED, ids=lambda value: value)
def test_one_of_several_is_picked(index: Index, before: str, answer: str, asked: str, text: str) -> None:
    """ "The second one", "the other hormone" is looked up by its name."""
    query = rewrite(asked, turns(before), index, saying(index, answer))
    assert text in query.text
    assert query.carried
    assert not query.readings


def test_one_of_more_than_two_is_asked_back(index: Index) -> None:
    """Where "the other one" can be several things, each is a reading, put as a question."""
    answered = saying(index, "such as antipsychotics")
    query = rewrite("and the other one?", turns("Do antidepressants cause galactorrhea?"), index, answered)
    assert query.unclear
    assert query.readings == ("Do antipsychotics cause galactorrhea?", "Do blood pressure drugs cause galactorrhea?")


def test_asking_for_more_brings_what_was_said(index: Index) -> None:
    """ "Why?" and "tell me more" carry what was just quoted, so that it is not all that is said again."""
    answered = saying(index, "Men can make milk")
    before = turns("Can men produce milk?")
    for asked in ("Why does that happen?", "tell me more", "how?"):
        assert [one.text[:17] for one in rewrite(asked, before, index, answered).said] == ["Men can make milk"]
    for asked in ("Is it rare?", "how long does it take?", "What is oxytocin?"):
        assert rewrite(asked, before, index, answered).said == ()


@pytest.mark.parametrize(
    ("before", "asked", "text"),
    [
        (
            "What is induced lactation?",
            "and will there be enough milk?",
            "Will there be enough milk? (induced lactation)",
        ),
        ("What is induced lactation?", "and what is oxytocin?", "and what is oxytocin?"),
        ("Do antipsychotics cause galactorrhea?", "what about ibuprofen?", "Does ibuprofen cause galactorrhea?"),
        ("Why are birth control pills used?", "then why are they stopped?", "Why are birth control pills stopped?"),
        ("When does the body let out oxytocin?", "which cells does it act on?", "(the body letting out oxytocin)"),
        ("What is relactation?", "is it always enough to feed a baby?", "Is relactation always enough to feed a baby?"),
        ("What is relactation?", "how is it related to milk?", "How is relactation related to milk?"),
        (
            "Can an adoptive mother breastfeed? / What is oxytocin?",
            "does she need it?",
            "(an adoptive mother breastfeeding)",
        ),
        ("What about domperidone?", "what are the different types?", "What are the different types of domperidone?"),
    ],
    ids=lambda value: value,
)
def test_what_is_carried_and_what_is_let_go(index: Index, before: str, asked: str, text: str) -> None:
    """A topic is carried where the follow-up leans on it, in grammar or in what the documents speak of."""
    assert text in rewrite(asked, turns(before), index).text


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


@pytest.mark.parametrize("named", ["\\1", "\\B", "\\g<0>"])
def test_a_backslash_stays_a_backslash(index: Index, named: str) -> None:
    """What a visitor named takes the pronoun's place letter by letter, never as a template."""
    assert f"{named}’s" in rewrite("What are its causes?", [Turn(f"What is {named}?", ())], index).text


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
    queries = rewrite_all(asked, history, index)
    assert all(bool(query.text.strip()) >= bool(asked.strip()) for query in queries)
    assert {query.asked for query in queries} == {asked}
    assert len(queries) > 1 or queries[0].carried or queries[0].text == mend(asked, index)
    assert rewrite_all(asked, history, index) == queries
