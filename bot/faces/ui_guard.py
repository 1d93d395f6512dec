"""What stands before Gradio's own routes: those the page has no use for are closed; only what it could send goes in.

Comes in: an ASGI app and, once it is built, the page's functions. Goes out: the same app, guarded. Gradio by itself
answers an unknown function, a NaN or half a character with 500. Does not know: what the functions do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/gradio_api"
UNUSED = (
    *("/upload", "/file=", "/file/", "/stream/", "/proxy=", "/component_server", "/deep_link", "/custom_component"),
    *("/runs", "/login", "/logout"),
)
CALLS = ("/queue/join", "/run/predict")  # what a page posts to do something
POSTS = (*CALLS, "/cancel", "/reset")
EVENT = ("/reset",)  # named by the event alone; all else by the page's session


class Sound:
    """Answers 404 for what is unused and 422 for what no page of ours sends. Bodies come whole from `Bodies`."""

    def __init__(self, app: ASGIApp, inputs: Mapping[int, int]) -> None:
        self.app, self.inputs = app, inputs  # for each function, how many values it takes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything else on untouched."""
        route = scope["path"].partition(API)[2] if scope["type"] == "http" else ""
        post = bool(route) and scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if route.startswith(UNUSED) or (post and route.rstrip("/") not in POSTS):
            await JSONResponse({"detail": "Not Found"}, 404)(scope, receive, send)
            return
        if not post:
            await self.app(scope, receive, send)
            return
        message = await receive()
        if not self._sent_by_a_page(route.rstrip("/"), message.get("body", b"")):
            await JSONResponse({"detail": "This is nothing the page sends."}, 422)(scope, receive, send)
            return
        first = True

        async def replay() -> Message:
            nonlocal first
            if not first:
                return await receive()
            first = False
            return message

        await self.app(scope, replay, send)

    def _sent_by_a_page(self, route: str, body: bytes) -> bool:
        try:
            data = json.loads(body)
            json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError):  # not JSON, NaN, half a character, nested without end
            return False
        name = "event_id" if route in EVENT else "session_hash"
        if not isinstance(data, dict) or not isinstance(data.get(name), str):
            return False
        if route not in CALLS:
            return True
        function, values = data.get("fn_index"), data.get("data")
        if not isinstance(function, int) or isinstance(function, bool) or not isinstance(values, list):
            return False
        return len(values) == self.inputs.get(function)
