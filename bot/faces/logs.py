"""What the server writes down of its work: a line for a fault or a request, as text or JSON, and no word of a visitor.

Comes in: log records and requests. Goes out: lines on stderr, a request id on every response, counts in the tally.
Does not know: what was asked, from where, or what was replied.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from asyncio import CancelledError
from contextvars import ContextVar
from datetime import UTC, datetime
from uuid import uuid4

from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.faces.problems import place
from bot.faces.tally import Tally
from bot.faces.traces import tracer

HEADER = "X-Request-ID"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GIVEN = re.compile(r"[A-Za-z0-9-]{1,64}")  # a proxy's own id is kept; nothing else can be written into the log with it
_REQUEST: ContextVar[str] = ContextVar("request")
_LOG = logging.getLogger("milkwise")


class Lines(logging.Formatter):
    """One line a record: when, how grave, what, in which request. Of an exception its type and place, no words."""

    def __init__(self, shape: str) -> None:
        self.shape = shape
        super().__init__()

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of text or JSON."""
        event = " ".join(record.getMessage().split())
        if record.exc_info and isinstance(record.exc_info[1], Exception):
            event += f" ({place(record.exc_info[1])})"
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event,
            **getattr(record, "fields", {}),
        }
        if request := _REQUEST.get(None):
            fields["request"] = request
        if self.shape == "json":
            return json.dumps(fields, ensure_ascii=False)
        return " ".join([str(fields.pop("time")), *(f"{key}={value}" for key, value in fields.items())])


def configure(level: str, shape: str) -> None:
    """Write every library's warnings, and our own lines from `level` on, to stderr in that shape."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(shape))
    handler.addFilter(_worth_a_line)
    traceback.print_exc = _noted  # Gradio's way to tell of a fault, words and all
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in ("milkwise", "uvicorn"):  # at their "info" other libraries tell what passes through them
        logging.getLogger(name).setLevel(level.upper())


def _noted(*_: object, **__: object) -> None:
    """In place of `traceback.print_exc`: the fault being handled, as a line like any other."""
    fault = sys.exc_info()[1]
    if isinstance(fault, Exception):
        _LOG.error("%s", place(fault))


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Not a stream that was still open when the server stopped: every open page holds one."""
    return not (record.exc_info and isinstance(record.exc_info[1], CancelledError))


class Requests:
    """Pure ASGI, outermost: names, times, counts, traces and notes each request."""

    def __init__(self, app: ASGIApp, tally: Tally) -> None:
        self.app, self.tally = app, tally

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(HEADER, "")
        request = given if _GIVEN.fullmatch(given) else uuid4().hex
        method = scope["method"] if scope["method"] in METHODS else "other"
        held, status, root, start = _REQUEST.set(request), 500, scope.get("root_path", ""), time.perf_counter()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request
            await send(message)

        traced = tracer().start_as_current_span(
            method, extract(headers), SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        )
        with traced as span, self.tally.under_way.track_inprogress():
            try:
                await self.app(scope, receive, send_named)
            finally:
                seconds, route = time.perf_counter() - start, _route(scope, root)
                self.tally.answered(method, route, status, seconds)
                fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
                _LOG.info("request", extra={"fields": fields})
                span.update_name(f"{method} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": status, "request.id": request})
                _REQUEST.reset(held)


def _route(scope: Scope, root: str) -> str:
    """The template of the route that answered, after where it is mounted; an unknown address has none."""
    mounted = str(scope.get("root_path", "")).removeprefix(root)
    return mounted + str(getattr(scope.get("route"), "path", "")) or "none"
