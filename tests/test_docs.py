"""The documentation site: built as CI builds it, no warning, nothing loaded from elsewhere, and every link good."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE_S = 300
LOADED = {
    "script": "src",
    "img": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "use": "href",
}
DOORS = {"owner.html", "editor.html", "operate.html", "develop.html"}


class Page(HTMLParser):
    """What a page loads, where it leads, and the places in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Gather one tag."""
        values = dict(attrs)
        if place := values.get("id"):
            self.places.add(place)
        if tag in LOADED and (address := values.get(LOADED[tag])):
            self.loads.append(address)
        if tag == "a" and (address := values.get("href")):
            self.leads.append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built aside by the command `make docs` has."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("zensical.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Every page by its name."""
    return {path.name: Page(path.read_text(encoding="utf-8")) for path in site.glob("*.html")}


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    """No script, style, picture or font of another host, in no page and in no style sheet."""
    assert set(pages) >= DOORS
    for name, page in pages.items():
        assert page.loads
        assert not [one for one in page.loads if re.match(r"(?:\w+:)?//", one)], name
    for sheet in site.rglob("*.css"):
        fetched = re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)", sheet.read_text(encoding="utf-8"))
        assert not fetched, sheet.name


def test_every_link_leads_somewhere(pages: dict[str, Page]) -> None:
    """Each page and each place in one that a page names is there."""
    for name, page in pages.items():
        for address in page.leads:
            if re.match(r"\w+:", address) or name == "404.html":
                continue
            target, place = urldefrag(unquote(address))
            there = Path(target.removeprefix("./")).name or name
            there = "index.html" if there in (".", "") else there
            assert there in pages, (name, address)
            assert not place or place in pages[there].places, (name, address)


def test_the_first_page_leads_to_each_reader(pages: dict[str, Page]) -> None:
    """Site owner, editor, operator, developer."""
    assert {urldefrag(address).url for address in pages["index.html"].leads} >= DOORS


def test_the_settings_stand_on_the_site(site: Path) -> None:
    """The table of the README is taken over, not copied."""
    page = (site / "settings.html").read_text(encoding="utf-8")
    assert "<code>journal.words</code>" in page
    assert "--8&lt;--" not in page
