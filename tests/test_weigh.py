"""Which sentences are believed, which are said together, and what holds for any question."""

from __future__ import annotations

import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.features import NAMES, Scale, ask, context, features, see
from bot.quotes import SENTENCES, WORDS, Scored, choose
from bot.reply import Evidence, Query
from bot.terms import content, offered, stem, wanted
from bot.weigh import KEPT, WEIGHTS, Memory, load_weights, weigh
from corpus.document import Passage
from index.contract import Encoder
from index.index import Index, build


def look(text: str, index: Index, threshold: float | None = None) -> Evidence:
    """Search and weigh, as the bot does."""
    return weigh(Query(text, text), index.search(text, 8), index, threshold)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("Can men produce milk?", "Men can make milk"),
        ("What is relactation?", "after a pause"),
        ("How long does induced lactation take?", "weeks to months"),
        ("Which gland makes prolactin?", "pituitary gland"),
    ],
)
def test_the_sentence_that_answers_is_said(index: Index, asked: str, says: str) -> None:
    """The answer is among the sentences, and the evidence is called covered."""
    evidence = look(asked, index)
    assert says in " ".join(sentence.text for sentence in evidence.sentences)
    assert evidence.reason == "covered"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("How do I treat cracked nipples?", "near-miss"),
        ("How much does induced lactation cost?", "near-miss"),
        ("Who invented relactation?", "near-miss"),
        ("What is the capital of Norway?", "term-not-in-documents"),
        ("and the of?", "nothing-found"),
        ("", "nothing-found"),
    ],
)
def test_what_the_documents_do_not_say_is_refused(index: Index, asked: str, reason: str) -> None:
    """A near miss is refused, however near, and the reason is one of a few short codes."""
    evidence = look(asked, index)
    assert not evidence
    assert evidence.reason == reason


def test_nothing_found_is_nothing_said(index: Index) -> None:
    """No hits, no evidence."""
    assert weigh(Query("What is milk?", "What is milk?"), [], index) == Evidence((), 0.0, "nothing-found")


def test_what_would_be_said_can_be_asked(index: Index) -> None:
    """With the threshold taken away the nearest sentences come out, at the same confidence."""
    asked = "How much does induced lactation cost?"
    would = look(asked, index, threshold=0.0)
    assert would
    assert would.confidence == look(asked, index).confidence


PIECES = st.sampled_from(["how", "why", "is", "prolactin", "milk", "cost", "12", "?", "tumour’s", "É"])
TEXT = st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map(" ".join))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=TEXT)
def test_whatever_is_asked(index: Index, asked: str) -> None:
    """It never raises; what is said is in the document, in one to three sentences; confidence is a probability."""
    evidence = look(asked, index, threshold=0.0)
    assert 0 <= evidence.confidence <= 1
    assert len(evidence.sentences) <= SENTENCES
    for sentence in evidence.sentences:
        passage = index.passage(sentence.passage)
        assert passage
        document = index.document(passage.document)
        assert document
        assert document.text[sentence.start : sentence.end] == sentence.text
        assert sentence in passage.sentences
    assert look(asked, index, threshold=0.0) == evidence


def test_threads_agree(index: Index) -> None:
    """Four threads asking at once get what one gets."""
    asked = [
        "Can men produce milk?",
        "What is oxytocin?",
        "How do I treat cracked nipples?",
        "What is relactation?",
    ] * 3
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: look(text, index), asked)) == [look(text, index) for text in asked]


def test_memory_is_bounded_and_exact(index: Index) -> None:
    """Token vectors are kept for so many passages and no more, and what comes back is what went in."""
    passages = index.passages("human-lactation")
    memory = Memory(2)
    for passage in passages:
        first, again = memory.see([passage], index)[0], memory.see([passage], index)[0]
        assert first is again
        assert first.passage == passage
    assert len(memory.kept) == 2 < KEPT
    assert [seen.passage for seen in memory.see(passages, index)] == passages


def test_an_editors_question_is_answered_from_its_passage(tmp_path: Path, encoder: Encoder) -> None:
    """A question–answer pair answers its own question, whole, and no other question with it."""
    (tmp_path / "faq.csv").write_text(
        "question,answer\n"
        "Where is the clinic?,We are on Mill Lane. The door is beside the bakery.\n"
        "When are you open?,From nine to five.\n",
        encoding="utf-8",
    )
    build(tmp_path / "faq.csv", tmp_path / "index", "all-MiniLM-L6-v2", limit=200)
    opened = Index.open(tmp_path / "index", "all-MiniLM-L6-v2")
    said = [sentence.text for sentence in look("where is the clinic", opened).sentences]
    assert said == ["We are on Mill Lane.", "The door is beside the bakery."]
    assert not look("Where is the swimming pool?", opened)
    opened.close()


def passage(text: str, name: str = "d#p") -> Passage:
    """A passage of one sentence a line."""
    spans, start = [], 0
    for line in text.split("\n"):
        spans.append((start, start + len(line)))
        start += len(line) + 1
    return Passage(name, "d", ("Heading",), text, 0, len(text), spans=tuple(spans))


