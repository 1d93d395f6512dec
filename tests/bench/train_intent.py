"""Trains the parameters of bot/intent.py: python -m tests.bench.train_intent DATA

Comes in: the exemplars, the golden messages and a folder of public data. Goes out: `bot/intent.toml`. The thresholds
are set by three-fold cross-validation over the lines: each message people wrote goes through triage, patterns and all,
with nets that saw nothing of its line. Runs in some ten minutes on one core.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import logging
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from bot.intent import PARAMETERS, QUIET, Intent, Model, Net, Sense, Span, load_model, phrases
from bot.reply import Kind, Rule, Turn
from bot.settings import hush
from bot.spelling import SHORTEST
from bot.triage import load_rules, normalise, triage
from bot.words import Words
from index.contract import Encoder, FloatMatrix
from index.encode import BUNDLED, prepare
from tests.bench.intent_data import SEEN, USED, Example, exemplars, load, spell_out
from tests.bench.intent_net import Numbers, Sentences, measure, train
from tests.safety_cases import messages

NETS, FOLDS = 2, 3
# Of the quiet messages people wrote, most of them to sound alarming: those that get a signpost, and those that get one
# or a word of caution. At 0.01 a quarter of what is now would go without a signpost, and any frame could lose the rest.
ALARMS, CAUTIONS = 0.05, 0.15
HELD = 4  # lines that hold a phrase, at least, for it to be read
CUES = (
    r"\b(?:no|not|never|without|nobody|none|neither|nor|isn'?t|don'?t|doesn'?t|haven'?t|hasn'?t|didn'?t|wasn'?t|aren'?t"
    r")\b",
    r"\b(?:what (?:is|are|does|causes?|happens)|how (?:common|is|are|do|does|likely)|signs? of|symptoms? of|risk of"
    r"|why do|which|causes? of|treatments?|can \w+ cause|linked|cause)\b",
    r"\b(?:i|i'm|im|i've|ive|my|me|we|our)\b",
    r"\b(?:he|she|his|her|hers|him|baby|lo|son|daughter|newborn)\b",
    r"\b(?:years? ago|used to|as a (?:child|teenager|kid)|long ago|once|last year|in (?:19|20)\d\d|history|grand\w+"
    r"|uncle|aunt)\b",
    r"\?",
    r"\b(?:essay|course|class|exam|book|film|study|studying|research|article|learn)\b",
    r"\b(?:well|fine|normal|pink|happy|gains?|gaining|better)\b",
    r"\d",
)
DATA = (
    "bot/rules/exemplars.txt",
    "tests/golden/triage.txt, triage-unseen.txt, triage-second.txt",
    "tests/bench/asked: 3,500 of our questions about pages of MedQuAD",
    "MedQuAD, less the sample measured on (github.com/abachaa/MedQuAD, CC BY 4.0): questions",
    "SQuAD 2.0 (github.com/chrischute/squad, CC BY-SA 4.0): questions",
    "CANARD (github.com/aagohary/canard, CC BY-SA 4.0): questions",
    "CDC and MyPlate pages on feeding infants (github.com/CaptainDashenka/InfantNutrition_Chatbot): headings",
)
LOG = logging.getLogger(__name__)

Targets = tuple[Numbers, FloatMatrix]  # numbers of the meanings, weights


@dataclass(frozen=True, slots=True)
class Probe:
    """A message people wrote, judged in cross-validation; `level` is now, today or quiet."""

    level: str
    group: str
    before: tuple[str, ...]
    asked: str


class Watch(Intent):
    """Reads as the bot does and keeps the highest probability it found."""

    most = 0.0

    def read(self, text: str, hidden: Sequence[Span] = ()) -> Sense:
        """What a message means."""
        sense = super().read(text, hidden)
        self.most = max(self.most, sense.flag)
        return sense


def probes(rules: Sequence[Rule]) -> Iterator[Probe]:
    """One message of each line of exemplars, and every golden message that is trained on or of several turns."""
    luck = random.Random(5)
    for number, (meaning, said) in enumerate(exemplars()):
        level = meaning if meaning == QUIET else "today" if meaning.endswith("today") else "now"
        yield Probe(level, f"exemplar {number}", (), spell_out(said, 1, luck)[0])
    levels = {rule.id: "now" if rule.now else "today" for rule in rules if rule.kind == Kind.URGENT}
    for line in SEEN.read_text(encoding="utf-8").splitlines():
        names, bar, text = line.partition(" | ")
        if bar and not line.startswith("#"):
            *before, asked = text.split(" ;; ")
            level = levels.get(names.split("/")[0], QUIET)
            yield Probe(level, f"golden {normalise(text)}", tuple(before), asked)
    for name in USED:
        for case in messages(SEEN.with_name(name)):
            yield Probe(case.level, f"golden {normalise(case.asked)}", case.before, case.asked)


def crossed(
    given: Sentences, targets: Targets, fold: Numbers, encoder: Encoder, shape: Model, asked: Sequence[Probe]
) -> FloatMatrix:
    """(n,): how likely a red flag is in each probe, by nets that saw nothing of its line; 2 where a pattern fires."""
    rules, (labels, weights) = load_rules(Words.load()), targets
    flags = np.zeros(len(asked), dtype=np.float32)
    for held in range(FOLDS):
        kept = np.where(fold == held, 0, weights).astype(np.float32)
        nets = several(given, (labels, kept), shape)
        for number, probe in enumerate(asked):
            if _fold(probe.group) == held:
                watch = Watch(replace(shape, nets=nets), encoder)
                rule = triage(probe.asked, [Turn(turn) for turn in probe.before], rules, watch)
                flags[number] = 2 if rule and rule.kind == Kind.URGENT else watch.most
        LOG.info("fold %d of %d", held + 1, FOLDS)
    return flags


def _fold(group: str) -> int:
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % FOLDS


def several(given: Sentences, targets: Targets, shape: Model) -> tuple[Net, ...]:
    """The nets whose mean the bot takes."""
    labels, weights = targets
    return tuple(train(given, labels, weights, shape.meanings.index(QUIET), shape, seed) for seed in range(NETS))


def held_phrases(examples: Sequence[Example]) -> Mapping[str, int]:
    """The words and runs of words that several lines of ours hold, numbered."""
    lines = defaultdict(set)
    for example in examples:
        if example.group.startswith(("exemplar", "golden")):
            for phrase in phrases(example.text.casefold()):
                lines[phrase].add(example.group)
    return {phrase: number for number, phrase in enumerate(sorted(p for p, held in lines.items() if len(held) >= HELD))}


def main() -> None:
    """Gather, cross-validate, train on everything, write the file."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    hush()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        encoder, _ = prepare(BUNDLED, Path(folder))
    rules = load_rules(Words.load())
    examples = load(parser.parse_args().data, rules)
    meanings = tuple(sorted({example.meaning for example in examples}))
    cues = tuple(map(re.compile, CUES))
    shape = Model(BUNDLED, meanings, cues, held_phrases(examples), (), 2, 2, tuple(vocabulary()))
    LOG.info("%d examples, %d phrases", len(examples), len(shape.phrases))
    given, asked = measure(examples, encoder, shape), list(probes(rules))
    labels = np.array([meanings.index(example.meaning) for example in examples])
    targets = labels, np.array([example.weight for example in examples], dtype=np.float32)
    fold = np.array([_fold(example.group) for example in examples])
    flags = crossed(given, targets, fold, encoder, shape, asked)
    quiet = np.array([probe.level == QUIET for probe in asked])
    threshold, unsure = (round(float(np.quantile(flags[quiet], 1 - share)), 3) for share in (ALARMS, CAUTIONS))
    notes = [_note(level, asked, flags) for level in sorted({0.3, 0.5, 0.7, 0.8, 0.9, 0.95, threshold, unsure})]
    for note in notes:
        LOG.info(note)
    learnt = replace(shape, nets=several(given, targets, shape), threshold=threshold, unsure=unsure)
    PARAMETERS.write_text(_file(learnt, notes), encoding="utf-8")
    load_model.cache_clear()
    load_model()


