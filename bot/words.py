"""The bot's own words: phrases, disclaimers and contacts, by id and locale.

Comes in: `phrases/*.toml` and `rules/contacts.toml`. Goes out: sentences, claims that name their phrase, a disclaimer
and the contacts of a reader's country. Does not know: when which of them is said.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.reply import Claim, Contact, Disclaimer

BASE = "en"
ROLES = ("emergency", "crisis", "poison", "abuse", "advice")
ALWAYS = "24/7"
OR_TEXT = "or_text"
KEPT = "-kept"  # ends the id of a phrase that takes another's place where questions are kept
SENT = "-sent"  # the same where they are sent to a model
NOTICE = "notice"  # which is there only with that ending
_PLACE = re.compile(r"\{(\w*)\}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LOCALE = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z]{4})?(?:-([A-Za-z]{2}|\d{3}))?(?:-[A-Za-z0-9]{2,8})*")
_CONTACT_KEYS = ("role", "label", "call", "text", "url", "hours", "source", "reviewed")


class WordsError(Exception):
    """A phrases or rules file that cannot be used: names the file, the key, what is wrong and the remedy."""

    def __init__(self, file: Path | str, key: str, problem: str, remedy: str) -> None:
        self.file, self.key, self.problem, self.remedy = str(file), key, problem, remedy
        super().__init__(f"{file}, {key}: {problem} {remedy}")


@dataclass(frozen=True, slots=True)
class Locale:
    """What one phrases file holds. `phrases` maps an id to a sentence with {places} to fill."""

    name: str
    disclaimer: Disclaimer
    phrases: Mapping[str, str]


class Words:
    """Every sentence the bot may utter and every contact it may show. Immutable once loaded."""

    def __init__(
        self,
        folder: Path,
        locales: Mapping[str, Locale],
        contacts: Mapping[str, tuple[Contact, ...]],
        names: Mapping[str, str],
    ) -> None:
        self.folder, self._locales, self._contacts, self.names = folder, locales, contacts, names

    @classmethod
    def load(cls, folder: Path | None = None) -> Words:
        """Read the folder that holds `phrases/` and `rules/` (default: the shipped one). Raises WordsError."""
        folder = folder or Path(__file__).parent
        base = _locale(folder / "phrases" / f"{BASE}.toml", None)
        for role in ROLES:
            if f"no-number-{role}" not in base.phrases:
                raise WordsError(folder / "phrases" / f"{BASE}.toml", f"no-number-{role}", "is missing.", "Write it.")
        others = (path for path in sorted((folder / "phrases").glob("*.toml")) if path.stem != BASE)
        locales = {BASE: base} | {path.stem.casefold(): _locale(path, base) for path in others}
        path = folder / "rules" / "contacts.toml"
        contacts = _contacts(path)
        names = read_toml(path).get("names", {})
        return cls(folder, locales, contacts, {code: str(names.get(code, code)) for code in contacts if code})

    def text(self, id: str, locale: str, /, **values: object) -> str:
        """The phrase of that id with its places filled, in one pass: a value is never read as a template.

        {emergency}, {crisis}, {poison}, {abuse} and {advice} become the country's number, or words where none is known;
        {or_text} how to reach a crisis line by text, or nothing.
        Raises WordsError for an unknown id or a place without a value.
        """
        spoken = self._spoken(locale)
        template = spoken.phrases.get(id) or self._locales[BASE].phrases.get(id)
        if id not in spoken.phrases:  # what falls back does so whole: no number's stand-in in another language
            locale = "-".join(filter(None, (BASE, _parts(locale)[1])))
        if template is None:
            raise WordsError("phrases", id, "no such phrase.", _nearest(id, self._locales[BASE].phrases))

        def fill(place: re.Match[str]) -> str:
            name = place[1]
            if name in values:
                return str(values[name])
            if name in ROLES:
                return self._number(name, locale)
            if name == OR_TEXT:
                return self._or_text(locale)
            raise WordsError("phrases", id, f"nothing was given for {{{name}}}.", f"Pass {name}=…")

        return _PLACE.sub(fill, template)

    def say(self, id: str, locale: str, /, **values: object) -> Claim:
        """The phrase of that id as a claim backed by it: source "phrase:<id>"."""
        return Claim(self.text(id, locale, **values), f"phrase:{id}")

    def telling(self, ending: str, **values: object) -> Words:
        """The same words for a site that does more than answer: where a phrase would be false there, the truth.

        The phrase whose id has the `ending` ("-kept") takes the place of the one without, its `values` filled in. A
        language that has only the other one loses it: what falls back to English is better than what is not so.
        """
        said = {}
        for name, locale in self._locales.items():
            truer = {id.removesuffix(ending): text for id, text in locale.phrases.items() if id.endswith(ending)}
            for place, value in values.items():
                truer = {id: text.replace(f"{{{place}}}", str(value)) for id, text in truer.items()}
            false = {id.removesuffix(ending) for id in self._locales[BASE].phrases if id.endswith(ending)}
            kept = {id: text for id, text in locale.phrases.items() if id not in false}
            said[name] = replace(locale, phrases=kept | truer)
        return Words(self.folder, said, self._contacts, self.names)

    @property
    def countries(self) -> Mapping[str, tuple[Contact, ...]]:
        """Everyone there is to turn to, by country code; the international ones under ""."""
        return self._contacts

    def country(self, locale: str) -> str:
        """The country code a locale names, "" where it names none or one without contacts."""
        code = _parts(locale)[1]
        return code if code in self._contacts else ""

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages there is a phrases file for, English first; lower case."""
        return tuple(self._locales)

    def language(self, locale: str) -> str:
        """Which of `locales` is spoken where that one is asked for."""
        return self._spoken(locale).name.casefold()

    def has(self, id: str) -> bool:
        """Whether there is a phrase of that id."""
        return id in self._locales[BASE].phrases

    def notice(self, locale: str) -> str:
        """What stays in view beside the disclaimer: that questions are sent to a model; "" where they are not."""
        return self.text(NOTICE, locale) if self.has(NOTICE) else ""

    def disclaimer(self, locale: str) -> Disclaimer:
        """The medical disclaimer in the nearest language there is, English where there is none."""
        spoken = self._spoken(locale)
        language, tag = _parts(locale)[0], _tag(locale)
        named = tag if language == _parts(spoken.name)[0] else spoken.name
        return Disclaimer(spoken.disclaimer.id, spoken.disclaimer.version, named, spoken.disclaimer.text)

    def contacts(self, locale: str, roles: Iterable[str]) -> tuple[Contact, ...]:
        """Who to turn to for each role, in that order. Where the country has none, the international ones.

        Never empty where a role is asked for: the emergency contact stands in for a role nobody serves.
        """
        found: dict[Contact, None] = {}
        wanted = tuple(roles)
        for role in (*wanted, *(["emergency"] if wanted else [])):
            if role == "emergency" and role not in wanted and found:
                continue
            found |= dict.fromkeys(self._of(role, locale))
        return tuple(found)

    def _of(self, role: str, locale: str) -> tuple[Contact, ...]:
        own = tuple(contact for contact in self._contacts.get(_parts(locale)[1], ()) if contact.role == role)
        return own or tuple(contact for contact in self._contacts[""] if contact.role == role)

    def _number(self, role: str, locale: str) -> str:
        """The country's number for a role where it answers day and night, else words that stand in for it."""
        country = _parts(locale)[1]
        for contact in self._contacts.get(country, ()):
            if country and contact.role == role and contact.call and contact.hours == ALWAYS:
                return contact.call
        return self.text(f"no-number-{role}", locale)

    def _or_text(self, locale: str) -> str:
        """How to text a crisis line of the country that answers day and night, or nothing where there is none."""
        for contact in self._contacts.get(_parts(locale)[1], ()) if _parts(locale)[1] else ():
            if contact.role == "crisis" and contact.text and contact.hours == ALWAYS:
                return self.text("or-text", locale, number=contact.text)
        return ""

    def _spoken(self, locale: str) -> Locale:
        tag = _tag(locale).casefold()
        return self._locales.get(tag) or self._locales.get(_parts(locale)[0]) or self._locales[BASE]


