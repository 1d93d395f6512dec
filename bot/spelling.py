"""Slips of the finger, mended from the index's own words.

Comes in: what was typed and the index. Goes out: the same text, each misspelt word put right where the index has one
word that a slip or two explain. Words that are right stay: those of the index in any inflection or spelling, English
ones, and names of medicines, so that no medicine is ever turned into another. Does not know: what is asked, or history.

English words come with symspellpy, which also finds the near ones; medicines stand in `medicines.txt`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import symspellpy  # type: ignore[import-untyped]  # it ships no types
from symspellpy import SymSpell, Verbosity
from symspellpy.editdistance import DistanceAlgorithm, EditDistance  # type: ignore[import-untyped]

from bot.terms import ENGLISH, SMALL, WORD, Term, stem, words
from index.index import Index

SHORTEST = 4  # letters; a shorter word is too near to too many others
SWAPPED = 5  # letters; below, only a letter left out or two swapped: "copd" is no "copy"
TWICE = 8  # letters, from which two slips may explain a word
HALF = 3  # letters; the shortest part of two words typed as one
PREFIX = 5  # letters by which near words are looked up; more are quicker still, and take twice the memory each
ENGLISH_WORDS = "frequency_dictionary_en_82_765.txt"
_DISTANCE = EditDistance(DistanceAlgorithm.DAMERAU_OSA)
SLIPS: dict[str, str] = ENGLISH["slips"]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one index with their stems, and what finds the near ones."""

    words: frozenset[str]
    stems: frozenset[str]
    near: SymSpell


def mend(text: str, index: Index) -> str:
    """`text` with each misspelt word put right; where two words of the index explain it equally well, it stays."""
    known, shouted = lexicon(index), text.isupper()
    for term in reversed(words(text)):
        typed = text[term.start : term.end]
        if typed.isupper() and len(typed) > 1 and not shouted:
            continue  # an abbreviation
        right = _right(term, known)
        if right != term.word:
            right = right.upper() if typed.isupper() else right.capitalize() if typed[0].isupper() else right
            text = text[: term.start] + right + text[term.end :]
    return text


@lru_cache(maxsize=4)
def lexicon(index: Index) -> Lexicon:
    """The words of an index, its headings and its questions included; gathered once."""
    written, counts = Counter[str](), Counter[str]()
    for document in index.documents():
        for passage in index.passages(document.id):
            text = "\n".join((document.title, *passage.headings, *passage.keys, passage.text))
            written.update(WORD.findall(text))
    for word, count in written.items():
        counts[word.lower()] += count
    near = SymSpell(max_dictionary_edit_distance=2, prefix_length=PREFIX)
    for word in sorted({*counts, *SMALL}):
        if len(word) >= SHORTEST and word.isalpha():
            near.create_dictionary_entry(word, counts.get(word, 1))
    return Lexicon(frozenset(counts), frozenset(map(stem, counts)), near)


def slip(one: str, other: str) -> bool:
    """Whether one letter added, left out, changed, or swapped with the next makes one word the other."""
    return one == other or (abs(len(one) - len(other)) < 2 and bool(_DISTANCE.compare(one, other, 1) == 1))


def commonness(word: str) -> int:
    """How often English has a word, in some trillion words; 0 where it is none, or a name."""
    return _english().get(word, 0)


def public(word: str, index: Index) -> bool:
    """Whether a word, as typed, is nobody's name: a medicine's, or one the documents use, where it is in lower case."""
    return word.lower() in _medicines() or (word.islower() and word in lexicon(index).words)


@cache
def _medicines() -> frozenset[str]:
    """Names of medicines, in lower case."""
    names = Path(__file__).with_name("medicines.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for name in names if not name.startswith("#"))


@cache
def _english() -> dict[str, int]:
    """English words with how often they come; names of medicines, which are right too, with none."""
    lines = Path(symspellpy.__file__).with_name(ENGLISH_WORDS).read_text(encoding="utf-8-sig").splitlines()
    return dict.fromkeys(_medicines(), 0) | {
        word: int(count) for word, _, count in (line.partition(" ") for line in lines)
    }


def _right(term: Term, known: Lexicon) -> str:
    """The word that was meant; the word itself where it is right, or nothing explains it."""
    word = term.word
    if word in SLIPS:
        return SLIPS[word]
    if len(word) < SHORTEST or not word.isalpha() or word in known.words or term.stem in known.stems:
        return word
    if word in _english() or word in SMALL:
        return word
    found = known.near.lookup(word, Verbosity.CLOSEST, max_edit_distance=2 if len(word) >= TWICE else 1)
    stems = {stem(one.term) for one in found}
    if len(stems) == 1 and _slipped(word, found[0].term, found[0].distance):
        return str(found[0].term)
    return word if found else _parted(word, known)


def _slipped(word: str, right: str, slips: int) -> bool:
    """Whether a finger does that: the first letter is seldom wrong, and of a short word little is left to judge by.

    Two slips make a word of grammar of many a name.
    """
    if slips > 1 and right in SMALL:
        return False
    if len(word) < SWAPPED:
        return len(right) > len(word) or sorted(right) == sorted(word)
    return word[0] == right[0] or slips == 1


def _parted(word: str, known: Lexicon) -> str:
    """Two words of the index typed as one; the word itself where it is not that."""
    cuts = [
        f"{word[:cut]} {word[cut:]}"
        for cut in range(HALF, len(word) - HALF + 1)
        if word[:cut] in known.words and word[cut:] in known.words
    ]
    return cuts[0] if len(cuts) == 1 else word
