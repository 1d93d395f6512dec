"""A real server on a free port with the real bot, and a real Chromium that watches what each page does.

Without a Chromium these tests are skipped, with one reason; where CI=true they fail instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Playwright, sync_playwright

from bot.bot import Bot
from bot.faces.cli import compose
from bot.reply import Reply, Turn
from bot.settings import load
from tests.browser.chat import LOCALE, Chat
from tests.browser.widget import Open, embedded, visiting

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
SKIPPED = CHROMIUM is None and os.environ.get("CI") != "true"
MISSING = "no Chromium found; install it or set CHROMIUM to its path"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out where they cannot run."""
    left = [item for item in items if SKIPPED and item.get_closest_marker("browser")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say so in one line, not in one a test."""
    if SKIPPED:
        terminalreporter.write_line(f"browser tests skipped: {MISSING}", yellow=True)


class Held(Bot):
    """The real bot, which waits before it answers while `gate` is closed."""

    gate = threading.Event()

    def reply(
        self, asked: str, history: Sequence[Turn] = (), locale: str | None = None, *, plain: bool = False
    ) -> Reply:
        """Answer once the gate is open."""
        self.gate.wait(timeout=30)
        return super().reply(asked, history, locale, plain=plain)


@pytest.fixture(scope="session")
def held(bot: Bot) -> Held:
    """The bot behind the pages, answering at once unless a test closes its gate."""
    held = Held(bot.index, load(locale=LOCALE), bot.rules, bot.words)
    held.gate.set()
    return held


@contextmanager
def serving(bot: Bot) -> Iterator[str]:
    """The address of a running server with every face of this bot on it."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings = uvicorn.Config(compose(bot, bot.settings), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def site(held: Held) -> Iterator[str]:
    """The address of the bundled documents' bot."""
    with serving(held) as address:
        yield address


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    """Playwright, started once."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(driver: Playwright) -> Iterator[Browser]:
    """A Chromium of this machine."""
    if CHROMIUM is None:
        pytest.fail(MISSING)
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Callable[..., Chat]]:
    """Open the chat page in a fresh profile; afterwards, whatever was done, it has kept and leaked nothing."""
    opened: list[Chat] = []

    def open_page(width: int = 1280, height: int = 800, path: str = "/chat/", **profile: Any) -> Chat:
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, **profile)  # type: ignore[arg-type]  # a TypedDict
        opened.append(Chat(context, site, path))
        return opened[-1]

    yield open_page
    for chat in opened:
        try:
            chat.assert_clean()
        finally:
            chat.context.close()


@pytest.fixture(scope="session")
def sites(bot: Bot) -> Iterator[tuple[str, str]]:
    """The address of a page that embeds the widget, and of the server that answers it."""
    with embedded(bot) as sites:
        yield sites


@pytest.fixture
def hosted(browser: Browser, sites: tuple[str, str]) -> Iterator[Open]:
    """Open the page that embeds the widget; afterwards nothing was kept, and nobody else was asked."""
    with visiting(browser, sites) as visit:
        yield visit
