"""Question–sentence pairs to train the cross-encoder on, from a folder of public data and our own questions about it.

Comes in: a folder holding squad2, bioasq, covid_qa and medquad as JSON lines, and tests/bench/asked. Goes out: `Pair`s.
Near misses are the point, and most are made: the closest sentence that does not answer; a sentence about a disease
asked for what it never mentions; the subject swapped; another question of the same page. Of the public questions those
on breast-feeding and its hormones are left out; of our own, a few hundred are about MedQuAD's pages on them. Nothing is
learnt here from the bundled article, its questions or its golden cases.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.terms import content
from corpus.sentences import sentences
from index.contract import Encoder
from tests.bench.weigh_data import FRAMES, lines, part, sheets

BANNED = re.compile(r"breast.?f|breast milk|lactat|prolact|galactor|domperid|metoclop|suckl", re.I)
ASKED, UNTOLD, HEADINGS = FRAMES["asked"], FRAMES["untold"], FRAMES["headings"]


@dataclass(frozen=True)
class Pair:
    """A question, a sentence in its context, and whether it answers. `group` stays on one side of a split."""

    kind: str
    question: str
    sentence: str
    headings: str
    before: str
    answers: float
    group: str
    query: str = ""  # what names the question, where several pairs belong to one


@dataclass(frozen=True)
class Told:
    """A sentence with what stands above and before it."""

    text: str
    headings: str
    before: str

    def pair(self, kind: str, question: str, answers: float, group: str, query: str = "") -> Pair:
        """This sentence asked a question."""
        return Pair(kind, question, self.text, self.headings, self.before, answers, group, query or question)


def tell(text: str, headings: str) -> list[Told]:
    """A text as sentences in their context."""
    spans = sentences(text)
    said = [text[start:end] for start, end in spans]
    return [Told(one, headings, said[place - 1] if place else "") for place, one in enumerate(said)]


class Nearest:
    """The sentences of a list closest to a question by the encoder's cosine."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.kept: dict[str, np.ndarray[Any, np.dtype[np.float32]]] = {}

    def embed(self, texts: Iterable[str]) -> None:
        """Keep the vectors of texts, shortest first, which is faster."""
        new = sorted({text for text in texts if text not in self.kept}, key=len)
        self.kept.update(zip(new, self.encoder.encode(new), strict=True))

    def __call__(self, question: str, told: Sequence[Told], most: int) -> list[Told]:
        """At most `most` of them, nearest first. Texts not yet kept are embedded."""
        if not told:
            return []
        self.embed([question, *(one.text for one in told)])
        near = np.array([self.kept[one.text] @ self.kept[question] for one in told])
        return [told[place] for place in np.argsort(-near)[:most]]


