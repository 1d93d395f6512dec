"""Bodies of bounded size that come within bounded time, and JSON where JSON is taken.

Comes in: an ASGI app. Goes out: the same app, which gets each body whole. Does not know: what is in it.
"""

from __future__ import annotations

import asyncio
from email.message import Message as Header

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.faces.problems import LIMIT_BYTES, NOT_JSON, OPENAI, Problems

LIMIT_TALK_BYTES = 1024 * 1024  # chat programs send the whole conversation, answers included
PATIENCE_S = 15.0  # for a whole body; 64 KiB take 1 s on a slow phone


class Bodies:
    """Pure ASGI. Reads a body, whether or not its length was announced, then hands it on in one piece."""

    def __init__(self, app: ASGIApp, problems: Problems, patience_s: float = PATIENCE_S) -> None:
        self.app, self.problems, self.patience_s = app, problems, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what has no body."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        json = scope["method"] == "POST" and _path(scope).startswith("/v1/")
        if json:
            kind = Header()
            kind["content-type"] = headers.get("content-type", "")
            if kind.get_content_type() != "application/json":
                fault = ("content-type", "it is not JSON", "Send Content-Type: application/json.")
                await self._refuse(415, "This address takes JSON.", scope, send, fault)
                return
        limit = LIMIT_TALK_BYTES if _path(scope).startswith(OPENAI) else LIMIT_BYTES
        try:
            async with asyncio.timeout(self.patience_s):
                body = await _whole(headers.get("content-length", "0"), receive, limit)
        except TimeoutError:
            fault = ("body", "it did not come in time", f"Send it within {self.patience_s:.0f} seconds.")
            await self._refuse(408, "The request took too long.", scope, send, fault)
            return
        except OverflowError:
            fault = ("body", f"it is longer than {limit // 1024} KiB", "Send fewer or shorter turns.")
            await self._refuse(413, "The request is too long.", scope, send, fault)
            return
        if body is None:
            return
        if json and not body.strip():
            await self._refuse(400, NOT_JSON[0], scope, send, NOT_JSON[1:])
            return
        replayed = False

        async def replay() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    async def _refuse(self, status: int, detail: str, scope: Scope, send: Send, error: tuple[str, str, str]) -> None:
        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        # The rest of the body is not read: the connection cannot be used again.
        response = self.problems.response(Request(scope), status, detail, [error], {"Connection": "close"})
        await response(scope, nothing, send)


async def _whole(length: str, receive: Receive, limit: int) -> bytes | None:
    """The body; None where the client has gone. Raises OverflowError where it is too long."""
    if not length.isascii() or not length.isdigit() or len(length) > 9 or int(length) > limit:
        raise OverflowError
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            raise OverflowError
        more = message.get("more_body", False)
    return bytes(body)


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", "").rstrip("/"))
