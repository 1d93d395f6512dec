"""The bot over HTTP: questions as JSON or server-sent events, documents and passages, health, and its own reference.

Comes in: a `Bot` (None while no index is loaded) and settings. Goes out: a FastAPI app that keeps the contract. Keeps
no session and no text. Does not know: Gradio, the document pages, or how a server is started.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware

from bot.bot import Bot
from bot.faces import reference
from bot.faces.guard import Guard
from bot.faces.problems import Problem, Problems
from bot.faces.schema import (
    AskBody,
    DocumentBody,
    DocumentsBody,
    FeedbackBody,
    PassageBody,
    ProblemBody,
    ReplyBody,
    WholeDocumentBody,
)
from bot.faces.tally import Tally
from bot.faces.templating import page, prefix
from bot.journal import Journal
from bot.render import as_dict, claim_dict, disclaimer_dict
from bot.reply import Reply
from bot.settings import Settings
from bot.words import Words, country

STATIC = Path(__file__).parents[1] / "static"
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
    app.add_middleware(Guard, problems=problems)
    journal = Journal(settings.journal, country(settings.locale)) if settings.journal.on else None
    tally = app.state.tally = Tally(journal)  # the chat page counts its thumbs here too
    if bot:
        bot.observer = tally
    app.include_router(_conversation(bot, tally))
    app.include_router(_documents(bot, problems))
    app.include_router(_service(bot, settings, problems, tally))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    plain_openapi = app.openapi
    app.openapi = lambda: reference.honest(plain_openapi())  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": ProblemBody} for status in statuses}


def _loaded(bot: Bot | None) -> Bot:
    if bot is None:
        fault = ("index", "none is loaded", "Try again later; the operator runs `milkwise build`.")
        raise Problem(503, "No documents are loaded yet.", fault)
    return bot


def _conversation(bot: Bot | None, tally: Tally) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["conversation"])

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
            **_faults(400, 413, 415, 422, 500, 503),
        },
    )
    def ask(body: AskBody, request: Request) -> Response:
        """Ask one question. History comes with it: the server keeps no session."""
        reply = _loaded(bot).reply(body.question, body.turns, body.locale)
        if "text/event-stream" in request.headers.get("accept", ""):
            # A proxy that buffers would hold every claim back until the end.
            headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
            return StreamingResponse(_events(reply), media_type="text/event-stream", headers=headers)
        return JSONResponse(as_dict(reply), headers={"Cache-Control": "no-store"})

    @routes.post("/feedback", status_code=204, responses=_faults(400, 413, 415, 422, 500))
    def feedback(body: FeedbackBody) -> None:
        """Say whether a reply helped. Unless the operator keeps a journal, only counters move and no text is kept."""
        tally.count(body.vote, body.kind, body.reason, body.question)

    return routes


def _events(reply: Reply) -> Iterator[bytes]:
    """An event per claim, then the whole reply; a stream without `reply` was cut off."""
    for claim in reply.claims:
        yield format_sse_event(event="claim", data_str=json.dumps(claim_dict(claim), ensure_ascii=False))
    yield format_sse_event(event="reply", data_str=json.dumps(as_dict(reply), ensure_ascii=False))


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
        return JSONResponse(
            {
                "id": found.id,
                "document": found.document,
                "headings": found.headings,
                "page": found.page,
                "text": found.text,
                "start": found.start,
                "end": found.end,
                "questions": found.keys,
                "sentences": [{"text": one.text, "start": one.start, "end": one.end} for one in found.sentences],
                "url": f"/documents/{quote(found.document)}?from={found.start}&to={found.end}#quote",
                "disclaimer": disclaimer,
            }
        )

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
    def metrics() -> PlainTextResponse:
        return PlainTextResponse(tally.exposition(), media_type="text/plain; version=0.0.4")

    @routes.get("/docs")
    def docs(request: Request) -> HTMLResponse:
        described = reference.describe(request.app.openapi())
        return HTMLResponse(page("docs.html", request, settings.title, problems.disclaimer, **described))

    @routes.get("/favicon.ico")
    def favicon() -> FileResponse:
        return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")

    return routes
