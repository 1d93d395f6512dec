"""An editor's morning: what visitors asked, the report of it, a document written for the gap, dropped in and served."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.bot import Bot
from bot.faces import cli
from bot.faces.editor import plot
from bot.golden import load_cases
from bot.journal import Journal
from bot.reply import Kind
from bot.report import Day, Report, report
from bot.settings import JournalSettings, Settings
from tests.serving import served

TOKEN = "a-token-of-the-editor"
KEY = "Basic " + base64.b64encode(f"editor:{TOKEN}".encode()).decode()
HURTS = ["Which breast pump should I buy?", "What breast pump should I buy?", "Which breast pump is best to buy?"]
EMERGENCY = "my baby has stopped breathing"


@pytest.fixture(scope="module")
def settings(bot: Bot, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A journal that is on, a file for cases and the editor's token."""
    tmp_path = tmp_path_factory.mktemp("desk")
    journal = JournalSettings.model_validate({"on": True, "file": tmp_path / "journal.sqlite"})
    chosen = {"journal": journal, "cases": tmp_path / "cases.txt", "editor_token": SecretStr(TOKEN)}
    return bot.settings.model_copy(update=chosen)


@pytest.fixture(scope="module")
def desk(bot: Bot, settings: Settings) -> Iterator[httpx.Client]:
    """The served site after some questions and thumbs, with the editor's token."""
    noting = Bot(bot.index, settings, bot.rules, bot.words)
    with served(cli.compose(noting, settings)) as url, httpx.Client(base_url=url, timeout=120) as client:
        for question in [*HURTS, HURTS[0], "Can men produce milk?", "Is fenugreek sold as a tea?", EMERGENCY, "hi"]:
            client.post("/v1/ask", json={"question": question}).raise_for_status()
        down = {"vote": "down", "kind": "answer", "question": "Can men produce milk?", "reason": "=too short"}
        client.post("/v1/feedback", json=down).raise_for_status()
        client.headers["authorization"] = KEY
        yield client


def test_the_report_says_what_to_write_next(desk: httpx.Client, bot: Bot, settings: Settings) -> None:
    """Unanswered questions of one meaning are one cluster, with count, example, nearest passage and why; and counts."""
    found: Report = report(Journal(settings.journal), bot)
    first = found.unanswered[0]
    assert (first.count, set(dict(first.asked))) == (4, set(HURTS))
    assert first.example in HURTS
    assert first.now == Kind.ABSTAIN
    assert first.why
    assert bot.index.passage(first.passage)
    assert {one.example for one in found.unhelpful} == {"Can men produce milk?"}
    assert "did not help" in found.unhelpful[0].why
    assert {one.example: one.why for one in found.most}["Can men produce milk?"] == ""
    assert found.unhelpful[0].reasons == (("=too short", 1),)
    assert sum(found.refusals.values()) == found.kinds["abstain"] == 5
    assert sum(found.flags.values()) == found.kinds["urgent"] == 1
    assert found.most[0].count == 4
    assert [(day.answered, day.asked) for day in found.days] == [(1, 6)]
    assert EMERGENCY not in json.dumps(found.as_dict())


def test_the_page_and_its_exports(desk: httpx.Client) -> None:
    """The page shows the report, JSON and CSV hold it, and no cell of the CSV is a formula."""
    page = desk.get("/editor")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert all(text in page.text for text in ("What to write next", "4×", HURTS[0], 'role="note"', "=too short"))
    assert EMERGENCY not in page.text
    assert desk.get("/editor/report.json").json()["kinds"]["abstain"] == 5
    rows = list(csv.reader(io.StringIO(desk.get("/editor/report.csv").text)))
    assert rows[0][:3] == ["list", "count", "example"]
    assert rows[1][:2] == ["unanswered", "4"]
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_one_click_makes_a_case(desk: httpx.Client, settings: Settings) -> None:
    """The form appends a golden case once, and goes back to the page; from another site it is refused."""
    form = {"ask": HURTS[0], "expect": "answer"}
    foreign = desk.post("/editor/cases", data=form, headers={"origin": "https://elsewhere.example"})
    assert foreign.status_code == 403
    assert desk.post("/editor/cases", data=form, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    for note in ("added", "known"):
        answer = desk.post("/editor/cases", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/editor?note={note}")
    assert settings.cases
    assert [(case.ask, case.expect) for case in load_cases(settings.cases)] == [(HURTS[0], (Kind.ANSWER,))]
    assert desk.post("/editor/cases", data={"ask": "x", "expect": "urgent"}).status_code == 422
    assert desk.post("/editor/cases", data={"ask": "x" * 20000, "expect": "answer"}).status_code == 413


def test_only_the_token_opens_it(desk: httpx.Client) -> None:
    """Without the token there is a challenge and nothing of the report; as a bearer token it opens too."""
    for path in ("/editor", "/editor/report.json", "/editor/report.csv"):
        for given in ("none", "Basic", "Basic bm9uZTpub25l", "Basic !!", "Bearer wrong", "Bearer"):
            closed = desk.get(path, headers={"authorization": given})
            assert closed.status_code == 401
            assert closed.headers["www-authenticate"].startswith("Basic")
            assert HURTS[0] not in closed.text
    assert desk.get("/editor", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_without_a_token_it_is_closed(bot: Bot) -> None:
    """No token set, no page, whatever is sent."""
    with served(cli.compose(bot, bot.settings)) as url:
        assert httpx.get(f"{url}/editor", headers={"authorization": "Bearer none"}, timeout=60).status_code == 403


def test_the_command_prints_the_same(desk: httpx.Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """`milkwise report` reads the journal of a server that runs; as text, JSON and CSV."""
    monkeypatch.chdir(settings.journal.file.parent)
    Path("milkwise.toml").write_text(f'index = "{settings.index}"\n[journal]\non = true\nfile = "journal.sqlite"\n')
    text = CliRunner().invoke(cli.app, ["report"])
    assert text.exit_code == 0, text.output
    assert "   4  " in text.stdout
    assert (
        json.loads(CliRunner().invoke(cli.app, ["report", "--json"]).stdout) == desk.get("/editor/report.json").json()
    )
    assert CliRunner().invoke(cli.app, ["report", "--csv"]).stdout.startswith("list,count,example")


def test_the_plot_s_bars_are_the_days() -> None:
    """The tallest bar fills the plot, an answered part is never taller than its day, and the share is of all days."""
    drawn = plot((Day(date(2026, 1, 1), 1, 4), Day(date(2026, 1, 2), 2, 2)))
    assert drawn
    assert [(bar["asked"], bar["answered"]) for bar in drawn["bars"]] == [(140.0, 35.0), (70.0, 70.0)]
    assert (drawn["share"], drawn["asked"]) == (50, 6)
    assert plot(()) is None
