"""Who may ask, and how often: allowed sites, session tokens, limits for each address and each session.

Comes in: an ASGI app, settings. Goes out: the same app behind the gate; who is turned away reads why, and what to do.
Does not know: what a route answers.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.faces.limiting import OTHER, QUESTION, Limits
from bot.faces.problems import Problems
from bot.faces.sessions import HEADER, Sessions
from bot.settings import Settings

SESSION = "/v1/session"
SAFE = ("GET", "HEAD", "OPTIONS")
CHAT = "/chat/"  # this server's own page: no other site uses it, and it holds no token
LIGHT = (SESSION, "/v1/feedback")  # counted apart from questions, as are all posts of the chat page but its questions


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is turned away: what a problem is made of."""

    status: int
    detail: str
    error: tuple[str, str, str]
    headers: dict[str, str]


FOREIGN = Refusal(
    403,
    "This site may not ask here.",
    ("origin", "it is not among the sites allowed", "The operator can add it to `origins` in milkwise.toml."),
    {},
)
UNSIGNED = Refusal(
    401,
    "This needs a session.",
    (HEADER, "it is missing, too old, or another site's", f"GET {SESSION} and send its token in this header."),
    {"WWW-Authenticate": HEADER},
)


class Gate:
    """Pure ASGI. Turns away before a body is read; requests that change nothing pass, but for those of a session."""

    def __init__(
        self, app: ASGIApp, problems: Problems, settings: Settings, sessions: Sessions, limits: Limits
    ) -> None:
        self.app, self.problems, self.sessions, self.limits = app, problems, sessions, limits
        self.origins, self.programs = settings.origins, settings.programs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or turn it away."""
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
            return
        response = self.problems.response(
            Request(scope), refusal.status, refusal.detail, [refusal.error], refusal.headers
        )
        await response(scope, receive, send)

    def _refusal(self, request: Request) -> Refusal | None:
        path = request.url.path.removeprefix(request.scope.get("root_path", "").rstrip("/"))
        if request.method == "OPTIONS" or (request.method in SAFE and path != SESSION):
            return None
        origin, token, chat = asking(request), request.headers.get(HEADER, ""), path.startswith(CHAT)
        if origin and (chat or origin not in self.origins):
            return FOREIGN
        number = self.sessions.number(token, origin) if token else None
        if chat or path == SESSION:
            if not self.programs and "origin" not in request.headers and not same(request):
                return FOREIGN
        elif number is None and (token or origin or not self.programs):
            return UNSIGNED
        kind = OTHER if chat or path in LIGHT else QUESTION
        full = self.limits.full(kind, request.client.host if request.client else "", number)
        if full is None:
            return None
        error = (full.whose, "too many requests came from it", f"Wait {full.seconds} seconds, then ask again.")
        return Refusal(429, "Too many requests in a short time.", error, {"Retry-After": str(full.seconds)})


def asking(request: Request) -> str:
    """The foreign site whose page asks; "" for this server's own pages, and for programs."""
    origin = request.headers.get("origin", "")
    return "" if same(request) or origin.partition("://")[2] == request.headers.get("host", "") else origin


def same(request: Request) -> bool:
    """Whether the browser says that this server's own page asks. It says so by itself: no page can make it."""
    return request.headers.get("sec-fetch-site") == "same-origin"
