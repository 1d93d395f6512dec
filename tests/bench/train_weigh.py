"""Train what `weigh` weighs with, and write `bot/weights.toml`.

Run: `python -m tests.bench.train_weigh DATA` with a folder of public data as tests/bench/weigh_data.py describes it,
after tests/bench/train_scorer.py. Takes about twenty minutes on one core. Same data, same encoder, same scorer, same
file. The glance is learnt on questions the scorer was trained on; trust on others, because what it says of a sentence
it has learnt by heart is worth nothing. Of the golden cases it sees the [tune] part of
tests/golden/dev.txt, to set the threshold by, and no other.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bot.bot import Bot
from bot.features import NAMES, Scale, Seen, ask, context, features, see
from bot.measure import load_cases
from bot.measure import measure as score
from bot.scorer import load_scorer, pair
from bot.settings import BUNDLED as BUNDLED_DOCUMENTS
from bot.weigh import READ, WEIGHTS, load_weights
from corpus.document import Passage
from index.contract import Encoder, FloatMatrix
from index.encode import BUNDLED, prepare
from index.index import build
from index.scale import calibrate
from tests.bench.weigh_data import LIMIT, Case, load, part

LOG = logging.getLogger("train_weigh")
TOP = 4  # passages weighed a question
SHARED = 4  # one in so many of the questions the scorer was trained on is enough for the glance
REFUSED = 0.92  # share of the tune part's near misses that the threshold refuses
RIDGE = 30.0
GOLDEN = Path(__file__).parents[1] / "golden" / "dev.txt"
PRIOR = 0.6  # what a sentence of the kind asked for gains before the data speaks: there is little of each kind
SHARE = {"squad2": 0.3, "covid_qa": 0.3}
DATA = (
    "SQuAD 2.0 (github.com/chrischute/squad, CC BY-SA 4.0)",
    "COVID-QA (github.com/deepset-ai/COVID-QA, Apache-2.0; articles CC)",
    "MedQuAD (github.com/abachaa/MedQuAD, CC BY 4.0), and questions of our own about its pages (tests/bench/asked)",
)


@dataclass(frozen=True)
class Row:
    """One case as figures: a row a sentence, and which of them answer."""

    case: Case
    figures: FloatMatrix
    answers: FloatMatrix
    pairs: tuple[tuple[str, str], ...]


class Shelf:
    """Passages through the encoder, each once."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.seen: dict[str, Seen] = {}
        self.kept: dict[str, FloatMatrix] = {}

    def embed(self, passages: Sequence[Passage]) -> None:
        """Vectors of texts and sentences, all at once, which is faster."""
        new = list({p.id: p for p in passages if p.id not in self.kept}.values())
        texts = [text for p in new for text in (context("", p), *(s.text for s in p.sentences))]
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        found = np.zeros((len(texts), 0), dtype=np.float32)
        if texts:
            ranked = self.encoder.encode([texts[place] for place in order])
            found = np.empty_like(ranked)
            found[order] = ranked
        start = 0
        for p in new:
            end = start + 1 + len(p.sentences)
            self.kept[p.id], start = found[start:end], end

    def look(self, passages: Sequence[Passage]) -> list[Seen]:
        """Token vectors of these passages."""
        new = [p for p in passages if p.id not in self.seen]
        for p, tokens in zip(new, self.encoder.tokens([context("", p) for p in new]), strict=True):
            self.seen[p.id] = see("", p, tokens)
        return [self.seen[p.id] for p in passages]