def country(locale: str) -> str:
    """The two capitals of the country a locale names, "" where it names none."""
    return _parts(locale)[1]


def _tag(locale: str) -> str:
    """The locale in its usual spelling (en-GB), or the base locale where it is no locale at all."""
    found = _LOCALE.fullmatch(locale.strip().replace("_", "-"))
    if not found:
        return BASE
    language, region = _parts(locale)
    return f"{language}-{region}" if region else language


def _parts(locale: str) -> tuple[str, str]:
    """Language and country of a locale; the country is "" where it names none."""
    found = _LOCALE.fullmatch(locale.strip().replace("_", "-"))
    return (found[1].casefold(), (found[2] or "").upper()) if found else (BASE, "")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file's table. Raises WordsError where it is missing or does not parse."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise WordsError(path, "file", f"cannot be read ({fault.strerror}).", "Put it back.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise WordsError(path, "file", f"is not valid TOML ({fault}).", "Mend that line.") from None


def _locale(path: Path, base: Locale | None) -> Locale:
    """One phrases file, checked: a whole disclaimer, no empty phrase, no id or place that the base file lacks."""
    table = read_toml(path)
    if not _LOCALE.fullmatch(path.stem):
        raise WordsError(path, "file name", f"{path.stem!r} is no locale.", "Name it like en.toml or pt-BR.toml.")
    given = table.get("disclaimer", {})
    for key in ("id", "version", "text"):
        if not isinstance(given.get(key), str) or not given[key].strip():
            raise WordsError(
                path, f"disclaimer.{key}", "is missing or empty.", "Every locale needs the whole disclaimer."
            )
    phrases: dict[str, str] = table.get("phrases", {})
    for id, text in phrases.items():
        if not isinstance(text, str) or not text.strip():
            raise WordsError(path, f"phrases.{id}", f"{text!r} is not a sentence.", "Write one, or remove the line.")
        if base and id not in base.phrases:
            raise WordsError(path, f"phrases.{id}", "is not in the English file.", _nearest(id, base.phrases))
        if base and not places(text) <= places(base.phrases[id]) | {*ROLES, OR_TEXT}:
            extra = sorted(places(text) - places(base.phrases[id]))
            raise WordsError(
                path, f"phrases.{id}", f"has the unknown place {{{extra[0]}}}.", "Use those of the English text."
            )
    return Locale(path.stem, Disclaimer(given["id"], given["version"], path.stem, given["text"].strip()), phrases)


