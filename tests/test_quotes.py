"""What is quoted beside the best sentence, and what never stands alone: by document, without a model."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.quotes import BARE, CAVEAT, SENTENCES, Scored, briefly, choose
from corpus.document import Passage


def passage(*texts: str, id: str = "leaflet#rest") -> Passage:
    """A passage of these sentences, a space between."""
    spans, text = [], ""
    for one in texts:
        start = len(text) + bool(text)
        text = f"{text} {one}".strip()
        spans.append((start, start + len(one)))
    return Passage(id, "leaflet", ("Rest",), text, 0, len(text), spans=tuple(spans))


def said(one: Passage, scores: Mapping[int, float], **more: object) -> list[str]:
    """What is said where these sentences score so, and the others far below."""
    scored = [Scored(each, one, number, scores.get(number, -9.0)) for number, each in enumerate(one.sentences)]
    return [each.text for each in choose(scored, **more)]  # type: ignore[arg-type]  # what choose takes


@pytest.mark.parametrize(
    "bare",
    [
        "It can hurt.",
        "This is rare.",
        "These two hormones drop.",
        "In such cases ask.",
        "The drop in these two starts milk.",
        "Both can hurt.",
        "They rise.",
    ],
)
def test_a_bare_start_brings_what_it_speaks_of(bare: str) -> None:
    """A sentence that means the one before it is quoted with that one, first."""
    assert said(passage("Prolactin is a hormone.", bare), {1: 5.0}) == ["Prolactin is a hormone.", bare]


def test_what_it_speaks_of_can_be_two_sentences_back() -> None:
    """Where the sentence before is bare too, the one before that comes along."""
    texts = ("Prolactin is a hormone.", "It rises at birth.", "This starts milk.")
    assert said(passage(*texts), {2: 5.0}) == list(texts)


@pytest.mark.parametrize("whole", ["Both men and women can have it.", "There are two ways.", "That-down is no word."])
def test_what_only_looks_bare_stands_alone(whole: str) -> None:
    """ "Both men and women" and "there are" mean nothing before them."""
    assert bool(BARE.search(whole)) == whole.startswith("That")


def test_a_caveat_is_never_cut() -> None:
    """The limit that follows an answer is said with it."""
    texts = ("The tablets help.", "However, they may not suit you.", "Tea is warm.")
    assert said(passage(*texts), {0: 5.0}) == list(texts[:2])


def test_what_is_added_follows_what_it_adds_to() -> None:
    """ "One more cause" is not said before the first."""
    texts = ("One cause is a tumour of the gland.", "Kidney disease is one more cause.")
    assert said(passage(*texts), {0: 4.5, 1: 5.0}) == list(texts)


def test_a_referent_in_another_passage_is_not_done_without() -> None:
    """Where a section goes on in a second passage, its first "it" is named in the first: it is not quoted."""
    assert said(passage("It can hurt.", "Rest helps.", id="leaflet#rest:2"), {0: 5.0, 1: 4.5}) == ["Rest helps."]
    assert said(passage("It can hurt.", id="leaflet#rest"), {0: 5.0}) == ["It can hurt."]


def test_more_is_what_was_not_said() -> None:
    """Asked for more: what is nearly as good, or else how the text goes on about it; nothing where it does not."""
    one = passage("Men can make milk.", "Milk in men comes of drugs.", "Tea is warm.")
    first = [one.sentences[0]]
    assert said(one, {0: 5.0, 1: 4.5}, said=first) == ["Milk in men comes of drugs."]
    assert said(one, {0: 5.0}, said=first) == ["Milk in men comes of drugs."]
    assert said(one, {0: 5.0, 1: 4.9}, said=one.sentences[:2]) == []


def test_two_answers_make_one() -> None:
    """The best of each comes first, with its caveat, and nothing is said twice."""
    one, two = passage("Rest helps.", "However, not always.", "Tea is warm."), passage("Fever is heat.", id="leaflet#b")
    answers = [one.sentences, [*two.sentences, one.sentences[0]]]
    assert [each.text for each in briefly(answers)] == ["Rest helps.", "However, not always.", "Fever is heat."]


WORDS = st.sampled_from(["It", "They", "Rest", "Milk", "However", "hormones", "rise", "at", "birth", "may", "not"])
TEXTS = st.lists(
    st.lists(WORDS, min_size=1, max_size=12).map(lambda words: " ".join(words) + "."), min_size=1, max_size=8
)


@settings(deadline=None)
@given(TEXTS, st.data())
def test_whatever_scores(texts: list[str], data: st.DataObject) -> None:
    """No bare start without the sentence before, no caveat cut, and more than the limit only for one chain."""
    one = passage(*texts)
    scores = data.draw(st.lists(st.floats(-5, 5), min_size=len(texts), max_size=len(texts)))
    chosen = choose([Scored(each, one, number, scores[number]) for number, each in enumerate(one.sentences)])
    places = [one.sentences.index(each) for each in chosen]
    assert len(set(places)) == len(places)
    for place in places:
        assert place == 0 or not BARE.search(texts[place]) or place - 1 in places
    best = max(places, key=lambda place: scores[place])
    assert best + 1 == len(texts) or not CAVEAT.search(texts[best + 1]) or best + 1 in places
    assert len(places) <= SENTENCES or sorted(places) == list(range(min(places), max(places) + 1))
