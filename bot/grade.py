"""Flesch-Kincaid: the US school grade a text asks of its reader. Text in, grade out; knows English syllables only."""

from __future__ import annotations

import re

_SILENT = re.compile(r"(?:[^laeiouy]es|ed|[^laeiouy]e)$")
_VOWELS = re.compile(r"[aeiouy]{1,2}")


def grade(text: str) -> float:
    """The US grade of a text of at least one word: 0.39 words a sentence + 11.8 syllables a word - 15.59.

    Kincaid et al. 1975. Raises ZeroDivisionError for a text without a word.
    """
    sentences = [part for part in re.split(r"[.!?:;]+(?:\s|$)", text) if part.strip()]
    words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    """How many syllables an English word has, by its groups of vowels; a number has one a digit."""
    if any(char.isdigit() for char in word):
        return sum(char.isdigit() for char in word)
    return sum(_syllables(part) for part in re.split("[-]", word.casefold()))


def _syllables(part: str) -> int:
    letters = re.sub(r"[^a-z]", "", part)
    if len(letters) <= 3:
        return 1
    return max(1, len(_VOWELS.findall(_SILENT.sub("", letters).removeprefix("y"))))
