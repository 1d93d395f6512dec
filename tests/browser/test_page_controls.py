"""What can be pressed on the chat page: stop, retry, clear, copy, thumbs, and all of it by keyboard alone."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.chat import Chat, say
from tests.browser.conftest import Held

pytestmark = pytest.mark.browser
Visit = Callable[..., Chat]


@pytest.fixture
def gate(held: Held) -> Iterator[Held]:
    """A bot that waits; the test opens it again, and so does its end."""
    held.gate.clear()
    yield held
    held.gate.set()


def test_stop_ends_a_question_and_the_next_one_works(visit: Visit, gate: Held) -> None:
    """While an answer is looked for, Stop stands where Ask was; after it the page says so and is ready."""
    chat = visit()
    chat.box.fill("Can men produce milk?")
    chat.button("ask").click()
    expect(chat.answer).to_contain_text(say("looking-one"))
    chat.assert_disclaimer_in_view()
    chat.button("stop").click()
    chat.settled(1)
    expect(chat.answer).to_contain_text(say("stopped"))
    gate.gate.set()
    chat.ask("Can men produce milk?")
    assert chat.citations.count() > 0


def test_retry_asks_the_same_question_again(visit: Visit) -> None:
    """Retry replaces the newest answer with a new one to the same question."""
    chat = visit()
    chat.ask("Can men produce milk?")
    first, link = chat.answer.inner_text(), chat.citations.first.get_attribute("href")
    chat.button("retry").click()
    expect(chat.citations.first).not_to_have_attribute("href", link or "", timeout=10_000)
    chat.settled(1)
    assert chat.answer.inner_text() == first
    chat.citations.first.click()
    expect(chat.page.locator("#panel mark:focus")).to_be_visible()


def test_clear_starts_again(visit: Visit) -> None:
    """After Clear the page is as it was, and the next question is asked without a history."""
    chat = visit()
    chat.ask("Can men produce milk?")
    chat.button("clear").click()
    expect(chat.page.locator("#welcome")).to_be_visible()
    expect(chat.page.locator("#side")).not_to_be_visible()
    chat.ask("Why does that happen?")
    assert chat.answers.count() == 1
    assert chat.citations.count() == 0


def test_copy_holds_the_answer_its_sources_and_the_disclaimer(visit: Visit, site: str) -> None:
    """What is copied can stand alone: quotes, numbered sources with publisher, review and address, disclaimer."""
    chat = visit(permissions=["clipboard-read", "clipboard-write"])
    chat.ask("Can men produce milk?")
    chat.ask("My baby is not breathing")  # a signpost hides the sources; a copy has them still
    chat.button("copy").click()
    expect(chat.page.get_by_role("status").filter(has_text=say("copied"))).to_have_count(1)
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert "[1]" in copied and f"{say('sources')}\n[1] How human lactation works" in copied
    assert "not yet reviewed by a clinician" in copied
    assert f"{site}/documents/human-lactation?from=" in copied
    assert copied.rstrip().endswith(chat.page.get_by_role("note").inner_text())
    for mark in ("<", "](", "\\", "*"):
        assert mark not in copied


def test_a_thumb_moves_a_counter_and_nothing_else(visit: Visit, site: str) -> None:
    """A thumb is counted under the kind of its answer."""

    def count(vote: str) -> int:
        with urllib.request.urlopen(f"{site}/metrics") as answer:
            found = re.search(rf'kind="answer",vote="{vote}"}} (\d+)', answer.read().decode())
        return int(found[1]) if found else 0

    chat = visit()
    chat.ask("Can men produce milk?")
    before = count("up"), count("down")
    with chat.page.expect_response(re.compile("gradio_api/run/")):
        chat.button("helpful").click()
    chat.page.wait_for_timeout(300)
    assert (count("up"), count("down")) == (before[0] + 1, before[1])


def test_the_keyboard_is_enough(visit: Visit) -> None:
    """Skip link, starter, citation, document link, chip, question box: every one by Tab and Enter."""
    chat = visit(has_touch=False)
    page = chat.page
    expect(chat.box).to_be_focused()
    page.keyboard.type("Can men produce milk?")
    page.keyboard.press("Enter")
    chat.settled(1)

    def tab_to(selector: str, back: bool = False) -> None:
        for _ in range(40):
            page.keyboard.press("Shift+Tab" if back else "Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert outline != "none", f"{selector} shows no focus"
                return
        raise AssertionError(f"{selector} cannot be reached by Tab")

    tab_to("#chat a.cite", back=True)
    page.keyboard.press("Enter")
    expect(page.locator("#panel mark:focus")).to_be_visible()
    tab_to("#panel .open a")
    tab_to("#topic")
    tab_to("#clear")
    tab_to("#question textarea")
    tab_to("#chat .options button", back=True)
    page.keyboard.press("Enter")
    chat.settled(2)
    tab_to(".skip", back=True)
    page.keyboard.press("Enter")
    expect(chat.box).to_be_focused()


def test_on_a_phone_the_sources_are_a_sheet_that_closes(visit: Visit) -> None:
    """The sheet covers the lower half of the talk, leaves the question box, and gives the focus back."""
    chat = visit(360, 740, has_touch=True, is_mobile=True)
    assert not chat.box.evaluate("box => box === document.activeElement"), "a phone's keyboard pops up unasked"
    chat.ask("Can men produce milk?")
    expect(chat.page.locator("#side")).not_to_be_visible()
    chat.citations.first.tap()
    quote = chat.page.locator("#panel mark:focus")
    expect(quote).to_be_in_viewport()
    side, box = chat.page.locator("#side").bounding_box(), chat.box.bounding_box()
    assert side and box and side["y"] > 740 * 0.25 and side["y"] + side["height"] <= box["y"]
    chat.assert_disclaimer_in_view()
    chat.button("close").tap()
    expect(chat.page.locator("#side")).not_to_be_visible()
    expect(chat.citations.first).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(quote).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator("#side")).not_to_be_visible()
