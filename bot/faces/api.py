"""The bot over HTTP: questions as JSON or server-sent events, documents and passages, health, and its own reference.

Comes in: a `Bot` (None while no index is loaded) and settings. Goes out: a FastAPI app that keeps the contract. Keeps
no session and no text. Does not know: Gradio, the document pages, or how a server is started.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import anyio
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware

from bot.bot import Bot
from bot.compose import Speaker
from bot.faces import reference, theme
from bot.faces.bodies import Bodies
from bot.faces.desk import Busy, Desk
from bot.faces.gate import Gate, asking
from bot.faces.guard import Guard
from bot.faces.limiting import Limits
from bot.faces.problems import Problem, Problems
from bot.faces.schema import (
    AskBody,
    DocumentBody,
    DocumentsBody,
    FeedbackBody,
    PassageBody,
    ProblemBody,
    ReplyBody,
    SessionBody,
    WholeDocumentBody,
)
from bot.faces.sessions import Sessions
from bot.faces.tally import MEDIA, Tally
from bot.faces.templating import page, prefix
from bot.faces.traces import Spans
from bot.journal import Journal, JournalFault
from bot.redact import load as load_redactor
from bot.render import as_dict, claim_dict, disclaimer_dict
from bot.reply import Reply
from bot.settings import Settings
from bot.words import Words, country

STATIC = Path(__file__).parents[1] / "static"
POSTED = (400, 401, 403, 408, 413, 415, 422, 429, 500)
Loaded = TypeVar("Loaded", Bot, Desk)
SUMMARY = "Answers from vetted documents, in the documents' own words, every sentence cited."


def create_app(bot: Bot | None, settings: Settings) -> FastAPI:
    """The API around one bot. Without a bot everything that needs an index answers 503."""
    words = bot.words if bot else Words.load()
    problems = Problems(words.disclaimer(settings.locale), settings.title)
    app = FastAPI(
        title=settings.title,
        version=version("milkwise"),
        summary=SUMMARY,
        description=problems.disclaimer.text,
        docs_url=None,  # FastAPI's own loads scripts from another host
        redoc_url=None,
        root_path_in_servers=False,
    )
    problems.install(app)
    # Allows no foreign origin. Without it the chat page's own handling would echo any origin, with credentials.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    sessions = Sessions(settings.secret, settings.session_minutes)
    app.add_middleware(Bodies, problems=problems)
    limits = app.state.limits = Limits(settings.address_limit, settings.session_limit)  # the chat page's too
    app.add_middleware(Gate, problems=problems, settings=settings, sessions=sessions, limits=limits)
    app.add_middleware(Guard, problems=problems)
    journal = _journal(bot, settings) if settings.journal.on else None
    tally = app.state.tally = Tally(journal)  # the chat page counts its thumbs here too
    if bot:
        bot.observers = (tally, Spans())
    app.include_router(
        _conversation(Desk(bot, settings, tally) if bot else None, tally, sessions, _starters(bot, settings))
    )
    app.include_router(_documents(bot, problems))
    app.include_router(_service(bot, settings, problems, tally))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    plain_openapi = app.openapi
    app.openapi = lambda: reference.honest(plain_openapi())  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _journal(bot: Bot | None, settings: Settings) -> Journal:
    """The journal, which knows from the documents, as they are at the time, which words are nobody's name."""
    if settings.journal.words:
        try:
            load_redactor()  # it takes a moment: not while a visitor waits
        except ValueError as fault:
            raise JournalFault(
                f"{fault}: names cannot be taken out. Install Milkwise again, or set words = false in [journal]."
            ) from None
    return Journal(settings.journal, country(settings.locale), lambda word: bool(bot and bot.nobodys(word)))


def _faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemBody} for status in statuses}


def _loaded(bot: Loaded | None) -> Loaded:
    if bot is None:
        fault = ("index", "none is loaded", "Try again later; the operator runs `milkwise build`.")
        raise Problem(503, "No documents are loaded yet.", fault)
    return bot


def _starters(bot: Bot | None, settings: Settings) -> Callable[[], tuple[str, ...]]:
    """Gives the questions to begin with, of the index in use, found once for each."""

    @lru_cache(maxsize=1)
    def found(generation: str) -> tuple[str, ...]:
        return Speaker(bot.index, bot.words, settings.locale).starters() if bot else ()

    return lambda: found(bot.index.generation if bot else "")


