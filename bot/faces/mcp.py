"""The bot as tools for other programs: a Model Context Protocol server, over HTTP at /mcp and over stdio.

Comes in: tool calls. Goes out: results that hold the disclaimer and the sources, as text and as the contract's JSON;
a fault names the field and never repeats what was sent. Keeps no session. Does not know: who calls, or why.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

import anyio
from fastapi import APIRouter
from fastapi.responses import Response
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.bot import Bot
from bot.faces.mcp_schema import FoundBody, ReadBody, SearchBody, SourceBody
from bot.faces.problems import LIMIT_BYTES, named, place
from bot.faces.schema import AskBody, PassageBody, ReplyBody
from bot.labels import origin, ways
from bot.render import as_dict, as_text, disclaimer_dict, plain
from bot.settings import Settings
from corpus.document import Passage

INSTRUCTIONS = (
    "Quotes from vetted health documents; it does not rephrase or advise. Use `ask` for a person's question. Keep the "
    "quotes as they are, name their sources, and show the disclaimer of each result. A reply of kind `urgent` goes to "
    "the person as it is and at once; `abstain` means that the documents do not answer: say so, add nothing."
)
_ANNOTATIONS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True)
_LOG = logging.getLogger("milkwise")


class _NoPassage(Exception):
    """No passage has the id that was given."""


class Tools:
    """What the server offers. Each tool takes checked arguments and gives text and its structured twin."""

    def __init__(self, bot: Bot, settings: Settings) -> None:
        self.bot, self.settings = bot, settings
        self.disclaimer = bot.words.disclaimer(settings.locale)
        sent = bot.words.text("privacy", settings.locale) if bot.voice else ""
        self.notices = "\n\n".join(filter(None, (self.disclaimer.text, sent)))
        self.offered: Mapping[str, tuple[Callable[[Any], tuple[str, dict[str, Any]]], type[BaseModel], type[BaseModel]]]
        self.offered = {
            "ask": (self.ask, AskBody, ReplyBody),
            "search": (self.search, SearchBody, FoundBody),
            "read_passage": (self.read_passage, ReadBody, SourceBody),
        }

    def listed(self) -> list[Tool]:
        """The tools as a client sees them."""
        return [
            Tool(
                name=name,
                description=run.__doc__,
                input_schema=takes.model_json_schema(),
                output_schema=gives.model_json_schema(),
                annotations=_ANNOTATIONS.model_copy(update={"open_world_hint": name == "ask" and bool(self.bot.voice)}),
            )
            for name, (run, takes, gives) in self.offered.items()
        ]

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """Run one tool. A fault is a result too: it names what is wrong, under the same disclaimer."""
        if name not in self.offered:
            return self._fault(("tool", "it is unknown", f"Call one of {', '.join(self.offered)}."))
        run, takes, _ = self.offered[name]
        try:
            said, body = run(takes.model_validate(arguments))
        except ValidationError as fault:
            return self._fault(*named(fault.errors()))
        except _NoPassage:
            return self._fault(("id", "no passage has that id", "`search` and `ask` give ids of passages."))
        except Exception as fault:  # its message may hold what a visitor wrote
            _LOG.error("%s", place(fault))
            return self._fault(("tool", "something went wrong on our side", "Try again; nothing was kept."))
        return CallToolResult(content=[TextContent(type="text", text=said)], structured_content=body)

    def ask(self, asked: AskBody) -> tuple[str, dict[str, Any]]:
        """Answer a health question in the vetted documents' own words, every sentence cited, or say they do not."""
        reply = self.bot.reply(asked.question, asked.turns, asked.locale)
        return as_text(reply, self.settings.review_months), as_dict(reply, self.settings.review_months)

    def search(self, asked: SearchBody) -> tuple[str, dict[str, Any]]:
        """Find the passages nearest to a question, best first. For an emergency: whom to call, no passage."""
        # The whole of it: safety comes before search. No model, whose words would not be shown.
        reply = self.bot.reply(asked.question, (), asked.locale, plain=True)
        sources = [self._source(hit.passage) for hit in reply.hits[: asked.limit]]
        notices = [claim.text for claim in reply.claims if not claim.citation]
        whole = as_dict(reply)
        body = {
            "kind": whole["kind"],
            "notices": notices,
            "contacts": whole["contacts"],
            "passages": sources,
            "disclaimer": whole["disclaimer"],
        }
        contacts = [f"{contact.label}: {ways(contact)}" for contact in reply.contacts]
        found = [self._quoted(hit.passage) for hit in reply.hits[: asked.limit]]
        return self._text(*notices, *contacts, *found, reply.disclaimer.text), body

    def read_passage(self, asked: ReadBody) -> tuple[str, dict[str, Any]]:
        """Read one passage by its id, in the document's own words, with where it comes from."""
        passage = self.bot.index.passage(asked.id)
        if passage is None:
            raise _NoPassage
        return self._text(self._quoted(passage), self.disclaimer.text), self._source(passage)

    def _source(self, passage: Passage) -> dict[str, Any]:
        document = self.bot.index.document(passage.document)
        assert document  # the store holds no passage without its document
        return SourceBody.of(passage, document) | {"disclaimer": disclaimer_dict(self.disclaimer)}

    def _quoted(self, passage: Passage) -> str:
        document = self.bot.index.document(passage.document)
        assert document
        where = " › ".join([document.title, *passage.headings])
        credit = f"{origin(document, self.settings.review_months)} · {PassageBody.link(passage)}"
        return f"[{passage.id}] {where}\n{credit}\n{passage.text.strip()}"

    @staticmethod
    def _text(*blocks: str) -> str:
        return plain("\n\n".join(blocks)) + "\n"

    def _fault(self, *faults: tuple[str, str, str]) -> CallToolResult:
        lines = [f"{name}: {problem}. {remedy}" for name, problem, remedy in faults]
        errors = [{"field": name, "problem": problem, "remedy": remedy} for name, problem, remedy in faults]
        return CallToolResult(
            content=[TextContent(type="text", text=self._text(*lines, self.disclaimer.text))],
            structured_content={"errors": errors, "disclaimer": disclaimer_dict(self.disclaimer)},
            is_error=True,
        )


