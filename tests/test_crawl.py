"""Reading a site: only what changed, only what is allowed, within its budget, and never a private address unasked."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.faces import cli
from corpus.crawl import Visit, visit
from corpus.document import CorpusError, Document
from corpus.fetch import Budget, Fetcher, clean_address, is_public
from corpus.read import read
from index.index import Index
from tests.conftest import ENCODER
from tests.loopback import Site, article, drip, serving, stall

QUICK = Budget(wait_seconds=0.4, all_seconds=30)
TEXT = "Wash every part of a breast pump in hot soapy water after each use."


@pytest.fixture
def site() -> Iterator[Site]:
    """A site with two pages and a sitemap."""
    with serving() as found:
        found.page("/pumps", article("Pumps", TEXT))
        found.page("/rest", article("Rest", "Rest when your baby sleeps."))
        found.sitemap("/pumps", "/rest")
        yield found


def go(site: Site, folder: Path, budget: Budget = QUICK, path: str = "/sitemap.xml") -> Visit:
    """Visit the site."""
    return visit([site.url + path], folder, budget, private=True)


def documents(folder: Path) -> dict[str, Document]:
    """The folder as documents by id; none may be faulty."""
    reading = read(folder)
    assert not reading.faults
    return {document.id: document for document in reading.documents}


def test_pages_become_documents_with_their_address_and_date(site: Site, tmp_path: Path) -> None:
    """Title, headings, canonical address and the day of the last change are the document's."""
    head = '<link rel=canonical href="/pumps">'
    site.page("/pumps", article("Pumps", TEXT, head), last_modified="Tue, 03 Nov 2026 10:00:00 GMT")
    done = go(site, tmp_path)
    assert (len(done.fetched), done.faults, done.left) == (2, [], [])
    found = documents(tmp_path)["pumps"]
    assert (found.title, found.url, found.written) == ("Pumps", f"{site.url}/pumps", date(2026, 11, 3))
    assert TEXT in found.text
    assert documents(tmp_path)["rest"].written is None


def test_only_what_changed_is_fetched_again(site: Site, tmp_path: Path) -> None:
    """A second visit asks conditionally; a changed page is new, one gone or no longer listed is removed."""
    go(site, tmp_path)
    again = go(site, tmp_path)
    assert (len(again.fetched), len(again.unchanged)) == (0, 2)
    assert all("if-none-match" in headers for path, headers in site.asked[-2:])
    site.page("/pumps", article("Pumps", "Steam the parts."))
    site.pages.pop("/rest")
    third = go(site, tmp_path)
    assert ([*third.fetched], third.removed) == ([f"{site.url}/pumps"], [f"{site.url}/rest"])
    assert set(documents(tmp_path)) == {"pumps"}
    assert "Steam" in documents(tmp_path)["pumps"].text


def test_a_page_that_fails_today_keeps_yesterday_s_copy(site: Site, tmp_path: Path) -> None:
    """A stall, a drip or a fault of the server is named with the address, and nothing is lost; the rest is read."""
    site.sitemap("/pumps", "/rest", "/third")
    site.page("/third", article("Third", "Third page."))
    go(site, tmp_path)
    site.pages |= {"/pumps": stall, "/rest": drip, "/third": (500, {}, b"")}
    done = go(site, tmp_path)
    told = "\n".join(map(str, done.faults))
    assert "did not answer within" in told
    assert "not complete within" in told
    assert "answers 500" in told
    assert set(documents(tmp_path)) == {"pumps", "rest", "third"}
    site.pages["/sitemap.xml"] = (503, {}, b"")
    with pytest.raises(CorpusError, match="answers 503"):
        go(site, tmp_path)
    assert set(documents(tmp_path)) == {"pumps", "rest", "third"}


@pytest.mark.parametrize(
    ("headers", "meta", "coding"),
    [
        ({"content-type": "text/html; charset=iso-8859-1"}, "", "utf-8"),
        ({"content-type": "text/html; charset=utf-8"}, "<meta charset=iso-8859-1>", "cp1252"),
        ({"content-type": "text/html; charset=windows-1252"}, "<meta charset=utf-8>", "cp1252"),
        ({"content-type": "text/html; charset=klingon"}, "<meta charset=windows-1252>", "cp1252"),
    ],
)
def test_a_lie_about_the_encoding_is_seen_through(
    site: Site, tmp_path: Path, headers: dict[str, str], meta: str, coding: str
) -> None:
    """Whatever server and page claim, the words come out as they were written."""
    site.pages["/pumps"] = (200, headers, article("Café", "A naïve “quote”.", meta).encode(coding))
    assert not go(site, tmp_path).faults
    assert "A naïve “quote”." in documents(tmp_path)["pumps"].text


@pytest.mark.parametrize(
    ("headers", "body", "says"),
    [
        ({"content-type": "text/html; charset=utf-8"}, b"<p>caf\xe9</p>", "not text in the encoding"),
        ({"content-type": "text/html", "content-encoding": "gzip"}, b"<p>plain</p>", "not gzip"),
        ({"content-type": "text/html", "content-encoding": "gzip"}, gzip.compress(b"x" * 100)[:-12], "cut off"),
        ({"content-type": "text/html", "content-encoding": "gzip"}, gzip.compress(b"x" * 10**7), "larger than"),
        ({"content-type": "text/html", "content-encoding": "compress"}, b"x", "'compress'"),
        ({"content-type": "text/html"}, b"x" * 300_000, "larger than"),
    ],
)
def test_what_cannot_be_read_is_named(
    site: Site, tmp_path: Path, headers: dict[str, str], body: bytes, says: str
) -> None:
    """Undecodable, truncated, bomb-like or too large pages are faults of that page alone."""
    site.pages["/pumps"] = (200, headers, body)
    (fault,) = go(site, tmp_path, Budget(page_bytes=200_000, wait_seconds=2)).faults
    assert says in str(fault)
    assert f"{site.url}/pumps" in str(fault)
    assert set(documents(tmp_path)) == {"rest"}


