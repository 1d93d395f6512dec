"""Takes out of a question what could name a person: names, postal and other addresses, telephone and other numbers.

Comes in: what a visitor wrote. Goes out: the same words with `[name]`, `[address]` and `[number]` in their places. Does
not know: where the words are kept. Names and postal addresses are told by a small network, whose card stands beside it
in `redactor/` and which misses some: docs/editor.md has how many. It is opened when it is first used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from linkify_it import LinkifyIt  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from phonenumbers import Leniency, PhoneNumberMatcher

from index.network import Network

FOLDER = Path(__file__).parent / "redactor"
NAME, ADDRESS, NUMBER = "[name]", "[address]", "[number]"
KINDS = {
    NAME: {"GIVEN_NAME", "SURNAME"},
    ADDRESS: {"BUILDING_NUMBER", "STREET_NAME", "SECONDARY_ADDRESS", "CITY", "STATE", "ZIP_CODE"},
}
# How likely the pieces of a word are to be private, on average, for it to go. Half that the network asks itself: a word
# too many costs an editor less than a name too few costs a visitor.
SURE = 0.3
WINDOW, OVERLAP = 480, 80  # characters read at a time, as the network was made for; no name is longer than the latter
_LINKS = LinkifyIt()
# Four digits or more, however they are spaced: dates of birth, years, record and postal numbers. A dose is shorter.
_DIGITS = re.compile(r"\d(?:[\s./()-]{0,2}\d){3,}")
_WORD = re.compile(r"\[(?:name|address|number)\]|[^\W_]+(?:['’][^\W_]+)*")
_JOINT = re.compile(r"[\s,.'’#/º-]*")

Span = tuple[int, int, str]


def redact(text: str, country: str = "", public: Callable[[str], bool] = lambda word: False) -> str:
    """The text without names, addresses and numbers.

    `country` ("GB") tells how telephone numbers without a + are written; `public` says of a word that it is nobody's
    name, such as a medicine's or one the documents are full of.
    """
    people = _joined(text, _people(text, public))
    spans = {*_addresses(text), *_numbers(text, country.upper() or None), *people}
    kept, at = [], 0
    for start, end, instead in sorted(spans, key=lambda span: (span[0], -span[1], span[2] != NUMBER)):
        if start >= at:  # a number inside an address has gone with it
            kept += [text[at:start], instead]
        at = max(at, end)
    return "".join([*kept, text[at:]])


def load() -> Network:
    """The network, opened once. Raises ValueError saying what is missing or damaged."""
    return _network(FOLDER)


@lru_cache(maxsize=1)
def _network(folder: Path) -> Network:
    return Network(folder)


def _addresses(text: str) -> Iterator[Span]:
    for found in _LINKS.match(text) or ():
        yield found.index, found.last_index, ADDRESS


def _numbers(text: str, country: str | None) -> Iterator[Span]:
    for found in PhoneNumberMatcher(text, country, leniency=Leniency.POSSIBLE):
        yield found.start, found.end, NUMBER
    for run in _DIGITS.finditer(text):
        yield run.start(), run.end(), NUMBER


def _people(text: str, public: Callable[[str], bool]) -> Iterator[Span]:
    """Each word that is part of a name or an address, in order; of what cannot be read, every word."""
    words = [word for word in _WORD.finditer(text) if not word.group().startswith("[")]
    kinds: dict[int, str] = {}
    for at in range(0, max(len(text) - OVERLAP, 1), WINDOW - OVERLAP):
        part = text[at : at + WINDOW]
        inside = [word for word in words if at <= word.start() and word.end() <= at + WINDOW]
        for word, shares in zip(inside, _shares(part, [(w.start() - at, w.end() - at) for w in inside]), strict=True):
            if sum(shares.values()) >= SURE and not public(word.group()):
                kinds[word.start()] = max(shares, key=lambda kind: shares[kind])
    yield from ((word.start(), word.end(), kinds[word.start()]) for word in words if word.start() in kinds)


def _shares(part: str, words: list[tuple[int, int]]) -> Iterator[dict[str, float]]:
    """How likely each word is to be of each kind: the mean of its pieces."""
    network = load()
    if len(network.pieces(part).ids) > network.limit - network.special:  # a script that it was not made for
        yield from ({NAME: 1.0} for _ in words)
        return
    (seen,) = network.run([part], ["logits"])
    shares = _softmax(seen.outputs["logits"])
    labels = [label[2:] for label in network.facts["made"]["labels"]]
    columns = {kind: [place for place, label in enumerate(labels) if label in of] for kind, of in KINDS.items()}
    for start, end in words:
        mine = [place for place, (a, b) in enumerate(seen.pieces.offsets) if start <= a < b <= end]
        yield {kind: float(shares[mine][:, of].sum(1).mean()) if mine else 0.0 for kind, of in columns.items()}


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    shares: NDArray[np.float32] = raised / raised.sum(1, keepdims=True)
    return shares


def _joined(text: str, spans: Iterator[Span]) -> Iterator[Span]:
    """Neighbours of one kind as one span: "14 Elm Street, Springfield" is one address."""
    last: Span | None = None
    for start, end, kind in spans:
        if last and last[2] == kind and _JOINT.fullmatch(text, last[1], start):
            last = last[0], end, kind
            continue
        if last:
            yield last
        last = start, end, kind
    if last:
        yield last
