"""The editor's page: what visitors ask that the documents do not answer, how the documents stand, what has changed.

Comes in: an app with its tally, an open bot, settings. Goes out: the same app with /editor on it, open to whoever has
the token (as a password, or as a bearer token). Does not know: how a report is made or a document rebuilt.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.security import HTTPBasic, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from bot.bot import Bot
from bot.faces import upkeep
from bot.faces.editing import csv_text
from bot.faces.guard import PAGE_CSP
from bot.faces.problems import Problem
from bot.faces.templating import page, prefix
from bot.golden import GoldenError, add_case
from bot.journal import Journal
from bot.labels import overdue, review
from bot.reply import Kind
from bot.report import Day, Report, report
from bot.settings import Settings

LIMIT_BYTES = 16 * 1024
SHOWN_DAYS = 60
WIDTH, HEIGHT = 720, 140  # of the plot, in its own units
HEADERS = {
    "Content-Security-Policy": PAGE_CSP.replace("form-action 'none'", "form-action 'self'"),
    "Referrer-Policy": "same-origin",  # or a browser would not say where a form was sent from
    "Cache-Control": "no-store",
}
_BASIC, _BEARER = HTTPBasic(auto_error=False), HTTPBearer(auto_error=False)


def edit(app: FastAPI, bot: Bot, settings: Settings) -> FastAPI:
    """Put the page on the app; `app.state.changes` holds what the running server has taken up, newest first."""
    app.state.changes = deque(maxlen=20)
    routes = APIRouter(prefix="/editor", include_in_schema=False, dependencies=[Depends(_entered(settings))])
    _reports(routes, app, bot, settings)
    _collecting(routes, settings)
    app.include_router(routes)
    return app


def _entered(settings: Settings) -> Callable[[Request], Awaitable[None]]:
    """A dependency that lets in whoever has the token; without one the page is closed."""
    wanted = settings.editor_token.get_secret_value()

    async def entered(request: Request) -> None:
        if not wanted:
            raise Problem(403, "The editor's page is closed.", ("editor_token", "it is not set", "Set editor_token."))
        scheme = request.headers.get("authorization", "").partition(" ")[0].casefold()
        given = ""
        if scheme == "basic" and (pair := await _BASIC(request)):
            given = pair.password
        elif scheme == "bearer" and (bearer := await _BEARER(request)):
            given = bearer.credentials
        if not secrets.compare_digest(given.encode(), wanted.encode()):
            raise HTTPException(401, headers={"WWW-Authenticate": 'Basic realm="editor", charset="UTF-8"'})

    return entered


def _reports(routes: APIRouter, app: FastAPI, bot: Bot, settings: Settings) -> None:
    """The page, and the report as JSON and CSV."""

    def made() -> Report | None:
        journal: Journal | None = app.state.tally.journal
        return report(journal, bot) if journal else None

    @routes.get("")
    def editor(request: Request) -> HTMLResponse:
        found, index = made(), bot.index
        shown = page(
            "editor.html",
            request,
            settings.title,
            bot.words.disclaimer(settings.locale),
            title="For the editor",
            report=found,
            plot=plot(found.days) if found else None,
            journal=settings.journal,
            cases=settings.cases,
            note=NOTES.get(request.query_params.get("note", "")),
            documents=[
                (one, review(one, settings.review_months), overdue(one, settings.review_months))
                for one in index.documents()
            ],
            changes=list(app.state.changes),
            generation=index.generation,
            expects=upkeep.expects(index.manifest.trust),
        )
        return HTMLResponse(shown, headers=HEADERS)

    @routes.get("/report.json")
    def as_json() -> JSONResponse:
        return JSONResponse(_kept(made()).as_dict(), headers=HEADERS)

    @routes.get("/report.csv")
    def as_csv() -> Response:
        headers = HEADERS | {"Content-Disposition": 'attachment; filename="milkwise-report.csv"'}
        return Response(csv_text(_kept(made())), media_type="text/csv; charset=utf-8", headers=headers)


def _collecting(routes: APIRouter, settings: Settings) -> None:
    """One click makes a question a golden case."""

    @routes.post("/cases")
    async def collect(request: Request) -> RedirectResponse:
        if not _from_here(request):
            raise Problem(403, "This form was sent from another site.")
        if settings.cases is None:
            raise Problem(409, "There is no file to put cases in.", ("cases", "it is not set", "Set cases."))
        form = await _form(request)
        asked, expect = form.get("ask", "").strip(), form.get("expect")
        if expect not in (Kind.ANSWER, Kind.ABSTAIN) or not 1 <= len(asked) <= 2000:
            raise Problem(422, "The form holds no question, or no kind of reply.")
        try:
            new = await run_in_threadpool(add_case, settings.cases, asked, Kind(expect), date.today())
        except (GoldenError, OSError) as fault:
            raise Problem(409, f"The case could not be added: {fault}") from None
        return RedirectResponse(f"{prefix(request)}/editor?note={'added' if new else 'known'}", 303)


NOTES = {"added": "The case was added.", "known": "That question is a case already."}


def plot(days: tuple[Day, ...]) -> dict[str, Any] | None:
    """Where the bars of the plot stand: for each of the latest days (x, width, top of asked, top of answered)."""
    shown = days[-SHOWN_DAYS:]
    if not shown:
        return None
    most = max(day.asked for day in shown)
    step = WIDTH / max(len(shown), 14)
    bars = [
        {
            "day": day,
            "x": round(place * step, 1),
            "width": round(max(step - 2, 1), 1),
            "asked": round(HEIGHT * day.asked / most, 1),
            "answered": round(HEIGHT * day.answered / most, 1),
        }
        for place, day in enumerate(shown)
    ]
    answered, asked = sum(day.answered for day in shown), sum(day.asked for day in shown)
    return {"bars": bars, "share": round(100 * answered / asked), "asked": asked, "most": most}


def _kept(found: Report | None) -> Report:
    if found is None:
        raise Problem(409, "Nothing is kept.", ("journal", "it is off", "Set on = true in [journal]."))
    return found


def _from_here(request: Request) -> bool:
    """Whether a form was sent from this very site: another's could use the password the browser remembers."""
    if "sec-fetch-site" in request.headers:
        return request.headers["sec-fetch-site"] == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LIMIT_BYTES:
            raise Problem(413, "The form is too long.")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
