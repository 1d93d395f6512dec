"""Conversations and development cases in plain text, held against the real bot."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bot import Bot
from bot.measure import Case, Report, load_cases, measure
from bot.reply import Kind, Turn

GOLDEN = Path(__file__).parent / "golden"
DIALOGUES = load_cases(GOLDEN / "dialogues.txt")
# A little below what is measured today: a fall is a fault, a rise is a reason to raise them.
FLOORS = {"answer": 0.85, "paraphrase": 0.3, "near-miss": 0.82, "off-topic": 0.88, "typo": 0.85, "follow-up": 0.8}


def talks() -> list[list[Case]]:
    """The cases of each conversation together."""
    found: list[list[Case]] = []
    for case in DIALOGUES:
        if not case.before:
            found.append([])
        found[-1].append(case)
    return found


@pytest.mark.parametrize("talk", talks(), ids=lambda talk: " / ".join(case.ask for case in talk))
def test_a_conversation_goes_as_written(bot: Bot, talk: list[Case]) -> None:
    """Every turn of a golden conversation gets the reply that experts wrote down; what does not yet, is listed so."""
    if talk[0].sort == "not-yet":
        assert measure(bot, talk).failures, f"dialogues.txt, line {talk[0].line}: it goes right now; move it up"
        return
    for outcome in measure(bot, talk).outcomes:
        assert outcome.verdict == "right", f"dialogues.txt, line {outcome.case.line}: {outcome.case.ask}: {outcome.why}"


def test_there_are_enough_conversations() -> None:
    """At least 30 conversations, with every kind of reply among them."""
    assert len(talks()) >= 30
    assert {kind for case in DIALOGUES for kind in case.expect} == set(Kind)


@pytest.fixture(scope="module")
def development(bot: Bot) -> Report:
    """The development cases, measured once."""
    return measure(bot, load_cases(GOLDEN / "dev.txt"))


@pytest.fixture(scope="module")
def heldout(bot: Bot) -> Report:
    """The cases written by someone who had seen no reply, and that nothing is tuned on, measured once."""
    return measure(bot, load_cases(GOLDEN / "heldout.txt"))


@pytest.mark.parametrize("sort", FLOORS)
def test_held_out_questions_stay_above_their_floor(heldout: Report, sort: str) -> None:
    """The share of right replies on questions that nothing was tuned on does not fall."""
    right = heldout.figures()[sort]["right"]
    assert right.share >= FLOORS[sort], f"{sort}: {right.count} of {right.of} right"


def test_the_right_passage_is_among_the_hits(development: Report) -> None:
    """What is weighed holds the answer: the search finds the passage among its eight in nearly every case."""
    assert development.recall()[8].share >= 0.96


def test_the_same_conversation_gets_the_same_replies(bot: Bot) -> None:
    """Asking again changes nothing but the time it took."""
    history = [Turn("What is induced lactation?")]
    first, again = (bot.reply("How long does it take?", history) for _ in range(2))
    assert first.timed(0) == again.timed(0)
