"""Whether the words that a model puts between quotes add anything to them.

Comes in: such words, the quotes they introduce, the headings over those, the question. Goes out: the words, tidied, or
nothing. They are kept only where they name a subject and say nothing of it: a form from `connecting.toml`, with no word
that is not in the quotes or headings. Does not know: which model wrote them, or how they are shown.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.terms import ENGLISH, LIGHT, SMALL, content, words

LONGEST = 120  # characters
SUBJECT = 12  # words
# Letters, spaces, apostrophes, hyphens, commas: no digit, link, markup, quotation mark, line end or unseen character.
_PLAIN = re.compile(r"[^\W\d_]+(?:(?:['’-]|,? )[^\W\d_]+)*")


def _listed(text: str) -> list[str]:
    """What stands between commas, the longest first, so that no form hides a longer one."""
    return sorted(
        (part for part in (" ".join(each.split()) for each in text.split(",")) if part), key=len, reverse=True
    )


@dataclass(frozen=True, slots=True)
class Forms:
    """What connecting words may look like in one language, read from its table of the file."""

    example: str
    form: re.Pattern[str]
    sets: dict[str, frozenset[str]] = field(repr=False)
    asking: re.Pattern[str]

    @classmethod
    def of(cls, table: dict[str, str]) -> Forms:
        """Patterns and sets of one language."""
        before, alone, lead, asking = (
            "|".join(map(re.escape, _listed(table.get(name, "")))) for name in ("before", "alone", "lead", "asking")
        )
        form = rf"(?:(?:{before}),? )?(?:(?:{alone})" + (rf"|(?:{lead}) (?P<subject>[^,]+))" if lead else ")")
        names = ("glue", "open", "presuming", "verbs", "negators", "qualifiers", "numbers")
        sets = {name: frozenset(table.get(name, "").split()) for name in names}
        return cls(table["example"], re.compile(form), sets, re.compile(rf"(?:{asking})\b" if asking else r"(?!)"))


LANGUAGES = {
    name: Forms.of(table)
    for name, table in tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")).items()
}
_VERBS = frozenset(
    form
    for verb in ENGLISH["verbs"].split()
    for form in (verb, *(verb + end for end in ("s", "es", "d", "ed", "ing")), f"{verb.removesuffix('e')}ing")
)


def kept(said: str, quotes: str, headings: Sequence[str], question: str, language: str) -> str:
    """The words with a colon at their end, where they add nothing to the `quotes` under their `headings`; else ""."""
    said = re.sub(r"\s*[:.…]+$", "", unicodedata.normalize("NFC", said).strip(" "))
    forms = LANGUAGES[language]
    if len(said) > LONGEST or not _PLAIN.fullmatch(said) or not _calm(said, " ".join((quotes, *headings))):
        return ""
    found = forms.form.fullmatch(said.casefold())
    subject = found and found.groupdict().get("subject")
    if not found or (subject and not _names(subject, quotes, headings, question, forms)):
        return ""
    return f"{said[0].upper()}{said[1:]}:"


def _names(subject: str, quotes: str, headings: Sequence[str], question: str, forms: Forms) -> bool:
    """Whether a subject only names what the quotes are about."""
    if subject.removeprefix("the ") in {heading.casefold().removeprefix("the ") for heading in headings}:
        return True
    sets, asks = forms.sets, forms.asking.match(subject)
    told = words(subject[asks.end() if asks else 0 :])
    meant = [term for term in told if term.word not in sets["glue"] | sets["verbs"]]
    backed = {term.stem for term in words(quotes) if term.word in LIGHT or term.word not in SMALL}
    if qualified := any(_turns(term.word, sets) for term in words(quotes)):
        backed &= {term.stem for term in words(question)}
    backed |= {term.stem for heading in headings for term in content(heading)}
    barred = sets["numbers"] | sets["negators"] | (frozenset() if asks else sets["verbs"])
    if not 0 < len(meant) <= len(told) <= SUBJECT or any(term.word in barred for term in told):
        return False
    if not all(term.stem in backed for term in meant):
        return False
    if asks and asks.group() in sets["open"]:
        return True
    acting = meant[1:] if meant[0].word.endswith(("ed", "ing")) else meant  # "induced lactation" says nothing of it
    if qualified and (asks.group() in sets["presuming"] if asks else any(term.word in _VERBS for term in acting)):
        return False
    return all(
        _side_by_side(part, (quotes, question, *headings), sets)
        for part in re.split(r" (?:and|or) ", subject[asks.end() if asks else 0 :])
    )


def _side_by_side(part: str, sources: Sequence[str], sets: dict[str, frozenset[str]]) -> bool:
    """Whether words stand in this order, with nothing between that means something, in one of the sources."""

    def run(text: str) -> str:
        return " ".join(
            ["", *(term.stem for term in words(text) if term.word not in sets["verbs"] | {"a", "an", "the"}), ""]
        )

    return any(run(part) in run(piece) for source in sources for piece in re.split(r"[^\w\s'’-]+", source))


def _turns(word: str, sets: dict[str, frozenset[str]]) -> bool:
    """Whether a word takes back or weakens what the quote it stands in would say without it."""
    return word in sets["qualifiers"] | sets["negators"] or word.replace("’", "'").endswith("n't")


def _calm(said: str, sources: str) -> bool:
    """Whether capitals stand where the sources have them, or first."""
    known = set(re.findall(r"[^\W\d_]+", sources))
    _, *rest = re.findall(r"[^\W\d_]+", said)
    return all(word == word.casefold() or word in known for word in rest) and (not said.isupper() or len(said) == 1)
