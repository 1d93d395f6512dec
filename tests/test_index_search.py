"""Searching: two lists fused once, every hit with its cosine, the same hits from every thread, whatever is asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.contract import Encoder
from index.index import Index, fuse

QUESTIONS = ["Can men produce milk?", "let-down", "What is a placenta?", "hello", "How long does it take?", "milk"]


def test_fusing_is_by_reciprocal_rank() -> None:
    """A passage high in both lists wins; those level with the last of the k best come too, to be told apart by id."""
    dense, lexical = [("a", 0.9), ("b", 0.8), ("c", 0.7)], [("d", 9.0), ("b", 8.0)]
    fused = fuse(dense, lexical, 10)
    assert fused == pytest.approx({"b": 2 / 62, "a": 1 / 61, "d": 1 / 61, "c": 1 / 63})
    assert fuse(dense, lexical, 1).keys() == {"b"} and fuse(dense, lexical, 2).keys() == {"a", "b", "d"}
    assert fuse([], [], 3) == {}


def test_what_is_asked_is_found(index: Index) -> None:
    """A question finds the passage that answers it first, with both scores."""
    first = index.search("What makes milk come out?", 3)[0]
    assert "milk" in first.passage.text and first.cosine > 0.4 and first.bm25 > 0


def test_every_hit_carries_its_true_scores(index: Index, encoder: Encoder) -> None:
    """The cosine is the best over the passage's rows, however the hit was found."""
    for asked in QUESTIONS:
        vector = encoder.encode([asked])[0]
        hits = index.search(asked, 50)
        assert len(hits) == len({each.passage.id for each in hits})
        assert [each.score for each in hits] == sorted((each.score for each in hits), reverse=True)
        for each in hits:
            assert each.cosine == pytest.approx(float((index.vectors(each.passage.id) @ vector).max()), abs=1e-5)
            assert each.passage == index.passage(each.passage.id) and each.bm25 >= 0


def test_k_is_kept(index: Index) -> None:
    """Fewer hits are the first of more, and k of 0 is none."""
    many = index.search("milk", 6)
    assert index.search("milk", 2) == many[:2] and index.search("milk", 0) == []


def test_threads_agree(index: Index) -> None:
    """Eight threads asking at once get what one gets, to the last bit."""
    wanted = {asked: index.search(asked, 8) for asked in QUESTIONS}
    with ThreadPoolExecutor(8) as pool:
        for asked, found in pool.map(lambda asked: (asked, index.search(asked, 8)), QUESTIONS * 8):
            assert found == wanted[asked]


@pytest.mark.parametrize("text", ["", "  \n", '"', "🍞", "\0", "\ud800", "' OR 1=1 --", "NEAR(", "milk " * 3000])
def test_odd_questions_are_answered_quietly(index: Index, text: str) -> None:
    """Nothing raises; only blank text finds nothing."""
    assert bool(index.search(text, 3)) == bool(text.strip())


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_no_question_raises(index: Index, text: str) -> None:
    """Whatever is typed."""
    assert len(index.search(text, 3)) <= 3
