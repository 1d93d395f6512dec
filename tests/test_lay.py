"""Everyday words: put as the documents put them, left where the documents use them too, and the change is shown."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import bot.lay
from bot.bot import Bot
from bot.lay import plain
from bot.render import as_text
from index.index import Index
from index.index import build as build_index
from tests.conftest import ENCODER

LAY = Path(bot.lay.__file__).with_name("lay.toml")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("can a bloke breastfeed", "can a man breastfeed"),
        ("Blokes and milk?", "Men and milk?"),
        ("does the afterbirth matter", "does the placenta matter"),
        ("A sluggish thyroid, any link?", "An underactive thyroid, any link?"),
        ("what is the milk hormone?", "what is prolactin?"),
        ("is the pill used", "is the birth control pill used"),
    ],
)
def test_a_lay_word_becomes_the_documents_word(index: Index, typed: str, meant: str) -> None:
    """In the plural too, with the article that belongs to it, and in the letters' case it was typed in."""
    assert plain(typed, index) == meant


@pytest.mark.parametrize(
    "typed", ["my ear hurts", "a nosebleed", "water tablets", "breast milk for a baby", "a pillow", "mum-ish", "乳", ""]
)
def test_other_words_stay(index: Index, typed: str) -> None:
    """What the documents say themselves stays, and so does what they have no other word for."""
    assert plain(typed, index) == typed


def test_a_word_of_the_documents_is_not_translated(tmp_path: Path) -> None:
    """Where the documents say "bloke", a bloke is no man."""
    (tmp_path / "shed.md").write_text("# Sheds\n\nA bloke, as any man, may mend a shed by himself on a dry day.\n")
    build_index(tmp_path / "shed.md", tmp_path / "index", ENCODER, 200)
    opened = Index.open(tmp_path / "index", ENCODER)
    assert plain("can a bloke mend a shed", opened) == "can a bloke mend a shed"
    opened.close()


def test_what_was_looked_up_is_shown(bot: Bot) -> None:
    """The question in the documents' words stands in the reply, the typed one was the visitor's."""
    reply = bot.reply("Can a bloke make milk?")
    assert reply.query == "Can a man make milk?"
    assert as_text(reply, asked="Can a bloke make milk?").startswith("Looked for: Can a man make milk?\n")


def test_the_list_is_lower_case_and_leads_nowhere_twice() -> None:
    """Each entry names other words than its own, and no word on the right is itself translated into one on the left."""
    told: dict[str, list[str]] = tomllib.loads(LAY.read_text(encoding="utf-8"))
    for phrase, others in told.items():
        assert phrase == phrase.lower().strip() and others and phrase not in others
        assert all(phrase not in told.get(other, []) for other in others), phrase
