"""Faults as people and programs can read them: RFC 9457 problem details, or a small page for a browser.

Comes in: a fault and the request it happened in. Goes out: a response that carries the disclaimer and never a
visitor's words. Does not know: what a route was about to do.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from bot.faces.templating import page
from bot.labels import label
from bot.render import disclaimer_dict
from bot.reply import Disclaimer
from index.contract import IndexFault

LIMIT_BYTES = 64 * 1024
FRAMES = 6
OPENAI = ("/v1/chat/", "/v1/models")  # here clients look for the fault under "error" too
MEDIA = "application/problem+json"
STAFF = ("/editor", "/docs", "/widget")  # for whoever runs the site, in English
TOLD = (400, 403, 404, 405, 413, 429, 500, 503)  # statuses that visitors are told of in words of their own
NOT_JSON = ("The body is not JSON.", "body", "it is not JSON", "Send a JSON object; /docs shows one.")

AWAY = ("The documents cannot be read just now.", "index", "it does not answer", "Try again in a moment.")
_LOG = logging.getLogger("milkwise")

_DETAILS = {
    400: "The request could not be understood.",
    401: "This page needs the editor's token as its password.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    500: "Something went wrong on our side. Nothing you wrote was kept.",
}
_REMEDIES = {
    "missing": ("it is missing", "Send this field."),
    "string_too_short": ("it is empty", "Write at least one character that is not a space."),
    "string_too_long": ("it is longer than 2,000 characters", "Send at most 2,000 characters."),
    "string_type": ("it is not text", "Send a string."),
    "string_unicode": ("it is not valid Unicode", "Send text without lone surrogates."),
    "list_type": ("it is not a list", "Send a list."),
    "locale": ("it is not a BCP 47 language tag", 'Send a tag such as "en" or "en-GB", or leave the field out.'),
    "literal_error": ("it is none of the values allowed", "Send one of the values /docs lists."),
    "int_type": ("it is not a whole number", "Send a whole number."),
    "greater_than_equal": ("it is too small", "Send a larger number."),
    "less_than_equal": ("it is too large", "Send a smaller number."),
    "int_parsing": ("it is not a whole number", "Send a whole number."),
}
_OTHER = ("it has the wrong type", "Send the type /docs shows.")


class Problem(Exception):
    """A fault to tell the caller. `errors` holds (field, problem, remedy); nothing in it may quote the visitor."""

    def __init__(
        self, status: int, detail: str, *errors: tuple[str, str, str], headers: dict[str, str] | None = None
    ) -> None:
        self.status, self.detail, self.errors, self.headers = status, detail, errors, headers
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Problems:
    """Answers faults, always under the same disclaimer."""

    disclaimer: Disclaimer
    site: str

    def install(self, app: FastAPI) -> None:
        """Make `app` answer every fault this way."""
        app.add_exception_handler(Problem, self._problem)
        app.add_exception_handler(IndexFault, self._away)
        app.add_exception_handler(HTTPException, self._http)
        app.add_exception_handler(RequestValidationError, self._invalid)

    def response(
        self,
        request: Request,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str, str]] = (),
        headers: dict[str, str] | None = None,
    ) -> Response:
        """A page where a browser asks for one outside /v1, problem details everywhere else."""
        title = HTTPStatus(status).phrase
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        if "text/html" in request.headers.get("accept", "") and not path.startswith("/v1/"):
            return HTMLResponse(self._page(request, path, status, title, detail, errors), status, headers)
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "errors": [{"field": name, "problem": problem, "remedy": remedy} for name, problem, remedy in errors],
            "disclaimer": disclaimer_dict(self.disclaimer),
        }
        if path.startswith(OPENAI):
            said = " ".join([detail, *(f"{name}: {problem}. {remedy}" for name, problem, remedy in errors)])
            kind = "invalid_request_error" if status < 500 else "server_error"
            body["error"] = {"message": said, "type": kind, "param": errors[0][0] if errors else None, "code": None}
        return JSONResponse(body, status, headers, media_type=MEDIA)

    def _page(
        self, request: Request, path: str, status: int, title: str, detail: str, errors: Sequence[tuple[str, str, str]]
    ) -> str:
        """A visitor gets a sentence in the site's language; pages for those who run it the fault and its remedies."""
        if path.startswith(STAFF):
            values: dict[str, Any] = {"title": title, "detail": detail, "remedies": [error[2] for error in errors]}
        else:
            locale, told = self.disclaimer.locale, f"fault-{status}" if status in TOLD else "fault-other"
            values = {"title": label("fault-title", locale), "detail": label(told, locale), "remedies": []}
            values["translated"] = True
        return page("problem.html", request, self.site, self.disclaimer, **values)

    async def _problem(self, request: Request, fault: Exception) -> Response:
        assert isinstance(fault, Problem)
        return self.response(request, fault.status, fault.detail, fault.errors, fault.headers)

    async def _away(self, request: Request, fault: Exception) -> Response:
        """The index cannot be read just now: its database is down, or another node of it takes over."""
        assert isinstance(fault, IndexFault)
        _LOG.error("%s", fault)  # names the database, never what was asked
        return self.response(request, 503, AWAY[0], [AWAY[1:]], {"Retry-After": "1"})

    async def _http(self, request: Request, fault: Exception) -> Response:
        assert isinstance(fault, HTTPException)
        headers = dict(fault.headers) if fault.headers else None
        detail = _DETAILS.get(fault.status_code, HTTPStatus(fault.status_code).phrase + ".")
        errors = [NOT_JSON[1:]] if fault.status_code == 400 else []
        return self.response(request, fault.status_code, detail, errors, headers)

    async def _invalid(self, request: Request, fault: Exception) -> Response:
        assert isinstance(fault, RequestValidationError)
        found = fault.errors()
        if any(error["type"] == "json_invalid" for error in found):
            return self.response(request, 400, NOT_JSON[0], [NOT_JSON[1:]])
        errors = named([{**error, "loc": error["loc"][1:]} for error in found])  # without "body"
        return self.response(request, 422, f"{len(errors)} field(s) cannot be used.", errors)


def named(errors: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """pydantic's errors as (field, problem, remedy), without the values it found."""
    return [(_name(error["loc"]), *_REMEDIES.get(error["type"], _OTHER)) for error in errors]


def place(fault: Exception) -> str:
    """The type of a fault and where it arose, for a log: its message may hold what a visitor wrote."""
    while isinstance(fault, ExceptionGroup) and len(fault.exceptions) == 1:  # a task group's wrapping
        fault = fault.exceptions[0]
    frames = traceback.extract_tb(fault.__traceback__)[-FRAMES:]
    return f"{type(fault).__name__} at " + "; ".join(f"{one.filename}:{one.lineno} in {one.name}" for one in frames)


def _name(where: Sequence[Any]) -> str:
    """("history", 0, "asked") → "history[0].asked"."""
    name = ""
    for part in where:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name or "body"
