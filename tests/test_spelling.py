"""Slips of the finger: what is mended, what stays as typed, and that a correction is looked up and shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bot import Bot
from bot.render import as_text
from bot.reply import Kind, Turn
from bot.rewrite import rewrite
from bot.spelling import lexicon, mend
from index.index import Index

MEDICINES = Path(__file__).parents[1] / "bot" / "medicines.txt"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wat is prolactn", "what is prolactin"),
        ("Galactorhea?", "Galactorrhea?"),
        ("WHAT IS OXYTCOIN", "WHAT IS OXYTOCIN"),
        ("inducd latation", "induced lactation"),
        ("can men makemilk", "can men make milk"),
        ("side efects of domperidoone", "side effects of domperidone"),
    ],
)
def test_a_slip_is_mended(index: Index, typed: str, meant: str) -> None:
    """A word that one word of the documents explains becomes that word, in the letters' case it was typed in."""
    assert mend(typed, index) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "droperidol",  # two letters from domperidone, and another medicine
        "estrone and estrogen",
        "oestrogen levels and a tumour",  # right, in another spelling
        "mastitis, engorgement, colostrum",
        "COPD or SIDS",  # abbreviations
        "copd",
        "questran",  # a brand, two letters from "question"
        "my ñame is 乳, 10mg",
        "asdf qwer zxcv",
        "",
    ],
)
def test_what_is_no_slip_stays(index: Index, typed: str) -> None:
    """Other medicines, other spellings, other words and abbreviations are left as they were typed."""
    assert mend(typed, index) == typed


def test_no_medicine_becomes_another_word(index: Index) -> None:
    """Of some seven thousand names of medicines none is changed."""
    names = [line for line in MEDICINES.read_text().splitlines() if line[0] != "#"]
    assert len(names) > 6000
    assert [name for name in names if mend(name, index) != name] == []


def test_every_word_of_the_documents_is_right(index: Index) -> None:
    """Nothing that the documents say is ever changed."""
    words = sorted(lexicon(index).words)
    assert [word for word in words if mend(word, index) != word] == []


def test_a_correction_is_looked_up_and_shown(bot: Bot) -> None:
    """What is searched, weighed and shown is the corrected question; the text says so above the answer."""
    reply, right = bot.reply("what is relactaton"), bot.reply("what is relactation")
    assert reply.kind == Kind.ANSWER
    assert reply.query == "what is relactation"
    assert reply.claims == right.claims
    assert as_text(reply, asked="what is relactaton").startswith("Looked for: what is relactation\n")
    assert not as_text(reply, asked="What is  relactation").startswith("Looked for")


def test_earlier_turns_are_mended_too(index: Index) -> None:
    """A follow-up carries the subject as it was meant."""
    (query,) = rewrite("how long does it take", [Turn("wat is inducd lactation")], index)
    assert query.text == "How long does induced lactation take?"
