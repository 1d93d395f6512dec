"""The questions in a message: one, several, or one in a long story; and what is said of each."""

from __future__ import annotations

import pytest

from bot.asking import questions
from bot.bot import Bot
from bot.render import as_text
from bot.reply import Kind, Turn


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("What is X and where is it made?", ("What is X", "where is it made?")),
        ("Is it rare that men make milk? And what is it linked to?", None),
        ("what causes galactorrhea and is it dangerous", ("what causes galactorrhea", "is it dangerous")),
        ("tell me what oxytocin does plus what milk gives", ("tell me what oxytocin does", "what milk gives")),
    ],
)
def test_several_questions_are_parted(message: str, found: tuple[str, ...] | None) -> None:
    """Two sentences, or two halves that ask by themselves, are two questions."""
    assert questions(message) == (found or tuple(message.replace("? ", "?|").split("|")))


@pytest.mark.parametrize(
    "message",
    [
        "Do men and women have galactorrhea?",
        "How do I know what to do and when to stop?",
        "hi, what is prolactin? thanks!",
        "My child was born through a surrogate. Can I still produce milk?",
        "How are domperidone and metoclopramide used?",
        "galactorrhea",
        "",
    ],
)
def test_one_question_is_left_whole(message: str) -> None:
    """A list, a clause or a word of thanks makes no second question; a short message is read whole."""
    assert questions(message) == (message,)


def test_the_question_in_a_long_message_is_found() -> None:
    """What stands around a question is left out, except what a pronoun of it needs."""
    story = (
        "Hello! My sister and I were talking on the bus about all sorts of things and my nan would not have it at all. "
    )
    assert questions(f"{story}How long does induced lactation take? Thanks a lot, Kim") == (
        "How long does induced lactation take?",
    )
    (pointing,) = questions(
        f"My cousin adopts a baby and wants to induce lactation this spring. {story}Is that possible?"
    )
    assert pointing.startswith("Is that possible? (")


def test_both_questions_are_answered_and_cited(bot: Bot) -> None:
    """Two questions of two sections get quotes from both, in the order they were asked."""
    reply = bot.reply("What does relactation mean? And what are alveoli?")
    assert reply.kind == Kind.ANSWER
    assert reply.query == "What does relactation mean? What are alveoli?"
    sources = [citation.passage.headings[-1] for citation in reply.citations]
    assert sources[0] == "Lactation without pregnancy"
    assert "The natural process of making milk" in sources
    assert reply.unanswered == ()


def test_the_question_left_open_is_named(bot: Bot) -> None:
    """Of two questions the answered one is answered, and the other named in every text."""
    reply = bot.reply("What is relactation, and how much does it cost?")
    assert reply.kind == Kind.ANSWER
    assert reply.unanswered == ("How much does relactation cost?",)
    assert "These documents don't say: How much does relactation cost?" in as_text(reply)


def test_a_follow_up_leans_on_the_last_of_two_questions(bot: Bot) -> None:
    """What came last is what "it" means."""
    (look,) = bot.look("where is it made?", [Turn("What is relactation? What is oxytocin?")])
    assert look.query.text == "Where is oxytocin made?"
