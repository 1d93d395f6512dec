"""The bot as a chat model: OpenAI's `/v1/chat/completions` and `/v1/models`, so that existing chat programs can ask.

Comes in: messages. Goes out: one reply as Markdown with its links, sources and disclaimer, and beside it the contract's
JSON. Believes nothing a message claims to have cited. Does not know: any language model, nor whether one introduced
the reply.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, BeforeValidator, Field

from bot.bot import HISTORY, Bot
from bot.faces.problems import Problem
from bot.faces.schema import LONGEST, Locale
from bot.render import as_dict, as_markdown, markdown
from bot.reply import Reply, Turn
from bot.settings import Settings

MODEL = "milkwise"
RECALLED = 6  # earlier questions


def _joined(content: object) -> object:
    """The text of a message: a string, or the text parts of a list; None where there is no text in it."""
    if not isinstance(content, list):
        return content
    texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "\n".join(text for text in texts if isinstance(text, str)) or None


class MessageBody(BaseModel):
    """One message. Only what the user wrote counts: no system prompt and no earlier answer changes a reply."""

    role: str
    content: Annotated[str | None, BeforeValidator(_joined)] = None


class StreamOptions(BaseModel):
    """What else a stream holds."""

    include_usage: bool = False


class ChatBody(BaseModel):
    """A conversation in OpenAI's shape. Fields that steer a language model are taken and ignored."""

    model: str
    messages: list[MessageBody] = Field(min_length=1)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    locale: Locale | None = Field(default=None, description="BCP 47; chooses the disclaimer and the contacts")


def router(bot: Bot, settings: Settings) -> APIRouter:
    """The two routes, and the model's own."""
    routes = APIRouter(prefix="/v1", include_in_schema=False)
    model = {"id": MODEL, "object": "model", "created": int(time.time()), "owned_by": MODEL}

    @routes.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [model]}

    @routes.get("/models/{id:path}")
    def known(id: str) -> dict[str, Any]:
        _check(id)
        return model

    @routes.post("/chat/completions")
    def completions(body: ChatBody, request: Request) -> Response:
        _check(body.model)
        asked, earlier = _asked(body.messages)
        reply = bot.reply(asked, _turns(bot, earlier, body.locale), body.locale)
        server = str(request.base_url).rstrip("/")
        urls = {citation.number: server + citation.url for citation in reply.citations}
        said = as_markdown(reply, urls.__getitem__, months=settings.review_months)
        kept = as_dict(reply, settings.review_months)
        head = {
            "id": f"chatcmpl-{uuid4().hex}",
            "created": int(time.time()),
            "model": MODEL,
            "system_fingerprint": reply.index,
        }
        if body.stream:
            usage = bool(body.stream_options and body.stream_options.include_usage)
            headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
            chunks = _chunks(head, said, kept, _annotations(said, reply, urls), usage)
            return StreamingResponse(chunks, media_type="text/event-stream", headers=headers)
        message = {
            "role": "assistant",
            "content": said,
            "refusal": None,
            "annotations": _annotations(said, reply, urls),
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        whole = head | {"object": "chat.completion", "choices": [choice], "usage": _USAGE, MODEL: kept}
        return JSONResponse(whole, headers={"Cache-Control": "no-store"})

    return routes


_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}  # nothing is generated, so nothing is counted


def _check(model: str) -> None:
    if model != MODEL:
        raise Problem(404, "There is no such model here.", ("model", "it is unknown", f'Send "model": "{MODEL}".'))


def _asked(messages: Sequence[MessageBody]) -> tuple[str, list[str]]:
    """The question, and the questions before it, oldest first; what could not have been asked is left out of those."""
    said = [(message.content or "").strip() for message in messages if message.role == "user"]
    where = f"messages[{len(messages) - 1}]"
    if messages[-1].role != "user":
        fault = (f"{where}.role", "the last message is not the user's", 'End with a message of role "user".')
    elif not said[-1]:
        fault = (f"{where}.content", "it holds no text", "Write at least one character that is not a space.")
    elif len(said[-1]) > LONGEST:
        fault = (
            f"{where}.content",
            f"it is longer than {LONGEST:,} characters",
            f"Send at most {LONGEST:,} characters.",
        )
    else:
        return said[-1], [text for text in said[:-1] if 1 <= len(text) <= LONGEST]
    raise Problem(422, "1 field(s) cannot be used.", fault)


def _turns(bot: Bot, earlier: Sequence[str], locale: str | None) -> list[Turn]:
    """The history as the other faces hold it: what the latest questions cited is found again, not taken from messages.

    Only the latest, since each costs an answer; of those before, the words alone count, which nearly always settle it.
    """
    latest = earlier[-HISTORY:]
    turns = [Turn(asked) for asked in latest[:-RECALLED]]
    for asked in latest[-RECALLED:]:
        turns.append(bot.turn(asked, turns, locale))
    return turns


def _annotations(said: str, reply: Reply, urls: dict[int, str]) -> list[dict[str, Any]]:
    """Where in the message each quote stands and what it cites, as OpenAI's own messages say it."""
    found, start = [], 0
    for claim in reply.claims:
        shown = markdown(claim.text)
        start = said.index(shown, start)
        if claim.citation:
            cited = {
                "start_index": start,
                "end_index": start + len(shown),
                "title": claim.citation.document.title,
                "url": urls[claim.citation.number],
            }
            found.append({"type": "url_citation", "url_citation": cited})
        start += len(shown)
    return found


def _chunks(
    head: dict[str, Any], said: str, kept: dict[str, Any], annotations: list[dict[str, Any]], usage: bool
) -> Iterator[bytes]:
    """The same message, block by block; the last chunk that says something carries what stands beside it."""
    head = head | {"object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finished: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finished, "logprobs": None}
        return _event(head | {"choices": [choice]} | more)

    yield chunk({"role": "assistant", "content": ""})
    for block in re.split(r"(?<=\n\n)", said):
        yield chunk({"content": block})
    yield chunk({"annotations": annotations}, "stop", **{MODEL: kept})
    if usage:
        yield _event(head | {"choices": [], "usage": _USAGE})
    yield b"data: [DONE]\n\n"


def _event(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
