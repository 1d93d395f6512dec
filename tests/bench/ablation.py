"""What each part of the weighing is worth: taken out one at a time, and beside what others do.

Run: `python -m tests.bench.ablation [DATA]`. Prints Markdown tables: for the [report] part of tests/golden/dev.txt,
and, with a folder of public data, for SQuAD 2.0, questions of titles that nothing was learnt from. "Best sentence
answers" is of the questions that the documents answer; "kept" is the share of them whose best sentence answers and
scores above 92 or 95 % of the near misses. A part is taken out of the order of sentences, and of the glance that picks
those to read; nothing is trained again without it. At the end, the same cases with and without the editors' questions.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bot.bot import Bot
from bot.features import NAMES, Scale, ask, features
from bot.golden import Case, load_cases
from bot.measure import Figure
from bot.measure import measure as score
from bot.reply import Kind
from bot.scorer import load_scorer, pair
from bot.settings import BUNDLED as DOCUMENTS
from bot.weigh import READ, load_weights
from index.contract import FloatMatrix
from index.encode import BUNDLED, prepare
from index.index import build
from tests.bench.train_weigh import Shelf, measure
from tests.bench.weigh_data import LIMIT, part, squad

GOLDEN = Path(__file__).parents[1] / "golden" / "dev.txt"
SORTS = ("answer", "paraphrase", "typo", "near-miss")
TITLES = 8  # of SQuAD's, every one of them on the test side
PARTS = {
    "cosines": ("cosine_",),
    "late interaction": ("match_", "weakest_", "rarest_sentence", "rarest_passage", "unmet_"),
    "words set apart from the question": ("apart_",),
    "shared stems": ("shared_", "rarest_shared", "opens"),
    "the kind asked for": ("wants_",),
}


@dataclass(frozen=True)
class Asked:
    """A question's sentences: (n, features) figures, (n,) logits of the scorer, (n,) whether each answers.

    `answerable` tells whether the documents answer it; where they do not, it is a near miss.
    """

    figures: FloatMatrix
    logits: FloatMatrix
    answers: FloatMatrix
    answerable: bool


@dataclass(frozen=True)
class Way:
    """A way to weigh: `glance` picks READ sentences, or all are taken; `order` puts them in order by their figures, or
    the scorer's reading does."""

    glance: FloatMatrix | None
    order: FloatMatrix | None = None

    def first(self, asked: Asked) -> tuple[bool, float]:
        """Whether the best sentence answers, and its score, which stands for how sure we are."""
        places = np.arange(len(asked.logits))
        if self.glance is not None:
            places = np.argsort(-(asked.figures @ self.glance), kind="stable")[:READ]
        scores = asked.logits[places] if self.order is None else asked.figures[places] @ self.order
        best = int(scores.argmax())
        return bool(asked.answers[places[best]]), float(scores[best])


def ways() -> Iterator[tuple[str, Way]]:
    """What is shipped; each part of it taken out; and the two baselines."""
    glance = load_weights().glance

    def only(*starts: str) -> FloatMatrix:
        return np.array([float(name.startswith(starts)) for name in NAMES], dtype=np.float32)

    yield "as shipped", Way(glance)
    yield "every sentence read, no glance", Way(None)
    for name, starts in PARTS.items():
        yield f"a glance without {name}", Way(glance * (1 - only(*starts)))
    yield "the glance alone, nothing read", Way(None, glance)
    yield "MiniLM cosine: sentence, in context, passage", Way(None, only("cosine_"))
    late = only("match_sentence", "match_passage")
    yield "the same and late interaction", Way(None, only("cosine_") + 2 * late)


def golden(bot: Bot) -> Iterator[Asked]:
    """The questions of the [report] part that stand alone, with every sentence of the passages found."""
    index, scorer = bot.index, load_scorer()
    scale = Scale(*(index.manifest.calibration[name] for name in ("unrelated", "paraphrase")))
    shelf = Shelf(index.encoder)
    for case in load_cases(GOLDEN):
        if (
            case.part != "report"
            or case.before
            or case.sort not in SORTS
            or (case.sort != "near-miss" and not case.says)
        ):
            continue
        look = bot.look(case.ask, ())[0]
        asked = ask(look.query.text, index.encoder)
        if not asked.terms or not look.hits:
            continue
        seen = shelf.look([hit.passage for hit in look.hits])
        known = frozenset(stem for each in seen[:4] for stem in each.stems)
        told = [
            (features(asked, each, index.vectors(each.passage.id), scale, known)[number], each.passage, number)
            for each in seen
            for number in range(len(each.passage.sentences))
        ]
        pairs = [
            pair(
                look.query.text,
                passage.sentences[number].text,
                (document.title if (document := index.document(passage.document)) else "", *passage.headings),
                passage.sentences[number - 1].text if number else "",
            )
            for _, passage, number in told
        ]
        answers = [answering(case, passage.id, passage.sentences[number].text) for _, passage, number in told]
        able = Kind.ANSWER in case.expect
        if able and not any(answers):
            continue  # answered by several sentences together
        figures = np.vstack([row for row, _, _ in told])
        yield Asked(figures, scorer.predict(pairs), np.array(answers, dtype=np.float32) * able, able)


