"""Requests that dawdle, swell or make no sense, sent as bytes: each is answered or cut off, and the next one served."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from bot.bot import Bot
from bot.faces import bodies
from bot.faces.api import create_app
from bot.faces.server import Patient, config
from tests.serving import served

HEAD = b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
PATIENCE_S = 0.4


class Hasty(Patient):
    """Waits less long than in earnest."""

    patience_s = PATIENCE_S


@pytest.fixture(scope="module")
def url(bot: Bot) -> Iterator[str]:
    """A served API that loses its patience soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies.Bodies.__init__, "__defaults__", (PATIENCE_S,))
        with served(create_app(bot, bot.settings), http=Hasty) as url:
            yield url


def sent(url: str, *parts: bytes, pause_s: float = 0.0) -> tuple[bytes, float]:
    """What comes back, and after how many seconds the server hung up, where these bytes are all it gets."""
    host, _, port = url.removeprefix("http://").partition(":")
    began = time.monotonic()
    got = b""
    with socket.create_connection((host, int(port)), timeout=10) as line:
        for part in parts:
            line.sendall(part)
            if select.select([line], [], [], pause_s)[0]:
                break
        try:
            while more := line.recv(65536):
                got += more
        except ConnectionResetError:  # it left some of what was sent unread
            pass
    return got, time.monotonic() - began


@pytest.mark.parametrize("parts", [(), (b"GET / HT",), (HEAD,), tuple(bytes([one]) for one in HEAD)])
def test_headers_that_never_end_are_cut_off(url: str, parts: tuple[bytes, ...]) -> None:
    """Half a line, or a byte now and then: 408, and hung up all the same; on who says nothing, without a word."""
    got, seconds = sent(url, *parts, pause_s=0.02 if len(parts) > 9 else 0.0)
    assert got.startswith(b"HTTP/1.1 408 Request Timeout\r\n") if parts else got == b""
    assert PATIENCE_S * 0.8 < seconds < 5
    assert httpx.get(url + "/healthz").status_code == 200


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"Content-Length: 40\r\n\r\n", b"{"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\nx\r\n"] * 60),
    ],
)
def test_a_body_that_never_ends_is_408(url: str, parts: tuple[bytes, ...]) -> None:
    """Announced or in chunks, it is answered with the remedy and cut off, however steadily it drips."""
    got, seconds = sent(url, *parts, pause_s=0.02 if len(parts) > 9 else 0.0)
    assert got.startswith(b"HTTP/1.1 408 ")
    assert b"did not come in time" in got
    assert seconds < 5


@pytest.mark.parametrize("length", [b"65537", b"99999999999", b"9" * 19])
def test_a_giant_is_refused_unread(url: str, length: bytes) -> None:
    """The announced length is enough."""
    got, _ = sent(url, HEAD + b"Content-Length: " + length + b"\r\n\r\n", b"{" * 1000)
    assert got.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\xff\x00\r\n\r\n",
        b"GET\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\nabcde",
        HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_no_fault_of_ours(url: str, request_bytes: bytes) -> None:
    """Four hundred and something, or hung up; never five hundred, and the server goes on."""
    got, seconds = sent(url, request_bytes)
    assert got == b"" or got.startswith(b"HTTP/1.1 4"), got[:200]
    assert seconds < 5
    assert httpx.get(url + "/healthz").status_code == 200


def test_the_server_runs_this_way(bot: Bot) -> None:
    """`milkwise serve` is as patient as these tests, says nothing of itself, and writes down no address."""
    chosen = config(create_app(bot, bot.settings), bot.settings)
    chosen.load()
    assert chosen.http_protocol_class is Patient
    assert chosen.limit_concurrency
    assert not chosen.access_log
    assert not chosen.server_header