def scored(text: str, *scores: float, name: str = "d#p") -> list[Scored]:
    """Its sentences with these scores."""
    one = passage(text, name)
    return [Scored(s, one, n, score) for n, (s, score) in enumerate(zip(one.sentences, scores, strict=True))]


@pytest.mark.parametrize(
    ("text", "scores", "said"),
    [
        ("Milk is white.\nCows eat grass.", (2, -9), ["Milk is white."]),
        ("Cows eat grass.\nMilk is white.", (-9, 2), ["Milk is white."]),
        ("Prolactin rises.\nThis starts milk.", (-9, 2), ["Prolactin rises.", "This starts milk."]),
        (
            "Tablets can help.\nHowever, ask a nurse first.",
            (2, -9),
            ["Tablets can help.", "However, ask a nurse first."],
        ),
        ("Pumps help.\nThey may not suit you.", (2, -9), ["Pumps help.", "They may not suit you."]),
        ("Milk is white in cows.\nIn cows milk is white.", (2, 1.9), ["Milk is white in cows."]),
    ],
)
def test_what_belongs_together_is_said_together(text: str, scores: tuple[float, ...], said: list[str]) -> None:
    """A caveat travels with its sentence, a bare "this" brings what it means, and nothing is said twice."""
    assert [sentence.text for sentence in choose(scored(text, *scores))] == said


def items(text: str) -> Passage:
    """A passage of one sentence a line, a line's bullet left out of it."""
    lines = passage(text)
    bulleted = [(start + 2 * text.startswith("- ", start), end) for start, end in lines.spans]
    return replace(lines, spans=tuple(bulleted))


@pytest.mark.parametrize(
    ("text", "best", "said"),
    [
        ("Do not take it if you have:\n- a cold\n- a cough", 2, ["Do not take it if you have:", "a cough"]),
        ("Do not take it if you have:\n- a cold\n- a cough", 0, ["Do not take it if you have:", "a cold"]),
        ("Heading\n- a cold\n- a cough", 2, ["a cough"]),
        ("- a cold\n- a cough", 1, []),
    ],
)
def test_an_item_is_said_with_what_leads_to_it(text: str, best: int, said: list[str]) -> None:
    """Never an item of "do not …" by itself, nor those words alone; an item cut off from its lead is not said."""
    one = items(text)
    ranked = [Scored(s, one, n, 9.0 if n == best else 3.0 - n) for n, s in enumerate(one.sentences)]
    assert [sentence.text for sentence in choose(ranked)][: len(said) or 1] == said


def test_an_answer_is_short() -> None:
    """However much would fit the question, at most three sentences and about eighty words are said."""
    long = "\n".join(f"Word {n} " + " ".join(f"w{n}x{m}" for m in range(38)) + "." for n in range(4))
    short = "\n".join(f"Fact {n} about thing{n}." for n in range(6))
    assert len(choose(scored(long, 1, 1, 1, 1))) * 40 <= WORDS
    assert len(choose(scored(short, 1, 1, 1, 1, 1, 1))) == SENTENCES


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Weights of other features are named, with what to do."""
    kept = WEIGHTS.read_text(encoding="utf-8").replace(NAMES[0], "something_else")
    (tmp_path / "weights.toml").write_text(kept, encoding="utf-8")
    with pytest.raises(ValueError, match="Train it again"):
        load_weights(tmp_path / "weights.toml")


def test_weights_say_where_they_come_from() -> None:
    """The file names the data, its licences, the date and what was measured."""
    made = tomllib.loads(WEIGHTS.read_text(encoding="utf-8"))["made"]
    assert {"date", "data", "recipe", "encoder", "threshold", "measured"} <= set(made)
    assert all("CC" in each or "Apache" in each for each in made["data"])


def test_features_of_a_sentence_that_says_it(encoder: Encoder) -> None:
    """What repeats the question's words scores above what does not, in each of the matches; all are finite."""
    one = passage("Prolactin is made in the pituitary gland.\nCows eat grass in summer.")
    kept = encoder.encode([context("", one), *(sentence.text for sentence in one.sentences)])
    asked = ask("Where is prolactin made?", encoder)
    rows = features(asked, see("", one, encoder.tokens([context("", one)])[0]), kept, Scale(0.07, 0.74))
    assert rows.shape == (2, len(NAMES))
    assert np.isfinite(rows).all()
    for name in ("cosine_sentence", "match_sentence", "apart_sentence", "shared_sentence", "weakest_sentence"):
        assert rows[0, NAMES.index(name)] > rows[1, NAMES.index(name)], name


def test_words_and_what_is_asked_for() -> None:
    """Stems meet across spelling and number, small words carry no meaning, and a duration is known for one."""
    assert stem("oestrogen") == stem("estrogen")
    assert stem("hormones") == stem("hormone")
    assert [term.word for term in content("How long does the milk take to come in?")] == ["long", "milk", "come"]
    asked, sure, unsure = wanted("How long?"), offered("It takes weeks."), offered("Milk is white.")
    assert any(a and b for a, b in zip(asked, sure, strict=True))
    assert not any(a and b for a, b in zip(asked, unsure, strict=True))
