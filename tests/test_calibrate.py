"""What a build finds out about its documents by asking them: one number, bounded, the same for the same documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from bot import weigh as weighing
from bot.calibrate import ASKED, FEWEST, MOST, Calibrator, Trial, expected, fit, own_questions
from bot.faces import upkeep
from bot.reply import Query
from bot.settings import load
from bot.weigh import reader, weigh
from bot.words import Words
from index import generations, home
from index.contract import IndexFault
from index.database import Database
from index.index import READER, Index, build, is_stale
from index.manifest import Manifest
from tests.conftest import ENCODER
from tests.index_samples import BIKES, BREAD, write
from tests.postgres_server import Server

BARE = {"Cloth": "A duster is a soft cloth for dry shelves.", "Sinks": "Rinse the sink with hot water every evening."}

TRIALS = st.builds(Trial, odds=st.floats(-12, 12, width=32), right=st.booleans(), able=st.booleans())


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of three small documents, of one of which nobody wrote down what it answers."""
    for name, sections in (("bread", BREAD), ("bikes", BIKES), ("chores", BARE)):
        write(tmp_path / "documents", name, sections)
    return tmp_path / "documents"


@pytest.mark.parametrize("true", [-1.2, -0.4, 0.0, 0.7, 1.3])
def test_a_known_shift_is_found(true: float) -> None:
    """Where outcomes are drawn from odds that are off by so much, so much is found."""
    random = np.random.default_rng(7)
    odds = random.normal(0, 2, 4000).astype(np.float32)
    right = random.random(4000) < 1 / (1 + np.exp(-odds - true))
    assert fit(odds, right, np.ones(4000, np.float32)) == pytest.approx(true, abs=0.12)


@settings(deadline=None)
@given(trials=st.lists(TRIALS, max_size=60), threshold=st.floats(0.05, 0.95))
def test_whatever_comes_out_stays_within_bounds(trials: list[Trial], threshold: float) -> None:
    """The shift never leaves its bounds, shares are shares, and too few questions move nothing."""
    found = expected(trials, threshold)
    assert abs(found["shift"]) <= MOST
    assert found["asked"] == sum(one.able for one in trials) and found["asked"] + found["hidden"] == len(trials)
    if found["asked"] < FEWEST:
        assert found["shift"] == 0 and "wrong" not in found
    assert all(0 <= found.get(name, 0) <= 1 for name in ("wrong", "missed"))


@settings(deadline=None)
@given(trials=st.lists(TRIALS, min_size=1, max_size=60), data=st.data())
def test_more_that_is_right_is_more_trust(trials: list[Trial], data: st.DataObject) -> None:
    """One outcome turned from wrong to right never lowers the shift; the prior keeps it nearer 0 than without."""
    place = data.draw(st.integers(0, len(trials) - 1))
    odds = np.array([one.odds for one in trials], np.float32)
    weight = np.ones(len(trials), np.float32)
    low, high = (np.array([one.right for one in trials]) for _ in range(2))
    low[place], high[place] = False, True
    assert fit(odds, low, weight) <= fit(odds, high, weight)
    assert abs(fit(odds, high, weight)) <= abs(fit(odds, high, 9 * weight)) + 1e-4


def test_what_is_expected_is_counted() -> None:
    """Of the answers given, those that are wrong; of the right ones, those declined. Both kinds weigh the same."""
    right = [Trial(2.0, True, True)] * 9 + [Trial(-2.0, True, True)]
    none = [Trial(2.0, False, False)] + [Trial(-2.0, False, False)] * 4
    found = expected(right + none, 0.5)
    assert abs(found["shift"]) < 0.2
    assert (found["asked"], found["hidden"]) == (10, 5)
    assert found["wrong"] == pytest.approx(2 / 11, abs=1e-3)
    assert found["missed"] == pytest.approx(1 / 10)


