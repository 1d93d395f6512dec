"""Trains the parameters of bot/intent.py: python -m tests.bench.train_intent DATA

Comes in: the exemplars, the golden messages and a folder of public data. Goes out: `bot/intent.toml`. The thresholds
are set by five-fold cross-validation over the lines, so that no message is judged by a model that was trained on it.
Runs in some minutes on one core.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import torch

from bot.intent import PARAMETERS, QUIET, Model, figures, load_model
from bot.settings import hush
from bot.spelling import SHORTEST
from bot.triage import load_rules
from bot.words import Words
from index.contract import Encoder, FloatMatrix
from index.encode import BUNDLED, prepare
from tests.bench.intent_data import Example, exemplars, load

HIDDEN, NETS, ROUNDS, FOLDS = 32, 3, 25, 5
QUIET_KEPT = 0.97  # of the quiet places people wrote, exemplars and golden messages, in cross-validation
LEAST, MOST = 0.5, 0.6  # bounds of the threshold, whatever the quantile: a miss is worse than a false alarm
LEVELS = (0.4, 0.5, 0.6, 0.75)  # that the file reports on
SURE = 0.9
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
    "tests/golden/triage.txt",
    "MedQuAD, less the sample measured on (github.com/abachaa/MedQuAD, CC BY 4.0): questions",
    "SQuAD 2.0 (github.com/chrischute/squad, CC BY-SA 4.0): questions",
    "CANARD (github.com/aagohary/canard, CC BY-SA 4.0): questions",
    "CDC and MyPlate pages on feeding infants (github.com/CaptainDashenka/InfantNutrition_Chatbot): headings",
)
LOG = logging.getLogger(__name__)


def measure(examples: Sequence[Example], encoder: Encoder) -> FloatMatrix:
    """(n, f): the figures of each example's span, as the bot will see them."""
    cues = [re.compile(cue) for cue in CUES]
    tokens = encoder.tokens([example.text for example in examples])
    found = [
        figures(one.text, (0, len(one.text)), seen, [one.span], cues)[0]
        for one, seen in zip(examples, tokens, strict=True)
    ]
    return np.array(found, dtype=np.float32)


def train(x: FloatMatrix, y: FloatMatrix, meanings: int, seed: int) -> torch.nn.Sequential:
    """One net by cross-entropy: a hidden layer, rectified, half dropped out."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(HIDDEN, meanings)
    )
    steps = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=3e-2)
    given, wanted = torch.tensor(x), torch.tensor(y)
    for _ in range(ROUNDS):
        for rows in torch.randperm(len(x)).split(128):  # type: ignore[no-untyped-call]  # torch left it untyped
            loss = torch.nn.functional.cross_entropy(net(given[rows]), wanted[rows], label_smoothing=0.02)
            steps.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # as above
            steps.step()
    return net.eval()


def rounded(net: torch.nn.Sequential) -> list[tuple[npt.NDArray[np.int8], float]]:
    """The net's four matrices in whole steps of a signed byte, with the value of a step."""
    found = []
    for layer in (net[0], net[3]):
        assert isinstance(layer, torch.nn.Linear)
        for values in (layer.weight.detach().numpy().T, layer.bias.detach().numpy()[None]):
            step = float(np.abs(values).max() / 127)
            found.append((np.rint(values / step).astype(np.int8), step))
    return found


def model(nets: Sequence[torch.nn.Sequential], meanings: Sequence[str], threshold: float) -> Model:
    """The nets as the bot reads them, rounding included."""
    shaped = []
    for net in nets:
        hidden, bias, out, last = (steps.astype(np.float32) * step for steps, step in rounded(net))
        shaped.append((hidden, bias[0], out, last[0]))
    return Model(BUNDLED, tuple(meanings), tuple(map(re.compile, CUES)), tuple(shaped), threshold, SURE, ())


def crossed(examples: Sequence[Example], x: FloatMatrix, y: FloatMatrix, meanings: Sequence[str]) -> FloatMatrix:
    """(n,): the probability of a red flag in each example, by nets that saw nothing of its line."""
    fold = np.array([int(hashlib.sha256(one.group.encode()).hexdigest(), 16) % FOLDS for one in examples])
    flags = np.zeros(len(examples), dtype=np.float32)
    for held in range(FOLDS):
        mine = fold == held
        nets = [train(x[~mine], y[~mine], len(meanings), seed) for seed in range(NETS)]
        flags[mine] = 1 - model(nets, meanings, 0.5).judge(x[mine])[:, meanings.index(QUIET)]
        LOG.info("fold %d of %d", held + 1, FOLDS)
    return flags


