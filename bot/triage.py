"""Does this need a person, not a page? Rules from TOML files, matched before anything is looked up.

Comes in: what was asked and the turns before it. Goes out: the first rule that fires, or none. Red flags come before
personal decisions, those before small talk. It signposts; it never assesses or rules out. Does not know: documents,
or what is said once a rule fires.

How a rule fires: one of its `patterns` matches the normalised message, and no `unless` pattern stands right before that
match or covers it. So "no chest pain" does not fire and "no fever, but chest pain" does: each match is judged where it
stands, and nothing else in a message can take it back.

What no pattern names: the trained model of `bot/intent.py` reads each sentence and clause, and the rule that speaks
for what it finds fires. Where it is not sure enough for that, the rule that speaks for `UNSURE` puts a word of caution,
with numbers, before the answer; and so it does where a pattern fires on words that the model is sure mean no danger
("my brother had fits as a baby"). So the model can add a signpost, and never take all of one away. A clause whose sign
was taken back ("no chest pain") is not read. A word one slip away from a word of `spelling` is read as that word.

Earlier turns: where the message says nothing of its own ("What should I do?", "is that bad?"), the last turn that did
is read for red flags as well, whatever thanks and greetings came between. And a red flag may come about only by both
("he has a fever", "he is five weeks old"): then the match has to reach from the last turn into the message.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.intent import QUIET, Intent, Sense
from bot.reply import UNSURE, Kind, Rule, Turn
from bot.words import ROLES, Words, WordsError, read_toml

FILES = ("redflags.toml", "personal.toml", "smalltalk.toml")  # in the order they are asked
_FILE_KEYS = ("version", "written", "reviewed", "words", "unless", "rule")
_RULE_KEYS = ("id", "kind", "stops", "say", "patterns", "unless", "contacts", "source", "meaning")
# Kinds a rule may lead to, and whether it may then stop: with a signpost nothing is looked up, ever.
_STOPS: Mapping[str, tuple[bool, ...]] = {Kind.URGENT: (True,), Kind.SMALLTALK: (True,), Kind.REFER: (True, False)}
_APOSTROPHES = re.compile("[‘’‛ʼ`´′＇]")
_WORD = re.compile(r"\{([a-z_]+)\}")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
# A message of nothing but these words points back at the one before it.
_ELLIPTICAL = re.compile(
    "a|about|am|an|and|any|are|at|bad|badly|be|been|but|can|could|danger|dangerous|did|do|does|doing|done|"
    "else|emergency|for|from|get|go|going|happen|happening|has|have|he|help|her|him|how|i|i'm|if|in|is|it|"
    "it's|just|long|me|more|much|my|next|no|normal|not|now|of|ok|okay|on|or|please|really|right|serious|"
    "she|should|so|soon|still|sure|that|that's|the|their|them|then|there|they|think|this|to|today|tonight|"
    "too|um|urgent|wait|was|we|what|what's|when|where|why|will|with|worry|worse|would|yeah|yes|you"
)


def normalise(text: str) -> str:
    """The text as rules read it: one spelling of letters, apostrophes and spaces, lower case, nothing invisible."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = _APOSTROPHES.sub("'", text).casefold()
    return " ".join(_STRETCHED.sub(r"\1", text).split())


def triage(asked: str, history: Sequence[Turn], rules: Sequence[Rule], intent: Intent | None = None) -> Rule | None:
    """The first rule that fires for a message, or None. Without `intent`, patterns alone tell."""
    text = normalise(asked)
    fired = _read(asked, rules, intent)
    if fired and fired.kind == Kind.URGENT:
        return fired
    if _points_back(text) and (fired is None or fired.kind == Kind.SMALLTALK):
        return _earlier(history, rules, intent) or fired
    return (_together(normalise(history[-1].asked), text, rules) if history else None) or fired


