"""Places in messages with what they mean, to train on: from exemplars, golden messages and public questions.

Comes in: `bot/rules/exemplars.txt`, `tests/golden/triage.txt`, a folder of public data. Goes out: `Example`s. What
is measured on is left out: 2,000 sampled MedQuAD questions, XSTest, SimpleSafetyTests, clinicaflow and the other
golden messages.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.intent import QUIET, Span, spans
from bot.reply import Kind, Rule
from bot.triage import normalise

ROOT = Path(__file__).parents[2]
EXEMPLARS = ROOT / "bot" / "rules" / "exemplars.txt"
SEEN = ROOT / "tests" / "golden" / "triage.txt"
EACH = 14  # sentences made of one line of exemplars, at most
LONGEST = 18  # words of a golden red flag that is taken whole; of a longer one nobody says where the sign stands
SAMPLE = 2000  # MedQuAD questions that false alarms are counted on
BEFORE = (
    *("hi, ", "hello. ", "sorry to bother you but ", "it's probably nothing but ", "i think ", "help, "),
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
_CHOICE = re.compile(r"\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Example:
    """A place in a message and what it means; `group` keeps what comes of one line on one side of a split."""

    meaning: str
    group: str
    text: str
    span: Span


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
    return [*written(luck), *golden(rules), *asked(folder, luck)]


def written(luck: random.Random) -> Iterator[Example]:
    """The exemplars as people type: with slips, in capitals, played down, beside something else."""
    lines = exemplars()
    quiet = [said for meaning, said in lines if meaning == QUIET]
    for number, (meaning, said) in enumerate(lines):
        for text in spell_out(said, EACH, luck):
            if luck.random() < 0.2:
                text = slipped(text, luck)
            if luck.random() < 0.25:
                text = luck.choice(BEFORE) + text
            if luck.random() < 0.2:
                text += luck.choice(AFTER)
            start, end = 0, len(text)
            if luck.random() < 0.3:
                beside = spell_out(luck.choice(quiet), 1, luck)[0]
                if luck.random() < 0.5:
                    text = f"{beside}. {text}"
                    start, end = len(beside) + 2, len(text)
                else:
                    text = f"{text}. {beside}"
            yield Example(meaning, f"exemplar {number}", text, (start, end))


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
    """The messages rules were written against: red flags whole, of the others each sentence and clause."""
    known = {rule.id: rule for rule in rules}
    for line in SEEN.read_text(encoding="utf-8").splitlines():
        names, bar, text = line.partition(" | ")
        if line.startswith("#") or not bar or " ;; " in text:
            continue
        rule, text = known.get(names.split("/")[0]), normalise(text)
        if rule and rule.kind == Kind.URGENT:
            if len(text.split()) <= LONGEST:
                yield Example(MEANINGS[rule.say], f"golden {text}", text, (0, len(text)))
        else:
            yield from (Example(QUIET, f"golden {text}", text, span) for span in spans(text, (0, len(text))))


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
            yield Example(QUIET, f"{name} {text}", text, (0, len(text)))


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, one a line."""
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)
