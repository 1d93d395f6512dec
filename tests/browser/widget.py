"""The widget on a host's page, as a visitor meets it there: the host, what can go wrong, and what is done by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.bot import Bot
from bot.faces import pages
from bot.faces.api import create_app
from bot.faces.embed import embed
from bot.settings import load
from tests.browser.chat import LOCALE, say
from tests.serving import served

Open = Callable[..., Page]
ASKED, URGENT, UNKNOWN = (
    "Can men produce milk?",
    "I am bleeding heavily and feel faint",
    "What is the capital of France?",
)
BOTH = f"{ASKED} {UNKNOWN}"
HOSTILE = """
* { color: hotpink !important; font: 40px fantasy !important; direction: rtl !important; pointer-events: none }
body > * , button, div, textarea { display: none !important; visibility: hidden !important; opacity: 0 !important }
body { transform: scale(.5) }
body > header { display: block !important; position: fixed; inset: 0; z-index: 2147483647 }
"""
WATCH = """
window.seen = [];
for (const name of ["open", "reply", "error"])
  addEventListener(`milkwise:${name}`, (event) => seen.push([name, event.detail]));
addEventListener("securitypolicyviolation", (event) => seen.push(["violation", event.violatedDirective]));
document.addEventListener("keydown", () => seen.push(["shortcut", null]));
"""


class Trouble:
    """Stands before the bot; `what` is what goes wrong with the next questions, "" for nothing."""

    what = ""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Break off after the first piece of an answer, never answer, or refuse with a status."""

        async def cut(message: Message) -> None:
            await send(message)
            if message.get("body"):
                raise ConnectionAbortedError

        what = Trouble.what if scope.get("path") == "/v1/ask" and scope["method"] == "POST" else ""
        if what == "cut":
            await self.app(scope, receive, cut)
        elif what == "silent":
            while (await receive())["type"] != "http.disconnect":
                pass
        elif what:
            await PlainTextResponse("", int(what), {"Retry-After": "2"})(scope, receive, send)
        else:
            await self.app(scope, receive, send)


@contextmanager
def embedded(bot: Bot, **chosen: Any) -> Iterator[tuple[str, str]]:
    """A host's address, and the address of the server it embeds, with what its operator has `chosen`."""
    server = ""

    def host(request: Request) -> Response:
        more = request.query_params.get("with", "")
        line = f'<script src="{server}/widget.js" defer data-locale="{LOCALE}" {more}></script>'
        body = request.query_params.get("body", "")
        head = '<link rel="stylesheet" href="/hostile.css">' if "hostile" in request.query_params else ""
        head += '<meta name="viewport" content="width=device-width"><title>Host</title>'
        page = f'<!doctype html><html lang="en">{head}<header><h1>Host</h1></header><main>{body}</main>'
        policy = (
            f"default-src 'none'; script-src 'self' {server}; connect-src {server}; style-src 'self'; "
            "require-trusted-types-for 'script'" + f"; frame-src {server}" * ("frames" in request.query_params)
        )
        return HTMLResponse(
            page + line * (2 if "twice" in request.query_params else 1), headers={"Content-Security-Policy": policy}
        )

    def hostile(request: Request) -> Response:
        return Response(HOSTILE, media_type="text/css")

    with served(Starlette(routes=[Route("/", host), Route("/hostile.css", hostile)])) as address:
        settings = load(index=bot.settings.index, locale=LOCALE, origins=(address,), **chosen)
        app = create_app(bot, settings)
        app.include_router(pages.router(bot, settings))
        app.add_middleware(Trouble)
        with served(embed(app, bot, settings)) as server:
            yield address, server


@contextmanager
def visiting(browser: Browser, sites: tuple[str, str]) -> Iterator[Open]:
    """Open the host's page in fresh profiles. Afterwards nothing was kept, and nobody else was asked."""
    contexts = []

    def open_page(query: str = "", host: str = "", width: int = 1280, height: int = 800, **profile: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **profile)
        contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda request: asked.append(request.url))
        page.goto((host or sites[0]) + "/?" + query)
        page.wait_for_function("document.querySelector('milkwise-chat')")
        return page

    asked: list[str] = []
    Trouble.what = ""
    yield open_page
    for context in contexts:
        assert context.cookies() == []
        for page in context.pages:
            assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
        context.close()
    assert all(url.startswith((*sites, sites[0].replace("127.0.0.1", "localhost"))) for url in asked)


def button(page: Page, id: str) -> Locator:
    """The widget's button that says this phrase."""
    return page.locator("milkwise-chat").get_by_role("button", name=say(id), exact=True)


def ask(page: Page, question: str) -> Locator:
    """Ask in the open widget; gives the newest answer, once it is whole or given up."""
    page.get_by_label(say("your-question")).fill(question)
    page.keyboard.press("Enter")
    answer = page.locator("milkwise-chat .reply").last
    expect(page.locator("milkwise-chat .asked").last).to_contain_text(question)
    expect(answer).not_to_contain_text(say("looking-one"), timeout=20_000)
    expect(button(page, "ask")).to_be_visible()
    return answer


def seen(page: Page, name: str) -> list[Any]:
    """What the host page was told, or saw, under this name."""
    return [detail for kind, detail in page.evaluate("seen") if kind == name]