def main() -> None:
    """Gather, cross-validate, train on everything, write the file."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    hush()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        encoder, _ = prepare(BUNDLED, Path(folder))
    examples = load(parser.parse_args().data, load_rules(Words.load()))
    meanings = sorted({example.meaning for example in examples})
    x = measure(examples, encoder)
    y = np.array([meanings.index(example.meaning) for example in examples])
    LOG.info("%d examples", len(examples))
    flags = crossed(examples, x, y, meanings)
    quiet = y == meanings.index(QUIET)
    own = quiet & np.array([one.group.startswith(("exemplar", "golden")) for one in examples])
    threshold = round(min(max(float(np.quantile(flags[own], QUIET_KEPT)), LEAST), MOST), 2)
    notes = [
        f"cross-validated over lines, at {level:.2f}: {np.mean(flags[~quiet] >= level):.3f} of {int((~quiet).sum())} "
        f"red-flag places found, {np.mean(flags[own] >= level):.3f} of {int(own.sum())} quiet ones people wrote flagged"
        for level in LEVELS
    ]
    for kind in ("exemplar", "golden", "medquad", "squad2", "canard"):
        mine = np.array([one.group.startswith(kind) for one in examples])
        if (mine & ~quiet).any():
            found = np.mean(flags[mine & ~quiet] >= LEVELS[-1])
            notes.append(f"{kind}, at {LEVELS[-1]}: {found:.3f} of {int((mine & ~quiet).sum())} found")
        alarms = np.mean(flags[mine & quiet] >= LEVELS[-1])
        notes.append(f"{kind}, at {LEVELS[-1]}: {alarms:.4f} of {int((mine & quiet).sum())} quiet flagged")
    for note in notes:
        LOG.info(note)
    nets = [train(x, y, len(meanings), seed) for seed in range(NETS)]
    PARAMETERS.write_text(_file(nets, meanings, threshold, notes), encoding="utf-8")
    load_model.cache_clear()
    load_model()


def vocabulary() -> list[str]:
    """The longer words red flags are told in, the most frequent first: what a slip of the finger may have meant."""
    flags = [said for meaning, said in exemplars() if meaning != QUIET]
    counts = Counter(word for said in flags for word in re.findall(r"[a-z]+", said.casefold()))
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if len(word) >= SHORTEST]


def _file(nets: Sequence[torch.nn.Sequential], meanings: Sequence[str], threshold: float, notes: Sequence[str]) -> str:
    lines = [
        "# Trained parameters of bot/intent.py. Written by the recipe below; do not edit.",
        f"threshold = {threshold}",
        f"sure = {SURE}",
        "words = [",
        *(
            f"    {json.dumps(list(words))[1:-1]},"
            for words in (words[at : at + 10] for words in [vocabulary()] for at in range(0, len(words), 10))
        ),
        "]",
        f"meanings = {json.dumps(list(meanings))}",
        "cues = [",
        *(f"    {json.dumps(cue)}," for cue in CUES),
        "]",
        "",
        "[made]",
        f"date = {date.today().isoformat()}",
        'recipe = "python -m tests.bench.train_intent DATA"',
        f'encoder = "{BUNDLED}"',
        f'threshold = "leaves {QUIET_KEPT:.0%} of the quiet exemplars alone, within {LEAST} and {MOST}"',
        "data = [",
        *(f"    {json.dumps(each)}," for each in DATA),
        "]",
        "measured = [",
        *(f"    {json.dumps(note)}," for note in notes),
        "]",
    ]
    for net in nets:
        lines += ["", "[[net]]"]
        for name, (steps, step) in zip(("hidden", "bias", "out", "last"), rounded(net), strict=True):
            text = base64.b64encode(steps.tobytes()).decode()
            shape = list(steps.shape)
            lines.append(f'{name} = {{ shape = {shape}, step = {step:.8g}, bytes = "{text}" }}')
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