def test_a_list_of_what_is_left_out_takes_no_trust_away() -> None:
    """However many questions are known to have no answer, as long as they come out alike, the shift is the same."""
    own = [Trial(1.0, True, True), Trial(0.5, False, True)] * 10
    few, many = ([Trial(-1.0, False, False), Trial(0.5, False, False)] * times for times in (5, 15))
    assert expected(own + few, 0.5)["shift"] == expected(own + many, 0.5)["shift"]


def test_questions_come_from_every_section(index: Index, shelf: Path, tmp_path: Path) -> None:
    """Editors' and headings' questions, and made ones where there are none; each with the sections that answer it."""
    words = Words.load()
    article = [question for question, _ in own_questions(index, words)]
    keys = {key for document in index.documents() for one in index.passages(document.id) for key in one.keys}
    assert keys < set(article) and len(article) <= ASKED, "the bundled article has too few questions to leave some out"
    build(shelf, tmp_path / "index", ENCODER, 200)
    opened = Index.open(tmp_path / "index", ENCODER)
    asked = dict(own_questions(opened, words))
    assert asked["How do I keep bread fresh?"] == {("bread", "How do I keep bread fresh?")}
    assert asked["What is a duster?"] == {("chores", "Cloth")}
    assert len({section for sections in asked.values() for section in sections}) == len(BREAD) + len(BIKES) + len(BARE)
    opened.close()


class Fixed:
    """A calibrator that has made up its mind; the documents it was shown are noted."""

    def __init__(self, name: str, shift: float) -> None:
        self.name, self.shift, self.seen = name, shift, list[tuple[str, ...]]()

    def __call__(self, index: Index) -> Mapping[str, float]:
        """The findings, whatever the index; it has to be open, and free of earlier ones."""
        assert not index.manifest.trust
        self.seen.append(tuple(document.id for document in index.documents()))
        return {"shift": self.shift}


