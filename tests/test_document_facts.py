"""The bundled article: every fact in its place, plain enough to read, written in sentences that can be quoted alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.grade import grade
from bot.settings import BUNDLED
from corpus.document import Document
from corpus.read import read
from corpus.split import split
from index.contract import Encoder

FACTS = Path(__file__).parent / "golden" / "facts.txt"
ARTICLE = BUNDLED / "human-lactation.md"
NAMES = re.compile(
    r"\b(?:(?:re)?lactation|galactorrhea|prolactin\w*|estrogen|progesterone|oxytocin|hypothyroidism|domperidone"
    r"|metoclopramide|galactagogue|pituitary|myoepithelial|alveoli|antipsychotics|antidepressants|gastrointestinal)\b",
    re.IGNORECASE,
)


def facts(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Passage id and words of each fact. Raises ValueError, with the line, for one that is not of that form."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([\w-]+#[\w:-]+) \| (\S.*)", line)
        words = tuple(word.strip() for word in match[2].split(" + ")) if match else ()
        if not match or len(words) < 2 or not all(words) or "|" in match[2]:
            raise ValueError(f"facts.txt, line {number}: {line!r} is not 'passage | words + words'")
        found.append((match[1], words))
    return found


@pytest.fixture(scope="module")
def article() -> Document:
    """The bundled article, read as the product reads it."""
    reading = read(ARTICLE)
    assert not reading.faults
    return reading.documents[0]


@pytest.fixture(scope="module")
def sentences(article: Document, encoder: Encoder) -> dict[str, list[str]]:
    """Passage id → its sentences."""
    return {p.id: [sentence.text for sentence in p.sentences] for p in split(article, 200, encoder.count)}


@pytest.mark.parametrize(("passage", "words"), facts(FACTS.read_text(encoding="utf-8")))
def test_a_passage_carries_its_fact(sentences: dict[str, list[str]], passage: str, words: tuple[str, ...]) -> None:
    """One sentence of the named passage holds all the words of the fact."""
    assert passage in sentences, f"no passage {passage}: there are {sorted(sentences)}"
    held = [text for text in sentences[passage] if all(word.casefold() in text.casefold() for word in words)]
    assert held, f"no sentence of {passage} holds {words}"


def test_every_sentence_states_a_listed_fact(sentences: dict[str, list[str]]) -> None:
    """Nothing stands in the article that the list of facts does not cover, so nothing was made up."""
    listed = facts(FACTS.read_text(encoding="utf-8"))
    for passage, texts in sentences.items():
        for text in texts:
            assert any(
                id == passage and all(word.casefold() in text.casefold() for word in words) for id, words in listed
            ), text


def test_the_list_of_facts_is_long_enough() -> None:
    """About thirty facts were asked for; a list cut short by mistake is noticed."""
    assert len(facts(FACTS.read_text(encoding="utf-8"))) >= 30


@pytest.mark.parametrize(
    "line", ["no bar at all", "doc#passage |", "doc#passage | one", "doc | a + b", "doc#p | a +  + b"]
)
def test_a_malformed_fact_fails(line: str) -> None:
    """A line that is no fact raises an error with its number; it is not left out silently."""
    with pytest.raises(ValueError, match="line 1"):
        facts(line)


def test_the_article_is_plain_enough_for_a_twelve_year_old(article: Document) -> None:
    """Its prose stays below US grade 7.8 (age 12 to 13) as it stands, near 5 with the medical names set aside."""
    prose = " ".join(
        article.text[block.start : block.end] for s in article.sections for block in s.blocks if block.kind != "heading"
    )
    assert grade(prose) <= 7.8
    assert grade(NAMES.sub("name", prose)) <= 5.3


def test_no_sentence_leans_on_the_one_before(sentences: dict[str, list[str]]) -> None:
    """No sentence starts with a bare pronoun: each can be quoted alone."""
    for text in (text for texts in sentences.values() for text in texts):
        assert not re.match(r"(?:It|They|He|She|This|That|These|Those|But|And|So) (?!two hormones)", text), text


def test_the_use_of_medicines_is_qualified_at_once(sentences: dict[str, list[str]]) -> None:
    """The sentence on talking to a health care provider follows the one on side effects."""
    texts = sentences["human-lactation#important-points-about-induced-lactation"]
    side = next(n for n, text in enumerate(texts) if "may include" in text)
    assert "should be talked over" in texts[side + 1]


def test_nobody_has_reviewed_it_yet(article: Document) -> None:
    """The review date stays empty until a clinician has read it; the rest of its origin is known."""
    assert article.reviewed is None
    assert article.written and article.publisher and article.licence == "Apache-2.0" and article.language == "en"


def test_each_section_names_questions_it_answers(article: Document) -> None:
    """Every headed section has three to five questions as retrieval keys."""
    for section in article.sections:
        if section.headings:
            assert 3 <= len(section.questions) <= 6, section.headings
