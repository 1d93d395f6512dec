"""Faults as people and programs can read them: RFC 9457 problem details, or a small page for a browser.

Comes in: a fault and the request it happened in. Goes out: a response that carries the disclaimer and never a
visitor's words. Does not know: what a route was about to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from bot.faces.templating import page
from bot.render import disclaimer_dict
from bot.reply import Disclaimer

LIMIT_BYTES = 64 * 1024
MEDIA = "application/problem+json"
NOT_JSON = ("The body is not JSON.", "body", "it is not JSON", "Send a JSON object; /docs shows one.")

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
    "int_parsing": ("it is not a whole number", "Send a whole number."),
}
_OTHER = ("it has the wrong type", "Send the type /docs shows.")


class Problem(Exception):
    """A fault to tell the caller. `errors` holds (field, problem, remedy); nothing in it may quote the visitor."""

    def __init__(self, status: int, detail: str, *errors: tuple[str, str, str]) -> None:
        self.status, self.detail, self.errors = status, detail, errors
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Problems:
    """Answers faults, always under the same disclaimer."""

    disclaimer: Disclaimer
    site: str

    def install(self, app: FastAPI) -> None:
        """Make `app` answer every fault this way."""
        app.add_exception_handler(Problem, self._problem)
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
            shown = page("problem.html", request, self.site, self.disclaimer, title=title, detail=detail, errors=errors)
            return HTMLResponse(shown, status, headers)
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "errors": [{"field": name, "problem": problem, "remedy": remedy} for name, problem, remedy in errors],
            "disclaimer": disclaimer_dict(self.disclaimer),
        }
        return JSONResponse(body, status, headers, media_type=MEDIA)

    async def _problem(self, request: Request, fault: Exception) -> Response:
        assert isinstance(fault, Problem)
        return self.response(request, fault.status, fault.detail, fault.errors)

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
        errors = [(_name(error["loc"]), *_REMEDIES.get(error["type"], _OTHER)) for error in found]
        return self.response(request, 422, f"{len(errors)} field(s) cannot be used.", errors)


def _name(where: Sequence[Any]) -> str:
    """("body", "history", 0, "asked") → "history[0].asked"."""
    name = ""
    for part in where[1:]:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name or "body"
