"""From scored sentences to the one to three that are said: whole, in order, with what they need to be understood.

Comes in: the sentences of the hits with their scores. Goes out: sentences in the order they are said. Does not know:
the question, or how the scores came about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.terms import content
from corpus.document import Passage, Sentence

SENTENCES = 3
WORDS = 80
NEAR = 1.0  # how far below the best another sentence may score and still be said
CAVEAT = re.compile(
    r"^\W*(?:however|but|although|though|except|unless|only|always|never|do not|don['’]t|talk to|ask (?:a|your)|speak|"
    r"check with|see (?:a|your)|tell your|this does not|it (?:may|does|is) not|not everyone|not all)\b"
    r"|\b(?:discuss(?:ed)? (?:\w+ )?with|may not|might not|cannot|should not|must not|side effects|"
    r"talk (?:\w+ )*(?:to|with) (?:a|your)|speak (?:to|with)|(?:ask|see|consult) (?:a|your) (?:doctor|nurse|health))\b",
    re.I,
)
BARE = re.compile(r"^\W*(?:this|it|these|they|that|those|such|he|she|both|its|their|here|then)\b", re.I)


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence, where it stands in its passage, and how well it answers."""

    sentence: Sentence
    passage: Passage
    number: int
    score: float


def choose(scored: Sequence[Scored], whole: bool = False) -> tuple[Sentence, ...]:
    """The best sentence with what it needs first, then what completes it, in document order.

    At most SENTENCES and about WORDS words. `whole` allows a passage that is no longer than that to be quoted entire.
    Empty where nothing can be quoted without words that would be missing.
    """
    ranked = sorted((one for one in scored if _alone(one)), key=lambda one: -one.score)
    if not ranked:
        return ()
    passage = ranked[0].passage
    if whole and len(passage.sentences) <= SENTENCES and len(passage.text.split()) <= WORDS:
        return passage.sentences
    chosen = _whole(ranked[0])
    first = len(chosen)
    for one in ranked[1:]:
        if len(chosen) >= SENTENCES or one.score < ranked[0].score - NEAR:
            break
        group = [each for each in _whole(one) if each.sentence not in [other.sentence for other in chosen]]
        if _fits(chosen, group):
            chosen += group
    places = {one.passage.id: place for place, one in reversed(list(enumerate(chosen)))}
    rest = sorted(chosen[first:], key=lambda one: (places[one.passage.id], one.sentence.start))
    return tuple(one.sentence for one in (*chosen[:first], *rest))


def _whole(one: Scored) -> list[Scored]:
    """A sentence with the one before it, where its subject is there, and the caveat that follows."""
    sentences = one.passage.sentences
    group = [one]
    if (lead := _lead(one)) is not None:
        group.insert(0, Scored(sentences[lead], one.passage, lead, one.score))
    elif BARE.search(one.sentence.text) and one.number:
        group.insert(0, Scored(sentences[one.number - 1], one.passage, one.number - 1, one.score))
    if one.number + 1 < len(sentences) and CAVEAT.search(sentences[one.number + 1].text):
        group.append(Scored(sentences[one.number + 1], one.passage, one.number + 1, one.score))
    return group


def _item(passage: Passage, sentence: Sentence) -> bool:
    """Whether a sentence is an item of a list, by the bullet before it."""
    return passage.text[: sentence.start - passage.start].endswith("- ")


def _lead(one: Scored) -> int | None:
    """The number of the sentence that leads to an item: "Do not take it if you have:" turns its items around."""
    sentences = one.passage.sentences
    number = one.number
    while number >= 0 and _item(one.passage, sentences[number]):
        number -= 1
    found = 0 <= number < one.number and sentences[number].text.endswith((":", "："))
    return number if found else None


def _alone(one: Scored) -> bool:
    """Whether a sentence can be said: not words that lead to a list, nor an item cut off from such words."""
    if _item(one.passage, one.sentence):
        return _lead(one) is not None or not one.passage.text.startswith("- ")
    return not one.sentence.text.endswith((":", "："))


def _fits(chosen: Sequence[Scored], group: Sequence[Scored]) -> bool:
    """Whether a group adds something new without making the answer long."""
    if not group or len(chosen) + len(group) > SENTENCES:
        return False
    said = [one.sentence.text for one in (*chosen, *group)]
    if sum(len(text.split()) for text in said) > WORDS:
        return False
    return all(_overlap(new.sentence.text, old.sentence.text) < 0.6 for new in group for old in chosen)


def _overlap(one: str, other: str) -> float:
    """Share of the shorter sentence's meaningful words that the other has too."""
    left, right = ({term.stem for term in content(text)} for text in (one, other))
    return len(left & right) / max(min(len(left), len(right)), 1)
