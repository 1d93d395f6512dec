"""A site's own pages to a folder of documents: sitemaps and lists of addresses, politely, and only what changed.

Comes in: addresses and a folder. Goes out: the folder, a file for each page with its address and date beside it, as
`corpus.read` takes it; and what was done. A page that cannot be fetched today keeps yesterday's copy; one that is gone
or no longer listed is removed. Does not know: how HTTP is spoken, or what a document is.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import yaml
from protego import Protego
from selectolax.lexbor import LexborHTMLParser

from corpus.assemble import slug
from corpus.document import CorpusError
from corpus.fetch import AGENT, Budget, Fetcher, Page, clean_address, host
from corpus.read_html import read_html

STATE = "pages.json"
ENDINGS = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "text/markdown": ".md",
}
DEPTH = 2  # a sitemap index names sitemaps, which name pages
SLOWEST = 10.0  # seconds between two pages at most, whatever a robots.txt asks


@dataclass(slots=True)
class Visit:
    """What a visit did, as addresses; `left` and `faults` say why."""

    fetched: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    faults: list[CorpusError] = field(default_factory=list)


def visit(addresses: Sequence[str], folder: Path, budget: Budget | None = None, *, private: bool = False) -> Visit:
    """Bring a folder up to date with the pages that sitemaps and addresses name.

    Raises CorpusError where an address is none or no address named could be read; the folder then stays as it is.
    """
    named = [clean_address(address) for address in addresses]
    fetcher = Fetcher(map(host, named), budget, private=private)
    try:
        return _Visitor(fetcher, folder).visit(named)
    finally:
        fetcher.close()


class _Visitor:
    def __init__(self, fetcher: Fetcher, folder: Path) -> None:
        self.fetcher, self.folder, self.done = fetcher, folder, Visit()
        self.robots: dict[str, Protego | CorpusError] = {}
        path = folder / STATE
        self.known: dict[str, dict[str, str]] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        self.kept: dict[str, dict[str, str]] = {}
        self.next = 0.0  # when the next page may be asked for

    def visit(self, named: Sequence[str]) -> Visit:
        self.folder.mkdir(parents=True, exist_ok=True)
        listed: dict[str, Page | None] = {}
        for address in named:
            try:
                listed |= self._listed(address, DEPTH, entry=True)
            except CorpusError as fault:
                self.done.faults.append(fault)
        if not listed:
            raise next(iter(self.done.faults), CorpusError(named[0], "", "it lists no page.", "Name one."))
        whole = not self.done.faults  # what could not be listed today may still be there
        most = self.fetcher.budget.pages
        self.done.left += [f"{url}: more than {most} pages" for url in list(listed)[most:]]
        for url, page in list(listed.items())[:most]:
            self._keep(url, page)
        for url in self.known.keys() - self.kept.keys():
            if whole or url in listed:
                self._remove(url)
            else:
                self.kept[url] = self.known[url]
        self._write(STATE, json.dumps(self.kept, indent=1, sort_keys=True).encode())
        return self.done

    def _listed(self, url: str, depth: int, *, entry: bool = False) -> dict[str, Page | None]:
        """Page addresses, in order; with the page itself where it is no sitemap and so was fetched to see that."""
        page = self._get(url, {}, entry=entry)
        if page.status >= 400:
            raise CorpusError(url, "", f"the server answers {page.status}.", "Check the address.")
        found = _sitemap(page, self.fetcher.budget.page_bytes)
        if found is None:
            return {url: page}
        listed: dict[str, Page | None] = {}
        for inner, is_map in found:
            try:
                address = clean_address(inner, url)
                if host(address) not in self.fetcher.hosts:
                    self.done.left.append(f"{address}: on a site that was not named")
                elif not is_map:
                    listed.setdefault(address, None)
                elif depth:
                    listed |= self._listed(address, depth - 1)
            except CorpusError as fault:
                self.done.faults.append(fault)
        return listed

    def _keep(self, url: str, page: Page | None) -> None:
        """Fetch one page if it changed, and write it."""
        before = self.known.get(url)
        asks = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
        have = before if before and (self.folder / before["file"]).is_file() else {}
        try:
            if page is None:
                page = self._get(
                    url, {asks[key]: have[key] for key in asks if key in before} if before and have else {}
                )
            if page.status == 304 and have:
                self.kept[url] = have
                self.done.unchanged.append(url)
            elif page.status in (404, 410):
                self.done.left.append(f"{url}: gone ({page.status})")
            elif page.status != 200:
                raise CorpusError(url, "", f"the server answers {page.status}.", "Try again later.")
            else:
                self._store(url, page, before)
        except CorpusError as fault:
            self.done.faults.append(fault)
            if have:
                self.kept[url] = have

    def _store(self, url: str, page: Page, before: dict[str, str] | None) -> None:
        ending = ENDINGS.get(page.media or "text/html")
        if ending is None:
            self.done.left.append(f"{url}: {page.media} is no document")
            return
        data, beside = page.data, {"url": page.url}
        if ending == ".html":
            text = _text(page)
            data = b"\xef\xbb\xbf" + text.encode()
            beside["url"] = _canonical(text, page.url)
        dated = ending == ".html" and "written" in read_html(data, url).meta
        if not dated and (when := _day(page)):
            beside["written"] = when
        for other, entry in self.kept.items():
            if entry["url"] == beside["url"] and other != url:
                self.done.left.append(f"{url}: the same page as {other}")
                return
        name = before["file"] if before and before["file"].endswith(ending) else self._name(beside["url"], ending)
        self._write(name, data)
        self._write(f"{name}.yaml", yaml.safe_dump(beside, allow_unicode=True).encode())
        held = {key: page.headers[key] for key in ("etag", "last-modified") if key in page.headers}
        self.kept[url] = {"file": name, "url": beside["url"], **held}
        self.done.fetched.append(url)

    def _remove(self, url: str) -> None:
        file = self.known[url]["file"]
        if file not in {entry["file"] for entry in self.kept.values()}:
            for name in (file, f"{file}.yaml"):
                (self.folder / name).unlink(missing_ok=True)
        self.done.removed.append(url)

    def _name(self, url: str, ending: str) -> str:
        """A readable file name for an address, its own among all that are kept."""
        words = slug(re.sub(r"\.\w{2,5}$", "", urlsplit(url).path.strip("/")) or "home")
        taken = {entry["file"] for entry in (*self.known.values(), *self.kept.values())}
        names = (f"{words}{f'-{number}' if number > 1 else ''}{ending}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    def _write(self, name: str, data: bytes) -> None:
        fresh = self.folder / f".{name}.new"
        fresh.write_bytes(data)
        fresh.replace(self.folder / name)

    def _get(self, url: str, known: dict[str, str], *, entry: bool = False) -> Page:
        """Fetch what robots.txt allows, no faster than it asks."""
        rules = self._rules(url)
        if not rules.can_fetch(url, AGENT):
            raise CorpusError(url, "", "its robots.txt asks not to be read.", f"Allow the agent {AGENT!r} there.")
        time.sleep(max(0.0, self.next - time.monotonic()))
        page = self.fetcher.get(url, known, entry=entry)
        self.next = time.monotonic() + min(rules.crawl_delay(AGENT) or 0.0, SLOWEST)
        if page.url != url and not self._rules(page.url).can_fetch(page.url, AGENT):
            raise CorpusError(url, "", "it leads to what a robots.txt asks not to read.", f"Allow the agent {AGENT!r}.")
        return page

    def _rules(self, url: str) -> Protego:
        """The robots.txt of an address's site: what is missing allows all, what fails allows nothing (RFC 9309)."""
        site = urljoin(url, "/")
        if site not in self.robots:
            try:
                page = self.fetcher.get(f"{site}robots.txt")
                if page.status >= 500:
                    raise CorpusError(f"{site}robots.txt", "", f"the server answers {page.status}.", "Try again later.")
                self.robots[site] = Protego.parse(page.data.decode("utf-8", "replace") if page.status == 200 else "")
            except CorpusError as fault:
                self.robots[site] = fault
        found = self.robots[site]
        if isinstance(found, CorpusError):
            raise found
        return found


