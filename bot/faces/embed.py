"""The widget: one script other sites load.

Comes in: an app, an open bot, settings. Goes out: the same app with /widget.js, its pinned twin and the widget's pages
on it, open to the sites in `origins`. Does not know: what the widget does with the words it is given.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import brotli  # type: ignore[import-untyped]  # it ships no types
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.middleware.cors import CORSMiddleware

from bot.bot import Bot
from bot.faces import embed_pages, theme
from bot.faces.problems import Problem
from bot.faces.sessions import HEADER
from bot.faces.tally import REASONS
from bot.settings import Settings
from bot.words import Words

STATIC = Path(__file__).parents[1] / "static"
UNFILLED = "const SERVED = null;"
SAID = (
    *("about", "all-questions", "ask", "ask-else", "call", "close", "copied", "copy", "cut-off", "error"),
    *("error-long", "error-wait", "feedback-thanks", "helpful", "hours", "launch", "lead-in"),
    *("not-helpful", "offline", "open-document", "placeholder", "privacy", "read-as", "refused", "remove-topic"),
    *("retry", "safety", "slow", "source-number", "start-again", "starters", "stop", "stopped", "suggestions"),
    *("text-to", "they-do-answer", "unanswered", "unreachable", "visit", "welcome", "you-asked", "your-question"),
)
PLACES = ("topic", "minutes", "number", "hours", "title", "question", "site")  # the widget fills these
RTL = ("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi")  # languages written from right to left
PINNED_SECONDS = 365 * 24 * 3600
FRESH_SECONDS = 3600


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

    @lru_cache(maxsize=8)
    def made(generation: str, language: str) -> Script:
        return Script.of(filled(bot, settings, language))

    def script(locale: str = "") -> Script:
        return made(bot.index.generation, bot.words.language(locale or settings.locale))

    app.include_router(_routes(script, bot))
    app.include_router(
        embed_pages.router(lambda language: (script(language).pin, script(language).integrity), bot, settings)
    )
    if settings.origins:
        # Outermost, so that these sites can read faults too. Never with credentials: there are none.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", HEADER],
            expose_headers=["Retry-After"],
        )
    return app


def filled(bot: Bot, settings: Settings, language: str | None = None) -> str:
    """The script with all it must be able to show without asking: words, disclaimer, colours.

    In one language, the site's own where none is given: each more would make every visitor wait for words of others.

    Its comment lines and the space around lines and styles stay behind, the rest is served as it is written.
    """
    home = bot.words.language(settings.locale)
    language = language or home
    source = re.sub(r"(?m)^ *(//.*)?\n|^ +", "", (STATIC / "widget.js").read_text(encoding="utf-8"))
    source = re.sub(r"(?s)(?<=SERVED.tokens \+ `).*?(?=`\);)", lambda styles: close(styles[0]), source)
    served = {
        "title": settings.title,
        "locale": settings.locale if language == home else language,
        "reasons": [bot.words.text(id, language) for id in REASONS if settings.journal.on],
        "words": spoken(bot.words, language, len(bot.index.documents())),
        "tokens": tokens(theme.css(settings), source),
    }
    before, after = source.split(UNFILLED)
    return f"{before}const SERVED = {json.dumps(served, ensure_ascii=False, separators=(',', ':'))};{after}"


def spoken(words: Words, locale: str, documents: int) -> dict[str, str]:
    """What the widget says in one language; what only a reply can tell stays in {braces}."""
    later = {name: f"{{{name}}}" for name in PLACES}
    looking = "looking-one" if documents == 1 else "looking"
    return {
        "dir": "rtl" if locale.partition("-")[0] in RTL else "ltr",
        "disclaimer": f"{words.disclaimer(locale).text} {words.notice(locale)}".rstrip(),
        "looking": words.text(looking, locale, n=documents),
        **{id: words.text(id, locale, **later) for id in SAID},
    }


def tokens(css: str, used: str) -> str:
    """The colours and sizes a script uses, set on the widget's own outermost element: a page cannot reach in there.

    The accents alone are open to it: --milkwise-accent and --milkwise-on-accent, with -dark at the end on dark pages.
    """
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    kept = re.sub(r"(--[\w-]+):[^;]+;", lambda found: found[0] * (f"var({found[1]})" in used), bare)
    light, dark, rest = kept.partition(theme.DARK)
    light, rest = (
        re.sub(r"--((?:on-)?accent): (#\w+)", rf"--\1: var(--milkwise-\1{end}, \2)", part)
        for part, end in ((light, ""), (rest, "-dark"))
    )
    whole = re.sub(r"@media[^{]*{\s*:root\s*{\s*}\s*}", "", light + dark + rest)
    return close(whole).strip().replace(":root", ".all")


def close(css: str) -> str:
    """Styles without the space that only people need. Before a colon it stays: `.log :focus` is not `.log:focus`."""
    return re.sub(r"([{:;},])\s+|\s+(?=[{}])", r"\1", css).replace(";}", "}")


def _routes(script: Callable[..., Script], bot: Bot) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/widget.js", methods=["GET", "HEAD"])
    def newest(request: Request) -> Response:
        served = script(request.query_params.get("locale", ""))
        return _script(served, request, f"public, max-age={FRESH_SECONDS}, stale-while-revalidate=86400")

    @routes.api_route("/widget-{pin}.js", methods=["GET", "HEAD"])
    def pinned(pin: str, request: Request) -> Response:
        served = next((one for one in map(script, bot.words.locales) if one.pin == pin), None)
        if served is None:
            raise Problem(404, "This version of the widget is gone. /widget shows the line for the present one.")
        return _script(served, request, f"public, max-age={PINNED_SECONDS}, immutable")

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