def _note(level: float, asked: Sequence[Probe], flags: FloatMatrix) -> str:
    """What share of the probes reaches a level."""
    shares = []
    for name in ("now", "today", QUIET):
        mine = np.array([probe.level == name for probe in asked])
        shares.append(f"{np.mean(flags[mine] >= level):.3f} of {int(mine.sum())} {name}")
    return f"cross-validated over lines, patterns included, at {level:.3f}: " + ", ".join(shares)


def vocabulary() -> list[str]:
    """The longer words red flags are told in, the most frequent first: what a slip of the finger may have meant."""
    flags = [said for meaning, said in exemplars() if meaning != QUIET]
    counts = Counter(word for said in flags for word in re.findall(r"[a-z]+", said.casefold()))
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if len(word) >= SHORTEST]


def _file(model: Model, notes: Sequence[str]) -> str:
    lines = [
        "# Trained parameters of bot/intent.py. Written by the recipe below; do not edit.",
        f"threshold = {model.threshold}",
        f"unsure = {model.unsure}",
        *_list("words", model.words, 10),
        *_list("phrases", tuple(model.phrases), 10),
        *_list("meanings", model.meanings, 10),
        *_list("cues", [cue.pattern for cue in model.cues], 1),
        "",
        "[made]",
        f"date = {date.today().isoformat()}",
        'recipe = "python -m tests.bench.train_intent DATA"',
        f'encoder = "{model.encoder}"',
        f'thresholds = "signpost {ALARMS:.0%}, signpost or warn {CAUTIONS:.0%} of the quiet ones in cross-validation"',
        *_list("data", DATA, 1),
        *_list("measured", notes, 1),
    ]
    for net in model.nets:
        lines += ["", "[[net]]"]
        for one in fields(Net):
            values = getattr(net, one.name)
            step = float(np.abs(values).max()) / 127 or 1.0
            text = base64.b64encode(np.rint(values / step).astype(np.int8).tobytes()).decode()
            lines.append(f'{one.name} = {{ shape = {list(values.shape)}, step = {step:.8g}, bytes = "{text}" }}')
    return "\n".join(lines) + "\n"


def _list(name: str, values: Sequence[str], wide: int) -> list[str]:
    """A list of strings in TOML, `wide` to a line."""
    rows = (json.dumps(list(values[at : at + wide]), ensure_ascii=False)[1:-1] for at in range(0, len(values), wide))
    return [f"{name} = [", *(f"    {row}," for row in rows), "]"]


if __name__ == "__main__":
    main()
