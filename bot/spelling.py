"""One slip of the finger, mended from the documents' own words.

Comes in: a question's unknown words and the words of the passages found. Goes out: the question with each such word put
right where one slip explains it. Does not know: any dictionary. More than one slip is left alone: two drug names often
differ by two letters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.terms import Term, stem

SHORTEST = 5  # letters; in shorter words one slip makes another word too easily


def mend(text: str, unknown: Sequence[Term], known: Iterable[str]) -> str:
    """`text` with each unknown word replaced by the known word that is a slip away; where there are two, neither."""
    words = sorted(set(known))
    for term in sorted(unknown, key=lambda term: -term.start):
        if len(term.word) < SHORTEST:
            continue
        near = [word for word in words if len(word) >= SHORTEST and slip(term.word, word)]
        if len({stem(word) for word in near}) == 1:
            text = text[: term.start] + near[0] + text[term.end :]
    return text


def slip(one: str, other: str) -> bool:
    """Whether one letter added, left out, changed, or swapped with the next makes one word the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = next((place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if at is None:
        return True
    left, right = one[at:], other[at:]
    return (
        left[1:] == right[1:]
        or left[1:] == right
        or left == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )
