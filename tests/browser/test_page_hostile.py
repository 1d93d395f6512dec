"""A document that tries to be a page: whatever it holds is shown as words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from bot.bot import Bot
from bot.settings import load
from index.index import build
from tests.browser.chat import LOCALE, Chat
from tests.browser.conftest import serving

pytestmark = pytest.mark.browser

QUOTE = (
    'Moon milk is a warm drink of milk and <img src="http://evil.example/a.png" onerror="window.hit=1"> spices with '
    "*stars*, ![i](http://evil.example/i.png), $$x$$, ${window.hit=1} and "
    '<div style="position:fixed;inset:0" id="status">a cover</div> and [a link](http://evil.example).'
)
DOCUMENT = f"""Moon <b>milk</b> & *friends*

What is moon milk?

{QUOTE} People drink moon milk in the evening.

How is moon milk made?

Moon milk is made by warming milk with spices. <form action="http://evil.example"><input></form> It takes ten minutes.
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site over that document."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "moon.txt").write_text(DOCUMENT, encoding="utf-8")
    settings = load(index=Path(folder / "index"), locale=LOCALE)
    build(folder / "moon.txt", settings.index, settings.encoder, limit=settings.passage_pieces)
    with serving(Bot.open(settings.index, settings)) as address:
        yield address


def test_markup_in_a_document_stays_words(browser: Browser, hostile: str) -> None:
    """Answer, sources panel and document page show a hostile document's markup as text, and nothing of it acts."""
    context = browser.new_context()
    chat = Chat(context, hostile)
    chat.ask("What is moon milk?")
    expect(chat.answer).to_contain_text(
        '<img src="http://evil.example/a.png" onerror="window.hit=1"> spices with *stars*'
    )
    expect(chat.answer).to_contain_text("![i](http://evil.example/i.png), $$x$$, ${window.hit=1}")
    chat.citations.first.click()
    expect(chat.page.locator("#panel .card .title").first).to_have_text("Moon <b>milk</b> & *friends*")
    expect(chat.page.locator("#panel mark:focus")).to_have_text(QUOTE)
    for where in ("#chat", "#panel"):
        assert chat.page.locator(f"{where} :is(img, form, input, iframe, [style*=fixed], #status, .katex)").count() == 0
        assert chat.page.locator(f'{where} a[href*="evil"]').count() == 0
    assert chat.page.evaluate("window.hit") is None
    chat.assert_disclaimer_in_view()
    chat.assert_clean()
    chat.page.goto(f"{hostile}/documents/moon")
    assert chat.page.locator("img, form, [style]").count() == 0
    context.close()