def test_redirects_are_followed_within_the_site(site: Site, tmp_path: Path) -> None:
    """A moved page is read at its new address, once; loops, foreign sites and other schemes are refused by name."""
    for path, target in {
        "/old": "/pumps",
        "/loop": "/loop",
        "/away": "http://elsewhere.invalid/",
        "/file": "file:///etc/passwd",
    }.items():
        site.pages[path] = (301, {"location": target}, b"")
    site.sitemap("/pumps", "/old", "/loop", "/away", "/file", "http://elsewhere.invalid/page")
    done = go(site, tmp_path)
    assert set(documents(tmp_path)) == {"pumps"}
    told = "\n".join(map(str, done.faults))
    assert all(says in told for says in ("redirects more than", "site that was not named", "not a web address"))
    assert any("the same page as" in reason for reason in done.left)
    assert any("elsewhere.invalid/page" in reason for reason in done.left)


def test_robots_txt_is_kept(site: Site, tmp_path: Path) -> None:
    """What it disallows is not asked for, not even behind a redirect; one that fails closes the site."""
    site.pages["/robots.txt"] = (200, {}, b"User-agent: milkwise\nDisallow: /rest\n")
    done = go(site, tmp_path)
    assert site.count("/rest") == 0
    assert "robots.txt" in str(done.faults[0])
    site.pages["/robots.txt"] = (500, {}, b"")
    with pytest.raises(CorpusError, match=r"robots\.txt"):
        go(site, tmp_path / "other")


def test_sitemaps_of_sitemaps_and_packed_ones(site: Site, tmp_path: Path) -> None:
    """An index leads to sitemaps, gzipped or not; one that names itself ends, and a broken one is named."""
    site.sitemap("/a.xml.gz", "/index.xml", "/broken.xml", kind="sitemapindex", path="/index.xml")
    plain = site.pages["/sitemap.xml"]
    assert isinstance(plain, tuple)
    site.pages["/a.xml.gz"] = (200, {"content-type": "application/gzip"}, gzip.compress(plain[2]))
    site.pages["/broken.xml"] = (200, {}, b"<?xml version='1.0'?><urlset><url>")
    done = go(site, tmp_path, path="/index.xml")
    assert set(documents(tmp_path)) == {"pumps", "rest"}
    assert any("not valid XML" in str(fault) for fault in done.faults)


def test_the_budget_ends_a_visit(site: Site, tmp_path: Path) -> None:
    """More pages or bytes than it allows are left or refused, the first ones kept."""
    few = go(site, tmp_path / "few", Budget(pages=1, wait_seconds=2))
    assert (len(few.fetched), len(few.left)) == (1, 1)
    small = go(site, tmp_path / "small", Budget(all_bytes=450, wait_seconds=2))
    assert "larger than" in str(small.faults[0])
    with pytest.raises(CorpusError, match="are over"):
        go(site, tmp_path / "late", Budget(all_seconds=0))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "224.0.0.1",
    ],
)
def test_private_addresses_are_told_from_public_ones(address: str) -> None:
    """Loopback, private, link-local, multicast and mapped ones are no public address."""
    assert not is_public(address)
    assert is_public("93.184.216.34")


def test_a_private_address_is_refused_unless_allowed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by number nor through a public name that resolves to one, and no byte is sent."""
    with pytest.raises(CorpusError, match="private address"):
        visit([f"{site.url}/sitemap.xml"], tmp_path, QUICK)
    port = int(site.url.rpartition(":")[2])
    here = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [here])
    fetcher = Fetcher(["help.example.org"], QUICK)
    with pytest.raises(CorpusError, match="private address"):
        fetcher.get("http://help.example.org/")
    assert not site.asked


@pytest.mark.parametrize(
    "address", ["ftp://a.example/", "https://", "https://a b/", "https://u:p@a.example/", "http://a:99999/"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """Named with the remedy, before anything is asked."""
    with pytest.raises(CorpusError, match="Give one that starts with"):
        clean_address(address)


def test_addresses_are_spelt_for_the_wire() -> None:
    """Spaces are refused, letters of any script are escaped once, fragments dropped."""
    assert clean_address("https://Bücher.example/ärzte?q=ö&b=%20#top") == (
        "https://xn--bcher-kva.example/%C3%A4rzte?q=%C3%B6&b=%20"
    )


def test_build_reads_a_site_and_embeds_only_what_changed(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`milkwise build URL` from end to end; a second run keeps what did not change, and remembers its documents."""
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(cli.app, ["build", f"{site.url}/sitemap.xml"])
    assert refused.exit_code == 1
    assert "--private allows it" in refused.stderr
    first = CliRunner().invoke(cli.app, ["build", "--private", f"{site.url}/sitemap.xml"])
    assert first.exit_code == 0, first.output
    assert "added   2: pumps, rest" in first.stdout
    site.page("/pumps", article("Pumps", "Steam the parts of a breast pump."))
    second = CliRunner().invoke(cli.app, ["build", "--private", f"{site.url}/pumps", f"{site.url}/rest"])
    assert "changed 1: pumps" in second.stdout
    assert "kept    1: rest" in second.stdout
    assert "Indexed 1 of 1 passages" in second.stderr
    pumps = Index.open(Path(".milkwise"), ENCODER).document("pumps")
    assert pumps
    assert "Steam" in pumps.text
