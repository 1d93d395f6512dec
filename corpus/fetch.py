"""One address over HTTP, within bounds: its size, its time, and never a private address unless that is allowed.

Comes in: an address and what was known of it. Goes out: `Page`, bytes with what the server said of them, or a
CorpusError. Every name is resolved here and the connection made to the very address that was checked, so that no name
can change its mind in between. Does not know: sitemaps, robots.txt, or what a page is for. The only import of httpcore.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from ipaddress import IPv6Address, ip_address
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpcore

from corpus.document import CorpusError

AGENT = "milkwise"
REDIRECTS = 5
_KEPT = "/%:@!$&'()*+,;=~-._?[]"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a reading of a site may cost: bytes of a page and of all, seconds of waiting and of all, pages."""

    page_bytes: int = 5 * 2**20
    all_bytes: int = 200 * 2**20
    wait_seconds: float = 10.0
    all_seconds: float = 600.0
    pages: int = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """What an address gave: the address it ended at, the status, the headers (lower case) and the decoded bytes."""

    url: str
    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def media(self) -> str:
        """The media type, "" where none is named."""
        return self._content_type().get_content_type() if self.headers.get("content-type") else ""

    @property
    def charset(self) -> str:
        """The encoding the server names, "" where it names none."""
        return self._content_type().get_content_charset("")

    def _content_type(self) -> Message:
        told = Message()
        told["content-type"] = self.headers.get("content-type", "")
        return told


class Fetcher:
    """Fetches addresses one after the other and counts what they cost. `hosts` are those it may speak to."""

    def __init__(self, hosts: Iterable[str], budget: Budget | None = None, *, private: bool = False) -> None:
        self.hosts, self.budget = set(hosts), budget or Budget()
        self.ends, self.left = time.monotonic() + self.budget.all_seconds, self.budget.all_bytes
        context = ssl.create_default_context()
        backend = httpcore.SyncBackend() if private else _Public()
        self._pool = httpcore.ConnectionPool(context, network_backend=backend, max_connections=4)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def get(self, url: str, known: Mapping[str, str] | None = None, *, entry: bool = False) -> Page:
        """Fetch an address, following redirects; `known` are headers that make it conditional (304: no bytes).

        Where an `entry` redirects to another host, that host may be spoken to from then on. Raises CorpusError.
        """
        start = url
        for _ in range(REDIRECTS + 1):
            page = self._once(url, known or {})
            if page.status not in (301, 302, 303, 307, 308) or "location" not in page.headers:
                return page
            url = clean_address(urljoin(url, page.headers["location"]), start)
            if entry:
                self.hosts.add(host(url))
        raise CorpusError(start, "", f"it redirects more than {REDIRECTS} times.", "Name the address it should end at.")

    def _once(self, url: str, known: Mapping[str, str]) -> Page:
        if host(url) not in self.hosts:
            remedy = "Name an address of that site too, where it is yours."
            raise CorpusError(url, "", "it is on a site that was not named.", remedy)
        left = self.ends - time.monotonic()
        if left <= 0:
            raise CorpusError(url, "", f"the {self.budget.all_seconds:.0f} s for the site are over.", "Run it again.")
        wait = min(self.budget.wait_seconds, left)
        told = {"User-Agent": AGENT, "Accept-Encoding": "identity", "Accept": "text/html, */*;q=0.5", **known}
        timeout = {name: wait for name in ("connect", "read", "write", "pool")}
        try:
            with self._pool.stream("GET", url, headers=list(told.items()), extensions={"timeout": timeout}) as answer:
                said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                data = self._body(url, answer.iter_stream(), said, time.monotonic() + wait)
                return Page(url, answer.status, said, data)
        except httpcore.TimeoutException:
            raise CorpusError(url, "", f"it did not answer within {wait:.0f} s.", "Try again later.") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as fault:
            raise CorpusError(url, "", f"it cannot be reached ({fault}).", "Check the address.") from None

    def _body(self, url: str, pieces: Iterable[bytes], told: Mapping[str, str], ends: float) -> bytes:
        """The bytes, decoded, refused as soon as they are too many or drip too slowly."""
        data = bytearray()
        most = min(self.budget.page_bytes, self.left)
        for piece in _decoded(url, pieces, told.get("content-encoding", "").strip().lower(), most):
            data += piece
            if len(data) > most:
                raise CorpusError(url, "", f"it is larger than {most / 2**20:.1f} MB.", "Leave it out, or split it.")
            if time.monotonic() > ends:
                problem = f"it was not complete within {self.budget.wait_seconds:.0f} s."
                raise CorpusError(url, "", problem, "Try again later.")
        self.left -= len(data)
        return bytes(data)


class _Public(httpcore.SyncBackend):
    """Connects to public addresses only."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve, check, and connect to what was checked."""
        found = [address[4][0] for address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        if not found or not all(is_public(str(address)) for address in found):
            raise httpcore.ConnectError(f"{host} is a private address; --private allows it")
        return super().connect_tcp(str(found[0]), port, timeout, local_address, socket_options)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast


def host(url: str) -> str:
    """Host and port of an address, as it names them."""
    return urlsplit(url).netloc.lower()


def clean_address(url: str, named: str = "") -> str:
    """The address without its fragment, spelt so that it can be asked for. Raises CorpusError where it is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or "@" in parts.netloc
        or re.search(r"\s", url.strip())
    ):
        problem = "it is not a web address." if not named else "it leads to what is not a web address."
        raise CorpusError(named or url[:200], "", problem, "Give one that starts with https:// or http://.")
    name = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    place = f"[{name}]" if ":" in name else name
    place += f":{port}" if port else ""
    path = quote(parts.path or "/", safe=_KEPT)
    return urlunsplit((parts.scheme, place, path, quote(parts.query, safe=_KEPT), ""))


def _decoded(url: str, pieces: Iterable[bytes], coding: str, most: int) -> Iterator[bytes]:
    """Undo gzip or deflate as far as `most` bytes and one more; we asked for neither, but servers do it."""
    if coding in ("", "identity"):
        yield from pieces
        return
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise CorpusError(url, "", f"it is encoded as {coding[:40]!r}.", "Have the server send it as it is.")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    given = 0
    for piece in pieces:
        try:
            out = unpack.decompress(piece, most + 1 - given)
        except zlib.error:
            problem = f"its bytes are not {coding}, which the server says they are."
            raise CorpusError(url, "", problem, "Have the server name the encoding it uses.") from None
        given += len(out)
        yield out
        if given > most:
            return
    if not unpack.eof:
        raise CorpusError(url, "", "it was cut off.", "Try again later.")
