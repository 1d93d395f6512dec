"""What stands before every route: security headers, and a last catch that tells nothing.

Comes in: an ASGI app. Goes out: the same app, guarded; streams pass through untouched. Does not know: what routes do.
"""

from __future__ import annotations

import logging

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.faces.problems import Problems, place

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
    "Referrer-Policy": "same-origin",  # under "no-referrer" browsers call our own pages' origin "null"
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
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
            await self.app(scope, receive, send_guarded)
        except Exception as fault:
            _LOG.error("%s", place(fault))
            if started:
                raise ConnectionAbortedError("a response was cut off by a fault, logged above") from None
            await self._refuse(
                500, "Something went wrong on our side. Nothing you wrote was kept.", scope, send_guarded
            )

    async def _refuse(self, status: int, detail: str, scope: Scope, send: Send, *errors: tuple[str, str, str]) -> None:
        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        request = Request(scope)
        await self.problems.response(request, status, detail, errors)(scope, nothing, send)