def answering(case: Case, passage: str, text: str) -> bool:
    """Whether a sentence of that passage says what a right answer has to say."""
    said = all(any(words.lower() in text.lower() for words in group) for group in case.says)
    return said and (not case.sources or passage in case.sources)


def public(data: Path) -> Iterator[Asked]:
    """SQuAD 2.0, titles on the test side: the four passages nearest to each question, of its article."""
    with TemporaryDirectory() as folder:
        encoder, _ = prepare(BUNDLED, Path(folder))
        index = Path(folder) / "index"
        build(DOCUMENTS, index, BUNDLED, LIMIT)
        kept = Bot.open(index).index.manifest.calibration
    cases = [case for case in squad(data, encoder) if part(case.group) == "test"]
    titles = sorted({case.group for case in cases})[:TITLES]
    cases = [case for case in cases if case.group in titles][::2]
    scorer = load_scorer()
    for row in measure(cases, encoder, Scale(kept["unrelated"], kept["paraphrase"]), Shelf(encoder)):
        places = np.argsort(-(row.figures @ load_weights().glance), kind="stable")[: 2 * READ]
        logits = scorer.predict([row.pairs[place] for place in places])
        yield Asked(row.figures[places], logits, row.answers[places], row.case.answerable)


def table(asked: Sequence[Asked]) -> Iterator[str]:
    """One line a way, as Markdown."""
    yield "| weighed | best sentence answers (95 % interval) | AUROC | kept at 92 % | kept at 95 % |"
    yield "|---|---|---|---|---|"
    for name, way in ways():
        able = [way.first(one) for one in asked if one.answerable]
        misses = np.array([way.first(one)[1] for one in asked if not one.answerable])
        best = Figure.over(right for right, _ in able)
        scores = np.array([score for _, score in able])
        kept = [
            np.mean([right and score > np.quantile(misses, share) for right, score in able]) for share in (0.92, 0.95)
        ]
        yield (
            f"| {name} | {best.share:.0%} ({best.low:.0%} to {best.high:.0%}) "
            f"| {(scores[:, None] > misses).mean():.2f} | {kept[0]:.0%} | {kept[1]:.0%} |"
        )


def without_questions(shelf: Path) -> None:
    """The bundled documents, in `shelf`, without the questions their editors wrote down."""
    for source in DOCUMENTS.glob("*.md"):
        text = source.read_text(encoding="utf-8")
        plain = re.sub(r"^(?:questions|elsewhere):\n(?:[ ].*\n|\n)*", "", text, flags=re.M)
        (shelf / source.name).write_text(plain, encoding="utf-8")


def edited() -> Iterator[str]:
    """Right, near misses refused and wrong, as `milkwise measure` counts, with editors' questions and without."""
    yield "| editors' questions | right | answerable, right | near misses refused | wrong |"
    yield "|---|---|---|---|---|"
    cases = [case for case in load_cases(GOLDEN) if case.part == "report"]
    for name, bare in (("with", False), ("without", True)):
        with TemporaryDirectory() as folder:
            shelf = DOCUMENTS
            if bare:
                (shelf := Path(folder) / "documents").mkdir()
                without_questions(shelf)
            build(shelf, Path(folder) / "index", BUNDLED, LIMIT)
            figures = score(Bot.open(Path(folder) / "index"), cases).figures()
        able = [figures[sort]["right"] for sort in SORTS[:3]]
        answered = sum(one.count for one in able) / sum(one.of for one in able)
        right, misses = figures["all"]["right"], figures["near-miss"]["right"]
        yield (
            f"| {name} | {right.share:.0%} of {right.of} | {answered:.0%} "
            f"| {misses.share:.0%} of {misses.of} | {figures['all']['wrong'].share:.0%} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    data = parser.parse_args().data
    with TemporaryDirectory() as folder:
        build(DOCUMENTS, Path(folder), BUNDLED, LIMIT)
        sets = [("The bundled article, [report] part", list(golden(Bot.open(folder))))]
    sets += [("SQuAD 2.0, titles unseen", list(public(data)))] if data else []
    for name, asked in sets:
        able = sum(one.answerable for one in asked)
        sys.stdout.write(f"**{name}**: {able} answerable questions, {len(asked) - able} not.\n\n")
        sys.stdout.write("\n".join(table(asked)) + "\n\n")
    sys.stdout.write("\n".join(edited()) + "\n")


if __name__ == "__main__":
    main()
