"""A document's life: dropped in and taken up, expired and withheld, rolled back; what answers differently is shown."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from bot.bot import Bot
from bot.differences import Difference, differences
from bot.faces import cli, upkeep
from bot.faces.keeper import Change, Keeper
from bot.golden import Case, GoldenError, add_case, load_cases
from bot.reply import Kind
from bot.settings import Settings, load
from index import generations
from index.contract import IndexFault
from index.index import Index, build, is_stale
from tests.conftest import ENCODER
from tests.index_samples import write
from tests.serving import served

PUMPS = {"Cleaning a pump": "Wash every part of a breast pump in hot soapy water after each use."}
BREAD = {"Rolls": "Rolls need less time in the oven than a loaf does."}
ASKED = "How do I clean a breast pump?"
PATIENCE_S = 120


@pytest.fixture
def site(tmp_path: Path) -> Settings:
    """Settings of a folder with one document, indexed, and one golden case on what is not there yet."""
    (tmp_path / "shelf").mkdir()
    write(tmp_path / "shelf", "bread", BREAD)
    add_case(tmp_path / "cases.txt", ASKED, Kind.ANSWER, date(2026, 11, 24))
    settings = load(documents=tmp_path / "shelf", index=tmp_path / "index", cases=tmp_path / "cases.txt")
    upkeep.refresh(settings)
    return settings


def waited(done: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    until = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < until:
        time.sleep(0.05)
    return done()


def test_a_file_dropped_in_is_taken_up_while_questions_are_answered(site: Settings) -> None:
    """The running server builds aside and swaps; a question before, during and after fails never and mixes nothing."""
    bot = Bot.open(site.index, site)
    app = cli.compose(bot, site)
    changes: deque[Change] = app.state.changes
    said: list[dict[str, Any]] = []
    stop = threading.Event()

    def ask(url: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.is_set():
                said.append(client.post("/v1/ask", json={"question": ASKED}).raise_for_status().json())

    with served(app) as url, Keeper(bot, site, changes):
        asking = threading.Thread(target=ask, args=(url,))
        asking.start()
        try:
            assert waited(lambda: len(said) > 1)
            write(site.documents, "pumps", PUMPS)
            assert waited(lambda: bool(changes))
            assert waited(lambda: said[-1]["kind"] == "answer")
            (change,) = changes
            assert "added pumps" in change.what
            (found,) = change.differences
            assert (found.ask, found.before, found.verdict) == (ASKED, "abstain", "now right")
            generations.rollback(site.index)
            assert waited(lambda: said[-1]["kind"] == "abstain"), "the server did not follow the rollback"
        finally:
            stop.set()
            asking.join(60)
    ways = {(reply["index"], reply["kind"]) for reply in said}
    assert len(ways) == 2, "an index answered in two ways: a reply was made of two indexes"


def test_a_fault_leaves_the_index_in_use_and_is_told(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be read is named among the changes; what is served stays."""
    bot, changes = Bot.open(site.index, site), deque[Change]()
    before = bot.index
    (site.documents / "bread.md").unlink()
    Keeper(bot, site, changes).look()
    assert bot.index is before
    assert "Could not be taken up" in changes[0].what
    assert "there are no documents" in changes[0].what


def test_rollback_holds_until_the_documents_change(site: Settings) -> None:
    """Rolled back, the same documents are not built again by themselves; changed ones are, and twice goes forward."""

    def stale() -> bool:
        return is_stale(site.documents, site.index, site.encoder, site.passage_pieces)

    first = generations.current(site.index).name
    with pytest.raises(IndexFault, match="no earlier index"):
        generations.rollback(site.index)
    write(site.documents, "pumps", PUMPS)
    build(site.documents, site.index, ENCODER, 200)
    second = generations.current(site.index).name
    assert generations.rollback(site.index).name == first == generations.current(site.index).name
    assert Index.open(site.index, ENCODER).document("pumps") is None
    assert not stale()
    assert generations.rollback(site.index).name == second
    generations.rollback(site.index)
    write(site.documents, "pumps", {"Cleaning a pump": "Rinse every part."})
    assert stale()
    build(site.documents, site.index, ENCODER, 200)
    assert not stale()
    assert not generations.left_behind(site.index)


def test_the_rollback_command_shows_what_answers_differently(site: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """`milkwise build` and `milkwise rollback` print the golden cases that changed, before and after."""
    monkeypatch.chdir(site.index.parent)
    (site.index.parent / "milkwise.toml").write_text('index = "index"\ncases = "cases.txt"\n')
    write(site.documents, "pumps", PUMPS)
    built = CliRunner().invoke(cli.app, ["build", "shelf"])
    assert built.exit_code == 0, built.output
    assert f"1 of 1 answer differently\n  {ASKED} (now right)\n    before: abstain\n    now:    answer:" in built.stdout
    back = CliRunner().invoke(cli.app, ["rollback"])
    assert back.exit_code == 0, back.output
    assert f"{ASKED} (now wrong)" in back.stdout


def test_an_expired_document_is_marked_or_withheld(site: Settings) -> None:
    """Past its own date it is served and marked; with `withhold` it is not indexed, even where it is the only one."""
    path = site.documents / "bread.md"
    path.write_text("---\nreview_by: 2020-01-31\n---\n" + path.read_text())
    assert "withheld" not in upkeep.told(upkeep.rebuild(site, _silent()))
    assert Index.open(site.index, ENCODER).document("bread")
    strict = site.model_copy(update={"expired": "withhold"})
    assert is_stale(site.documents, site.index, ENCODER, 200, upkeep.admit(strict))
    built = upkeep.rebuild(strict, _silent())
    assert built.left == ("bread.md: withheld, it was due for review by 2020-01-31",)
    empty = Bot.open(site.index, strict)
    assert not empty.index.documents()
    assert empty.reply("How long do rolls need?").kind == Kind.ABSTAIN


def test_differences_are_of_kind_or_quote(bot: Bot, site: Settings) -> None:
    """The same bot twice differs in nothing; another index in each case that it answers in other words."""
    cases = [Case("Can men produce milk?", 1, expect=(Kind.ANSWER,)), Case("hi", 2, expect=(Kind.SMALLTALK,))]
    assert differences(bot, bot, cases) == ()
    (found,) = differences(bot, Bot.open(site.index, site), cases)
    assert found.before.startswith("answer: “")
    assert found == Difference("Can men produce milk?", found.before, "abstain", "now wrong")


def test_a_case_is_added_once_and_never_to_a_broken_file(tmp_path: Path) -> None:
    """One question is one case, however it is spaced; a file that is no cases is left as it is."""
    path = tmp_path / "cases.txt"
    assert add_case(path, " Is  it\nsafe? ", Kind.ABSTAIN, date(2026, 1, 2))
    assert not add_case(path, "is it SAFE?", Kind.ANSWER, date(2026, 1, 2))
    assert add_case(path, "[number] or #?", Kind.ANSWER, date(2026, 1, 2))
    assert [(case.ask, case.expect) for case in load_cases(path)] == [
        ("Is it safe?", (Kind.ABSTAIN,)),
        ("[number] or #?", (Kind.ANSWER,)),
    ]
    path.write_text("nonsense\n")
    with pytest.raises(GoldenError):
        add_case(path, "Is it safe?", Kind.ANSWER, date(2026, 1, 2))
    assert path.read_text() == "nonsense\n"


def _silent() -> Console:
    return Console(file=Path("/dev/null").open("w"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Away from any milkwise.toml of the project's own folder."""
    monkeypatch.chdir(tmp_path)
    yield