def _read(asked: str, rules: Sequence[Rule], intent: Intent | None) -> Rule | None:
    """The rule that one message by itself fires, by patterns and by what it means."""
    text = normalise(asked)
    fired = next((rule for rule in rules if fires(rule, text)), None)
    if intent is None or (fired and fired.kind == Kind.SMALLTALK):
        return fired
    # The letters as they were typed pass through the encoder once for this and for the search; a line ends a sentence.
    lines = [normalise(line) for line in asked.splitlines()]
    said = asked if asked.casefold() == text else ". ".join(line for line in lines if line)
    mended = intent.mend(said)
    again = fired if mended == said else next((rule for rule in rules if fires(rule, normalise(mended))), None)
    named = min((rule for rule in (fired, again) if rule), key=rules.index, default=None)
    versions = tuple(dict.fromkeys((said, mended)))
    if named and named.kind == Kind.URGENT:
        doubted = all(intent.read(version).flag < intent.model.doubt for version in versions)
        caution = _speaks_for(UNSURE, rules) if doubted else None
        if caution or named.now:
            return caution or named
    sense = Sense(0.0, QUIET)
    for version in versions:
        back = [place for rule in rules for place in _taken_back(rule, normalise(version))]
        sense = max(sense, intent.read(version, back), key=lambda one: one.flag)
    if sense.flag >= intent.model.threshold:
        meant = _speaks_for(sense.meaning, rules)
        return min((rule for rule in (meant, named) if rule), key=rules.index, default=None)
    return named or (_speaks_for(UNSURE, rules) if sense.flag >= intent.model.unsure else None)


def _speaks_for(meaning: str, rules: Sequence[Rule]) -> Rule | None:
    return next((rule for rule in rules if rule.meaning == meaning), None)


def _earlier(history: Sequence[Turn], rules: Sequence[Rule], intent: Intent | None) -> Rule | None:
    """The signpost or caution that a message pointing back means, of the last turn that said something; no thanks."""
    for turn in reversed(history):
        fired = _read(turn.asked, rules, intent)
        if fired and (fired.kind == Kind.URGENT or fired.meaning == UNSURE):
            return fired
        if not (_points_back(normalise(turn.asked)) or (fired and fired.kind == Kind.SMALLTALK)):
            return None
    return None


def _together(before: str, text: str, rules: Sequence[Rule]) -> Rule | None:
    """The red flag that only the last turn and the message together make: its match reaches from one into the other."""
    joined, seam = f"{before.rstrip('.!?; ')}, {text}", len(before.rstrip(".!?; "))
    for rule in rules:
        if rule.kind == Kind.URGENT:
            shades = _shade_spans(rule, joined)
            for pattern in rule.patterns:
                for match in pattern.finditer(joined):
                    across = match.start() < seam and match.end() > seam + 2
                    if across and not any(_shades(shade, _sign(match)) for shade in shades):
                        return rule
    return None


def fires(rule: Rule, text: str) -> bool:
    """Whether a rule fires for a normalised text."""
    found = _signs(rule, text)
    shades = _shade_spans(rule, text) if found else []
    return any(not any(_shades(shade, span) for shade in shades) for span in found)


def _taken_back(rule: Rule, text: str) -> list[tuple[int, int]]:
    """The red flags named in a text that do not count: "no chest pain", "what is a stroke?"."""
    found = _signs(rule, text) if rule.kind == Kind.URGENT else []
    shades = _shade_spans(rule, text) if found else []
    return [span for span in found if any(_shades(shade, span) for shade in shades)]


def _signs(rule: Rule, text: str) -> list[tuple[int, int]]:
    return [_sign(match) for pattern in rule.patterns for match in pattern.finditer(text)]


def _shade_spans(rule: Rule, text: str) -> list[tuple[int, int]]:
    return [match.span() for pattern in rule.unless for match in pattern.finditer(text)]


def _sign(match: re.Match[str]) -> tuple[int, int]:
    """Where the sign itself stands: the group of that name if the pattern has one, else the whole match."""
    return match.span("sign") if "sign" in match.re.groupindex else match.span()


def _shades(shade: tuple[int, int], span: tuple[int, int]) -> bool:
    """Whether an `unless` match runs up to a match's first character, or covers the whole of it."""
    return shade[0] < span[0] <= shade[1] or (shade[0] <= span[0] and span[1] <= shade[1])


def _points_back(text: str) -> bool:
    words = re.findall(r"[\w']+", text)
    return bool(words) and all(_ELLIPTICAL.fullmatch(word) for word in words)


