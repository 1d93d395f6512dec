"""How hard a Spanish text is to read, by two published formulas. Text in, figures out; knows Spanish syllables only.

Crawford (1984), years of schooling for primary texts: -0.205 sentences and 0.049 syllables a 100 words, less 3.407.
Szigriszt-Pazos (1993) on the INFLESZ scale of Barrio-Cantalejo and others (2008) for patients: 55 to 65 is "normal",
65 to 80 "fairly easy": 206.835 - 62.3 syllables a word - words a sentence.
"""

from __future__ import annotations

import re

_VOWELS = re.compile(r"[aeiouáéíóúü]+")
_STRONG = re.compile(r"[aeoáéíóú]")


def crawford(text: str) -> float:
    """Years of schooling a text asks of its reader."""
    words, sentences, spoken = _counts(text)
    return -0.205 * 100 * sentences / words + 0.049 * 100 * spoken / words - 3.407


def inflesz(text: str) -> float:
    """Ease of reading, 0 to 100; higher is easier."""
    words, sentences, spoken = _counts(text)
    return 206.835 - 62.3 * spoken / words - words / sentences


def syllables(word: str) -> int:
    """How many syllables a Spanish word has; a number has one a digit."""
    if any(char.isdigit() for char in word):
        return sum(char.isdigit() for char in word)
    text = re.sub(r"y$", "i", word.casefold())
    text = re.sub(r"qu(?=[eéií])", "q", re.sub(r"gu(?=[eéií])", "g", text))
    return max(1, sum(max(1, len(_STRONG.findall(run))) for run in _VOWELS.findall(text)))


def _counts(text: str) -> tuple[int, int, int]:
    words = re.findall(r"[^\W_]+", text)
    sentences = [part for part in re.split(r"[.!?:;]+(?:\s|$)", text) if part.strip()]
    return len(words), len(sentences), sum(map(syllables, words))
