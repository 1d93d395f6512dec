"""The chat page as a visitor uses it: what can be done on it, what stands on it, and what it must never do."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import BrowserContext, Locator, expect

from bot.words import Words

LOCALE = "en-GB"  # a country with numbers to call
WORDS = Words.load()
SIZES = ((1280, 800), (768, 1024), (360, 740), (320, 568))
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
_WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""


def say(id: str, **values: object) -> str:
    """A phrase of the page, as an editor has worded it."""
    return WORDS.text(id, LOCALE, **values)


class Chat:
    """One open page, and all it asked of the network."""

    def __init__(self, context: BrowserContext, site: str, path: str = "/chat/") -> None:
        self.context, self.site = context, site
        self.page = context.new_page()
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        context.on("request", lambda request: self._asked(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        context.add_init_script(_WATCH)
        self.page.goto(site + path)
        if path == "/chat/":
            expect(self.box).to_be_visible(timeout=30_000)

    @property
    def box(self) -> Locator:
        """Where questions are typed."""
        return self.page.get_by_role("textbox", name=say("your-question"))

    @property
    def questions(self) -> Locator:
        """What was asked, oldest first."""
        return self.page.locator("#chat .user-row .message-content")

    @property
    def answers(self) -> Locator:
        """What was answered, oldest first."""
        return self.page.locator("#chat .bot-row")

    @property
    def answer(self) -> Locator:
        """The newest answer."""
        return self.answers.last

    @property
    def citations(self) -> Locator:
        """The numbers in the newest answer."""
        return self.answer.locator("a.cite")

    @property
    def suggestions(self) -> Locator:
        """What can be asked next."""
        return self.page.locator("#chat .options button")

    @property
    def topic(self) -> Locator:
        """The chip over the question box."""
        return self.page.locator("#topic")

    def button(self, id: str) -> Locator:
        """The button with that phrase on it; the newest where there are several."""
        return self.page.get_by_role("button", name=say(id), exact=True).last

    def ask(self, question: str) -> None:
        """Type a question, send it with Enter, wait for the whole answer."""
        before = self.answers.count()
        self.box.fill(question)
        self.box.press("Enter")
        self.settled(before + 1)

    def settled(self, answers: int) -> None:
        """Wait until there are so many answers and none is under way."""
        expect(self.answers).to_have_count(answers, timeout=20_000)
        expect(self.button("ask")).to_be_visible(timeout=20_000)

    def violations(self) -> list[str]:
        """What axe-core finds wrong with the page as it is."""
        self.page.evaluate(AXE)
        found: list[dict[str, Any]] = self.page.evaluate("async () => (await axe.run()).violations")
        return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]

    def assert_disclaimer_in_view(self) -> None:
        """The whole disclaimer is inside the window, and nothing lies over it."""
        note = self.page.get_by_role("note")
        expect(note).to_have_text(WORDS.disclaimer(LOCALE).text)
        box, size = note.bounding_box(), self.page.viewport_size
        assert box and size
        assert box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= size["width"] and box["y"] + box["height"] <= size["height"]
        assert box["height"] < size["height"] / 3, "it leaves no room for an answer"
        covered = """note => {
            const { left, right, top, bottom } = note.getBoundingClientRect();
            return [[left + 5, top + 3], [right - 5, bottom - 3], [(left + right) / 2, (top + bottom) / 2]]
                .some(([x, y]) => !note.contains(document.elementFromPoint(x, y)));
        }"""
        assert not note.evaluate(covered), "something covers the disclaimer"

    def assert_no_sideways_scroll(self) -> None:
        """Nothing is wider than the window."""
        wide = """() => [...document.querySelectorAll("*")].filter((node) => {
            const flow = getComputedStyle(node).overflowX;
            return node.scrollWidth > node.clientWidth + 1 && (flow === "auto" || flow === "scroll");
        }).map((node) => node.outerHTML.slice(0, 120))"""
        assert self.page.evaluate(wide) == []
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def assert_clean(self) -> None:
        """No other host was asked for anything, the content policy held, nothing was kept in the browser."""
        assert self.foreign == []
        assert not self.complaints, self.complaints
        assert self.page.evaluate("window.broken") == []
        assert self.context.cookies() == []
        kept = "[...Object.entries(localStorage), ...Object.entries(sessionStorage)]"
        assert self.page.evaluate(kept) == []

    def _asked(self, address: str) -> None:
        if not address.startswith((self.site, "data:", "blob:")):
            self.foreign.append(address)
