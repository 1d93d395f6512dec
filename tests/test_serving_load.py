"""A real server while more ask than it can answer, while a client leaves, and while a build puts another index in."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from bot.bot import Bot
from bot.faces.api import create_app
from bot.faces.keeper import Change, Keeper
from bot.settings import load
from index.index import build
from tests.conftest import ENCODER
from tests.index_samples import BIKES, BREAD, write
from tests.serving import served

CHAIN = "When do I oil the chain?"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of two documents, and an index of them beside it."""
    write(tmp_path / "documents", "bread", BREAD)
    write(tmp_path / "documents", "bikes", BIKES)
    build(tmp_path / "documents", tmp_path / "index", ENCODER, 200)
    return tmp_path


def test_a_full_server_says_when_to_come_again(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than it takes get 503 with Retry-After and the disclaimer; everyone else the same reply as ever."""
    settings = load(index=shelf / "index", answers_at_once=1, answers_waiting=2, answers_kept=0)
    bot = Bot.open(settings.index, settings)
    plain, reply = bot.reply(CHAIN).timed(0), bot.reply

    def slow(*given: object) -> object:
        time.sleep(0.3)
        return reply(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(bot, "reply", slow)
    with served(create_app(bot, settings)) as site, ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(httpx.post, f"{site}/v1/ask", json={"question": CHAIN}, timeout=60) for _ in range(8)]
        answers = [each.result() for each in asked]
    turned = [answer for answer in answers if answer.status_code == 503]
    assert Counter(answer.status_code for answer in answers) == {200: 8 - len(turned), 503: len(turned)}
    assert 1 <= len(turned) <= 5
    for answer in turned:
        assert int(answer.headers["retry-after"]) >= 1 and answer.json()["disclaimer"]["text"]
    for answer in answers:
        if answer.status_code == 200:
            assert [claim["text"] for claim in answer.json()["claims"]] == [claim.text for claim in plain.claims]


def test_who_hangs_up_is_not_answered(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that leaves the queue frees its place: its question is never put to the bot."""
    settings = load(index=shelf / "index", answers_at_once=1, answers_kept=0)
    bot = Bot.open(settings.index, settings)
    reply, seen, door = bot.reply, list[str](), threading.Event()

    def watched(asked: str, *given: object) -> object:
        seen.append(asked)
        assert door.wait(30)
        return reply(asked, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(bot, "reply", watched)
    with served(create_app(bot, settings)) as site, ThreadPoolExecutor(1) as pool:
        first = pool.submit(httpx.post, f"{site}/v1/ask", json={"question": CHAIN}, timeout=60)
        while not seen:
            time.sleep(0.01)
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{site}/v1/ask", json={"question": "How do I knead?"}, timeout=0.3)
        time.sleep(0.3)
        door.set()
        assert first.result().status_code == 200
        assert httpx.post(f"{site}/v1/ask", json={"question": "hi"}, timeout=60).status_code == 200
    assert seen == [CHAIN, "hi"]


def test_a_new_index_is_swapped_in_without_a_failed_request(shelf: Path) -> None:
    """Asked without a pause through a build and its swap: every answer is whole and of one of the two indexes."""
    settings = load(index=shelf / "index", documents=shelf / "documents", answers_kept=0)
    bot, done, changes = Bot.open(settings=settings), threading.Event(), deque[Change]()
    old = bot.index.generation
    found = list[tuple[int, str, str]]()

    def ask(site: str) -> None:
        while not done.is_set():
            answer = httpx.post(f"{site}/v1/ask", json={"question": CHAIN}, timeout=60)
            body = answer.json()
            found.append((answer.status_code, body.get("index", ""), " ".join(c["text"] for c in body["claims"])))

    with served(create_app(bot, settings)) as site, Keeper(bot, settings, changes):
        asking = [threading.Thread(target=ask, args=(site,)) for _ in range(2)]
        for each in asking:
            each.start()
        write(shelf / "documents", "bikes", BIKES | {"Chains": "Oil the chain each Sunday, come what may."})
        patience = time.monotonic() + 60
        while all(index == old for _, index, _ in found) and time.monotonic() < patience:
            time.sleep(0.05)
        new = bot.index.generation
        done.set()
        for each in asking:
            each.join()
    assert {status for status, _, _ in found} == {200} and {index for _, index, _ in found} == {old, new}
    assert not [text for _, index, text in found if ("Sunday" in text) != (index == new) and text and "chain" in text]


def test_a_server_outlives_its_index(shelf: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the folder gone it answers on, and says so once; with one built again it takes that."""
    settings = load(index=shelf / "index", documents=shelf / "documents")
    bot, changes, away = Bot.open(settings=settings), deque[Change](), shelf / "away"
    keeper, old = Keeper(bot, settings, changes), bot.index.generation
    settings.documents.rename(away)
    (settings.index / "CURRENT").rename(settings.index / "gone")
    keeper.look()
    keeper.look()
    assert bot.reply(CHAIN).claims and len(changes) == 1
    assert caplog.text.count("goes on serving") == 1 and "there is no index here" in caplog.text
    away.rename(settings.documents)
    write(settings.documents, "bikes", {"Chains": "Oil the chain each Sunday, come what may."})
    (settings.index / "gone").rename(settings.index / "CURRENT")
    keeper.look()
    assert bot.index.generation != old and "Sunday" in bot.reply(CHAIN).claims[0].text
