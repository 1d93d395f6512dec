"""Takes out of a question what could name a person: e-mail and web addresses, telephone and other numbers.

Comes in: what a visitor wrote. Goes out: the same words with `[address]` and `[number]` in their places. Does not know:
where the words are kept. **Names and postal addresses are not recognised**: no library that is small, well kept and
works without a download does that, and a list of our own would be worse than saying so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from linkify_it import LinkifyIt  # type: ignore[import-untyped]  # it ships no types
from phonenumbers import Leniency, PhoneNumberMatcher

ADDRESS, NUMBER = "[address]", "[number]"
_LINKS = LinkifyIt()
# Four digits or more, however they are spaced: dates of birth, years, record and postal numbers. A dose is shorter.
_DIGITS = re.compile(r"\d(?:[\s./()-]{0,2}\d){3,}")


def redact(text: str, country: str = "") -> str:
    """The text without addresses and numbers. `country` ("GB") tells how telephone numbers without a + are written."""
    spans = sorted({*_addresses(text), *_numbers(text, country.upper() or None)})
    kept, at = [], 0
    for start, end, instead in spans:
        if start >= at:  # a number inside an address has gone with it
            kept += [text[at:start], instead]
        at = max(at, end)
    return "".join([*kept, text[at:]])


def _addresses(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _LINKS.match(text) or ():
        yield found.index, found.last_index, ADDRESS


def _numbers(text: str, country: str | None) -> Iterator[tuple[int, int, str]]:
    for found in PhoneNumberMatcher(text, country, leniency=Leniency.POSSIBLE):
        yield found.start, found.end, NUMBER
    for run in _DIGITS.finditer(text):
        yield run.start(), run.end(), NUMBER
