"""The server under the site: an address taken at once, an app served on it, and an end that lets answers finish.

Comes in: settings and an app. Goes out: HTTP, until Ctrl-C or SIGTERM. Believes named proxies, and hangs up on who
dawdles over a request. Does not know: what the app answers.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.settings import Settings, SettingsError

PATIENCE_S = 10.0  # for the headers of a request, the first one from the moment of connecting
GRACE_SECONDS = 5  # for answers under way; a page that is open holds a stream, which is then cut
LATE = h11.Response(
    status_code=408, reason=b"Request Timeout", headers=[("Connection", "close"), ("Content-Length", "0")]
)
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
            if self.conn.trailing_data[0]:  # who sent a part may still be listening; who sent nothing is not
                self.transport.write(self.conn.send(LATE))
            self.transport.close()


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """A socket bound to the settings' address, not listening yet. Raises SettingsError where that cannot be had."""
    host, port = settings.host, settings.port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as fault:
            remedy = "Stop what runs there, or choose another with --port." if port else "Choose another with --host."
            raise SettingsError(f"{host}:{port}: cannot be served on ({fault.strerror}). {remedy}") from None
        yield listener


def config(site: ASGIApp, settings: Settings, **more: Any) -> uvicorn.Config:
    """How the site is served."""
    return uvicorn.Config(
        site,
        http=Patient,
        ws="none",
        root_path=settings.root_path,
        forwarded_allow_ips=list(settings.proxies),
        limit_concurrency=CONNECTIONS,
        log_config=None,
        log_level=settings.log_level,
        access_log=False,  # addresses can hold what a visitor typed
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **more,
    )


def run(site: ASGIApp, listener: socket.socket, settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM, letting answers under way finish. Prints the address when it is ready."""

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            address = f"http://{host}:{listener.getsockname()[1]}/"
            print(f"{settings.title} is ready at {address} (Ctrl-C stops it)", flush=True)

    with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        Announced(config(site, settings)).run([listener])
