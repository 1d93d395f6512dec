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
ALIKE = 0.6  # share of words two sentences may have in common and both be said
NEAR = 1.0  # how far below the best another sentence may score and still be said
CAVEAT = re.compile(
    r"^\W*(?:however|but|although|though|except|unless|only|always|never|do not|don['’]t|talk to|ask (?:a|your)|speak|"
    r"check with|see (?:a|your)|tell your|this does not|it (?:may|does|is) not|not everyone|not all)\b"
    r"|\b(?:discuss(?:ed)? (?:\w+ )?with|may not|might not|cannot|should not|must not|side effects|"
    r"talk(?:ed)? (?:\w+ )*(?:to|with) (?:a|your)|speak (?:to|with)|"
    r"(?:ask|see|consult) (?:a|your) (?:doctor|nurse|health))\b",
    re.I,
)
LIMITS = re.compile(
    r"\b(?:not|no|never|none|nor|neither|without|cannot|unless|unclear|unknown|unproven|unlikely|unsafe|only|risks?|harm\w*|"
    r"dangerous|avoid|stop|warn\w*|caution|mixed|however|but|although|doctor|midwife|nurse|pharmacist)\b|n['’]t\b",
    re.I,
)
GAP = 4  # characters between sentences that touch
# What the sentence before names: "It …", "In such cases …", "The use of these drugs …"; not "Both men and women …".
BARE = re.compile(
    r"^\W*(?:the|an?) (?:[\w-]+ ){1,3}(?:of|in|with|from|for|to) (?:this|these|those|such)\b|"
    r"^\W*(?:(?:in|at|for|after|before|because of|with|as|when|if|while|from|by|of|to|under) )?"
    r"(?:this|it|these|they|that|those|such|he|she|its|their|here|then|there(?! (?:is|are|was|were|may|can|will)\b)|"
    r"both(?! [\w-]+(?: [\w-]+)? and\b))\b",
    re.I,
)
ADDS = re.compile(r"\b(?:also|too|as well|another|one more|in addition|besides)\b", re.I)  # to something said before


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence, where it stands in its passage, and how well it answers."""

    sentence: Sentence
    passage: Passage
    number: int
    score: float


def choose(scored: Sequence[Scored], whole: bool = False, said: Sequence[Sentence] = ()) -> tuple[Sentence, ...]:
    """The best sentence with what it needs first, then what completes it, in document order.

    At most SENTENCES and about WORDS words. `whole` allows a passage that is no longer than that to be quoted entire.
    `said` are sentences just quoted, where more is asked for: what is nearly as good as the best has to do, or else how
    the document goes on. Empty where nothing can be quoted without words that would be missing.
    """
    ranked = sorted((one for one in scored if alone(one)), key=lambda one: -one.score)
    if not ranked:
        return ()
    if said:
        ranked, whole = _beyond(ranked, said), False
        if not ranked:
            return ()
    ranked = [one for one in ranked if len(_whole(one)) <= SENTENCES] or ranked
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
    if ADDS.search(ranked[0].sentence.text) and all(one.passage.id == passage.id for one in chosen):
        return tuple(one.sentence for one in sorted(chosen, key=lambda one: one.number))  # what it adds to comes first
    places = {one.passage.id: place for place, one in reversed(list(enumerate(chosen)))}
    rest = sorted(chosen[first:], key=lambda one: (places[one.passage.id], one.sentence.start))
    return tuple(one.sentence for one in (*chosen[:first], *rest))


def briefly(answers: Sequence[Sequence[Sentence]]) -> tuple[Sentence, ...]:
    """The answers to several questions as one: of each its best sentence with what that needs, then what has room.

    A sentence that answers two of them is said once.
    """
    firsts = [_first(sentences) for sentences in answers]
    said = list(dict.fromkeys(sentence for first in firsts for sentence in first))
    for sentence in dict.fromkeys(sentence for sentences in answers for sentence in sentences):
        fits = len(said) < SENTENCES and sum(len(one.text.split()) for one in (*said, sentence)) <= WORDS
        if sentence not in said and fits and all(_overlap(sentence.text, one.text) < ALIKE for one in said):
            said.append(sentence)
    return tuple(said)


def bound(quoted: Sequence[tuple[Sentence, Passage]]) -> tuple[tuple[int, ...], ...]:
    """The places of sentences that have to be said together, in this order, whoever puts the rest in another.

    Those that touch in their passage lean on each other, as a caveat does; an item leans on what leads to its list, and
    "also" on what was said before.
    """
    groups: list[list[int]] = []
    for place, (sentence, passage) in enumerate(quoted):
        leans = [
            group
            for group in groups
            if any(
                quoted[other][1].id == passage.id
                and (_touch(quoted[other][0], sentence) or _item(passage, sentence) or ADDS.search(sentence.text))
                for other in group
            )
        ]
        groups = [group for group in groups if group not in leans]
        groups.append(sorted([place, *(each for group in leans for each in group)]))
    return tuple(tuple(group) for group in sorted(groups))


def turns(text: str) -> bool:
    """Whether a sentence limits or takes back what others say: an answer without it would be another."""
    return bool(CAVEAT.search(text) or LIMITS.search(text))


def _touch(one: Sentence, other: Sentence) -> bool:
    """Whether one begins where the other ends, but for spaces and the sign of an item."""
    first, second = sorted((one, other), key=lambda each: each.start)
    return second.start - first.end <= GAP


def _first(sentences: Sequence[Sentence]) -> Sequence[Sentence]:
    """The first sentence with the one it leads to or leans on and the caveat after it, as `choose` put them."""
    end = 1
    while end < len(sentences):
        before, after = sentences[end - 1], sentences[end]
        touching = after.passage == before.passage and 0 <= after.start - before.end <= 2
        if not (
            before.text.endswith((":", "：")) or (touching and (CAVEAT.search(after.text) or BARE.search(after.text)))
        ):
            break
        end += 1
    return sentences[:end]


def _beyond(ranked: Sequence[Scored], said: Sequence[Sentence]) -> list[Scored]:
    """What is left to say: nearly as good as the best; else the sentence after the last one said, on the same thing."""
    fresh = [one for one in ranked if one.sentence not in said and one.score >= ranked[0].score - NEAR]
    last = max(said, key=lambda sentence: sentence.start)
    after = [one for one in ranked if one.sentence.passage == last.passage and one.sentence.start > last.start]
    next_one = min(after, key=lambda one: one.number, default=None)
    if fresh or not next_one or not _shared(next_one.sentence.text, " ".join(one.text for one in said)):
        return fresh
    return [next_one]


def _whole(one: Scored) -> list[Scored]:
    """A sentence with those before it that name what it speaks of, or lead to it, and the caveat that follows."""
    sentences = one.passage.sentences
    group = [one]
    if (lead := _lead(one)) is not None:
        group.insert(0, Scored(sentences[lead], one.passage, lead, one.score))
    while BARE.search(group[0].sentence.text) and group[0].number and lead is None:
        number = group[0].number - 1
        group.insert(0, Scored(sentences[number], one.passage, number, one.score))
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


def alone(one: Scored) -> bool:
    """Whether a sentence can be said: not words that lead to a list, nor an item cut off from such words.

    Nor one whose "it" is named in the passage before: only the first passage of a section follows its heading.
    """
    if BARE.search(one.passage.sentences[0].text) and ":" in one.passage.id.partition("#")[2]:
        first = _whole(one)[0]
        if first.number == 0 and BARE.search(first.sentence.text):
            return False
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
    return all(_overlap(new.sentence.text, old.sentence.text) < ALIKE for new in group for old in chosen)


def _shared(one: str, other: str) -> set[str]:
    """The stems of the meaningful words that two texts share."""
    left, right = ({term.stem for term in content(text)} for text in (one, other))
    return left & right


def _overlap(one: str, other: str) -> float:
    """Share of the shorter sentence's meaningful words that the other has too."""
    shortest = min(len(_shared(text, text)) for text in (one, other))
    return len(_shared(one, other)) / max(shortest, 1)
