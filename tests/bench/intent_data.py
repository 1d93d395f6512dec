"""Messages with what they mean, to train on: from exemplars, golden messages and public questions.

Comes in: `bot/rules/exemplars.txt`, the golden messages of triage that have been run, a folder of public data. Goes
out: `Example`s. What is measured on is left out: 2,000 sampled MedQuAD questions, XSTest, SimpleSafetyTests,
clinicaflow, the third and the fourth set.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.intent import QUIET
from bot.reply import Kind, Rule
from bot.triage import normalise, triage
from tests.safety_cases import Message, messages

ROOT = Path(__file__).parents[2]
EXEMPLARS = ROOT / "bot" / "rules" / "exemplars.txt"
SEEN = ROOT / "tests" / "golden" / "triage.txt"
OURS = ROOT / "tests" / "bench" / "asked"
USED = ("triage-unseen.txt", "triage-second.txt")  # run and reported before they were trained on
EACH, DRESSED = 4, 3  # sentences made of one line of exemplars, at most, and the same in other clothes, at least
GOLDEN, PUBLIC = 0.8, 0.15  # what a golden message and a public question weigh, where a line of exemplars weighs 1
SAMPLE = 2000  # MedQuAD questions that false alarms are counted on
BEFORE = (
    *("hi, ", "hello, ", "sorry to bother you but ", "it's probably nothing but ", "i think ", "help, "),
    *("my mum says it's nothing but ", "ok so ", "not sure if this matters, ", "please help "),
)
AFTER = (
    *(" should I worry?", " is that normal?", " lol", " what should I do?", " thanks", " please help"),
    *(" but I'm sure it's fine", " any ideas?"),
)
MEANINGS = {  # what a golden rule's phrase says → the meaning trained
    "urgent-poison": "poison",
    "urgent-baby-harm": "baby-harm",
    "urgent-voices": "voices",
    "urgent-crisis": "crisis",
    "urgent-crisis-other": "crisis",
    "urgent-abuse": "violence",
    "urgent-anyone": "adult-now",
    "urgent-adult": "adult-now",
    "urgent-baby": "baby-now",
    "same-day-baby": "baby-today",
    "same-day-adult": "adult-today",
}
SUBJECTS = {  # what a used message is about → the meaning trained; others are of a baby or an adult, now or today
    "poison": "poison",
    "overdose": "poison",
    "suicide": "crisis",
    "self-harm": "crisis",
    "harm-baby": "baby-harm",
    "voices": "voices",
    "violence": "violence",
}
MIXED = ("buried", "earlier", "minimised")  # subjects that say how it is told, not what it is
JOINTS = (" and ", " but ", ", ", " so ", " because ", ", and ", ", but ")
_CHOICE = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Example:
    """A message, what it means and what it weighs; `group` keeps what comes of one line on one side of a split."""

    meaning: str
    group: str
    text: str
    weight: float


def exemplars(path: Path = EXEMPLARS) -> list[tuple[str, str]]:
    """(meaning, sentence with choices) of each line. Raises ValueError, with the line, for any other form."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            meaning, bar, said = line.partition(" | ")
            if not bar or not said.strip() or said.count("(") != said.count(")"):
                raise ValueError(f"{path.name}, line {number}: {line!r} is not 'meaning | sentence (with|of) choices'")
            found.append((meaning.strip(), said.strip()))
    return found


def spell_out(line: str, most: int, luck: random.Random) -> list[str]:
    """Up to `most` different sentences of a line's choices."""
    made = {
        " ".join(_CHOICE.sub(lambda found: luck.choice(found[1].split("|")), line).split()) for _ in range(3 * most)
    }
    return sorted(made)[:most]


def load(folder: Path, rules: tuple[Rule, ...], seed: int = 3) -> list[Example]:
    """Every example, in a fixed order."""
    luck = random.Random(seed)
    return [*written(luck), *golden(rules), *used(), *asked(folder, luck), *ours(rules, luck)]


def written(luck: random.Random) -> Iterator[Example]:
    """The exemplars as they stand, and as people type: with slips, in capitals, played down, beside something else."""
    lines = exemplars()
    quiet = [said for meaning, said in lines if meaning == QUIET]
    for number, (meaning, said) in enumerate(lines):
        texts = spell_out(said, EACH, luck)
        texts += [dressed(luck.choice(texts), quiet, luck) for _ in range(max(DRESSED, len(texts)))]
        yield from (Example(meaning, f"exemplar {number}", ended(text, luck), 1 / len(texts)) for text in texts)


