"""The desk before the bot: known answers at once, so many at a time; the rest wait, or are told to come again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import pytest

from bot.bot import Bot
from bot.faces.desk import Busy, Desk
from bot.reply import Reply, Turn
from bot.settings import load

QUESTION = "What is the let-down reflex?"


class Watched:
    """The real bot behind a door: counts what it is asked, and answers only while the door is open."""

    def __init__(self, bot: Bot) -> None:
        self.bot, self.index, self.asked, self.door = bot, bot.index, list[str](), threading.Event()
        self.observers = bot.observers
        self.door.set()

    def reply(self, asked: str, history: Sequence[Turn] = (), locale: str | None = None) -> Reply:
        """Answer, once the door is open."""
        self.asked.append(asked)
        assert self.door.wait(30)
        return self.bot.reply(asked, history, locale)


@pytest.fixture
def desk(bot: Bot) -> Callable[..., Desk]:
    """A desk before a watched bot, by its settings."""
    return lambda **chosen: Desk(Watched(bot), load(**chosen))  # type: ignore[arg-type]  # as much of a bot as it needs


def counted(desk: Desk, sample: str) -> float:
    """A sample of its metrics."""
    lines = desk.tally.exposition(None).decode().splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"milkwise_{sample} "))


def asked(desk: Desk) -> list[str]:
    """What its bot was asked so far."""
    found: list[str] = desk.bot.asked  # type: ignore[attr-defined]  # of a watched one
    return found


def test_the_same_question_is_answered_once(desk: Callable[..., Desk], bot: Bot) -> None:
    """The same words, history and place give the reply at hand, equal to a fresh one; anything else is asked anew."""
    here = desk()
    turn = Turn("Can men produce milk?", ("human-lactation#x",))

    async def ask() -> list[Reply]:
        again = [await here.reply(text) for text in (QUESTION, QUESTION, f" {QUESTION}\n")]
        other = [await here.reply(QUESTION, [turn]), await here.reply(QUESTION, (), "en-GB")]
        return again + other + [await here.reply(QUESTION.lower())]

    replies = anyio.run(ask)
    assert asked(here) == [QUESTION, QUESTION, QUESTION, QUESTION.lower()]
    assert all(reply.timed(0) == bot.reply(QUESTION).timed(0) for reply in replies[:3])
    assert replies[1].ms < replies[0].ms
    hits, misses = (counted(here, f'cache_requests_total{{result="{result}"}}') for result in ("hit", "miss"))
    assert (hits, misses, counted(here, "cache_replies")) == (2, 4, 4)


def test_only_so_many_are_kept(desk: Callable[..., Desk]) -> None:
    """The oldest goes first; where none may be kept, each is asked."""

    async def ask(here: Desk, texts: str) -> None:
        for text in texts:
            await here.reply(text)

    two, none = desk(answers_kept=2), desk(answers_kept=0)
    anyio.run(ask, two, "abacba")
    anyio.run(ask, none, "aa")
    assert asked(two) == ["a", "b", "c", "b", "a"] and asked(none) == ["a", "a"]


def test_what_is_personal_is_not_kept(desk: Callable[..., Desk]) -> None:
    """An emergency and a personal decision are answered anew each time, and leave nothing behind."""
    here = desk()

    async def ask() -> list[str]:
        return [
            (await here.reply(text)).kind
            for text in ("I want to kill myself", "How much domperidone should I take?") * 2
        ]

    assert anyio.run(ask) == ["urgent", "refer"] * 2 and len(asked(here)) == 4 and not here._kept


def test_none_need_wait(desk: Callable[..., Desk]) -> None:
    """Where nobody may wait, whoever finds a thread free is answered all the same."""
    here = desk(answers_waiting=0, answers_at_once=1)
    assert anyio.run(here.reply, QUESTION).kind == "answer"


def test_an_index_renewed_is_asked_anew(desk: Callable[..., Desk], bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply is at hand only for the index it was made from."""
    here = desk()
    anyio.run(here.reply, QUESTION)
    monkeypatch.setattr(bot.index, "generation", "0123456789ab")
    anyio.run(here.reply, QUESTION)
    anyio.run(here.reply, QUESTION)
    assert asked(here) == [QUESTION, QUESTION]


async def _outcome(desk: Desk, text: str, outcomes: dict[str, Any]) -> None:
    try:
        outcomes[text] = (await desk.reply(text)).kind
    except Busy as busy:
        outcomes[text] = busy


def test_a_full_queue_turns_away_and_loses_nothing(desk: Callable[..., Desk]) -> None:
    """One is answered at a time and one waits: the third is told when to come again, the others get answers."""
    here, outcomes = desk(answers_at_once=1, answers_waiting=1), dict[str, Any]()

    async def crowd() -> None:
        here.bot.door.clear()  # type: ignore[attr-defined]
        async with anyio.create_task_group() as group:
            for text in (QUESTION, "hi", "thanks"):
                group.start_soon(_outcome, here, text, outcomes)
                await anyio.sleep(0.1)
            assert isinstance(outcomes["thanks"], Busy) and outcomes["thanks"].wait_s >= 1
            assert asked(here) == [QUESTION] and list(outcomes) == ["thanks"]
            assert counted(here, "queue_waiting") == 1 and counted(here, 'queue_refused_total{reason="full"}') == 1
            here.bot.door.set()  # type: ignore[attr-defined]

    anyio.run(crowd)
    assert outcomes[QUESTION] == "answer" and outcomes["hi"] == "smalltalk"
    assert counted(here, "queue_waiting") == 0 and counted(here, "queue_seconds_count") == 2


def test_who_waits_too_long_is_told(desk: Callable[..., Desk]) -> None:
    """A question that is not its turn in time is never asked; the one under way is answered all the same."""
    here, outcomes = desk(answers_at_once=1, answer_seconds=0.2), dict[str, Any]()

    async def crowd() -> None:
        here.bot.door.clear()  # type: ignore[attr-defined]
        async with anyio.create_task_group() as group:
            group.start_soon(_outcome, here, QUESTION, outcomes)
            await anyio.sleep(0.1)
            await _outcome(here, "hi", outcomes)
            here.bot.door.set()  # type: ignore[attr-defined]

    anyio.run(crowd)
    assert isinstance(outcomes["hi"], Busy) and outcomes[QUESTION] == "answer" and asked(here) == [QUESTION]
    assert counted(here, 'queue_refused_total{reason="late"}') == 1


def test_who_leaves_the_queue_is_not_asked_for(desk: Callable[..., Desk]) -> None:
    """Cancelled while it waits, a question frees its place and is never asked."""
    here, outcomes = desk(answers_at_once=1, answers_waiting=1), dict[str, Any]()

    async def crowd() -> None:
        here.bot.door.clear()  # type: ignore[attr-defined]
        async with anyio.create_task_group() as group:
            group.start_soon(_outcome, here, QUESTION, outcomes)
            await anyio.sleep(0.1)
            with anyio.move_on_after(0.1):
                await here.reply("hi")
            group.start_soon(_outcome, here, "thanks", outcomes)
            await anyio.sleep(0.1)
            here.bot.door.set()  # type: ignore[attr-defined]

    anyio.run(crowd)
    assert asked(here) == [QUESTION, "thanks"] and outcomes["thanks"] == "smalltalk"
