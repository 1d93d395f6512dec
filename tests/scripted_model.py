"""A model server on loopback that says what a test tells it to: well, badly, slowly, too much, or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bot.bot import Bot
from bot.reply import Reply
from bot.settings import ComposerSettings
from bot.voice import Voice

PATIENT_S = 9.0  # a busy machine makes no model late
MARK = "Added by an AI model, not in the document: "

Script = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Scripted:
    """`script` answers each request; `asked` holds what came: headers in lower case, and the body."""

    url: str = ""
    script: Script = field(default=lambda _: None)
    asked: list[tuple[dict[str, str], Any]] = field(default_factory=list)

    @property
    def heard(self) -> dict[str, Any]:
        """What the last request told the model, as it is written in the user's message."""
        told: dict[str, Any] = json.loads(self.asked[-1][1]["messages"][-1]["content"])
        return told


def raw(status: int, body: bytes | str, **headers: str) -> Script:
    """Answer with this status, body and headers."""
    data = body.encode() if isinstance(body, str) else body

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"content-type": "application/json"} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def content(text: Any, **choice: Any) -> Script:  # noqa: ANN401  # whatever a server might send
    """A chat completion with this content; `choice` changes what stands beside the message."""
    message = {"role": "assistant", "content": text}
    whole = {"index": 0, "message": message, "finish_reason": "stop", **choice}
    return raw(200, json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "choices": [whole]}))


def parts(*told: tuple[str, list[Any]]) -> Script:
    """The structured answer the model is asked for: pairs of words and numbers of quotes."""
    return content(json.dumps({"parts": [{"words": words, "quotes": quotes} for words, quotes in told]}))


def stall(seconds: float) -> Script:
    """Take the question and say nothing."""
    return lambda handler: time.sleep(seconds)


def drip(head: bool) -> Script:
    """Send a byte at a time for ever, of the headers or of the body: no single wait is long."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if not head:
            handler.send_response(200)
            handler.send_header("content-type", "application/json")
            handler.end_headers()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: " if head else b" ")
        try:
            for _ in range(200):
                handler.wfile.write(b"x" if head else b" ")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    return answer


def flood(handler: BaseHTTPRequestHandler) -> None:
    """Answer without end, as fast as it goes."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" " * 65536)
    except OSError:
        pass


def cut(handler: BaseHTTPRequestHandler) -> None:
    """Promise more than is sent, and hang up."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "4000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"message": {"content": "{\\"parts\\": [')
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


@contextmanager
def modelled() -> Iterator[Scripted]:
    """The server, while the block runs."""
    model = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            model.asked.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
            model.script(self)

        def do_GET(self) -> None:
            model.asked.append(({}, {"messages": [{"content": "{}"}]}))
            raw(200, "{}")(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def chosen(model: Scripted, **more: Any) -> ComposerSettings:
    """Settings that name it."""
    told = {"kind": "model", "model": "tiny:1b", "url": model.url, "seconds": PATIENT_S, **more}
    return ComposerSettings.model_validate(told)


def made(bot: Bot, model: Scripted, **more: Any) -> Voice:
    """A voice of that model by itself, which remembers nothing."""
    return Voice(bot.settings.model_copy(update={"composer": chosen(model, **more)}), bot.words, bot.nobodys)


def said(reply: Reply) -> list[str]:
    """The claims' words."""
    return [claim.text for claim in reply.claims]
