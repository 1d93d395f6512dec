"""What holds on every page and at every size: the disclaimer in view, nothing sideways, no leftovers, axe content."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat import LOCALE, SIZES, WORDS, Chat

pytestmark = pytest.mark.browser
Visit = Callable[..., Chat]

STATES = {
    "empty": (),
    "answer": ("Can men produce milk?",),
    "follow-up": ("Can men produce milk?", "Why does that happen?"),
    "refusal": ("How do I treat cracked nipples?",),
    "referral": ("How much domperidone should I take?",),
    "signpost": ("My baby is not breathing",),
    "greeting": ("hi",),
}


def test_the_disclaimer_is_in_view_in_every_state_and_size(visit: Visit) -> None:
    """Whatever is on the page, the whole disclaimer stands uncovered in the window and nothing scrolls sideways."""
    chat = visit()
    for asked in STATES.values():
        for question in asked:
            chat.ask(question)
        for width, height in SIZES:
            chat.page.set_viewport_size({"width": width, "height": height})
            if chat.citations.count():
                chat.citations.first.click()
            chat.assert_disclaimer_in_view()
            chat.assert_no_sideways_scroll()
            expect(chat.box).to_be_in_viewport(ratio=0.9)
            chat.page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_chat_page(visit: Visit, scheme: str) -> None:
    """Every state of the page, light and dark, passes axe-core's rules."""
    chat = visit(color_scheme=scheme)
    found = {}
    for state, asked in STATES.items():
        for question in asked:
            chat.ask(question)
        if chat.citations.count():
            chat.citations.first.click()
        chat.page.mouse.move(1, 1)
        found[state] = chat.violations()
    assert {state: problems for state, problems in found.items() if problems} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/documents/human-lactation", "/faq", "/docs"])
def test_axe_finds_nothing_on_the_plain_pages(visit: Visit, path: str, scheme: str) -> None:
    """The pages that work without scripts pass axe-core's rules, and hold the disclaimer."""
    chat = visit(path=path, color_scheme=scheme)
    chat.assert_disclaimer_in_view()
    assert chat.violations() == []


def test_axe_finds_nothing_on_a_phone_with_the_sheet_open(visit: Visit) -> None:
    """The sheet of sources passes axe-core's rules too."""
    chat = visit(360, 740, has_touch=True)
    chat.ask("Can men produce milk?")
    chat.citations.first.tap()
    assert chat.violations() == []


def test_the_page_is_ours(visit: Visit) -> None:
    """Language, title, one first heading, one main, an icon; no trace of another project, no address off this host."""
    chat = visit()
    page = chat.page
    assert page.title() == "Milkwise"
    assert (page.locator("html").get_attribute("lang") or "").startswith("en")
    assert page.get_by_role("heading", level=1).all_inner_texts() == ["Milkwise"]
    assert page.get_by_role("main").count() == 1
    assert page.locator("footer, link[rel=manifest], meta[property^=og]").count() == 0
    assert "gradio" not in page.locator("body").inner_text().casefold()
    addresses = page.locator("[href], [src]").evaluate_all("nodes => nodes.map((node) => node.href || node.src)")
    assert [address for address in addresses if not address.startswith(chat.site)] == []
    for button in page.get_by_role("button").all():
        assert (button.get_attribute("aria-label") or button.inner_text()).strip()


def test_headings_go_down_one_level_at_a_time(visit: Visit) -> None:
    """With sources open the outline is name, sources, titles."""
    chat = visit()
    chat.ask("Can men produce milk?")
    outline = chat.page.locator("h1, h2, h3, h4").evaluate_all("nodes => nodes.map((node) => +node.tagName[1])")
    assert outline[0] == 1 and all(after <= before + 1 for before, after in pairwise(outline))


def test_an_answer_is_announced_once_and_whole(visit: Visit) -> None:
    """A screen reader hears the finished answer, not every step of it."""
    chat = visit()
    chat.page.evaluate("""() => {
        window.heard = [];
        const status = document.querySelector("#status");
        new MutationObserver(() => window.heard.push(status.textContent)).observe(status, { childList: true });
    }""")
    chat.ask("Can men produce milk?")
    chat.page.wait_for_function("window.heard.length > 0")
    chat.page.wait_for_timeout(500)
    heard = chat.page.evaluate("window.heard")
    assert len(heard) == 1 and "says:" in heard[0]
    expect(chat.page.get_by_role("log")).to_have_attribute("aria-live", "off")


def test_without_scripts_the_disclaimer_and_a_way_on_remain(browser: Browser, site: str) -> None:
    """The frame of the page is plain HTML: the disclaimer, and a link to the questions that need no script."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/chat/")
    expect(page.get_by_role("note")).to_have_text(WORDS.disclaimer(LOCALE).text)
    page.locator("noscript a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Questions these documents answer")
    context.close()


def test_unused_routes_are_closed(browser: Browser, site: str) -> None:
    """Nobody can upload to the page or read files through it."""
    context = browser.new_context()
    for path in ("/chat/gradio_api/upload", "/chat/gradio_api/file=pyproject.toml", "/chat/gradio_api/runs"):
        assert context.request.get(site + path).status == 404
        assert context.request.post(site + path).status == 404
    assert context.request.get(f"{site}/chat").url == f"{site}/chat/"
    context.close()
