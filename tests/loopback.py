"""A site on loopback that does what real ones do: redirects, stalls, drips, lies about its encoding, and changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """`pages` maps a path to (status, headers, body) or to what is done instead; `asked` holds (path, headers)."""

    url: str = ""
    pages: dict[str, tuple[int, dict[str, str], bytes] | Callable[[BaseHTTPRequestHandler], None]] = field(
        default_factory=dict
    )
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def page(self, path: str, body: str, **headers: str) -> None:
        """Serve an HTML page with an ETag of its content."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        told = {"content-type": "text/html; charset=utf-8", "etag": f'"{hash(body)}"', **named}
        self.pages[path] = (200, told, body.encode())

    def sitemap(self, *paths: str, kind: str = "urlset", path: str = "/sitemap.xml") -> None:
        """Serve a sitemap of these paths or addresses."""
        inner = "sitemap" if kind == "sitemapindex" else "url"
        places = (place if place.startswith("http") else self.url + place for place in paths)
        listed = "".join(f"<{inner}><loc>{place}</loc></{inner}>" for place in places)
        body = f'<?xml version="1.0"?><{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</{kind}>'
        self.pages[path] = (200, {"content-type": "application/xml"}, body.encode())

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked == path for asked, _ in self.asked)


def article(title: str, text: str, head: str = "") -> str:
    """An HTML page of one article."""
    body = f"<main><h1>{title}</h1><p>{text}</p></main>"
    return f"<!doctype html><html lang=en><head><title>{title}</title>{head}</head><body>{body}</body></html>"


def stall(handler: BaseHTTPRequestHandler) -> None:
    """Take the question and say nothing."""
    time.sleep(3)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Answer a byte at a time, so that no single wait is long."""
    handler.send_response(200)
    handler.send_header("content-type", "text/html")
    handler.end_headers()
    try:
        for _ in range(60):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


@contextmanager
def serving() -> Iterator[Site]:
    """The site, while the block runs."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            found = site.pages.get(self.path, (404, {}, b"not here"))
            if callable(found):
                found(self)
                return
            status, headers, body = found
            if headers.get("etag") and self.headers.get("if-none-match") == headers["etag"]:
                status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
