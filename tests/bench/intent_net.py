"""The net of bot/intent.py while it is trained: what it reads of every sentence, its layers, and its rounding to bytes.

Comes in: `Example`s and an encoder. Goes out: trained `Net`s in the form the bot reads. A message of several sentences
is flagged where any one of them is: of a red flag's message only the sentence that flags most is learnt from (hard
multiple-instance learning, Andrews et al. 2002), of a quiet one every sentence is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from bot.intent import Model, Net, chunks, figures
from index.contract import Encoder, FloatMatrix
from tests.bench.intent_data import Example

LOOKS, HIDDEN, ROUNDS, BATCH = 96, 64, 25, 192
DROPPED, RATE, DECAY, SMOOTH = 0.5, 3e-3, 3e-2, 0.02
SHARP = 4.0  # what peaks are multiplied with, to stand beside means of length 4

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sentences:
    """The s sentences of all examples: `owner` (s,) their example, `first` (s + 1,) where the pieces of each begin.

    `pieces` are all their vectors one after another; `means`, `cues` as in `Places`; `words` the phrases each holds.
    """

    owner: Numbers
    first: Numbers
    pieces: torch.Tensor
    means: torch.Tensor
    cues: torch.Tensor
    words: list[Numbers]


def measure(examples: Sequence[Example], encoder: Encoder, model: Model) -> Sentences:
    """Every sentence as the bot will read it; `model` gives the cues and phrases."""
    owner, pieces, means, cues, words = [], [], [], [], []
    for number, example in enumerate(examples):
        for chunk in chunks(example.text):
            read = figures(example.text, chunk, encoder.tokens([example.text[slice(*chunk)]])[0], [chunk], model)
            if len(read.vectors):
                owner.append(number)
                pieces.append(read.vectors)
                means.append(read.means[0])
                cues.append(read.cues[0])
                words.append(np.flatnonzero(read.words[0]))
    return Sentences(
        np.array(owner),
        np.cumsum([0, *map(len, pieces)]),
        torch.tensor(np.concatenate(pieces)),
        torch.tensor(np.array(means)),
        torch.tensor(np.array(cues)),
        words,
    )


class Layers(torch.nn.Module):
    """What `bot.intent.Net` computes, with dropout."""

    def __init__(self, given: Sentences, phrases: int, meanings: int) -> None:
        super().__init__()
        dim = given.means.shape[1]
        self.given = given
        self.look = torch.nn.Linear(dim, LOOKS)
        self.hidden = torch.nn.Linear(dim + LOOKS + given.cues.shape[1], HIDDEN)
        self.out = torch.nn.Linear(HIDDEN, meanings)
        self.words = torch.nn.Parameter(torch.zeros(phrases, meanings))
        self.few, self.many = torch.nn.Dropout(0.15), torch.nn.Dropout(DROPPED)

    def forward(self, rows: Numbers) -> torch.Tensor:
        """(n, meanings) raw outputs for n sentences."""
        given, lengths = self.given, self.given.first[rows + 1] - self.given.first[rows]
        row, place = np.repeat(np.arange(len(rows)), lengths), np.concatenate([np.arange(each) for each in lengths])
        seen = self.look(given.pieces[torch.tensor(np.repeat(given.first[rows], lengths) + place)]) * SHARP
        peaks = torch.zeros(len(rows), int(lengths.max()), LOOKS).index_put(
            (torch.tensor(row), torch.tensor(place)), seen
        )
        read = torch.cat([given.means[rows], torch.relu(peaks.amax(1)), given.cues[rows]], 1)
        raw: torch.Tensor = self.out(self.many(torch.relu(self.hidden(self.few(read)))))
        held = torch.zeros(len(rows), len(self.words))
        for at, number in enumerate(rows):
            kept = self.given.words[number]
            if self.training:
                kept = kept[(torch.rand(len(kept)) > DROPPED).numpy()]
            held[at, kept] = 1 / max(len(kept), 1) ** 0.5
        return raw + held @ self.words


def train(given: Sentences, labels: Numbers, weights: FloatMatrix, quiet: int, model: Model, seed: int) -> Net:
    """One net, by weighted cross-entropy over the examples whose weight is not 0."""
    torch.manual_seed(seed)
    layers = Layers(given, len(model.phrases), len(model.meanings))
    mine = np.flatnonzero(weights[given.owner] > 0)
    several = (np.bincount(given.owner, minlength=len(labels)) > 1) & (labels != quiet)
    unsettled = mine[several[given.owner[mine]]]
    wanted, heavy = torch.tensor(labels), torch.tensor(weights)
    steps = torch.optim.AdamW(layers.parameters(), lr=RATE, weight_decay=DECAY)
    most = ROUNDS * (len(mine) // BATCH + 1)
    pace = torch.optim.lr_scheduler.OneCycleLR(steps, max_lr=RATE, total_steps=most, pct_start=0.1)
    for _ in range(ROUNDS):
        learnt = np.setdiff1d(mine, _lesser(layers, unsettled, quiet))
        for rows in np.array_split(learnt[torch.randperm(len(learnt)).numpy()], max(1, len(learnt) // BATCH)):
            owners = given.owner[rows]
            loss = torch.nn.functional.cross_entropy(
                layers.train()(rows), wanted[owners], reduction="none", label_smoothing=SMOOTH
            )
            steps.zero_grad()
            ((loss * heavy[owners]).sum() / heavy[owners].sum()).backward()  # type: ignore[no-untyped-call]
            steps.step()
            pace.step()
    return rounded(layers)


def _lesser(layers: Layers, rows: Numbers, quiet: int) -> Numbers:
    """Of the sentences of messages of several, all but the one of each that flags most."""
    if not len(rows):
        return rows
    with torch.no_grad():
        flags = 1 - layers.eval()(rows).softmax(1)[:, quiet].numpy()
    order = np.lexsort((-flags, layers.given.owner[rows]))
    owners = layers.given.owner[rows[order]]
    lesser: Numbers = rows[order[1:][owners[1:] == owners[:-1]]]
    return lesser


def rounded(layers: Layers) -> Net:
    """The layers as the bot reads them, each matrix in 255 steps."""
    raw = {
        "look": layers.look.weight.T * SHARP,
        "least": layers.look.bias[None] * SHARP,
        "hidden": layers.hidden.weight.T,
        "bias": layers.hidden.bias[None],
        "out": layers.out.weight.T,
        "last": layers.out.bias[None],
        "words": layers.words,
    }
    return Net(**{name: _stepped(values.detach().numpy()) for name, values in raw.items()})


def _stepped(values: FloatMatrix) -> FloatMatrix:
    """Values in whole steps of a 127th of the greatest."""
    step = float(np.abs(values).max()) / 127 or 1.0
    stepped: FloatMatrix = (np.rint(values / step) * step).astype(np.float32)
    return stepped