def _sitemap(page: Page, most: int) -> list[tuple[str, bool]] | None:
    """The addresses a sitemap lists, each with whether it is itself a sitemap; None where the page is none."""
    data = page.data
    if data.startswith(b"\x1f\x8b"):
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            try:
                data = packed.read(most + 1)
            except (OSError, EOFError):
                return None
    head = data[:1000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if len(data) > most or not re.match(rb"<\?xml|<urlset|<sitemapindex", head) or b"<!DOCTYPE" in data[:1000]:
        return None
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as fault:
        raise CorpusError(page.url, "", f"the sitemap is not valid XML ({fault}).", "Mend it.") from None
    kind = root.tag.rpartition("}")[2]
    if kind not in ("urlset", "sitemapindex"):
        return None
    return [(text, kind == "sitemapindex") for text in _locations(root)]


def _locations(root: ElementTree.Element) -> Iterator[str]:
    for entry in root:
        for part in entry:
            if part.tag.rpartition("}")[2] == "loc" and part.text and part.text.strip():
                yield part.text.strip()


def _text(page: Page) -> str:
    """A page's text. What is valid UTF-8 is that, whatever is claimed; else what the server says, or the page."""
    try:
        return page.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    declared = re.search(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", page.data[:4096], re.IGNORECASE)
    for charset in (page.charset, declared[1].decode("ascii", "replace") if declared else ""):
        name = "windows-1252" if charset.lower() in ("iso-8859-1", "latin1", "us-ascii") else charset
        if not name or name.lower() in ("utf-8", "utf8"):
            continue
        try:
            return page.data.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    raise CorpusError(page.url, "", "its bytes are not text in the encoding it names.", "Have the server name its own.")


def _canonical(text: str, url: str) -> str:
    """The address a page gives as its own, where that is on the same site; else the one it was found at."""
    link = LexborHTMLParser(text).css_first("link[rel=canonical]")
    try:
        own = clean_address(urljoin(url, link.attributes.get("href") or "")) if link else url
    except CorpusError:
        return url
    return own if host(own) == host(url) else url


def _day(page: Page) -> str | None:
    """The day a page was last modified, as its server says."""
    try:
        return parsedate_to_datetime(page.headers["last-modified"]).date().isoformat()
    except (KeyError, ValueError, TypeError):
        return None
