"""What is offered beside a refusal: questions that were tried, and where an editor says to turn instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.bot import Bot
from bot.reply import Kind
from bot.settings import load
from bot.suggest import turn_to
from bot.triage import load_rules
from bot.words import Words
from corpus.read import read
from index.index import Index, build

BARE = """---
title: Rest and fluids
publisher: Example
licence: CC0
elsewhere:
  Ask at the library.:
    - Which books are there about colds?
---

## About colds

A cold is a mild illness of the nose and throat. The common cold goes away by itself in about a week.

## Fluids

Fluids are drinks such as water, tea and soup. Warm fluids help to keep the throat moist.
"""


@pytest.fixture(scope="module")
def plainly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot on a document for which nobody wrote down what it answers."""
    folder = tmp_path_factory.mktemp("plainly")
    (folder / "cold.md").write_text(BARE, encoding="utf-8")
    build(folder / "cold.md", folder / "index", "all-MiniLM-L6-v2", limit=200)
    index, words = Index.open(folder / "index", "all-MiniLM-L6-v2"), Words.load()
    yield Bot(index, load(index=folder / "index"), load_rules(words), words)
    index.close()


def test_questions_are_made_from_definitions_and_tried(plainly: Bot) -> None:
    """Without an editor's questions a refusal still offers real ones, and each is answered when asked."""
    reply = plainly.reply("How is a cold treated in hospital?")
    assert reply.kind == Kind.ABSTAIN
    assert set(reply.suggestions) & {"What is a cold?", "What are fluids?"}
    for question in reply.suggestions:
        assert plainly.reply(question).kind == Kind.ANSWER, question


def test_a_refusal_says_where_to_turn(plainly: Bot) -> None:
    """The editor's words for a question like one written down; else the usual ones. Neither is evidence."""
    turned = plainly.reply("What books are there about colds?")
    assert turned.kind == Kind.ABSTAIN
    assert (turned.claims[-1].text, turned.claims[-1].source) == ("Ask at the library.", "elsewhere:cold")
    assert plainly.reply("What is the capital of Norway?").claims[-1].source == "phrase:abstain-turn-to"


def test_what_is_answered_elsewhere_is_kept_with_its_document(bot: Bot) -> None:
    """The bundled article's own list survives building and opening."""
    (article,) = bot.index.documents()
    assert len(article.elsewhere) >= 10
    for one in article.elsewhere:
        found = turn_to(one.question, bot.index)
        assert found
        assert found.turn_to == one.turn_to


def test_a_list_that_is_none_is_named(tmp_path: Path) -> None:
    """A question without where to turn is refused with its line."""
    path = tmp_path / "a.md"
    path.write_text("---\nelsewhere: How much?\n---\n\nText.\n", encoding="utf-8")
    (fault,) = read(path).faults
    assert (fault.place, "'elsewhere'" in fault.problem) == ("line 2", True)