def clean(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Without what speaks of the bundled article's subject, and without endless sentences."""
    for pair in pairs:
        if not BANNED.search(f"{pair.question} {pair.sentence} {pair.headings}") and 12 < len(pair.sentence) < 500:
            yield pair


def public(folder: Path, encoder: Encoder, seed: int = 7) -> list[Pair]:
    """Pairs from the public sets, in a fixed order."""
    luck, nearest = random.Random(seed), Nearest(encoder)
    found = [*squad(folder, nearest), *bioasq(folder, nearest, luck), *covid(folder, nearest)]
    found += medquad(folder, nearest, luck)
    return list(clean(found))


def squad(folder: Path, nearest: Nearest) -> Iterator[Pair]:
    """SQuAD 2.0: the sentence of the answer; the closest others; for what is not answered, the closest three."""
    rows = lines(folder / "squad2" / "qa.jsonl")
    told = {row["context"]: tell(row["context"], row["title"].replace("_", " ")) for row in rows}
    nearest.embed([one.text for each in told.values() for one in each] + [row["question"] for row in rows])
    pages: dict[str, list[Told]] = defaultdict(list)
    for row in {row["context"]: row for row in rows}.values():
        pages[row["title"]] += told[row["context"]]
    for row in rows:
        own, question, title = told[row["context"]], row["question"], row["title"]
        if row["answerable"]:
            answer = min(row["answers"], key=lambda each: len(each["text"]))
            spans = sentences(row["context"])
            right = [one for one, (start, end) in zip(own, spans, strict=True) if start <= answer["start"] < end]
            yield from (one.pair("squad2", question, 1.0, title) for one in right)
            wrong = [one for one in own if answer["text"] not in one.text]
            far = [one for one in pages[title] if one not in own and answer["text"] not in one.text]
            others = nearest(question, wrong, 3) + nearest(question, far, 1)
        else:
            others = nearest(question, own, 3)
        yield from (one.pair("squad2", question, 0.0, title) for one in others)


def bioasq(folder: Path, nearest: Nearest, luck: random.Random) -> Iterator[Pair]:
    """BioASQ: the snippets' closest sentences answer; others' do not, nor do they once its subject is swapped."""
    rows = lines(folder / "bioasq" / "questions.jsonl")
    own = [
        [one for snippet in row["snippets"] if 40 <= len(snippet["text"]) <= 700 for one in tell(snippet["text"], "")][
            :10
        ]
        for row in rows
    ]
    rare = [max((term.word for term in content(row["question"])), key=len, default="") for row in rows]
    for number, row in enumerate(rows):
        question, mine = row["question"], own[number]
        right = nearest(question, mine, 2)
        yield from (one.pair("bioasq", question, 1.0, row["id"]) for one in right)
        word, other = rare[number], luck.choice(rare)
        others = luck.sample(range(len(rows)), 40)
        same = [one for place in others if rare[place] != word for one in own[place][:2]]
        yield from (one.pair("bioasq", question, 0.0, row["id"]) for one in nearest(question, same, 2))
        if len(word) > 5 and len(other) > 4 and other.lower() not in " ".join(one.text for one in mine).lower():
            changed = re.sub(re.escape(word), other, question, flags=re.I)
            yield from (one.pair("swapped", changed, 0.0, row["id"]) for one in right[:1])


def covid(folder: Path, nearest: Nearest) -> Iterator[Pair]:
    """COVID-QA: the sentence the answer begins in; the closest others of the article."""
    pages = {row["doc"]: row for row in lines(folder / "covid_qa" / "docs.jsonl")}
    spans = {doc: sentences(row["text"][:20_000]) for doc, row in pages.items()}
    told = {doc: tell(row["text"][:20_000], row["title"]) for doc, row in pages.items()}
    for row in lines(folder / "covid_qa" / "qa.jsonl"):
        own, where = told[row["doc"]], spans[row["doc"]]
        starts = [answer["start"] for answer in row["answers"]]
        right = [one for one, (a, b) in zip(own, where, strict=True) if any(a <= start < b for start in starts)]
        if not right:
            continue
        near = [one for one in luckless(own, right, where, starts) if row["answers"][0]["text"] not in one.text]
        yield from (one.pair("covid_qa", row["question"], 1.0, str(row["doc"])) for one in right[:1])
        yield from (
            one.pair("covid_qa", row["question"], 0.0, str(row["doc"])) for one in nearest(row["question"], near, 3)
        )


def luckless(
    own: Sequence[Told], right: Sequence[Told], where: Sequence[tuple[int, int]], starts: Sequence[int]
) -> list[Told]:
    """Sentences within 3,000 characters of an answer that are not it, nor beside it."""
    beside = {place + step for place, one in enumerate(own) if one in right for step in (-1, 0, 1)}
    return [
        one
        for place, (one, (start, _)) in enumerate(zip(own, where, strict=True))
        if place not in beside and min(abs(start - each) for each in starts) < 3000
    ]


def medquad(folder: Path, nearest: Nearest, luck: random.Random, pages: int = 1300) -> Iterator[Pair]:
    """MedQuAD: a page's answers; what it never mentions; another question's answer; another subject's."""
    subjects = _subjects(folder, luck, pages)
    nearest.embed(one.text for kinds in subjects.values() for each in kinds.values() for one in each)
    by_kind: dict[str, list[str]] = defaultdict(list)
    for focus, kinds in subjects.items():
        for kind in kinds:
            by_kind[kind].append(focus)
    for focus, kinds in subjects.items():
        every = [one for each in kinds.values() for one in each]
        said = " ".join(one.text for one in every)
        for kind, own in kinds.items():
            question = luck.choice(ASKED[kind]).format(focus)
            right = nearest(question, own, 1)
            yield from (one.pair("medquad", question, 1.0, focus) for one in right)
            rest = [one for other, each in kinds.items() if other not in (kind, "information") for one in each]
            if kind != "information":
                yield from (one.pair("medquad", question, 0.0, focus) for one in nearest(question, rest, 1))
            other = luck.choice(by_kind[kind])
            if other.lower() not in said.lower() and focus.lower() not in other.lower():
                changed = luck.choice(ASKED[kind]).format(other)
                yield from (one.pair("swapped", changed, 0.0, focus) for one in right)
        for question, guard in luck.sample(UNTOLD, 4):
            if every and not re.search(guard, said, re.I):
                asked = question.format(focus)
                yield from (one.pair("untold", asked, 0.0, focus) for one in nearest(asked, every, 1))


def _subjects(folder: Path, luck: random.Random, pages: int) -> dict[str, dict[str, list[Told]]]:
    """So many of MedQuAD's subjects, each with the start of its pages by what they answer."""
    rows = [row for row in lines(folder / "medquad" / "qa.jsonl") if row["qtype"] in ASKED and len(row["answer"]) > 80]
    luck.shuffle(rows)
    subjects: dict[str, dict[str, list[Told]]] = defaultdict(dict)
    chosen = set(luck.sample(sorted({row["focus"] for row in rows if len(row["focus"]) < 45}), pages))
    for row in rows:
        kind, focus = row["qtype"], row["focus"]
        if focus in chosen and kind not in subjects[focus]:
            text = re.sub(r"\s+", " ", row["answer"].replace(" - ", " "))[:1100].rsplit(".", 1)[0] + "."
            heading = luck.choice(HEADINGS.get(kind, [""])).format(focus)
            subjects[focus][kind] = tell(text, " > ".join(filter(None, (focus, heading))))[:8]
    return subjects


def mine(folder: Path, encoder: Encoder) -> list[Pair]:
    """Our own questions about MedQuAD's pages: the sentences that answer each, and the closest that do not.

    ValueError names a stretch of a page that is not as it was when its questions were written.
    """
    nearest, found = Nearest(encoder), list[Pair]()
    for sheet in sheets(folder):
        own = tell(sheet.text, sheet.heading)
        if len(own) != sheet.count:
            raise ValueError(f"{sheet.page} has {len(own)} sentences there, not {sheet.count}: its text has changed.")
        for numbers, question, query in sheet.asked:
            right = [own[number - 1] for number in numbers]
            rest = nearest(question, [one for one in own if one not in right], 4 if right else 2)
            found += [one.pair("mine", question, 1.0, sheet.page, query) for one in right[:2]]
            found += [one.pair("mine", question, 0.0, sheet.page, query) for one in rest]
    return found


def split(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Four fifths to train on, and the rest, by group."""
    parts: dict[str, list[Pair]] = {"train": [], "test": []}
    for pair in pairs:
        parts[part(pair.group)].append(pair)
    return parts["train"], parts["test"]
