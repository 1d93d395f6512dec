"""One question through every face gives one Reply: the terminal, JSON and server-sent events say the very same.

The chat page is held to the same questions in tests/browser/test_page_one_reply.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from bot.bot import Bot
from bot.faces import cli
from bot.faces.api import create_app
from bot.render import as_dict, as_text
from bot.reply import Turn
from tests.serving import events, served

ASKED = [
    "Can men produce milk?",
    "How do I treat cracked nipples?",
    "How much domperidone should I take?",
    "My baby has stopped breathing",
    "Why does that happen?",
    "hi",
]


@pytest.fixture(scope="module")
def client(bot: Bot) -> Iterator[httpx.Client]:
    """A client of a served API."""
    with served(create_app(bot, bot.settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def untimed(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply without how long it took."""
    return {**reply, "ms": None}


@pytest.mark.parametrize("asked", ASKED)
def test_every_face_gives_the_same_reply(client: httpx.Client, bot: Bot, index_dir: Path, asked: str) -> None:
    """Python, JSON, events and `milkwise ask` agree, key order included; the printed answer is that reply too."""
    reply = bot.reply(asked)
    expected = json.dumps(untimed(as_dict(reply)))
    plain = client.post("/v1/ask", json={"question": asked}).json()
    assert json.dumps(untimed(plain)) == expected
    streamed = client.post("/v1/ask", json={"question": asked}, headers={"Accept": "text/event-stream"})
    assert json.dumps(untimed(json.loads(events(streamed.text)[-1][1]))) == expected
    shared = ["ask", asked, "--index", str(index_dir)]
    printed = CliRunner().invoke(cli.app, [*shared, "--json"])
    assert json.dumps(untimed(json.loads(printed.stdout))) == expected
    assert CliRunner().invoke(cli.app, shared).stdout == as_text(reply)


def test_a_follow_up_is_the_same_with_history_and_locale(client: httpx.Client, bot: Bot) -> None:
    """History and locale mean the same over HTTP as in Python, and the same every time."""
    cited = tuple(citation.passage.id for citation in bot.reply("Can men produce milk?").citations)
    asked = {
        "question": "Why does that happen?",
        "history": [{"asked": "Can men produce milk?", "cited": list(cited)}],
        "locale": "en-GB",
    }
    expected = untimed(as_dict(bot.reply("Why does that happen?", [Turn("Can men produce milk?", cited)], "en-GB")))
    for _ in range(3):
        assert untimed(client.post("/v1/ask", json=asked).json()) == expected
