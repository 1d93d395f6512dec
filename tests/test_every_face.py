"""A slice of the fuzz in tests/bench/fuzz.py: random and hostile messages through every face."""

from __future__ import annotations

import random
from pathlib import Path

import httpx

from bot.bot import Bot
from bot.faces.api import create_app
from bot.faces.limiting import Limits
from bot.faces.tally import Tally
from bot.faces.ui_page import Page
from tests.bench.fuzz import HOSTILE, LOCALES, check, messages
from tests.serving import served


def test_hostile_messages_pass_through_every_face(bot: Bot, index_dir: Path) -> None:
    """Each gets the same sound reply from Python, JSON, events, the terminal and the chat page."""
    luck = random.Random(7)
    asked = [*messages(10, luck), *luck.sample(HOSTILE, 4)]
    page = Page(bot, bot.settings.locale, Tally(), Limits("", ""))
    with served(create_app(bot, bot.settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        for number, text in enumerate(asked):
            check(bot, page, client, index_dir, text, LOCALES[number % len(LOCALES)])
