"""The widget's two pages: /widget builds the line to paste, /frame is the widget alone, for pages without scripts.

Comes in: what names the script, a bot, settings. Goes out: their routes. Only /frame may stand in other sites' frames,
and only in those of `origins`. Does not know: how the script is served.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bot.bot import Bot
from bot.compose import Speaker
from bot.faces import theme
from bot.faces.schema import LOCALE
from bot.faces.templating import page
from bot.settings import Settings

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; frame-ancestors 'self'"
)
FRAMED = ("locale", "title", "starters", "accent", "dir")  # what the frame's address may choose
LONGEST = 1000


def router(served: Callable[[str], tuple[str, str]], bot: Bot, settings: Settings) -> APIRouter:
    """The routes /widget and /frame. `served` gives the pin and integrity of a language's script as of now."""
    routes = APIRouter(include_in_schema=False)
    words, disclaimer = bot.words, bot.words.disclaimer(settings.locale)

    @routes.get("/widget")
    def widget(request: Request) -> HTMLResponse:
        home = words.language(settings.locale)
        scripts = {}
        for language in dict.fromkeys((home, *words.locales)):
            pin, integrity = served(language)
            address = "widget.js" if language == home else f"widget.js?locale={language}"
            scripts[language] = {"newest": address, "pinned": f"widget-{pin}.js", "integrity": integrity}
        html = page(
            "widget.html",
            request,
            settings.title,
            disclaimer,
            title="On your site",
            server=str(request.base_url).rstrip("/"),
            origin=f"{request.url.scheme}://{request.url.netloc}",
            scripts=json.dumps(scripts),
            home=scripts[home],
            locale=settings.locale,
            locales=[
                f"{language}-{country}"
                for language in words.locales
                for country in sorted(filter(None, words.countries))
            ],
            accent=settings.accent,
            accent_dark=settings.accent_dark,
            grounds=theme.grounds(),
            starters=Speaker(bot.index, words, settings.locale).starters(),
            origins=settings.origins,
            privacy=words.text("privacy", settings.locale),
            fallback=words.text("all-questions", settings.locale),
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})

    @routes.get("/frame")
    def frame(request: Request) -> HTMLResponse:
        asked = {name: request.query_params[name][:LONGEST] for name in FRAMED if name in request.query_params}
        if not LOCALE.fullmatch(asked.get("locale", "en")):
            del asked["locale"]
        html = page(
            "frame.html",
            request,
            settings.title,
            words.disclaimer(asked.get("locale", settings.locale)),
            title=asked.get("title") or settings.title,
            chosen=asked,
            no_scripts=words.text("no-scripts", settings.locale),
            all_questions=words.text("all-questions", settings.locale),
        )
        policy = " ".join([POLICY, *settings.origins])
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    return routes