def measure(cases: Sequence[Case], encoder: Encoder, scale: Scale, shelf: Shelf) -> list[Row]:
    """Each case as figures, over the TOP passages that a dense search brings."""
    shelf.embed([passage for case in cases for passage in case.pool])
    LOG.info("%d passages embedded", len(shelf.kept))
    every = list(shelf.kept)
    stack = np.vstack([shelf.kept[id] for id in every])
    ends = np.cumsum([len(shelf.kept[id]) for id in every])
    place = {id: (end - len(shelf.kept[id]), end) for id, end in zip(every, ends, strict=True)}
    rows = []
    for number, case in enumerate(cases):
        asked = ask(case.question, encoder)
        cosines = stack @ asked.vector
        near = np.array([cosines[slice(*place[passage.id])].max() for passage in case.pool])
        top = [case.pool[number] for number in np.argsort(-near)[:TOP]]
        told = {id for id, _, _ in case.gold}
        if case.answerable and told and not told & {p.id for p in top}:
            top[-1] = next(p for p in case.pool if p.id in told)
        seen = shelf.look(top)
        known = frozenset(stem for each in seen for stem in each.stems)
        found = [features(asked, each, shelf.kept[each.passage.id], scale, known) for each in seen]
        answers = [float((p.id, s.start, s.end) in case.gold) for p in top for s in p.sentences]
        if answers and asked.terms:
            pairs = tuple(
                pair(case.question, s.text, p.headings, p.sentences[number - 1].text if number else "")
                for p in top
                for number, s in enumerate(p.sentences)
            )
            rows.append(Row(case, np.vstack(found), np.array(answers, dtype=np.float32), pairs))
        if number % 2000 == 0:
            LOG.info("%d of %d cases", number, len(cases))
    return rows


