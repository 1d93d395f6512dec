"""An editor's morning, tried as one, by hand: `python -m tests.bench.morning [PICTURES]`.

200 questions are asked over HTTP, the report is opened in a browser, a document is written for the top gap and dropped
in, and the cluster is answered. Then 20 rebuilds and 3 rollbacks during steady traffic: no reply may fail, and
none may be made of two indexes. Prints figures; keeps pictures of the page where a folder is named.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import sync_playwright
from pydantic import SecretStr

from bot.bot import Bot
from bot.faces import cli, upkeep
from bot.faces.keeper import Keeper
from bot.golden import load_cases
from bot.settings import BUNDLED, JournalSettings, Settings, load
from index import generations
from tests.serving import served

GOLDEN = Path(__file__).parents[1] / "golden" / "heldout.txt"
TOKEN = "the-editor-of-this-morning"
GAP = ["How do I clean a breast pump?", "How should a breast pump be cleaned?", "How do you clean a breast pump?"]
QUESTIONS, TIMES, REBUILDS, BACK = 200, 4, 20, 3
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 120_000
CLEAN = "## How do I clean a breast pump?\n\nWash every part of a breast pump in hot soapy water after each use."
WRITTEN = "---\npublisher: A clinic\n---\n# Breast pumps\n\n" + CLEAN + "{}\n"


def main(pictures: Path | None) -> dict[str, Any]:
    """Run the morning; the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shelf = folder / "shelf"
        shelf.mkdir()
        (shelf / "article.md").write_bytes((BUNDLED / "human-lactation.md").read_bytes())
        (folder / "cases.txt").write_text("", encoding="utf-8")
        settings = load(documents=shelf, index=folder / "index", cases=folder / "cases.txt")
        journal = JournalSettings.model_validate({"on": True, "file": folder / "journal.sqlite"})
        settings = settings.model_copy(update={"journal": journal, "editor_token": SecretStr(TOKEN)})
        upkeep.refresh(settings)
        bot = Bot.open(settings.index, settings)
        site = cli.compose(bot, settings)
        with served(site) as url, Keeper(bot, settings, site.state.changes):
            return _morning(url, settings, pictures) | _load(url, settings)


def _morning(url: str, settings: Settings, pictures: Path | None) -> dict[str, Any]:
    asked = [*GAP * TIMES, *(case.ask for case in load_cases(GOLDEN) if not case.before)]
    with httpx.Client(base_url=url, timeout=120, headers={"authorization": f"Bearer {TOKEN}"}) as client:
        for question in (asked * 3)[:QUESTIONS]:
            client.post("/v1/ask", json={"question": question}).raise_for_status()
        vote = {"vote": "down", "kind": "answer", "question": "Can men produce milk?", "reason": "too short"}
        client.post("/v1/feedback", json=vote).raise_for_status()
        start = time.perf_counter()
        report = client.get("/editor/report.json").raise_for_status().json()
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        client.get("/editor").raise_for_status()
        again = time.perf_counter() - start
        top = report["unanswered"][0]
        with sync_playwright() as browser:
            chromium = browser.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for width in (1280, 768, 360):
                for scheme in ("light", "dark"):
                    page = chromium.new_page(
                        viewport={"width": width, "height": 900},
                        color_scheme=scheme,
                        extra_http_headers={"authorization": f"Bearer {TOKEN}"},
                    )
                    page.goto(f"{url}/editor", timeout=PATIENCE_MS)
                    if pictures:
                        page.screenshot(path=pictures / f"editor-{width}-{scheme}.png", full_page=True)
                    wide = page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, f"the page is {wide} px wide at {width}"
                    page.close()
            page = chromium.new_page(extra_http_headers={"authorization": f"Bearer {TOKEN}"})
            page.goto(f"{url}/editor", timeout=PATIENCE_MS)
            page.get_by_role("button", name="Should be answered").first.click()
            assert "The case was added." in page.content()
            chromium.close()
        (settings.documents / "pumps.md").write_text(WRITTEN.format(""), encoding="utf-8")
        start = time.perf_counter()
        _until(lambda: client.post("/v1/ask", json={"question": GAP[0]}).json()["kind"] == "answer")
        taken = time.perf_counter() - start
        after = client.get("/editor/report.json").raise_for_status().json()["unanswered"]
        now = next(one["now"] for one in after if one["example"] in GAP)  # asked on and on, its example may be another
        changed = client.get("/editor").text
    return {
        "questions": report["total"],
        "report_seconds": round(seconds, 1),
        "report_seconds_again": round(again, 1),
        "top_gap": {key: top[key] for key in ("count", "example", "why", "place", "now")},
        "seconds_from_file_to_answer": round(taken, 1),
        "top_gap_now": now,
        "case_shown_as_now_right": "now right" in changed,
    }


def _load(url: str, settings: Settings) -> dict[str, Any]:
    said: list[tuple[str, str]] = []
    failed: Counter[str] = Counter()
    stop = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, timeout=120) as client:
            while not stop.is_set():
                try:
                    reply = client.post("/v1/ask", json={"question": GAP[0]}).raise_for_status().json()
                    quotes = [citation["quote"] for citation in reply["citations"]]
                    said.append((reply["index"], json.dumps([reply["kind"], quotes])))
                except httpx.HTTPError as fault:
                    failed[type(fault).__name__] += 1

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()

    def served_now() -> str:
        return str(httpx.get(f"{url}/readyz", timeout=120).json()["index"])

    for number in range(REBUILDS):
        before = served_now()
        (settings.documents / "pumps.md").write_text(WRITTEN.format(f" This is text {number}."), encoding="utf-8")
        _until(lambda before=before: served_now() != before)  # type: ignore[misc]  # bound on purpose
    for _ in range(BACK):
        back = generations.rollback(settings.index).name.partition("-")[0]
        _until(lambda back=back: served_now() == back)  # type: ignore[misc]  # bound on purpose
    stop.set()
    for asker in askers:
        asker.join()
    ways: dict[str, set[str]] = defaultdict(set)
    for index, words in said:
        ways[index].add(words)
    mixed = sum(len(kinds) - 1 for kinds in ways.values())
    return {"replies_under_load": len(said), "failed": sum(failed.values()), "indexes_seen": len(ways), "mixed": mixed}


def _until(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + 300
    while not done():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1) + "\n")
