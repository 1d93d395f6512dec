"""The widget in use: by keyboard, on a phone, light and dark; sources, numbers to call, history, copying."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bot.bot import Bot
from tests.browser.chat import AXE, LOCALE, say
from tests.browser.widget import ASKED, BOTH, UNKNOWN, URGENT, Open, Trouble, ask, button, embedded, seen, visiting


def test_by_keyboard_alone(hosted: Open) -> None:
    """Open, ask, open a source, close it, close all: the focus is always where it should be, and no shortcut fires."""
    page = hosted()
    launcher = button(page, "launch")
    page.keyboard.press("Tab")
    expect(launcher).to_be_focused()
    expect(launcher).to_have_attribute("aria-expanded", "false")
    before = len(seen(page, "shortcut"))
    page.keyboard.press("Enter")
    expect(page.get_by_label(say("your-question"))).to_be_focused()
    expect(launcher).to_have_attribute("aria-expanded", "true")
    page.keyboard.type(ASKED)
    page.keyboard.press("Enter")
    number = page.get_by_role("button", name=say("source-number", number=1))
    expect(number).to_be_visible()
    number.focus()
    page.keyboard.press("Enter")
    expect(page.locator("milkwise-chat .sheet")).to_be_focused()
    page.keyboard.press("Escape")
    expect(number).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(launcher).to_be_focused()
    expect(launcher).to_have_attribute("aria-expanded", "false")
    assert len(seen(page, "shortcut")) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(hosted: Open, scheme: str) -> None:
    """Closed, open, answered, half answered, with a source, refused, urgent, failed, offline: axe has no complaint."""
    page = hosted(color_scheme=scheme, bypass_csp=True)
    page.evaluate(AXE)

    def check(state: str) -> None:
        found = page.evaluate("async () => (await axe.run()).violations")
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], state

    check("closed")
    button(page, "launch").click()
    check("open")
    ask(page, ASKED).locator(".cite").first.click()
    expect(page.locator("mark.chosen")).to_be_visible()
    check("source")
    page.keyboard.press("Escape")
    ask(page, BOTH)
    check("half answered")
    ask(page, UNKNOWN)
    check("abstain")
    ask(page, URGENT)
    check("urgent")
    for what in ("503", "429"):
        Trouble.what = what
        ask(page, ASKED)
        check(what)
    page.context.set_offline(True)
    ask(page, ASKED)
    check("offline")


def test_what_stays_open_is_said(hosted: Open) -> None:
    """Of two questions one is answered, and the other is named as one the documents leave open, aloud too."""
    page = hosted("with=data-open")
    answer = ask(page, BOTH)
    expect(answer.locator(".cite").first).to_be_visible()
    left = say("unanswered", question=UNKNOWN)
    expect(answer).to_contain_text(left)
    expect(page.locator("milkwise-chat").get_by_role("status")).to_contain_text(left)


def test_safety_is_one_press_away(hosted: Open, sites: tuple[str, str]) -> None:
    """The link to /safety stands with the disclaimer, in every state, and a thumb hits it."""
    page = hosted("with=data-open")
    ask(page, ASKED)
    link = page.locator("milkwise-chat .note").get_by_role("link", name=say("safety"))
    expect(link).to_have_attribute("href", f"{sites[1]}/safety")
    box = link.bounding_box()
    assert box
    across, middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hit = "([x, y]) => document.querySelector('milkwise-chat').shadowRoot.elementFromPoint(x, y).localName"
    assert [page.evaluate(hit, [across, middle + far]) for far in (-19, 0, 19)] == ["a", "a", "a"]


def test_an_emergency_shows_whom_to_call_and_nothing_else(hosted: Open) -> None:
    """Numbers that dial, the first in view right under the first sentence; no quotes, no thumbs, no questions."""
    page = hosted("with=data-open")
    answer = ask(page, URGENT)
    expect(answer.locator("a").first).to_have_attribute("href", "tel:999")
    expect(answer.locator("a").first).to_have_text(say("call", number="999"))
    expect(answer.locator("p").first).to_have_text("Call 999 now.")
    expect(answer.locator("a").first).to_be_in_viewport()
    expect(answer).to_contain_text("If you can, have someone stay with you.")
    expect(answer.get_by_role("button")).to_have_text([say("ask-else")])
    expect(page.locator("milkwise-chat .next")).to_have_count(0)


def test_history_travels_until_the_topic_is_removed(hosted: Open) -> None:
    """The second question carries the first; without its topic the third carries nothing; starting again clears."""
    page = hosted("with=data-open")
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(json.loads(request.post_data)) if request.post_data else None)
    ask(page, ASKED)
    ask(page, "What causes it?")
    page.locator("milkwise-chat .topic").click()
    expect(page.locator("milkwise-chat .topic")).to_be_hidden()
    ask(page, UNKNOWN)
    assert [turn["asked"] for turn in sent[1]["history"]] == [ASKED]
    assert sent[1]["history"][0]["cited"]
    assert sent[2] == {"question": UNKNOWN, "history": [], "locale": LOCALE}
    button(page, "start-again").click()
    expect(page.locator("milkwise-chat .asked")).to_have_count(0)
    expect(page.locator("milkwise-chat .chip").first).to_be_visible()


def test_copy_and_thumbs(hosted: Open) -> None:
    """What is copied has its sources and the disclaimer; a thumb sends its kind and no words."""
    page = hosted("with=data-open", permissions=["clipboard-read", "clipboard-write"])
    ask(page, ASKED)
    button(page, "copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1]" in copied
    assert say("label-not-reviewed") in copied
    assert "/documents/human-lactation?from=" in copied
    assert "does not give medical advice" in copied
    with page.expect_request("**/v1/feedback") as sent:
        button(page, "helpful").click()
    assert json.loads(sent.value.post_data or "") == {"vote": "up", "kind": "answer"}
    expect(button(page, "helpful")).to_have_attribute("aria-pressed", "true")
    expect(button(page, "not-helpful")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("milkwise-chat").get_by_role("status")).to_have_text(say("feedback-thanks"))


def test_where_a_journal_is_kept_a_thumb_can_say_why(browser: Browser, bot: Bot, tmp_path: Path) -> None:
    """The page's reasons stand beside the thumbs; one press is one vote, with its reason and the question."""
    with (
        embedded(bot, journal={"on": True, "file": tmp_path / "journal"}) as sites,
        visiting(browser, sites) as visit,
    ):
        page = visit("with=data-open")
        ask(page, ASKED)
        reason = say("reason-hard")
        with page.expect_request("**/v1/feedback") as sent:
            button(page, "reason-hard").click()
        told = {"vote": "down", "kind": "answer", "question": ASKED, "reason": reason}
        assert json.loads(sent.value.post_data or "") == told
        expect(button(page, "helpful")).to_be_disabled()
        expect(button(page, "reason-hard")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("query", ["", "with=data-dir=rtl"])
def test_on_a_phone_it_fills_the_screen_for_a_thumb(hosted: Open, query: str) -> None:
    """The whole screen, no keyboard unasked, no target under 44 px, nothing wider than the screen, either direction."""
    page = hosted(query, width=360, height=740, has_touch=True, is_mobile=True)
    button(page, "launch").tap()
    panel = page.get_by_role("dialog")
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
    expect(panel).to_be_focused()
    ask(page, ASKED)
    for target in page.locator("milkwise-chat :is(button, a, textarea):visible:not(.cite):not(.note a)").all():
        box = target.bounding_box()
        assert box
        assert box["height"] >= 44, target.inner_text()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    expect(panel.locator(".head").first).to_have_css("direction", "rtl" if query else "ltr")


def test_inline_it_stands_in_the_page(hosted: Open) -> None:
    """Placed by the page, it is there without a button, and the line adds no second one."""
    page = hosted("body=<milkwise-chat inline data-title=Clinic></milkwise-chat>")
    expect(page.locator("milkwise-chat")).to_have_count(1)
    expect(page.get_by_role("region", name="Clinic")).to_be_visible()
    expect(button(page, "launch")).to_have_count(0)
    expect(ask(page, ASKED).locator(".cite").first).to_be_visible()
