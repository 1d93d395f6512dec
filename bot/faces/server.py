"""The server's process: an address taken at once, an app served on it, and an end that lets answers finish.

Comes in: settings and an app. Goes out: HTTP, until Ctrl-C or SIGTERM. Does not know: what the app answers.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bot.settings import Settings, SettingsError

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE_SECONDS = 5  # for answers under way; a page that is open holds a stream, which is then cut


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


def run(site: FastAPI, listener: socket.socket, settings: Settings) -> None:
    """Serve until Ctrl-C or SIGTERM, letting answers under way finish. Prints the address when it is ready."""
    import uvicorn

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            address = f"http://{host}:{listener.getsockname()[1]}/"
            print(f"{settings.title} is ready at {address} (Ctrl-C stops it)", flush=True)

    config = uvicorn.Config(
        site,
        root_path=settings.root_path,
        log_level="warning",
        access_log=False,  # addresses can hold what a visitor typed
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises it again once it has stopped
        Announced(config).run([listener])
