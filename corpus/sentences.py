"""Text to sentences, with exact offsets.

Comes in: one block of text and its language. Goes out: where its sentences start and end. Does not know: documents or
passages. The only import of sentencex; what it does not know of abbreviations stands in `abbreviations.txt`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import sentencex  # type: ignore[import-untyped]  # it ships no types

Span = tuple[int, int]


def sentences(text: str, language: str = "en") -> list[Span]:
    """(start, end) of each sentence, in order, without the space around it."""
    found: list[Span] = []
    end = 0
    for piece in sentencex.segment(language.split("-")[0].lower(), text):
        start, end = end, end + len(piece)
        words = piece.strip()
        if not words:
            continue
        start += len(piece) - len(piece.lstrip())
        if found and _goes_on(text[found[-1][0] : found[-1][1]], words):
            start = found.pop()[0]
        found.append((start, end - len(piece) + len(piece.rstrip())))
    return found


def _goes_on(before: str, after: str) -> bool:
    return not after[0].isupper() and bool(_abbreviated().search(before))


@cache
def _abbreviated() -> re.Pattern[str]:
    lines = files("corpus").joinpath("abbreviations.txt").read_text(encoding="utf-8").splitlines()
    known = "|".join(re.escape(line.strip()) for line in lines if line.strip() and not line.startswith("#"))
    return re.compile(rf"(?<![\w.])(?:{known})$", re.IGNORECASE)
