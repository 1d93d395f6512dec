"""Trains the parameters of bot/intent.py: python -m tests.bench.train_intent DATA

Comes in: the exemplars, the golden messages and a folder of public data. Goes out: `bot/intent.toml`. Its three levels
are set by the third set of messages, which nothing is trained on and no one has read; what is reported is measured on
the fourth. Runs in some ten minutes on one core.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import math
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
from bot.reply import Kind, Turn
from bot.settings import hush
from bot.spelling import SHORTEST
from bot.triage import load_rules, triage
from bot.words import Words
from index.contract import Encoder, FloatMatrix
from index.encode import BUNDLED, prepare
from tests.bench.intent_data import SEEN, Example, exemplars, load
from tests.bench.intent_net import Numbers, Sentences, measure, train
from tests.safety_cases import LEVELS, messages

NETS = 2
LEVELS_BY = SEEN.with_name("triage-third.txt")
# Of that set's red flags: the share a signpost has to catch, and with it a word of caution. What a pattern found is
# doubted only below half of what the model gives any of them: a miss is worse than a false alarm.
CAUGHT, POINTED, DOUBTED = 0.98, 0.995, 0.5
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
    """A message of the third set: its level, whether a pattern calls it urgent, how likely the model holds that."""

    level: str
    named: bool
    flag: float

    def told(self, model: Model) -> str:
        """What it gets at a model's levels: "signpost", "caution" or ""."""
        if self.named:
            return "signpost" if self.flag >= model.doubt else "caution"
        return "signpost" if self.flag >= model.threshold else "caution" if self.flag >= model.unsure else ""


class Watch(Intent):
    """Reads as the bot does and keeps the highest probability it found."""

    most = 0.0

    def read(self, text: str, hidden: Sequence[Span] = ()) -> Sense:
        """What a message means."""
        sense = super().read(text, hidden)
        self.most = max(self.most, sense.flag)
        return sense


def probes(model: Model, encoder: Encoder) -> Iterator[Probe]:
    """The third set, read with all levels out of reach, so that only patterns make a signpost."""
    rules = load_rules(Words.load())
    for case in messages(LEVELS_BY):
        watch = Watch(replace(model, threshold=2.0, unsure=2.0, doubt=0.0), encoder)
        rule = triage(case.asked, [Turn(turn) for turn in case.before], rules, watch)
        yield Probe(case.level, bool(rule and rule.kind == Kind.URGENT), watch.most)


def levelled(model: Model, asked: Sequence[Probe]) -> Model:
    """The model with the highest levels that catch what CAUGHT and POINTED ask for."""
    flags = [probe for probe in asked if probe.level != QUIET]
    unnamed = sorted((probe.flag for probe in flags if not probe.named), reverse=True)
    named = len(flags) - len(unnamed)

    def level(share: float) -> float:
        more = math.ceil(share * len(flags)) - named
        return math.floor(unnamed[more - 1] * 1000) / 1000 if more > 0 else 1.0

    doubt = DOUBTED * min(probe.flag for probe in flags if probe.named)
    return replace(model, threshold=level(CAUGHT), unsure=level(POINTED), doubt=math.floor(doubt * 1000) / 1000)


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
    shape = Model(BUNDLED, meanings, cues, held_phrases(examples), (), 2, 2, 0, tuple(vocabulary()))
    LOG.info("%d examples, %d phrases", len(examples), len(shape.phrases))
    labels = np.array([meanings.index(example.meaning) for example in examples])
    targets = labels, np.array([example.weight for example in examples], dtype=np.float32)
    learnt = replace(shape, nets=several(measure(examples, encoder, shape), targets, shape))
    asked = list(probes(learnt, encoder))
    learnt = levelled(learnt, asked)
    notes = [_note(level, asked, learnt) for level in LEVELS]
    for note in notes:
        LOG.info(note)
    PARAMETERS.write_text(_file(learnt, notes), encoding="utf-8")
    load_model.cache_clear()
    load_model()


def _note(level: str, asked: Sequence[Probe], model: Model) -> str:
    """What the third set's messages of one level get."""
    told = [probe.told(model) for probe in asked if probe.level == level]
    return f"{level}: {told.count('signpost')} signposts and {told.count('caution')} cautions of {len(told)}"


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
        f"doubt = {model.doubt}",
        *_list("words", model.words, 10),
        *_list("phrases", tuple(model.phrases), 10),
        *_list("meanings", model.meanings, 10),
        *_list("cues", [cue.pattern for cue in model.cues], 1),
        "",
        "[made]",
        f"date = {date.today().isoformat()}",
        'recipe = "python -m tests.bench.train_intent DATA"',
        f'encoder = "{model.encoder}"',
        f'levels = "set by {LEVELS_BY.name}: signpost {CAUGHT:.1%} of red flags, or warn {POINTED:.1%}"',
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
