"""One model behind an OpenAI-compatible API: one chat completion, within bounds of time and size.

Comes in: a task and what it is about. Goes out: the bytes of the completion, or an EndpointFault. Follows no redirect,
asks no proxy, and gives the key to nobody else. Does not know: what is asked, or what becomes of the answer.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from bot.settings import ComposerSettings

MOST_BYTES = 64 * 1024  # of an answer; a whole one has a few hundred
MOST_TOKENS = 400


class EndpointFault(Exception):
    """Why there is nothing to use: a few words, none of them the visitor's, the model's or the key.

    `silent` where nothing came, so that it need not be tried again at once.
    """

    def __init__(self, problem: str, silent: bool = False) -> None:
        self.silent = silent
        super().__init__(problem)


class Endpoint:
    """Where one model is asked, from any thread; `schema` is the JSON schema of its answers.

    Raises SettingsError where its key is not in the environment.
    """

    def __init__(self, settings: ComposerSettings, seconds: float, schema: dict[str, Any]) -> None:
        self.settings, self.seconds, self._key = settings, seconds, settings.key
        self._tls = ssl.create_default_context() if settings.url.startswith("https:") else None
        form = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        self._steered: dict[str, Any] = {"response_format": form, "temperature": 0, "max_tokens": MOST_TOKENS}

    def ask(self, task: str, asked: str) -> bytes:
        """The bytes of a completion; asked again, plainly, where the server takes no schema. Raises EndpointFault."""
        messages = [{"role": "system", "content": task}, {"role": "user", "content": asked}]
        body = {"model": self.settings.model, "messages": messages}
        ends = time.monotonic() + self.seconds
        status, data = self._post(body | self._steered, ends)
        if self._steered and status in (400, 422):
            status, data = self._post(body, ends)
            if status == 200:
                self._steered = {}
        if status != 200:
            raise EndpointFault(f"it answered with status {status}", silent=True)
        return data

    def _post(self, body: dict[str, Any], ends: float) -> tuple[int, bytes]:
        """Status and body. Follows no redirect, asks no proxy, and reads no more than MOST_BYTES."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if key := self._key.get_secret_value():
            headers["Authorization"] = f"Bearer {key}"
        data = bytearray()
        try:
            with (
                httpcore.ConnectionPool(self._tls, network_backend=_Until(ends)) as pool,
                pool.stream(
                    "POST",
                    f"{self.settings.url}/chat/completions",
                    headers=list(headers.items()),
                    content=json.dumps(body).encode(),
                ) as answer,
            ):
                for piece in answer.iter_stream():
                    data += piece
                    if len(data) > MOST_BYTES:
                        raise EndpointFault("it answered with too much", silent=True)
                return answer.status, bytes(data)
        except httpcore.TimeoutException:
            raise EndpointFault(f"it did not answer within {self.seconds:g} s", silent=True) from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as fault:
            raise EndpointFault(f"it cannot be reached, or breaks off ({type(fault).__name__})", silent=True) from None


class _Until(httpcore.SyncBackend):
    """Connections on which nothing waits beyond one moment, however slowly the other side drips."""

    def __init__(self, ends: float) -> None:
        self.ends = ends

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, with what time is left."""
        made = super().connect_tcp(host, port, _left(self.ends), local_address, socket_options)
        return _Stream(made, self.ends)


class _Stream(httpcore.NetworkStream):
    """A connection of `_Until`."""

    def __init__(self, stream: httpcore.NetworkStream, ends: float) -> None:
        self.stream, self.ends = stream, ends

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, with what time is left."""
        return self.stream.read(max_bytes, _left(self.ends))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, with what time is left."""
        self.stream.write(buffer, _left(self.ends))

    def close(self) -> None:
        """Close it."""
        self.stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Encrypt it, with what time is left."""
        return _Stream(self.stream.start_tls(ssl_context, server_hostname, _left(self.ends)), self.ends)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  # as the library has it
        """What is known of it."""
        return self.stream.get_extra_info(info)


def _left(ends: float) -> float:
    """Seconds until then. Raises httpcore.ReadTimeout when there are none."""
    left = ends - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left
