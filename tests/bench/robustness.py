"""How the API bears what nobody should send: schemathesis against its OpenAPI, and thousands of malformed requests.

`python -m tests.bench.robustness [REQUESTS] [EXAMPLES]` serves the bundled documents and prints what came back. Nothing
may be answered with five hundred and something, and nothing that the OpenAPI document does not name.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance"),
)
SEED = 20261124
AT_ONCE = 16
QUICK_S = 3.0  # for an answer; who waits longer lets the next request go
LATE_S = 30.0  # longer than the server waits for what was left out of headers and body
HUNG_UP, SILENT = "hung up without a word", f"nothing in {LATE_S:.0f} s"
PATHS = (
    *("/v1/ask", "/v1/feedback", "/v1/session", "/v1/documents", "/v1/documents/human-lactation", "/v1/nothing"),
    *("/documents/human-lactation?from=1&to=9", "/faq", "/widget", "/frame?locale=en", "/widget.js", "/healthz"),
    *("/chat/gradio_api/queue/join", "/chat/gradio_api/run/predict", "/chat/gradio_api/upload", "/chat/config"),
)
METHODS = ("POST",) * 8 + ("GET", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW", "post", "")
TYPES = ("application/json",) * 8 + ("text/plain", "application/json; charset=utf-16", "multipart/form-data", "/", "")
ODD: tuple[object, ...] = (
    *("", " ", "a", "\x00", "\ud800", "é" * 300, "x" * 3000, "../../etc/passwd", "%00", "{{7*7}}", "<script>", "'--"),
    *(None, True, -1, 0, 1e400, 10**40, float("nan"), [], {}, [[]], [None] * 50, {"a": {"b": {"c": []}}}),
)


def schemathesis(url: str, examples: int) -> tuple[bool, str]:
    """Whether it found nothing, and what it printed; the same requests each time."""
    command = [str(SCHEMATHESIS), "run", f"{url}/openapi.json", "--checks", ",".join(CHECKS), "--no-color"]
    options = f"--max-examples {examples} --phases examples,coverage,fuzzing --continue-on-failure --warnings off"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*command, *options.split(), "--generation-deterministic"], cwd=folder, capture_output=True, text=True
        )
    return done.returncode == 0, done.stdout + done.stderr


def malformed(count: int, seed: int = SEED) -> Iterator[bytes]:
    """Requests with something wrong in them: in the body, the headers, the address, or the bytes themselves."""
    chance = random.Random(seed)
    for _ in range(count):
        yield _bent(_request(chance), chance) if chance.random() < 0.5 else _request(chance)


def _request(chance: random.Random) -> bytes:
    body = _body(chance)
    length = str(len(body)) if chance.random() < 0.9 else chance.choice(["0", "-1", "70000", "9" * 30, "x", "+5"])
    path = chance.choice(PATHS)
    if chance.random() < 0.2:
        path += chance.choice(["/", "//", "%00", "%ff%fe", "/../..", "?a=b&a", "#", "%", "é", "x" * 2000])
    headers = [
        ("Host", chance.choice(["x", "x", "x", "", "a b", "x:99999"])),
        ("Content-Type", chance.choice(TYPES)),
        ("Content-Length", length),
        ("Accept", chance.choice(["*/*", "text/event-stream", "text/html", "\x01"])),
        ("Origin", chance.choice(["null", "https://x", "x", "http://[::1", "https://" + "y" * 500])),
        ("Milkwise-Session", chance.choice(["", "a.b.c", "é", "." * 50])),
        ("X-Forwarded-For", chance.choice(["203.0.113.1", "not an address", ",,", "::1%eth0", "1.2.3.4:99999999"])),
    ]
    kept = headers[:3] + [header for header in headers[3:] if chance.random() < 0.25]
    lines = [f"{chance.choice(METHODS)} {path} HTTP/1.1", *[f"{name}: {value}" for name, value in kept]]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8", "surrogatepass") + body


def _body(chance: random.Random) -> bytes:
    def odd(usual: object) -> object:
        return chance.choice(ODD) if chance.random() < 0.3 else usual

    turns = [{"asked": odd("How is milk made?"), "cited": odd(["human-lactation#let-down"])}] * chance.randint(0, 3)
    asked = {"question": odd("Can men produce milk?"), "history": odd(turns), "locale": odd("en-GB")}
    vote = {"vote": odd("up"), "kind": odd("answer"), "passages": odd([]), "reason": odd(None)}
    chat = {
        "data": odd([]),
        "fn_index": odd(chance.randint(-1, 30)),
        "session_hash": odd("abc"),
        "event_data": odd(None),
    }
    text = json.dumps(chance.choice([asked, asked, vote, chat, *ODD]))
    return (text if chance.random() < 0.9 else text * 2 + "[" * chance.choice([1, 20_000])).encode()


def _bent(request: bytes, chance: random.Random) -> bytes:
    bytes_ = bytearray(request)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(bytes_) + 1)
        match chance.randrange(4):
            case 0:
                bytes_[at : at + 1] = chance.randbytes(1)
            case 1:
                bytes_[at:at] = chance.randbytes(chance.randint(1, 40))
            case 2:
                del bytes_[at : at + chance.randint(1, 40)]
            case _:
                bytes_[at:at] = bytes_[max(0, at - 30) : at]
    return bytes(bytes_)


async def outcomes(url: str, requests: Iterator[bytes]) -> Counter[str]:
    """How often each status came back, apart where it came late; and how often none did."""
    host, port = urlsplit(url).hostname, urlsplit(url).port
    came: Counter[str] = Counter()
    room = asyncio.Semaphore(AT_ONCE)

    async def send(request: bytes) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        line = asyncio.create_task(reader.readline())
        writer.write(request)
        quick, _ = await asyncio.wait({line}, timeout=QUICK_S)
        room.release()
        try:
            answer = await asyncio.wait_for(line, LATE_S)
            status = answer.split()[1].decode() if answer.startswith(b"HTTP/1.1 ") else HUNG_UP
        except ConnectionError:
            status = HUNG_UP
        except TimeoutError:
            status = SILENT
        came[status if quick else f"{status}, after more than {QUICK_S:.0f} s"] += 1
        writer.close()

    async with asyncio.TaskGroup() as group:
        for request in requests:
            await room.acquire()
            group.create_task(send(request))
    return came


def main() -> None:
    """Serve, send, print."""
    from bot.bot import Bot
    from bot.faces.cli import compose
    from bot.faces.server import Patient
    from bot.settings import BUNDLED, hush, load
    from index.index import build
    from tests.serving import served

    hush()
    count, examples = [int(one) for one in sys.argv[1:]] or [10_000, 500]
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        settings = load(index=index)
        build(BUNDLED, index, settings.encoder, limit=settings.passage_pieces)
        bot = Bot.open(index, settings)
        with served(compose(bot, settings), http=Patient) as url:
            came = asyncio.run(outcomes(url, malformed(count)))
            fine, said = schemathesis(url, examples)
    lines = [f"{came.total()} malformed requests, seed {SEED}"]
    lines += [f"  {outcome}: {times}" for outcome, times in sorted(came.items())]
    sys.stdout.write("\n".join([*lines, *said.splitlines()[-25:]]) + "\n")
    sys.exit(not fine or any(outcome[0] not in "234" for outcome in came))


if __name__ == "__main__":
    main()
