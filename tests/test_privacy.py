"""What a visitor types is nowhere afterwards: not in a log, not on a disk, not in another's reply."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest

from bot.bot import Bot
from bot.faces.api import create_app
from tests.serving import served

SECRET = "zebrafish-7431"
ASKED = [
    f"{SECRET} can men produce milk?",
    f"I want to die {SECRET}",
    f"should I take {SECRET} 10 mg",
    SECRET,
    f"hi {SECRET}",
]


@pytest.mark.parametrize("level", [logging.DEBUG])
def test_no_log_and_no_file_holds_a_visitor_s_words(
    bot: Bot, index_dir: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], level: int
) -> None:
    """Asked in every way, faults among them, with everything logged: the words are in no log line, output or file."""
    with (
        caplog.at_level(level),
        served(create_app(bot, bot.settings)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for asked in ASKED:
            turns = [{"asked": f"before {SECRET}", "cited": [SECRET]}]
            for accept in ("application/json", "text/event-stream"):
                body = {"question": asked, "history": turns, "locale": "en-GB"}
                assert client.post("/v1/ask", json=body, headers={"Accept": accept}).status_code == 200
        assert client.post("/v1/ask", json={"question": "", "history": SECRET}).status_code == 422
        assert client.post("/v1/ask", content=f'{{"question": "{SECRET}').status_code in (400, 415)
        vote = {"vote": "down", "kind": "answer", "passages": [SECRET], "reason": SECRET, "question": SECRET}
        assert client.post("/v1/feedback", json=vote).status_code == 204
        assert SECRET not in client.get("/metrics").text
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]  # the visitor's side
    assert not [one for one in ours if SECRET in one.getMessage()]
    assert SECRET not in "".join(capfd.readouterr())
    for path in index_dir.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path
