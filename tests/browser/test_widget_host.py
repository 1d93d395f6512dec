"""The widget on other people's pages: strict, hostile, redrawn; refused, cut off, offline, too busy."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat import AXE, say
from tests.browser.widget import ASKED, URGENT, Open, Trouble, ask, button, seen


@pytest.mark.parametrize("size", [(1280, 800), (360, 740)])
def test_it_works_on_a_strict_and_hostile_page(hosted: Open, sites: tuple[str, str], size: tuple[int, int]) -> None:
    """Asked, answered, a source opened, under the strictest policy and the worst styles, above all that floats."""
    page = hosted("hostile", width=size[0], height=size[1])
    button(page, "launch").click()
    expect(page.locator("milkwise-chat .note")).to_contain_text("does not give medical advice")
    answer = ask(page, ASKED)
    answer.get_by_role("button", name=say("source-number", number=1)).click()
    sheet = page.get_by_role("region", name=say("source-number", number=1))
    expect(sheet).to_contain_text(say("label-not-reviewed"))
    expect(sheet).to_contain_text("How human lactation works")
    quote = sheet.locator("mark.chosen").inner_text()
    assert quote in answer.inner_text()
    assert len(sheet.locator(".passage").inner_text()) > len(quote)
    address = sheet.get_by_role("link", name=say("open-document")).get_attribute("href")
    assert address
    assert address.startswith(f"{sites[1]}/documents/")
    assert page.request.get(address).text().count('<mark id="quote">') == 1
    assert seen(page, "violation") == []
    assert seen(page, "reply") == [{"kind": "answer"}]
    assert (
        page.evaluate(
            "getComputedStyle(document.querySelector('milkwise-chat').shadowRoot.querySelector('.asked')).color"
        )
        != "rgb(255, 105, 180)"
    )


@pytest.mark.parametrize(
    ("what", "words"), [("cut", "cut-off"), ("503", "unreachable"), ("500", "error"), ("413", "error-long")]
)
def test_what_went_wrong_is_said_and_asked_again(hosted: Open, what: str, words: str) -> None:
    """Cut off in the middle, too busy, not ready: said in words, announced, and one press asks the same again."""
    page = hosted("with=data-open")
    ask(page, URGENT)
    Trouble.what = what
    answer = ask(page, ASKED)
    expect(answer).to_contain_text(say(words))
    expect(page.locator("milkwise-chat").get_by_role("status")).to_have_text(say(words))
    assert seen(page, "error") == [{"state": words}]
    Trouble.what = ""
    expect(button(page, "retry")).to_be_in_viewport()
    button(page, "retry").click()
    expect(answer.locator(".cite").first).to_be_visible()
    expect(page.locator("milkwise-chat .asked")).to_have_count(2)


def test_too_many_says_how_long_and_lets_ask_again_then(hosted: Open) -> None:
    """429: how long to wait, in words; the same can be asked again after that and not before."""
    page = hosted("with=data-open")
    Trouble.what = "429"
    answer = ask(page, ASKED)
    said = say("error-wait", minutes=1)
    expect(answer).to_contain_text(said)
    expect(page.locator("milkwise-chat").get_by_role("status")).to_have_text(said)
    assert seen(page, "error") == [{"state": "error-wait"}]
    retry = button(page, "retry")
    expect(retry).to_be_disabled()
    Trouble.what = ""
    expect(retry).to_be_enabled()
    retry.click()
    expect(answer.locator(".cite").first).to_be_visible()


def test_a_session_too_old_is_taken_anew(hosted: Open) -> None:
    """One session serves a conversation; where the server knows it no more, nobody notices."""
    page = hosted("with=data-open")
    taken: list[str] = []
    page.on("request", lambda request: taken.append(request.url) if request.url.endswith("/v1/session") else None)
    ask(page, ASKED)
    ask(page, ASKED)
    assert len(taken) == 0  # taken as it opened
    Trouble.what = "401"
    page.get_by_label(say("your-question")).fill(ASKED)
    with page.expect_response("**/v1/session"):
        page.keyboard.press("Enter")
        page.wait_for_timeout(100)
        Trouble.what = ""
    expect(page.locator("milkwise-chat .asked")).to_have_count(3)
    assert len(taken) == 1


def test_stop_stops_and_what_is_typed_meanwhile_stays(hosted: Open) -> None:
    """A question that gets no answer can be stopped; the next one is not lost."""
    page = hosted("with=data-open")
    Trouble.what = "silent"
    box = page.get_by_label(say("your-question"))
    box.fill(ASKED)
    box.press("Enter")
    box.fill("Another one")
    box.press("Enter")
    button(page, "stop").click()
    expect(page.locator("milkwise-chat .reply")).to_contain_text(say("stopped"))
    expect(box).to_have_value("Another one")


def test_slow_is_said_and_does_not_last_for_ever(hosted: Open) -> None:
    """After some seconds without an answer it says so, aloud too; after a minute it gives up and can be asked again."""
    page = hosted("with=data-open")
    page.clock.install()
    Trouble.what = "silent"
    page.get_by_label(say("your-question")).fill(ASKED)
    page.keyboard.press("Enter")
    reply = page.locator("milkwise-chat .reply")
    expect(reply).to_contain_text(say("looking-one"))
    page.clock.fast_forward(7_000)
    expect(reply).to_contain_text(say("slow"))
    expect(page.locator("milkwise-chat").get_by_role("status")).to_have_text(say("slow"))
    page.clock.fast_forward(60_000)
    expect(reply).to_contain_text(say("cut-off"))
    expect(button(page, "retry")).to_be_visible()


def test_offline_and_refused_are_told_apart(hosted: Open, sites: tuple[str, str]) -> None:
    """Offline says so. A site nobody named reads kind words, and its owner finds the remedy in the console."""
    page = hosted("with=data-open")
    page.context.set_offline(True)
    expect(ask(page, ASKED)).to_contain_text(say("offline"))
    page.context.set_offline(False)
    other = hosted("with=data-open", host=sites[0].replace("127.0.0.1", "localhost"))
    said: list[str] = []
    other.on("console", lambda line: said.append(line.text))
    answer = ask(other, ASKED)
    expect(answer).to_contain_text(say("refused"))
    expect(answer.get_by_role("link", name=say("all-questions"))).to_have_attribute("href", f"{sites[1]}/faq")
    assert any("origins" in line and "localhost" in line for line in said)
    expect(other.locator("milkwise-chat .note")).to_be_visible()


def test_pasted_twice_and_redrawn_it_is_one_and_remembers(hosted: Open) -> None:
    """Two lines, one button; a new body keeps the conversation; only `remove()` ends it."""
    page = hosted("twice&with=data-open")
    expect(page.locator("milkwise-chat")).to_have_count(1)
    ask(page, ASKED)
    page.evaluate("document.body.replaceChildren()")
    expect(page.locator("milkwise-chat .asked")).to_be_visible()
    page.evaluate("document.body.replaceWith(document.createElement('body'))")
    expect(page.locator("milkwise-chat .asked")).to_be_visible()
    page.evaluate("document.querySelector('milkwise-chat').remove()")
    page.wait_for_timeout(200)
    expect(page.locator("milkwise-chat")).to_have_count(0)
    assert page.evaluate("Object.keys(window).filter((name) => /milk/i.test(name))") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_own_page_shows_it_live(hosted: Open, sites: tuple[str, str], scheme: str) -> None:
    """/widget holds to its strict policy, has nothing for axe to find, and the widget on it answers."""
    page = hosted(color_scheme=scheme)
    page.goto(sites[1] + "/widget")
    expect(ask(page, ASKED).locator(".cite").first).to_be_visible()
    page.evaluate(AXE)
    found = page.evaluate("async () => (await axe.run()).violations")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert seen(page, "violation") == []


def test_a_server_that_is_down_changes_nothing(hosted: Open, sites: tuple[str, str]) -> None:
    """Where the script cannot be loaded, the host's page is as it would be without the line."""
    page = hosted()
    page.context.route("**/widget.js", lambda route: route.abort())
    page.goto(sites[0])
    expect(page.get_by_role("heading", name="Host")).to_be_visible()
    assert page.evaluate("document.body.children.length") == 3
    expect(page.locator("milkwise-chat")).to_have_count(0)


def test_it_shifts_nothing(hosted: Open) -> None:
    """No layout shift: not as it opens at once, not by a question, not by the topic that is carried on."""
    page = hosted("with=data-open")
    ask(page, ASKED)
    expect(page.locator("milkwise-chat .topic")).to_be_visible()
    shifts = page.evaluate(
        """() => new Promise((done) => {
             const watch = new PerformanceObserver((list) => done(list.getEntries().length));
             watch.observe({ type: "layout-shift", buffered: true });
             setTimeout(() => done(0), 500);
           })"""
    )
    assert shifts == 0
