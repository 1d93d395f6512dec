"""A real server on a free port of this machine, for tests that speak HTTP, and a reader of server-sent events."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def served(app: ASGIApp, **config: Any) -> Iterator[str]:
    """Serve `app` from a thread while the block runs; gives its address without a slash at the end."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False, **config))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        patience = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < patience, "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


def events(text: str) -> list[tuple[str, str]]:
    """The (event, data) pairs of a stream that was not cut off."""
    assert text.endswith("\n\n")
    found = []
    for block in text.split("\n\n")[:-1]:
        fields = [line.partition(": ")[::2] for line in block.split("\n")]
        name = next(value for key, value in fields if key == "event")
        found.append((name, "\n".join(value for key, value in fields if key == "data")))
    return found