def server(bot: Bot, settings: Settings) -> Server[Any]:
    """The protocol's server around one bot; both transports serve it."""
    tools = Tools(bot, settings)

    async def listed(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=tools.listed())

    async def called(_: ServerRequestContext[Any], call: CallToolRequestParams) -> CallToolResult:
        return await anyio.to_thread.run_sync(tools.call, call.name, call.arguments or {})

    return Server(
        "milkwise",
        title=settings.title,
        version=version("milkwise"),
        instructions=f"{INSTRUCTIONS}\n\n{tools.notices}",
        on_list_tools=listed,
        on_call_tool=called,
    )


class _Handed(Response):
    """A response that the protocol's own app writes."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def router(bot: Bot, settings: Settings) -> APIRouter:
    """The route /mcp. A request whose Host or Origin is neither this machine's nor in the settings is refused."""
    manager: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        nonlocal manager
        manager = StreamableHTTPSessionManager(
            server(bot, settings),
            json_response=True,
            stateless=True,
            security_settings=_security(settings),
            max_request_body_size=LIMIT_BYTES,
        )
        async with manager.run():
            yield

    routes = APIRouter(lifespan=lifespan, include_in_schema=False)

    @routes.post("/mcp")  # nothing else: without sessions there is no stream to open or to end
    async def mcp() -> Response:
        assert manager, "the app's lifespan has not run"
        return _Handed(manager.handle_request)

    return routes


def run_stdio(bot: Bot, settings: Settings) -> None:
    """Serve one client over standard input and output until it closes them."""

    async def serve() -> None:
        served = server(bot, settings)
        async with stdio_server() as (read, write):
            await served.run(read, write, served.create_initialization_options())

    with suppress(KeyboardInterrupt):
        anyio.run(serve)


def _security(settings: Settings) -> TransportSecuritySettings:
    """Against a page elsewhere that talks to this server through its visitor's browser (DNS rebinding)."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    names = {"127.0.0.1", "localhost", "[::1]", host, *settings.hosts}
    hosts = [form for name in sorted(names) for form in (name, f"{name}:*")]
    own = [f"{scheme}://{form}" for scheme in ("http", "https") for form in hosts]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=[*own, *settings.origins])