def load_rules(words: Words) -> tuple[Rule, ...]:
    """Read and check every rule: red flags, then personal decisions, then small talk.

    Raises WordsError naming file, rule, value and remedy: an unknown key, phrase or contact role, a pattern that
    is not a regular expression, an id used twice.
    """
    rules: dict[str, Rule] = {}
    for name in FILES:
        path = words.folder / "rules" / name
        for rule in _rules(path, read_toml(path), words):
            if rule.id in rules:
                raise WordsError(path, f"rule {rule.id!r}", "is there twice.", "Give each rule its own id.")
            rules[rule.id] = rule
    return tuple(rules.values())


def _rules(path: Path, table: Mapping[str, Any], words: Words) -> Iterable[Rule]:
    _known(path, "file", table, _FILE_KEYS)
    if not table.get("rule"):
        raise WordsError(path, "rule", "has no entries.", "Add a [[rule]].")
    for number, row in enumerate(table["rule"], start=1):
        where = f"rule {row.get('id') or number!r}"
        _known(path, where, row, _RULE_KEYS)
        for key in ("id", "kind", "say", "source"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                raise WordsError(path, where, f"{key} is missing or empty.", f"Give it a {key}.")
        if row["kind"] not in _STOPS:
            raise WordsError(path, where, f"kind {row['kind']!r} is not for rules.", f"Use one of {', '.join(_STOPS)}.")
        if not words.has(row["say"]):
            raise WordsError(path, where, f"says {row['say']!r}, which is no phrase.", "Write it in phrases/en.toml.")
        if row.get("stops") not in _STOPS[row["kind"]]:
            allowed = " or ".join(str(stops).lower() for stops in _STOPS[row["kind"]])
            raise WordsError(path, where, f"stops is {row.get('stops')!r}.", f"Use {allowed} with {row['kind']}.")
        yield Rule(
            id=row["id"],
            kind=Kind(row["kind"]),
            stops=row["stops"],
            say=row["say"],
            patterns=_patterns(path, where, row, "patterns", table),
            unless=_patterns(path, where, row, "unless", table),
            contacts=_roles(path, where, row),
            source=row["source"],
            meaning=row.get("meaning", ""),
        )


def _roles(path: Path, where: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    roles = tuple(row.get("contacts", ()))
    for role in roles:
        if role not in ROLES:
            raise WordsError(path, where, f"{role!r} is no contact role.", f"Use one of {', '.join(ROLES)}.")
    if row["kind"] == Kind.URGENT and not roles:
        raise WordsError(path, where, "is urgent but shows no contact.", 'Add contacts = ["emergency"].')
    return roles


def _patterns(
    path: Path, where: str, row: Mapping[str, Any], key: str, table: Mapping[str, Any]
) -> tuple[re.Pattern[str], ...]:
    """Compile a rule's patterns: {name} stands for an entry of [words], "@name" for a list of [unless]."""
    given = row.get(key, [])
    if not isinstance(given, list) or (key == "patterns" and not given and row.get("meaning") != UNSURE):
        raise WordsError(path, where, f"{key} is {given!r}.", "Give a list of regular expressions.")
    sources: list[str] = []
    for text in given:
        if not isinstance(text, str):
            raise WordsError(path, where, f"{key} holds {text!r}.", "Put each pattern in quotes.")
        if text.startswith("@"):
            if text[1:] not in table.get("unless", {}):
                raise WordsError(path, where, f"{text!r} is no list of [unless].", "Write it there, or remove it.")
            sources.extend(table["unless"][text[1:]])
        else:
            sources.append(text)
    return tuple(_compiled(path, where, source, table.get("words", {})) for source in sources)


def _compiled(path: Path, where: str, source: str, words: Mapping[str, str]) -> re.Pattern[str]:
    def spelt(place: re.Match[str]) -> str:
        if place[1] not in words:
            raise WordsError(path, where, f"{place[0]} is no entry of [words].", "Write it there, or remove it.")
        return f"(?:{words[place[1]]})"

    try:
        pattern = re.compile(_WORD.sub(spelt, source), re.IGNORECASE)
    except re.error as fault:
        raise WordsError(path, where, f"{source!r} is no regular expression ({fault}).", "Mend it.") from None
    if pattern.search(""):
        raise WordsError(path, where, f"{source!r} matches an empty message.", "Make it ask for at least one word.")
    return pattern


def _known(path: Path, where: str, row: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in row:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1, cutoff=0)[0]
            raise WordsError(path, where, f"{key!r} is no key here.", f"Did you mean {near!r}?")