def _conversation(
    desk: Desk | None, tally: Tally, sessions: Sessions, starters: Callable[[], tuple[str, ...]]
) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["conversation"])

    @routes.get("/session", responses={200: {"model": SessionBody}, **_faults(403, 429, 500, 503)})
    def session(request: Request) -> JSONResponse:
        """A token for the header Milkwise-Session. A page of another site needs one to ask; programs may do without."""
        body = {"token": sessions.issue(asking(request)), "seconds": sessions.seconds, "starters": starters()}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    @routes.post(
        "/ask",
        response_model=None,
        responses={
            200: {
                "model": ReplyBody,
                "description": "The reply; as events where text/event-stream is accepted.",
                "content": {
                    "text/event-stream": {"schema": {"type": "string"}, "example": reference.STREAM},
                },
            },
            **_faults(*POSTED, 503),
        },
    )
    async def ask(body: AskBody, request: Request) -> Response:
        """Ask one question. History comes with it: the server keeps no session."""
        asking = _loaded(desk)
        reply = await _answered(asking, body, request)
        if reply is None:
            return Response(status_code=499)  # whoever asked has left: nobody reads this
        whole = as_dict(reply, asking.settings.review_months)
        if "text/event-stream" in request.headers.get("accept", ""):
            # A proxy that buffers would hold every claim back until the end.
            headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
            return StreamingResponse(_events(reply, whole), media_type="text/event-stream", headers=headers)
        return JSONResponse(whole, headers={"Cache-Control": "no-store"})

    @routes.post("/feedback", status_code=204, responses=_faults(*POSTED))
    def feedback(body: FeedbackBody) -> None:
        """Say whether a reply helped. Unless the operator keeps a journal, only counters move and no text is kept."""
        tally.count(body.vote, body.kind, body.reason, body.question)

    return routes


async def _answered(desk: Desk, body: AskBody, request: Request) -> Reply | None:
    """The reply, or None where the client left before it was its turn. Raises Problem where too many wait."""
    reply, busy = None, None

    async def leaving() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(leaving)
        try:
            reply = await desk.reply(body.question, body.turns, body.locale)
        except Busy as fault:
            busy = fault
        group.cancel_scope.cancel()
    if busy:
        error = ("server", "more questions wait than it can answer", f"Ask again in {busy.wait_s} seconds.")
        wait = {"Retry-After": str(busy.wait_s)}
        raise Problem(503, "Too many questions at once. Nothing is wrong with yours.", error, headers=wait)
    return reply


def _events(reply: Reply, whole: dict[str, Any]) -> Iterator[bytes]:
    """An event per claim, then the whole reply; a stream without `reply` was cut off.

    The disclaimer comes before anything else, as a comment of the first event, so that a cut stream has it too.
    """
    yield f": {' '.join(reply.disclaimer.text.split())}\n".encode()
    for claim in reply.claims:
        yield format_sse_event(event="claim", data_str=json.dumps(claim_dict(claim), ensure_ascii=False))
    yield format_sse_event(event="reply", data_str=json.dumps(whole, ensure_ascii=False))


def _documents(bot: Bot | None, problems: Problems) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["documents"])
    disclaimer = disclaimer_dict(problems.disclaimer)

    @routes.get("/documents", responses={200: {"model": DocumentsBody}, **_faults(500, 503)})
    def documents() -> JSONResponse:
        """The documents that may be quoted."""
        listed = [DocumentBody.facts(document) for document in _loaded(bot).index.documents()]
        return JSONResponse({"documents": listed, "disclaimer": disclaimer})

    @routes.get("/documents/{id:path}", responses={200: {"model": WholeDocumentBody}, **_faults(404, 500, 503)})
    def document(id: str) -> JSONResponse:
        """One document with its text; quotes are offsets into it."""
        index = _loaded(bot).index
        found = index.document(id)
        if found is None:
            raise Problem(404, "No document has that id.", ("id", "it is unknown", "GET /v1/documents lists them."))
        sections = [{"headings": one.headings, "start": one.start, "end": one.end} for one in found.sections]
        passages = [passage.id for passage in index.passages(id)]
        whole = {"text": found.text, "sections": sections, "passages": passages, "disclaimer": disclaimer}
        return JSONResponse(DocumentBody.facts(found) | whole)

    @routes.get("/passages/{id:path}", responses={200: {"model": PassageBody}, **_faults(404, 500, 503)})
    def passage(id: str) -> JSONResponse:
        """One passage. A `#` in its id is sent as %23."""
        found = _loaded(bot).index.passage(id)
        if found is None:
            remedy = "GET /v1/documents/{id} lists a document's passages; send # as %23."
            raise Problem(404, "No passage has that id.", ("id", "it is unknown", remedy))
        return JSONResponse(PassageBody.facts(found) | {"disclaimer": disclaimer})

    return routes


def _service(bot: Bot | None, settings: Settings, problems: Problems, tally: Tally) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    def home(request: Request) -> Response:
        # Whole path, prefix included: relative to "/faq" without its slash, "chat/" would leave the prefix.
        return Response(status_code=307, headers={"Location": prefix(request) + "/chat/"})

    @routes.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "alive", "version": version("milkwise")}

    @routes.get("/readyz")
    def readyz() -> dict[str, str]:
        return {"status": "ready", "index": _loaded(bot).index.generation}

    @routes.get("/metrics")
    def metrics() -> Response:
        generation = bot.index.generation if bot else None
        return Response(tally.exposition(generation), media_type=MEDIA)

    @routes.get("/docs")
    def docs(request: Request) -> HTMLResponse:
        described = reference.describe(request.app.openapi())
        return HTMLResponse(page("docs.html", request, settings.title, problems.disclaimer, **described))

    colours = theme.css(settings)

    @routes.get("/static/tokens.css")
    def tokens() -> Response:
        return Response(colours, media_type="text/css", headers={"Cache-Control": "no-cache"})

    @routes.get("/favicon.ico")
    def favicon() -> FileResponse:
        return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")

    return routes