def fit(x: FloatMatrix, y: FloatMatrix, weight: FloatMatrix, ridge: float) -> tuple[FloatMatrix, float]:
    """Logistic regression by Newton's method: weights (features,) and a bias."""
    x = np.hstack([x, np.ones((len(x), 1))]).astype(np.float64)
    names = NAMES if x.shape[1] > 2 else ("",)
    kinds = np.array([*(name.startswith("wants_") for name in names), False])
    expected, penalty = np.where(kinds, PRIOR, 0.0), np.where(kinds, 20 * ridge, ridge)
    penalty[-1] = 1e-6
    beta = expected.copy()
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ beta))
        slope = x.T @ (weight * (y - p)) - penalty * (beta - expected)
        step = np.linalg.solve((x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(penalty), slope)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return beta[:-1].astype(np.float32), float(beta[-1])


def even(kinds: Sequence[str]) -> FloatMatrix:
    """Weights that let each kind count the same."""
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    return np.array([len(kinds) / len(counts) / counts[kind] for kind in kinds], dtype=np.float32)


def learn_glance(rows: Sequence[Row]) -> FloatMatrix:
    """Weights (features,) that tell the answering sentence from its neighbours."""
    known = [row for row in rows if row.answers.any()]
    # less the question's own mean: what all its sentences share says nothing about which of them answers
    x = np.vstack([row.figures - row.figures.mean(axis=0) for row in known])
    y = np.hstack([row.answers for row in known])
    return fit(x, y, even([row.case.kind for row in known for _ in row.answers]), RIDGE)[0]


@dataclass(frozen=True)
class Read:
    """A case once its likeliest sentences are read: (n,) logits of the scorer, and which of the n answer."""

    case: Case
    logits: FloatMatrix
    answers: FloatMatrix

    @property
    def best(self) -> int:
        """The sentence that comes first."""
        return int(self.logits.argmax())


def read(rows: Sequence[Row], glance: FloatMatrix) -> list[Read]:
    """The READ likeliest sentences of each case, with what the scorer says of them."""
    scorer, found = load_scorer(), []
    for row in rows:
        places = np.argsort(-(row.figures @ glance), kind="stable")[:READ]
        logits = scorer.predict([row.pairs[place] for place in places])
        found.append(Read(row.case, logits, row.answers[places]))
    return found


@dataclass(frozen=True)
class Trust:
    """The logit of a question's best sentence, times `slope` plus `bias`, gives the log-odds that it answers."""

    slope: float
    bias: float


def learn(cases: Sequence[Read]) -> Trust:
    """From the best sentence of each question, our own counting most."""
    share = np.array([SHARE.get(case.case.kind, 1.0) for case in cases], dtype=np.float32)
    logits = np.array([[case.logits[case.best]] for case in cases])
    slope, bias = fit(logits, np.array([case.answers[case.best] for case in cases]), share, 1e-3)
    return Trust(float(slope[0]), bias)


def auroc(right: FloatMatrix, wrong: FloatMatrix) -> float:
    """The chance that an answerable question scores above one that is not."""
    return float((right[:, None] > wrong).mean())


def figures(cases: Sequence[Read]) -> list[str]:
    """One line a kind of question: how often the best sentence answers, and how well answerable ones are told apart."""
    lines = []
    for kind in sorted({case.case.kind for case in cases}):
        mine = [case for case in cases if case.case.kind == kind]
        right = np.array([case.logits[case.best] for case in mine if case.case.answerable])
        wrong = np.array([case.logits[case.best] for case in mine if not case.case.answerable])
        found = np.mean([case.answers[case.best] for case in mine if case.case.answerable])
        kept = np.mean(right > np.quantile(wrong, REFUSED))
        lines.append(
            f"{kind}: {len(right)} answerable, {len(wrong)} not; best sentence answers {found:.3f}; "
            f"AUROC {auroc(right, wrong):.3f}; answered {kept:.3f} where {REFUSED:.0%} of the others are refused"
        )
    return lines


def threshold(golden: Path) -> float:
    """The lowest confidence that refuses REFUSED of the near misses among the [tune] cases on the bundled article."""
    load_weights.cache_clear()
    with TemporaryDirectory() as folder:
        build(BUNDLED_DOCUMENTS, Path(folder), BUNDLED, LIMIT)
        cases = [case for case in load_cases(golden) if case.part == "tune"]
        outcomes = score(Bot.open(folder), cases).outcomes
    misses = [one.confidence for one in outcomes if one.confidence is not None and one.case.sort == "near-miss"]
    return float(np.quantile(misses, REFUSED, method="higher")) + 1e-4


def main() -> None:
    """Read the data, train, set the threshold, write the file with its figures on questions of no part in it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    with TemporaryDirectory() as folder:
        encoder, _ = prepare(BUNDLED, Path(folder))
    kept = calibrate(encoder)
    every = load(parser.parse_args().data, encoder)
    cases = [case for number, case in enumerate(every) if part(case.group) == "test" or number % SHARED == 0]
    LOG.info("%d cases", len(cases))
    write(measure(cases, encoder, Scale(kept["unrelated"], kept["paraphrase"]), Shelf(encoder)))


def write(rows: Sequence[Row]) -> None:
    """Train on the rows and write the weights file."""
    glance = learn_glance([row for row in rows if part(row.case.group) == "train"])
    unseen = read([row for row in rows if part(row.case.group) == "test"], glance)  # by the scorer too
    told = [case for case in unseen if part(f"{case.case.group} trust") == "train"]
    test = [case for case in unseen if part(f"{case.case.group} trust") == "test"]
    trust = learn(told)
    notes = [f"trust learnt on {len(told)} questions; tested on {len(test)} of other groups:", *figures(test)]
    for note in notes:
        LOG.info(note)
    WEIGHTS.write_text(_file(glance, trust, 0.5, notes), encoding="utf-8")
    WEIGHTS.write_text(_file(glance, trust, threshold(GOLDEN), notes), encoding="utf-8")


def _file(glance: FloatMatrix, trust: Trust, level: float, notes: Sequence[str]) -> str:
    quoted = "".join(f"    {json.dumps(note)},\n" for note in notes)
    text = (
        "# Trained parameters of bot/weigh.py. Written by the recipe below; do not edit.\n"
        f"slope = {trust.slope:.4f}\nbias = {trust.bias:.4f}\nthreshold = {level:.4f}\n\n"
        f"[made]\ndate = {date.today().isoformat()}\n"
        f'recipe = "python -m tests.bench.train_weigh DATA"\nencoder = "{BUNDLED}"\n'
        f"data = [\n{''.join(f'    {json.dumps(each)},' + chr(10) for each in DATA)}]\n"
        f'threshold = "refuses {REFUSED:.0%} of near misses, by [tune] of tests/golden/dev.txt"\n'
        f"measured = [\n{quoted}]\n"
    )
    text += "\n[glance]\n" + "".join(f"{key} = {value:.4f}\n" for key, value in zip(NAMES, glance, strict=True))
    return text


if __name__ == "__main__":
    main()
