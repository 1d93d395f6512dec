"""The page /widget in use: what is chosen becomes the line, the live widget is made by it, faint colours are named."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat import AXE, WORDS, say
from tests.browser.widget import ASKED, Open, ask


@pytest.fixture
def builder(hosted: Open, sites: tuple[str, str]) -> Iterator[Page]:
    """The page, where the widget already stands open."""
    page = hosted(permissions=["clipboard-read", "clipboard-write"])
    page.goto(sites[1] + "/widget")
    expect(page.locator("milkwise-chat .panel")).to_be_visible()
    yield page


def test_choices_become_the_line_and_the_widget(builder: Page, hosted: Open, sites: tuple[str, str]) -> None:
    """All that is chosen is in the line, escaped; the live widget shows it; the line, pasted elsewhere, does so too."""
    title = 'Ann & "Bo" <clinic>'
    builder.get_by_label("Name at the top").fill(title)
    builder.get_by_label("Left").check()
    builder.get_by_label("Questions to start with").fill(f"{ASKED}\nHow is milk | made?\n\n")
    builder.get_by_label("Colour on light pages").fill("#1d4ed8")
    builder.get_by_label("Open at once").check()
    chat = builder.locator("milkwise-chat")
    expect(chat.get_by_role("heading", name=title)).to_be_visible()
    expect(chat.locator(".all")).to_have_class(re.compile("left"))
    expect(chat.locator(".chip:visible")).to_have_text([ASKED, "How is milk / made?"])
    expect(chat.locator(".launcher")).to_have_css("background-color", "rgb(29, 78, 216)")
    expect(chat.locator(".launcher")).to_have_css("color", "rgb(255, 255, 255)")
    builder.get_by_role("button", name="Copy the line").click()
    line = builder.evaluate("navigator.clipboard.readText()")
    script, fallback = line.splitlines()
    assert fallback == f'<noscript><a href="{sites[1]}/faq">{say("all-questions")}</a></noscript>'
    for part in (
        ' data-position="left"',
        ' data-accent="#1D4ED8 #FFFFFF #6CC7B5 #000000"',
        " data-open>",
        "&#60;clinic",
    ):
        assert part in script
    assert '"Bo"' not in script
    pasted = hosted("body=" + script.replace("#", "%23").replace("&", "%26"))
    expect(pasted.locator("milkwise-chat").get_by_role("heading", name=title)).to_be_visible()
    expect(ask(pasted, ASKED).locator(".cite").first).to_be_visible()


def test_pinned_line_and_frame_follow_the_choices(builder: Page, sites: tuple[str, str]) -> None:
    """The pinned script loads under its integrity, and the frame's address carries what a frame can show."""
    builder.get_by_label("Name at the top").fill("Ward & 5")
    pinned, frame = builder.locator("#pinned").inner_text(), builder.locator("#frame").inner_text()
    assert 'crossorigin="anonymous"' in pinned
    assert 'data-title="Ward &#38; 5"' in pinned
    (address,) = re.findall(r'src="([^"]+)"', frame)
    builder.goto(address.replace("&#38;", "&"))
    expect(builder.get_by_role("region", name="Ward & 5")).to_be_visible()
    expect(ask(builder, ASKED).locator(".cite").first).to_be_visible()
    builder.evaluate(AXE)
    assert builder.evaluate("async () => (await axe.run()).violations.map((one) => one.id)") == []


def test_another_language_is_in_the_address_of_the_script(builder: Page, hosted: Open, sites: tuple[str, str]) -> None:
    """A script speaks one language: each line names the one chosen, and what it makes speaks it."""
    builder.get_by_label("Language and country").fill("es-MX")
    line, pinned, frame = (builder.locator(f"#{id}").inner_text() for id in ("line", "pinned", "frame"))
    script = line.splitlines()[0]
    assert f'src="{sites[1]}/widget.js?locale=es"' in script
    assert 'data-locale="es-MX"' in script
    pasted = hosted("body=" + script.replace("?", "%3F").replace("&", "%26"))
    launch = WORDS.text("launch", "es-MX")
    expect(pasted.locator("milkwise-chat").get_by_role("button", name=launch)).to_be_visible()
    pasted = hosted("body=" + pinned.replace("+", "%2B"))
    expect(pasted.locator("milkwise-chat").get_by_role("button", name=launch)).to_be_visible()
    (address,) = re.findall(r'src="([^"]+)"', frame)
    builder.goto(address.replace("&#38;", "&"))
    expect(builder.locator("milkwise-chat .note")).to_contain_text(WORDS.disclaimer("es-MX").text)


def test_a_faint_colour_is_named_with_one_that_can_be_read(builder: Page) -> None:
    """The ratio, that it fails, and the nearest colour that does not; its own choice then passes."""
    colour, said = builder.get_by_label("Colour on light pages"), builder.locator("#about-accent")
    expect(said).to_have_text(re.compile("can be read"))
    colour.fill("#ffaa00")
    expect(said).to_have_text(re.compile(r"Contrast 1\.[67] to 1: too faint"))
    expect(said).to_have_class(re.compile("warning"))
    builder.evaluate(AXE)
    assert builder.evaluate("async () => (await axe.run('form')).violations.map((one) => one.id)") == []
    (mended,) = re.findall(r"#[0-9A-F]{6}", said.inner_text())
    colour.fill(mended.lower())
    expect(said).to_have_text(re.compile("can be read"))
    builder.get_by_role("button", name="Start again").last.click()


def test_the_frame_stands_in_a_named_site_and_in_no_other(
    browser: Browser, hosted: Open, sites: tuple[str, str]
) -> None:
    """A host without any script shows it; a host nobody named gets nothing in its place."""
    frame = f"body=<iframe src={sites[1]}/frame width=600 height=500></iframe>&frames"
    inside = hosted(frame).frame_locator("iframe").locator("milkwise-chat")
    expect(inside.locator(".note")).to_contain_text("does not give medical advice")
    inside.get_by_label(say("your-question")).fill(ASKED)
    inside.get_by_label(say("your-question")).press("Enter")
    expect(inside.locator(".cite").first).to_be_visible()
    other = hosted(frame, host=sites[0].replace("127.0.0.1", "localhost"))
    expect(other.frame_locator("iframe").locator("milkwise-chat")).to_have_count(0)
