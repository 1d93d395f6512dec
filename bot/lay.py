"""Everyday words put as the documents put them: a bloke is a man, the afterbirth the placenta.

Comes in: a question and the index. Goes out: the same question, each lay word of `lay.toml` that the documents do not
use replaced by one that they do. Does not know: what is asked, misspellings, or history.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from bot.spelling import lexicon
from bot.terms import ENGLISH, stem, words
from index.index import Index

LOOKED = 20  # passages in which a phrase is looked for before it counts as one the documents do not have
PLURALS: dict[str, str] = ENGLISH["plurals"]


def plain(text: str, index: Index) -> str:
    """`text` with lay words in the words of the index, longest phrases first; as it is where it has none."""
    pattern, told = _told()

    def put(found: re.Match[str]) -> str:
        phrase = found["lay"].lower().replace("’", "'")
        if _said(phrase, index):
            return found.group()
        other = next((each for each in told[phrase] if _said(each.removeprefix("the "), index)), None)
        if other is None:
            return found.group()
        other = _plural(other) if found["many"] else other
        article = "" if not found["article"] else "an " if other[0] in "aeiou" else "a "
        put = article + other
        return put[0].upper() + put[1:] if found.group()[0].isupper() and not found["lay"].isupper() else put

    return pattern.sub(put, text)


@cache
def _told() -> tuple[re.Pattern[str], dict[str, list[str]]]:
    """What finds a lay word, in the plural too and with its article, and what may stand in its place."""
    told = tomllib.loads(Path(__file__).with_name("lay.toml").read_text(encoding="utf-8"))
    longest = "|".join(re.escape(phrase).replace("'", "['’]") for phrase in sorted(told, key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?P<article>an? )?(?P<lay>{longest})(?P<many>s?)(?![\w-])", re.I), told


def _said(phrase: str, index: Index) -> bool:
    """Whether the documents say it that way. A phrase is looked up, for its words may stand apart in them."""
    if len(words(phrase)) == 1:
        return not lexicon(index).stems.isdisjoint((stem(phrase), stem(_plural(phrase))))
    return any(_stems(phrase) in _stems(hit.passage.text) for hit in index.store.lexical(phrase, LOOKED))


def _stems(text: str) -> str:
    """The stems of a text in order, each between two spaces."""
    return f" {' '.join(term.stem for term in words(text))} "


def _plural(phrase: str) -> str:
    before, _, last = phrase.rpartition(" ")
    return f"{before} {PLURALS.get(last, f'{last}s')}".strip()
