"""Words' impacts, worked out ahead, against FTS5 itself."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest

from corpus.document import Passage
from index import impacts, lexical

WORDS = [f"word{number}" for number in range(300)] + ["kneading", "knead", "kneads", "naïve", "café", "хлеб", "loaves"]


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    """More passages than FTS5 is left alone with, of words as common and as rare as in any language."""
    connection, chosen = sqlite3.connect(":memory:"), random.Random(3)
    connection.execute(lexical.SCHEMA)
    connection.execute(impacts.SCHEMA)
    odds = [1 / (place + 1) for place in range(len(WORDS))]
    for row in range(1, impacts.FEW + 500):
        text, heading = " ".join(chosen.choices(WORDS, odds, k=30)), chosen.choice(WORDS)
        passage = Passage(f"d#{row}", "d", (heading,), text, 0, len(text), keys=(chosen.choice(WORDS),))
        lexical.add(connection, row * 2, "word1 title", passage)
    lexical.remove(connection, 20)
    yield connection
    connection.close()


@pytest.mark.parametrize("short", [0, impacts.SHORT])
def test_the_same_rows_and_scores_as_fts5(
    table: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, short: int
) -> None:
    """For common, rare, unknown, repeated and inflected words, deep and shallow: FTS5's rows, order and scores.

    However soon common words are only looked up.
    """
    monkeypatch.setattr(impacts, "SHORT", short)
    asked = [
        "knead",
        "Kneading kneads the loaves",
        "word0 word1",
        "word0",
        "cafe naive ХЛЕБ",
        "nowhere",
        "word299 word3",
    ]
    asked += [" ".join(random.Random(seed).choices(WORDS, k=4)) for seed in range(40)]
    table.execute("DELETE FROM impacts")
    wanted = {(text, k): lexical.best(table, text, k) for text in asked for k in (1, 10, 200)}
    impacts.write(table)
    assert table.execute("SELECT count(*) FROM impacts").fetchone()[0] > 290
    for (text, k), truth in wanted.items():
        found = impacts.best(table, text, k)
        assert [score for _, score in found] == pytest.approx([score for _, score in truth], rel=1e-5, abs=1e-7), text
        assert dict(found).keys() == dict(truth).keys() or found[-1][1] == pytest.approx(truth[-1][1], rel=1e-5)


def test_stems_are_the_tables_own() -> None:
    """Inflections and accents go as they go in the table; a word it cuts in two comes out as two."""
    found = lexical.Stemmer().stems(["kneading", "kneads", "café", "...", "half-baked"])
    assert found == [["knead"], ["knead"], ["cafe"], [], ["half", "bake"]]


@pytest.mark.parametrize(
    "text", ["", "'; DROP TABLE lexical; --", "\0word1\0", "\ud800 word1", " ".join(map(str, range(20_000)))]
)
def test_hostile_text_is_only_text(table: sqlite3.Connection, text: str) -> None:
    """Whatever is asked, it is looked up and breaks nothing."""
    table.execute("DELETE FROM impacts")
    impacts.write(table)
    assert all(score >= 0 for _, score in impacts.best(table, text, 5))


def test_few_passages_are_left_to_fts5() -> None:
    """A small table is quick enough, and stays as it was."""
    connection = sqlite3.connect(":memory:")
    connection.execute(lexical.SCHEMA)
    connection.execute(impacts.SCHEMA)
    lexical.add(connection, 1, "Bread", Passage("b#1", "b", (), "Knead the dough.", 0, 16))
    impacts.write(connection)
    assert not connection.execute("SELECT 1 FROM impacts").fetchone() and lexical.best(connection, "kneading", 1)
    connection.close()
