"""The server under the site: uvicorn, which believes named proxies, and hangs up on who dawdles over a request.

Comes in: an app, a bound socket, settings. Goes out: answers, until it is told to stop. Does not know: what is served.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.settings import Settings

PATIENCE_S = 10.0  # for the headers of a request, the first one from the moment of connecting
CONNECTIONS = 900  # at one time, below the 1,024 files many systems allow a process; beyond it the answer is 503


class Patient(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, which by itself waits for ever for a request that never gets whole."""

    patience_s = PATIENCE_S
    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Stop the clock once the headers are whole; start it again with the first bytes of the next."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more to wait for."""
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._calm()
        elif self._due is None:
            self._due = self.loop.call_later(self.patience_s, self._hang_up)

    def _calm(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _hang_up(self) -> None:
        self._due = None
        if self.conn.their_state is h11.IDLE:
            self.transport.close()


def config(site: ASGIApp, settings: Settings, **more: Any) -> uvicorn.Config:
    """How the site is served. Writes no access log: addresses can hold what a visitor typed."""
    return uvicorn.Config(
        site,
        http=Patient,
        ws="none",
        root_path=settings.root_path,
        forwarded_allow_ips=list(settings.proxies),
        limit_concurrency=CONNECTIONS,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        **more,
    )


def run(site: ASGIApp, listener: socket.socket, settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM, letting answers under way finish. `ready` is told the address."""

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            ready(f"http://{host}:{listener.getsockname()[1]}/")

    with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        Announced(config(site, settings)).run([listener])
