"""The widget as it is read: by eye at any width and in either direction, aloud, and with what is said of a quote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.bot import Bot
from bot.settings import load
from index.index import build
from tests.browser.chat import AXE, LOCALE, WORDS, say
from tests.browser.widget import ASKED, UNKNOWN, URGENT, Open, ask, button, embedded, visiting
from tests.conftest import ENCODER
from tests.scripted_model import MARK, PATIENT_S, modelled, parts

OLD = """---
title: Colds
publisher: Example
licence: CC0
reviewed: 2019-03-01
---

## What is a cold?

A cold is an acute and self-limiting viral inflammation of the nasopharyngeal mucosa, characterised by rhinorrhoea,
intermittent expectoration and generalised debility. A cold is a mild illness of the nose and throat.
"""
ALONE = """(root) => {
    const answer = root.shadowRoot.querySelector(".reply"), alone = [];
    for (let width = 90; width < 380; width += 1) {
        answer.style.width = `${width}px`;
        for (const number of answer.querySelectorAll(".cite")) {
            const words = number.previousSibling.previousSibling, last = document.createRange();
            last.setStart(words, words.length - 1);
            last.setEnd(words, words.length);
            if (number.getBoundingClientRect().top >= last.getBoundingClientRect().bottom) alone.push(width);
        }
    }
    return alone;
}"""
HEARD = """(root) => {
    window.heard = [];
    const status = root.shadowRoot.querySelector("[role=status]");
    const watch = new MutationObserver(() => heard.push(status.textContent));
    watch.observe(status, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def old(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Pages whose documents are hard to read and overdue, and whose answers a model introduces."""
    folder = tmp_path_factory.mktemp("old")
    (folder / "colds.md").write_text(OLD, encoding="utf-8")
    build(folder / "colds.md", folder / "index", ENCODER, limit=200)
    with modelled() as model:
        model.script = parts(("First", [1]))
        told = {"kind": "model", "model": "tiny", "url": model.url, "seconds": PATIENT_S, "run_by": "Example AI"}
        bot = Bot.open(folder / "index", load(index=folder / "index", locale=LOCALE, composer=told))
        with embedded(bot) as sites, visiting(browser, sites) as visit:
            yield visit


def test_what_is_said_of_a_quote_stands_with_it(old: Open) -> None:
    """That its review is overdue, and that it is hard to read: beside the passage, and in what is copied."""
    page = old("with=data-open", permissions=["clipboard-read", "clipboard-write"])
    ask(page, "What is a cold?").locator(".cite").first.click()
    sheet = page.locator("milkwise-chat .sheet")
    expect(sheet).to_contain_text(f"{say('label-reviewed', date='2019-03-01')}, {say('label-overdue')}")
    expect(sheet.locator("p.soft").last).to_contain_text(say("hard-to-read", grade="").split(":")[0])
    page.keyboard.press("Escape")
    button(page, "copy").click()
    assert say("label-overdue") in page.evaluate("navigator.clipboard.readText()")


def test_a_model_s_words_are_marked_and_stand_apart(old: Open) -> None:
    """Softer than the quotes, without a number, the mark first; every notice says that questions are sent."""
    page = old("with=data-open", bypass_csp=True)
    expect(page.locator("milkwise-chat .welcome")).to_contain_text("Example AI")
    answer = ask(page, "What is a cold?")
    line = answer.get_by_text(f"{MARK}First:")
    expect(line).to_have_class("soft")
    expect(line.get_by_role("button")).to_have_count(0)
    expect(answer.locator("p:not(.soft) .cite")).to_have_count(2)
    page.evaluate(AXE)
    assert page.evaluate("async () => (await axe.run()).violations.map((one) => one.id)") == []


def test_a_number_is_never_alone_on_a_line(hosted: Open) -> None:
    """It stays with the last word of its quote, however wide the answer is."""
    page = hosted("with=data-open")
    expect(ask(page, ASKED).locator(".cite").first).to_be_visible()
    assert page.locator("milkwise-chat").evaluate(ALONE) == []


def test_english_questions_are_set_in_their_own_direction(hosted: Open, sites: tuple[str, str]) -> None:
    """In an Arabic frame: the question mark at its end, and the label of a contact with its brackets around it."""
    page = hosted(f"body=<script src={sites[1]}/widget.js%3Flocale=ar defer data-open></script>")
    chat = page.locator("milkwise-chat")
    box = chat.get_by_label(WORDS.text("your-question", "ar"))
    for question in (ASKED, URGENT):
        box.fill(question)
        box.press("Enter")
        expect(chat.locator(".asked").last).to_contain_text(question)
        expect(chat.get_by_role("button", name=WORDS.text("ask", "ar"), exact=True)).to_be_visible(timeout=20_000)
    for english in (*chat.locator(".asked").all(), *chat.locator(".contact b").all()):
        expect(english).to_have_css("direction", "ltr")
    expect(chat.locator(".note")).to_have_css("direction", "rtl")


def test_the_tree_a_screen_reader_is_given(hosted: Open) -> None:
    """Chromium's own accessibility tree: what each thing is, its name, what describes it, and what is open."""
    page = hosted()
    button(page, "launch").click()
    ask(page, ASKED).locator(".cite").first.click()
    tree = _tree(page)
    (dialog,) = (node for node in tree if node["role"] == "dialog")
    assert dialog["name"] == "Milkwise"
    assert WORDS.disclaimer(LOCALE).text in dialog["description"]
    named = {(node["role"], node["name"]) for node in tree}
    for role, name in (
        ("textbox", say("your-question")),
        ("log", "Milkwise"),
        ("heading", f"{say('you-asked')}: {ASKED}"),
        ("region", say("source-number", number=1)),
        ("link", say("safety")),
        ("link", say("open-document")),
        ("button", say("close")),
        *(("button", say(id)) for id in ("ask", "start-again", "copy", "helpful", "not-helpful")),
    ):
        assert (role, name) in named, (role, name)
    states = {node["name"]: node["expanded"] for node in tree if node["role"] == "button" and "expanded" in node}
    assert states[say("launch")] is True
    assert states[say("source-number", number=1)] is True
    assert not [node for node in tree if node["role"] in ("button", "link", "textbox") and not node["name"]]


@pytest.mark.parametrize("question", [ASKED, UNKNOWN, URGENT])
def test_a_finished_answer_is_announced_once(hosted: Open, question: str) -> None:
    """A screen reader hears the whole of it, not each step; the log itself stays silent."""
    page = hosted("with=data-open")
    chat = page.locator("milkwise-chat")
    chat.evaluate(HEARD)
    answer = ask(page, question)
    page.wait_for_timeout(300)
    (heard,) = page.evaluate("heard")
    first = answer.locator("p:not(.soft)").first.inner_text()
    assert first.removesuffix("1").strip() in heard
    expect(chat.get_by_role("log")).to_have_attribute("aria-live", "off")
    expect(chat.get_by_role("status")).to_have_count(1)


def _tree(page: Page) -> list[dict[str, Any]]:
    """Each node that is not left out: its role, name, description and states."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [
        {
            **{key: node.get(key, {}).get("value", "") for key in ("role", "name", "description")},
            **{state["name"]: state["value"].get("value") for state in node.get("properties", [])},
        }
        for node in nodes
        if not node["ignored"]
    ]