def places(template: str) -> set[str]:
    """The names in braces that a template has filled in."""
    return set(_PLACE.findall(template))


def _contacts(path: Path) -> dict[str, tuple[Contact, ...]]:
    """Contacts by country code, the international ones under ""."""
    table = read_toml(path)
    entries = {"": table.get("international", [])} | table.get("countries", {})
    found = {}
    for country, rows in entries.items():
        where = f"countries.{country}" if country else "international"
        if country and not re.fullmatch("[A-Z]{2}", country):
            raise WordsError(path, where, f"{country!r} is no country code.", "Use two capitals, such as GB.")
        found[country] = tuple(_contact(path, f"{where}[{number}]", row) for number, row in enumerate(rows))
        if not any(contact.role == "emergency" and contact.call for contact in found[country]):
            raise WordsError(path, where, "has no emergency number to call.", 'Add one with role = "emergency".')
    return found


def _contact(path: Path, where: str, row: Mapping[str, Any]) -> Contact:
    for key, value in row.items():
        if key not in _CONTACT_KEYS:
            raise WordsError(path, f"{where}.{key}", "is no key of a contact.", _nearest(key, _CONTACT_KEYS))
        if not isinstance(value, str):
            raise WordsError(path, f"{where}.{key}", f"{value!r} is not text.", "Put it in quotes.")
    if row.get("role") not in ROLES:
        raise WordsError(path, f"{where}.role", f"{row.get('role')!r} is no role.", f"Use one of {', '.join(ROLES)}.")
    if row.get("reviewed") is None or (row["reviewed"] and not _DATE.fullmatch(row["reviewed"])):
        problem = f"{row.get('reviewed')!r} is no date."
        raise WordsError(path, f"{where}.reviewed", problem, 'Write 2026-11-24, or "" where nobody has checked it yet.')
    for key in ("label", "source"):
        if not row.get(key, "").strip():
            raise WordsError(
                path, f"{where}.{key}", "is missing or empty.", "Say who it is and where you have it from."
            )
    try:
        call, text, url, hours = (row.get(key) or None for key in ("call", "text", "url", "hours"))
        return Contact(row["role"], row["label"], call, text, url, hours, row["source"], row["reviewed"])
    except ValueError as fault:
        raise WordsError(path, where, f"{fault}.", "Add one of call, text, url.") from None


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0)
    return f"Did you mean {near[0]!r}?" if near else "Add it."
