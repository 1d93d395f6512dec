"""What an answer named: the things a question asked for by kind, so that "they" or "the second one" can mean them.

Comes in: a question and the sentences that answered it. Goes out: the words of those sentences that name things. Knows
the grammar of lists and of asking; knows no subject. Does not know: history, the index, or how a follow-up is put.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from bot.spelling import commonness
from bot.terms import SMALL, Term, content, words
from bot.topics import AUX, PREDICATE, VERBS, bare, subjects

ASKS = re.compile(
    rf"^(?:which|what)(?: (?P<sorts>kinds?|types?|sorts?) of)? (?!(?:{AUX}|about|if|else)\b)(?P<noun>[a-z][\w-]*)(?= )"
    r"|^(?P<who>who)\b"
    rf"|^what (?:{AUX}) .+ (?:called|named|known as|termed)$"
    r"|^(?:what(?:['’]?s| is)|what) (?:the )?(?:\w+ )?(?:name|word|term)\b",
    re.I,
)
CALLED = re.compile(
    r"\b(?:called|known as|named|termed)(?: an?| the)? ([\w-]+(?: [\w-]+)??)(?=[.,;:)]| (?:which|to)\b|$)"
)
MEANS = re.compile(r"^((?:[\w-]+ ){0,2}[\w-]+) means\b")
LONGEST = 3  # words; an item of a list is seldom longer
LEADING = frozenset(("a", "an", "the", "some", "other", "also"))
PAIRING = frozenset(("both", "either", "neither"))
MOVING = re.compile(r".+(?:ly|ed|ing)")


def asked_for(question: str) -> str | None:
    """The kind of thing a question asks to name: "hormones", "who", "" for "What is … called?"; None for no name."""
    found = ASKS.match(bare(question))
    if not found:
        return None
    noun = (found["sorts"] or found["noun"] or found["who"] or "").lower()
    return None if noun in VERBS or noun.removesuffix("s") in VERBS or noun in SMALL - {"who"} else noun


def plural(noun: str) -> bool:
    """Whether a kind of thing is asked for in the plural."""
    return noun == "who" or (noun.endswith("s") and not noun.endswith(("ss", "is", "us")))


def lists(sentence: str) -> list[tuple[str, ...]]:
    """The lists in a sentence: "such as domperidone or metoclopramide, to …" → ("domperidone", "metoclopramide")."""
    every = words(sentence)
    found = []
    for place, term in enumerate(every):
        if term.word not in ("and", "or") or not 0 < place < len(every) - 1:
            continue
        items = [_item(every[place + 1 :], sentence, 1)]
        left = every[:place]
        while left:
            item = _item(left, sentence, -1)
            if not item:
                break
            items.insert(0, item)
            first = left[-len(item)]
            left = left[: -len(item)]
            if not left or sentence[left[-1].end : first.start] != ", ":
                break
        if len(items) > 1 and all(items):
            found.append(tuple(sentence[item[0].start : item[-1].end] for item in items))
    return found


def named(question: str, sentences: Sequence[str]) -> str:
    """What the sentences that answered a question name, as a phrase; "" where the question asked for no name."""
    noun = asked_for(question)
    if noun is None:
        return ""
    known = {term.stem for term in content(question)}
    for sentence in sentences[:2]:
        for pattern in () if plural(noun) else (CALLED, MEANS):
            if (found := pattern.search(sentence)) and not known & {term.stem for term in words(found[1])}:
                return found[1].lower()
        for items in lists(sentence):
            if all({term.stem for term in words(item)} - known for item in items):
                return _joined(items, "and" if plural(noun) else "or").lower()
        if not plural(noun) and (single := _rarest(sentence, known)):
            return single
    return ""


def _item(run: Sequence[Term], sentence: str, way: Literal[1, -1]) -> list[Term]:
    """The words of the item that a run starts with (way 1) or ends with (way -1), in order."""
    item: list[Term] = []
    for term in run[::way]:
        if item:
            near, far = sorted((item[-1], term), key=lambda one: one.start)
            if sentence[near.end : far.start].strip():
                break
        if term.word in SMALL | VERBS | PAIRING or PREDICATE.fullmatch(term.word):
            if not item and way == 1 and term.word in LEADING:
                continue
            break
        item.append(term)
        if len(item) == LONGEST:
            break
    return item[::way]


def _rarest(sentence: str, known: set[str]) -> str:
    """The rarest word that is not the question's and can be a name."""
    names = [
        term
        for term in subjects(sentence)
        if term.stem not in known and not {term.word, term.stem} & VERBS and not MOVING.fullmatch(term.word)
    ]
    return min(names, key=lambda term: commonness(term.word)).word if names else ""


def _joined(items: Sequence[str], link: str) -> str:
    return f" {link} ".join((", ".join(items[:-1]), items[-1]))