def ended(text: str, luck: random.Random) -> str:
    """The text with a full stop or without, whichever way it was written: it says nothing of danger."""
    bare = text[:-1] if re.search(r"\w\.$", text) else text
    return f"{bare}." if re.search(r"\w$", bare) and luck.random() < 0.5 else bare


def dressed(text: str, quiet: list[str], luck: random.Random) -> str:
    """The text with a slip, a frame, or a harmless clause in the same sentence."""
    if luck.random() < 0.35:
        text = slipped(text, luck)
    way = luck.random()
    if way < 0.35:
        text = luck.choice(BEFORE) + text
    elif way < 0.55:
        text += luck.choice(AFTER)
    elif way < 0.85:
        beside = spell_out(luck.choice(quiet), 1, luck)[0]
        both = [text, beside] if luck.random() < 0.5 else [beside, text]
        text = luck.choice(JOINTS).join(both)
    return text.upper() if luck.random() < 0.08 else text


def slipped(text: str, luck: random.Random) -> str:
    """The text with one letter left out, swapped or doubled, inside one of its words."""
    words = text.split()
    at = luck.randrange(len(words))
    word = words[at]
    if len(word) > 3:
        cut = luck.randrange(1, len(word) - 1)
        words[at] = luck.choice(
            (
                word[:cut] + word[cut + 1 :],
                word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :],
                word[: cut + 1] + word[cut:],
            )
        )
    return " ".join(words)


def golden(rules: tuple[Rule, ...]) -> Iterator[Example]:
    """The messages rules were written against, but for those of several turns."""
    known = {rule.id: rule for rule in rules}
    for line in SEEN.read_text(encoding="utf-8").splitlines():
        names, bar, text = line.partition(" | ")
        if line.startswith("#") or not bar or " ;; " in text:
            continue
        rule, text = known.get(names.split("/")[0]), normalise(text)
        urgent = rule and rule.kind == Kind.URGENT
        yield Example(MEANINGS[rule.say] if rule and urgent else QUIET, f"golden {text}", text, GOLDEN)


def used() -> Iterator[Example]:
    """The messages of the sets that have been run, but for those of several turns or of no one subject."""
    for name in USED:
        for case in messages(SEEN.with_name(name)):
            if not case.before and case.subject not in MIXED:
                yield Example(meaning(case), f"golden {normalise(case.asked)}", case.asked, GOLDEN)


def meaning(case: Message) -> str:
    """What a message of those sets means."""
    if case.level == QUIET:
        return QUIET
    return SUBJECTS.get(case.subject) or f"{'baby' if case.subject.startswith('baby') else 'adult'}-{case.level}"


def medquad(folder: Path) -> tuple[list[str], list[str]]:
    """MedQuAD's distinct questions: the sample false alarms are counted on, and the rest."""
    questions = sorted({row["question"] for row in rows(folder / "medquad" / "qa.jsonl")})
    random.Random(11).shuffle(questions)
    return questions[:SAMPLE], questions[SAMPLE:]


def asked(folder: Path, luck: random.Random) -> Iterator[Example]:
    """Questions people put to documents: none is a red flag."""
    squad = [row["question"] for row in rows(folder / "squad2" / "qa.jsonl")]
    canard = [row["rewrite"] for row in rows(folder / "canard" / "dev.jsonl")]
    feeding = [row["question"] for row in rows(folder / "infant_feeding" / "question_headings.jsonl")]
    for name, questions, most in (
        ("medquad", medquad(folder)[1], 2200),
        ("squad2", squad, 900),
        ("canard", canard, 700),
        ("infant_feeding", feeding, 50),
    ):
        for text in luck.sample(sorted(set(questions)), min(most, len(set(questions)))):
            yield Example(QUIET, f"{name} {text}", text, PUBLIC)


def ours(rules: tuple[Rule, ...], luck: random.Random, most: int = 3500) -> Iterator[Example]:
    """Questions we wrote about MedQuAD's pages, as visitors would: none that a pattern calls urgent is taken."""
    lines = (line for path in sorted(OURS.glob("*.txt")) for line in path.read_text(encoding="utf-8").splitlines())
    questions = sorted({line.split(" | ")[1].strip() for line in lines if " | " in line})
    for text in luck.sample(questions, most):
        rule = triage(text, (), rules)
        if text and not (rule and rule.kind == Kind.URGENT):
            yield Example(QUIET, f"ours {text}", text, PUBLIC)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, one a line."""
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)
