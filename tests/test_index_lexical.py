"""The word search: stemming, accents, function words, and text that tries to be a query."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.document import Passage
from index import lexical

TEXTS = {
    1: ("Kneading", "Knead the doughs for ten minutes."),
    2: ("Café", "The naïve baker drinks a café au lait before baking."),
    3: ("Ovens", "A wood-fired oven is hot. It is not for every loaf."),
    4: ("Хлеб", "Ржаной хлеб пекут долго."),
    5: ("What is it?", "What it is, is what it is."),
}


@pytest.fixture(scope="module")
def shelf() -> sqlite3.Connection:
    """Five passages, indexed by their words."""
    connection = sqlite3.connect(":memory:")
    connection.execute(lexical.SCHEMA)
    for row, (heading, text) in TEXTS.items():
        keys = ("How long do I knead?",) if row == 1 else ()
        lexical.add(connection, row, "The Almanac", Passage(f"d#{row}", "d", (heading,), text, 0, len(text), keys=keys))
    return connection


def rows(shelf: sqlite3.Connection, text: str) -> list[int]:
    """The rows found for a text, best first."""
    return [row for row, _ in lexical.best(shelf, text, 10)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("dough", [1]),  # a plural in the text
        ("kneaded", [1]),  # another ending
        ("bakers", [2]),
        ("cafe naive", [2]),  # without accents
        ("cafe\u0301", [2]),  # the accent a character of its own
        ("WOOD fired", [3]),
        ("хлеб", [4]),
        ("how long?", [1]),  # only its key has the word
        ("almanac oven", [3, 1, 2, 4, 5]),  # the title is a word of every passage, and so decides nothing
        ("zebra", []),
    ],
)
def test_words_are_found_by_their_stems(shelf: sqlite3.Connection, asked: str, found: list[int]) -> None:
    """Endings, case, accents and scripts make no difference."""
    assert rows(shelf, asked)[:1] == found[:1] and set(rows(shelf, asked)) == set(found)


def test_function_words_are_left_out_unless_alone(shelf: sqlite3.Connection) -> None:
    """They would match nearly everything; where nothing else is asked they are all there is."""
    assert lexical.terms("What is the oven for?") == ["oven"]
    assert rows(shelf, "What is the oven for?") == [3]
    assert lexical.terms("What is it?") == ["what", "is", "it"]
    assert rows(shelf, "What is it?")[0] == 5
    assert lexical.terms("not before") == ["not", "before"]


def test_scores_are_positive_and_rare_words_weigh_more(shelf: sqlite3.Connection) -> None:
    """Higher is better, as everywhere, and a heading counts more than the text."""
    found = lexical.best(shelf, "oven hot knead baker", 10)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert all(score > 0 for _, score in found)
    assert lexical.best(shelf, "ovens", 1)[0][1] > lexical.best(shelf, "loaf", 1)[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        '"',
        "'; DROP TABLE lexical; --",
        "oven OR",
        "NEAR(oven, 3)",
        "headings : oven",
        "text:* ^oven",
        "oven* -hot +loaf {headings text}",
        '"oven""',
        "(((",
        "\0oven\0",
        "\ud800 oven",
        "🍞🍞",
        "_ __ ___",
        "oven " * 20_000,
        " ".join(f"w{number}" for number in range(20_000)),
    ],
)
def test_hostile_text_is_only_text(shelf: sqlite3.Connection, text: str) -> None:
    """Quotes, operators, half a surrogate pair and endless questions search, and break nothing."""
    assert set(rows(shelf, text)) <= {1, 2, 3}
    assert ("oven" not in text) or 3 in rows(shelf, text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_no_text_raises(shelf: sqlite3.Connection, text: str) -> None:
    """Whatever the characters."""
    assert all(score >= 0 for _, score in lexical.best(shelf, text, 5))


def test_every_word_of_a_text_finds_it(shelf: sqlite3.Connection) -> None:
    """Each word the query parser makes of a passage is a word the passage is indexed by."""
    for row, (heading, text) in TEXTS.items():
        for word in lexical.terms(f"{heading} {text}"):
            assert row in rows(shelf, word)


def test_a_removed_passage_is_forgotten(shelf: sqlite3.Connection) -> None:
    """Its words find nothing any more, and removing it again is fine."""
    passage = Passage("d#9", "d", ("Toast",), "Toast the heel.", 0, 15)
    lexical.add(shelf, 9, "", passage)
    assert rows(shelf, "toast") == [9]
    for _ in range(2):
        lexical.remove(shelf, 9)
        assert rows(shelf, "toast") == []
