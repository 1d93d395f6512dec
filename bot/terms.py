"""The words of a question: which of them carry meaning, their stems, and what kind of thing is asked for.

Comes in: text. Goes out: terms with offsets, and what a sentence has to hold to be of the kind asked for. What is known
of English stands in `english.toml`; it names no subject. Does not know: documents, vectors, or how an answer is chosen.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import snowballstemmer  # type: ignore[import-untyped]  # it ships no types

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
ENGLISH = tomllib.loads(Path(__file__).with_name("english.toml").read_text(encoding="utf-8"))
SMALL, LIGHT = (frozenset(ENGLISH[name].split()) for name in ("small", "light"))
SPELLINGS = tuple((british, american) for british, american in ENGLISH["spellings"])


def _any(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I)


# What is asked for, how a question shows it, and what a sentence that says it holds.
KINDS = tuple((kind, _any(known["asked"]), _any(known["cue"])) for kind, known in ENGLISH["kinds"].items())


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a text that carries meaning: lower case, its stem, and where it stands."""

    word: str
    stem: str
    start: int
    end: int


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The stem of one lower-case word; British and American spellings share theirs."""
    plain = word.replace("’", "'").removesuffix("'s")
    for british, american in SPELLINGS:
        plain = plain.replace(british, american) if len(plain) > 5 else plain
    return str(snowballstemmer.stemmer("english").stemWord(plain))


def words(text: str) -> list[Term]:
    """Every word of a text, small ones included, in order."""
    found = ((match.group().lower(), match) for match in WORD.finditer(text))
    return [Term(word, stem(word), match.start(), match.end()) for word, match in found]


def content(text: str) -> list[Term]:
    """The words that carry meaning; where a question has none but light verbs, those."""
    every = words(text)
    plain = [term.word.replace("’", "").replace("'", "") for term in every]
    return [term for term, word in zip(every, plain, strict=True) if word not in SMALL] or [
        term for term in every if term.word in LIGHT
    ]


def wanted(question: str) -> tuple[bool, ...]:
    """Which of KINDS a question asks for, in their order."""
    return tuple(bool(asked.search(question)) for _, asked, _ in KINDS)


def offered(sentence: str) -> tuple[bool, ...]:
    """Which of KINDS a sentence could answer, in their order."""
    return tuple(bool(cue.search(sentence)) for _, _, cue in KINDS)
