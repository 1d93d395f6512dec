"""What stands before every route: security headers, the limit on bodies, and a last catch that tells nothing.

Comes in: an ASGI app. Goes out: the same app, guarded; streams pass through untouched. Does not know: what routes do.
"""

from __future__ import annotations

import logging
from email.message import Message as Header

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.faces.problems import LIMIT_BYTES, NOT_JSON, OPENAI, Problems, place

# The chat page is Gradio's: it needs inline styles, data: icons and its own event stream, and nothing from other hosts.
CHAT_CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)
PAGE_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
LIMIT_TALK_BYTES = 1024 * 1024  # a whole conversation, answers included
_LOG = logging.getLogger("milkwise")


class Guard:
    """Pure ASGI, so that server-sent events are never buffered."""

    def __init__(self, app: ASGIApp, problems: Problems) -> None:
        self.app, self.problems = app, problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        policy = CHAT_CSP if path == "/chat" or path.startswith("/chat/") else PAGE_CSP
        if scope["method"] == "HEAD":  # a GET whose body the server leaves out: it looks at its own scope, not this one
            scope = {**scope, "method": "GET"}
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", policy)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            if scope["method"] == "POST" and path.startswith("/v1/"):
                limit = LIMIT_TALK_BYTES if path.startswith(OPENAI) else LIMIT_BYTES
                await self._limited(limit, scope, receive, send_guarded)
            else:
                await self.app(scope, receive, send_guarded)
        except Exception as fault:
            _LOG.error("%s", place(fault))
            if started:
                raise ConnectionAbortedError("a response was cut off by a fault, logged above") from None
            await self._refuse(
                500, "Something went wrong on our side. Nothing you wrote was kept.", scope, send_guarded
            )

    async def _limited(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        """Read a JSON body of bounded size, whether or not its length was announced, then hand it on."""
        headers = Headers(scope=scope)
        kind = Header()
        kind["content-type"] = headers.get("content-type", "")
        if kind.get_content_type() != "application/json":
            fault = ("content-type", "it is not JSON", "Send Content-Type: application/json.")
            await self._refuse(415, "This address takes JSON.", scope, send, fault)
            return
        length = headers.get("content-length", "0")
        body = bytearray()
        too_long = not length.isascii() or not length.isdigit() or int(length) > limit
        more = not too_long
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            too_long = len(body) > limit
            more = message.get("more_body", False) and not too_long
        if too_long:
            fault = ("body", f"it is longer than {limit // 1024} KiB", "Send fewer or shorter turns.")
            await self._refuse(413, "The request is too long.", scope, send, fault)
            return
        if not body.strip():
            await self._refuse(400, NOT_JSON[0], scope, send, NOT_JSON[1:])
            return
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self.app(scope, replay, send)

    async def _refuse(self, status: int, detail: str, scope: Scope, send: Send, *errors: tuple[str, str, str]) -> None:
        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        request = Request(scope)
        await self.problems.response(request, status, detail, errors)(scope, nothing, send)
