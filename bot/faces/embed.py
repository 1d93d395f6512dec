"""The widget: one script other sites load, and the page that shows it.

Comes in: an app, an open bot, settings. Goes out: the same app with /widget.js, its pinned twin and /widget on it, open
to the sites in `origins`. Does not know: what the widget does with the words it is given, or how an answer is found.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # it ships no types
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from starlette.middleware.cors import CORSMiddleware

from bot.bot import Bot
from bot.compose import Speaker
from bot.faces.problems import Problem
from bot.faces.templating import page
from bot.settings import Settings
from bot.words import Words

STATIC = Path(__file__).parents[1] / "static"
UNFILLED = "const SERVED = null;"
SAID = (
    *("about", "all-questions", "answer", "ask", "ask-else", "call", "close", "copied", "copy", "cut-off", "error"),
    *("error-busy", "error-loading", "error-long", "feedback-thanks", "helpful", "hours", "launch", "lead-in"),
    *("not-helpful", "not-reviewed", "no-publisher", "offline", "open-document", "page", "placeholder", "privacy"),
    *("read-as", "refused", "remove-topic", "retry", "reviewed", "slow", "source-number", "start-again", "starters"),
    *("stop", "stopped", "suggestions", "text-to", "they-do-answer", "unreachable", "visit", "welcome", "you-asked"),
    "your-question",
)
PLACES = ("topic", "number", "hours", "title", "page", "question", "date", "site")  # the widget fills these
PINNED_SECONDS = 365 * 24 * 3600
FRESH_SECONDS = 3600
PAGE_CSP = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; require-trusted-types-for 'script'"
)


@dataclass(frozen=True, slots=True)
class Script:
    """The widget as it is served. `pin` changes with every byte of it; `integrity` is what a host may demand."""

    plain: bytes
    packed: dict[str, bytes]

    @classmethod
    def of(cls, text: str) -> Script:
        """Compressed once, as small as it gets."""
        plain = text.encode()
        return cls(plain, {"br": brotli.compress(plain), "gzip": gzip.compress(plain, mtime=0)})

    @property
    def pin(self) -> str:
        """Names this very content."""
        return hashlib.sha256(self.plain).hexdigest()[:12]

    @property
    def integrity(self) -> str:
        """For the attribute of that name."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.plain).digest()).decode()


def embed(app: FastAPI, bot: Bot, settings: Settings) -> FastAPI:
    """Put the widget on the app and let the sites in `settings.origins` ask. Call before the app is started."""
    script = Script.of(filled(bot, settings))
    app.include_router(_routes(script, bot, settings))
    if settings.origins:
        # Outermost, so that these sites can read faults too. Never with credentials: there are none.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["content-type"],
        )
    return app


def filled(bot: Bot, settings: Settings) -> str:
    """The script with all it must be able to show without asking: words, disclaimers, first questions, colours.

    Its comment lines stay behind, the rest is served as it is written.
    """
    source = re.sub(r"(?m)^ *//.*\n", "", (STATIC / "widget.js").read_text(encoding="utf-8"))
    served = {
        "title": settings.title,
        "locale": settings.locale,
        "starters": Speaker(bot.index, bot.words, settings.locale).starters(),
        "words": {locale: spoken(bot.words, locale, len(bot.index.documents())) for locale in bot.words.locales},
        "tokens": tokens((STATIC / "tokens.css").read_text(encoding="utf-8"), source),
    }
    before, after = source.split(UNFILLED)
    return f"{before}const SERVED = {json.dumps(served, ensure_ascii=False, separators=(',', ':'))};{after}"


def spoken(words: Words, locale: str, documents: int) -> dict[str, str]:
    """What the widget says in one language; what only a reply can tell stays in {braces}."""
    later = {name: f"{{{name}}}" for name in PLACES}
    looking = "looking-one" if documents == 1 else "looking"
    return {
        "disclaimer": words.disclaimer(locale).text,
        "looking": words.text(looking, locale, n=documents),
        **{id: words.text(id, locale, **later) for id in SAID},
    }


def tokens(css: str, used: str) -> str:
    """The colours and sizes a script uses, set on the widget's own outermost element: a page cannot reach in there."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    kept = re.sub(r"(--[\w-]+):[^;]+;", lambda found: found[0] * (f"var({found[1]})" in used), bare)
    return re.sub(r"\s+", " ", re.sub(r"@media[^{]*{\s*:root\s*{\s*}\s*}", "", kept)).strip().replace(":root", ".all")


def _routes(script: Script, bot: Bot, settings: Settings) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    disclaimer = bot.words.disclaimer(settings.locale)

    @routes.api_route("/widget.js", methods=["GET", "HEAD"])
    def newest(request: Request) -> Response:
        return _script(script, request, f"public, max-age={FRESH_SECONDS}, stale-while-revalidate=86400")

    @routes.api_route("/widget-{pin}.js", methods=["GET", "HEAD"])
    def pinned(pin: str, request: Request) -> Response:
        if pin != script.pin:
            raise Problem(404, "This version of the widget is gone. /widget shows the line for the present one.")
        return _script(script, request, f"public, max-age={PINNED_SECONDS}, immutable")

    @routes.get("/widget")
    def shown(request: Request) -> HTMLResponse:
        server = str(request.base_url).rstrip("/")
        html = page(
            "widget.html",
            request,
            settings.title,
            disclaimer,
            title="On your site",
            server=server,
            origin=f"{request.url.scheme}://{request.url.netloc}",
            pin=script.pin,
            integrity=script.integrity,
            locale=settings.locale,
            origins=settings.origins,
            fallback=bot.words.text("all-questions", settings.locale),
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_CSP})

    return routes


def _script(script: Script, request: Request, caching: str) -> Response:
    accepted = request.headers.get("accept-encoding", "")
    encoding = next(
        (name for name in script.packed if re.search(rf"\b{name}\b(?!\s*;\s*q=0(\.0*)?\b(?!\.))", accepted)), ""
    )
    headers = {
        "Cache-Control": caching,
        "ETag": f'"{script.pin}{encoding and "-" + encoding}"',
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "*",  # what a page with an integrity attribute asks for
    }
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if encoding:
        headers["Content-Encoding"] = encoding
    return Response(script.packed.get(encoding, script.plain), media_type="text/javascript", headers=headers)
