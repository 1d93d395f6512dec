"""A Reply cannot be built wrong: no disclaimer, no source, no such quote, no reply."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reply import Citation, Claim, Contact, Disclaimer, Kind, Reply
from corpus.document import Block, Document, Passage, Section

TEXT = "Bread\n\nBread rises. Yeast makes the gas.\n\n"
DOCUMENT = Document("bread", "Bread", TEXT, (Section((), 0, len(TEXT), (Block("heading", 0, 5, 1),)),))
PASSAGE = Passage("bread#intro", "bread", (), TEXT, 0, len(TEXT), spans=((7, 19), (20, 40)))
DISCLAIMER = Disclaimer("medical-information", "1", "en", "This is not medical advice.")
PHRASE = Claim("Hello.", "phrase:greeting")
CONTACT = Contact("emergency", "Emergency services", call="112")


def quoted(start: int = 7, end: int = 19, number: int = 1) -> Claim:
    """A claim that quotes the sample document."""
    return Claim(TEXT[start:end], PASSAGE.id, Citation(number, DOCUMENT, PASSAGE, start, end))


def reply(kind: Kind, *claims: Claim, **more: object) -> Reply:
    """A reply around some claims."""
    fields = {"disclaimer": DISCLAIMER, "query": "q", "reason": "covered", "index": "g", **more}
    return Reply(kind, claims, **fields)  # type: ignore[arg-type]  # tests pass what types forbid


def test_the_good_ones_can_be_built() -> None:
    """Each kind with what it needs is accepted, so that the refusals below mean something."""
    assert reply(Kind.ANSWER, quoted(), quoted(20, 40, 2)).citations[1].quote == "Yeast makes the gas."
    assert reply(Kind.REFER, PHRASE, quoted()).citations[0].number == 1
    assert reply(Kind.URGENT, PHRASE, contacts=(CONTACT,)).contacts
    for kind in (Kind.ABSTAIN, Kind.CLARIFY, Kind.SMALLTALK):
        assert reply(kind, PHRASE).citations == ()


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("disclaimer", [None, "", "not medical advice"])
def test_no_reply_without_a_disclaimer(kind: Kind, disclaimer: object) -> None:
    """Whatever the kind, something that is not a Disclaimer is refused."""
    with pytest.raises(ValueError, match="disclaimer"):
        reply(kind, PHRASE, disclaimer=disclaimer)


@pytest.mark.parametrize("field", ["id", "version", "locale", "text"])
@given(blank=st.text(alphabet=" \t\n\u00a0", max_size=4))
def test_no_empty_disclaimer(field: str, blank: str) -> None:
    """A disclaimer of white space is no disclaimer."""
    with pytest.raises(ValueError, match="incomplete"):
        dataclasses.replace(DISCLAIMER, **{field: blank})


@given(blank=st.text(alphabet=" \t\n", max_size=4))
def test_no_claim_without_source_or_words(blank: str) -> None:
    """A claim needs both what is said and what backs it."""
    with pytest.raises(ValueError, match="nothing backs"):
        Claim("Bread rises.", blank)
    with pytest.raises(ValueError, match="no words"):
        Claim(blank, "phrase:greeting")


def test_a_passage_source_needs_a_citation() -> None:
    """Naming a passage is not quoting it."""
    with pytest.raises(ValueError, match="no citation"):
        Claim("Bread rises.", PASSAGE.id)


@given(text=st.text())
def test_no_quote_that_is_not_in_the_document(text: str) -> None:
    """Any words but the cited ones are refused."""
    citation = Citation(1, DOCUMENT, PASSAGE, 7, 19)
    if text != "Bread rises.":
        with pytest.raises(ValueError):
            Claim(text, PASSAGE.id, citation)
    with pytest.raises(ValueError):
        Claim("Bread rises.", "phrase:greeting", citation)


@given(start=st.integers(-5, 60), end=st.integers(-5, 60))
def test_a_citation_stays_inside_its_passage(start: int, end: int) -> None:
    """Offsets that leave the passage, or enclose nothing, are refused; the others quote the document."""
    if 0 <= start < end <= len(TEXT):
        assert Citation(1, DOCUMENT, PASSAGE, start, end).quote == TEXT[start:end]
    else:
        with pytest.raises(ValueError, match="outside its passage"):
            Citation(1, DOCUMENT, PASSAGE, start, end)


def test_a_citation_of_another_version_is_refused() -> None:
    """A passage cut from an older text is not in the newer one."""
    newer = dataclasses.replace(DOCUMENT, text=TEXT.replace("Bread", "Dough"))
    with pytest.raises(ValueError, match="rebuild the index"):
        Citation(1, newer, PASSAGE, 7, 19)


@pytest.mark.parametrize(
    ("kind", "claims", "why"),
    [
        (Kind.ANSWER, (), "says nothing"),
        (Kind.ANSWER, (PHRASE,), "does not quote"),
        (Kind.ANSWER, (PHRASE, quoted()), "does not quote"),
        (Kind.ANSWER, (quoted(number=2),), "numbered"),
        (Kind.REFER, (quoted(),), "starts with the referral"),
        (Kind.REFER, (Claim("Take 10 mg.", "rule:dose"),), "figure"),
        (Kind.URGENT, (PHRASE,), "contact"),
        (Kind.URGENT, (PHRASE, quoted()), "signpost"),
        (Kind.ABSTAIN, (PHRASE, quoted()), "quotes nothing"),
        (Kind.SMALLTALK, (quoted(),), "quotes nothing"),
    ],
)
def test_each_kind_keeps_its_shape(kind: Kind, claims: tuple[Claim, ...], why: str) -> None:
    """What a kind must not hold is refused, with the reason."""
    with pytest.raises(ValueError, match=re.escape(why)):
        reply(kind, *claims)


def test_replies_are_frozen() -> None:
    """Nobody can take the disclaimer away afterwards."""
    made = reply(Kind.ANSWER, quoted())
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.disclaimer = None  # type: ignore[misc, assignment]
    with pytest.raises(ValueError, match="disclaimer"):
        dataclasses.replace(made, disclaimer=None)  # type: ignore[arg-type]


def test_a_contact_can_be_reached() -> None:
    """A contact without a number or address is refused."""
    with pytest.raises(ValueError, match="cannot be reached"):
        Contact("crisis", "Crisis line")