def test_a_build_keeps_what_it_found(shelf: Path, tmp_path: Path) -> None:
    """Two builds agree to the byte; without a calibrator there is nothing; another reader makes the index stale."""
    made = [build(shelf, tmp_path / name, ENCODER, 200, calibrator=Calibrator(8)) for name in ("one", "two", "one")]
    assert len({one.generation for one in made}) == 1
    found = Index.open(tmp_path / "one", ENCODER).manifest.trust
    assert found == made[0].trust and found[READER] == Calibrator(8).name
    assert {"shift", "asked", "hidden"} <= set(found) and found["asked"] == 7
    one, two = (generations.current(tmp_path / name) / generations.MANIFEST for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    bare = build(shelf, tmp_path / "bare", ENCODER, 200)
    assert bare.trust == {} and bare.generation != made[0].generation
    assert not is_stale(shelf, tmp_path / "one", ENCODER, 200, calibrator=Calibrator(8))
    assert is_stale(shelf, tmp_path / "one", ENCODER, 200, calibrator=Fixed("another", 0))
    assert is_stale(shelf, tmp_path / "one", ENCODER, 200, calibrator=Calibrator(3)), (
        "found with other passages weighed"
    )
    assert is_stale(shelf, tmp_path / "bare", ENCODER, 200, calibrator=Calibrator(8))
    assert not is_stale(shelf, tmp_path / "bare", ENCODER, 200)


@pytest.fixture
def shifted(index: Index) -> Iterator[Index]:
    """The bundled index as if its documents were harder than others by one unit of log-odds."""
    made = Index(index.store, index.encoder, index.manifest, lambda problem: pytest.fail(problem))
    yield made


def odds(index: Index, trust: Mapping[str, str | float]) -> float:
    """The log-odds of an answer under what was found."""
    index.manifest = replace(index.manifest, trust=trust)
    asked = "How long does it take until milk comes?"
    confidence = weigh(Query(asked, asked), index.search(asked, 8), index).confidence
    return float(np.log(confidence / (1 - confidence)))


def test_confidence_is_shifted(shifted: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what was found with the weights and the scorer in use, and by nothing found with others."""
    plain = odds(shifted, {})
    for told in (reader(), Calibrator(8).name):
        assert odds(shifted, {READER: told, "shift": -1.0}) == pytest.approx(plain - 1, abs=1e-4)
    assert odds(shifted, {READER: "another", "shift": -1.0}) == pytest.approx(plain, abs=1e-6)
    monkeypatch.setattr(weighing, "reader", lambda: "another")
    assert odds(shifted, {READER: "another", "shift": 1.0}) == pytest.approx(plain + 1, abs=1e-4)


def test_the_bundled_article_is_calibrated(index: Index) -> None:
    """Its own questions and those it leaves to others were asked, and what is to be expected is known."""
    trust = index.manifest.trust
    article = index.document("human-lactation")
    assert article
    assert float(trust["asked"]) >= FEWEST
    assert float(trust["hidden"]) > len(article.elsewhere)
    assert 0 <= float(trust["wrong"]) < 0.5 and 0 <= float(trust["missed"]) < 0.5


def test_whoever_builds_is_told(index: Index, shelf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says what to expect, or that there is nothing to go by; a server's index is calibrated."""
    site = load(documents=shelf, index=tmp_path / "index")
    upkeep.rebuild(site, Console())
    assert "expects nothing to go by: 7 questions" in " ".join(capsys.readouterr().out.split())
    assert not upkeep.behind(site)
    said = upkeep.expects(index.manifest.trust)
    assert re.fullmatch(
        r"where half .* about \d+% of the answers given wrong and \d+% .* \(by \d+ .*, and \d+ .*\)", said
    )


def revisions(address: str) -> list[float]:
    """The shift of each revision in a database, in order."""
    database, query = Database(address), "SELECT facts FROM milkwise.revisions WHERE facts IS NOT NULL ORDER BY number"
    facts = database.read(lambda one: one.execute(query).fetchall())
    database.close()
    return [float(Manifest.from_json(each).trust.get("shift", 0.0)) for (each,) in facts]


def test_what_is_found_makes_a_revision_of_its_own(empty_database: str, shelf: Path) -> None:
    """In a database documents come first, under what was found before; then what is found, if it is something else."""
    first, second, chosen = Fixed("one", 0.2), Fixed("one", 0.3), (shelf, empty_database, ENCODER, 200)
    made = home.build(*chosen, calibrator=first)
    assert made.trust == {READER: "one", "shift": 0.2} and revisions(empty_database) == [0.0, 0.2]
    assert home.build(*chosen, calibrator=first).generation == made.generation
    assert revisions(empty_database) == [0.0, 0.2]
    write(shelf, "tea", {"Steeping": "Three minutes are enough."})
    again = home.build(*chosen, calibrator=second)
    assert revisions(empty_database) == [0.0, 0.2, 0.2, 0.3]
    assert first.seen == [("bikes", "bread", "chores")] * 2
    assert second.seen == [("bikes", "bread", "chores", "tea")]
    shared = home.open_index(empty_database, ENCODER)
    assert shared.generation == again.generation and shared.document("tea")
    shared.close()
    assert home.build(*chosen).trust == {} and revisions(empty_database)[-1] == 0.0


def test_an_index_of_an_older_version_is_replaced(empty_database: str, shelf: Path, postgres: Server) -> None:
    """A database built before there was trust is built anew, and what was removed meanwhile is gone."""
    home.build(shelf, empty_database, ENCODER, 200)
    older = """(facts::jsonb - 'trust' || '{"format": 2}')::text"""
    postgres.run("faq", f"UPDATE milkwise.revisions SET facts = {older}")
    with pytest.raises(IndexFault, match="its format is 2"):
        home.open_index(empty_database, ENCODER)
    (shelf / "bikes.md").unlink()
    home.build(shelf, empty_database, ENCODER, 200)
    shared = home.open_index(empty_database, ENCODER)
    assert [document.id for document in shared.documents()] == ["bread", "chores"]
    shared.close()
