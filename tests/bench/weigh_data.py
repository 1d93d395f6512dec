"""Questions with passages that do or do not answer them: public ones, and our own about public pages.

Comes in: a folder holding squad2, covid_qa and medquad as JSON lines, and tests/bench/asked. Goes out: `Case`s, each
with the passages a search might bring and the offsets of the sentences that answer. Near misses are the point: they
share a page's words, and it does not answer them; or the passage that does is hidden.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from corpus.document import Block, Document, Passage, Section
from corpus.split import split
from index.contract import Encoder

LIMIT = 200
MINE = Path(__file__).parent / "asked"
FRAMES = tomllib.loads(Path(__file__).with_name("frames.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Case:
    """One question. `pool` are the passages searched, `gold` (passage id, start, end) where its answer stands.

    `answerable` tells whether anything in the pool answers; `group` keeps what belongs together on one side of a split.
    """

    kind: str
    question: str
    pool: tuple[Passage, ...]
    answerable: bool
    gold: frozenset[tuple[str, int, int]] = field(default_factory=frozenset)
    group: str = ""


def part(group: str) -> str:
    """train or test, by a hash of the group: 80 and 20 in a hundred."""
    return "train" if int(hashlib.sha256(group.encode()).hexdigest(), 16) % 10 < 8 else "test"


def lines(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def cut(name: str, heading: str, text: str, encoder: Encoder) -> list[Passage]:
    """A text as passages under one heading, with sentences that ask rather than say left out."""
    if not text.strip():
        return []
    block = Block("paragraph", 0, len(text))
    headings = (heading,) if heading else ()
    document = Document(name, heading or name, text, (Section(headings, 0, len(text), (block,)),))
    return split(document, LIMIT, encoder.count)


def load(folder: Path, encoder: Encoder) -> list[Case]:
    """Every case, in a fixed order."""
    return [*ours(folder, encoder), *squad(folder, encoder), *covid(folder, encoder)]


@dataclass(frozen=True)
class Sheet:
    """A stretch of a MedQuAD page and what we asked of it: (numbers of the sentences that answer, question, its id)."""

    page: str
    heading: str
    text: str
    count: int
    asked: tuple[tuple[tuple[int, ...], str, str], ...]


def sheets(folder: Path, seed: int = 7) -> Iterator[Sheet]:
    """Our own questions about MedQuAD's pages, from tests/bench/asked: one sheet for each "# page start end count"."""
    pages = {row["id"]: row for row in lines(folder / "medquad" / "qa.jsonl")}
    luck = random.Random(seed)
    for file in sorted(MINE.glob("*.txt")):
        for block in file.read_text(encoding="utf-8").split("# ")[1:]:
            head, *rows = block.strip().splitlines()
            name, start, end, count = head.split()
            page = pages[name]
            heading = luck.choice(FRAMES["headings"].get(page["qtype"], [""])).format(page["focus"])
            asked = tuple(
                (() if where == "-" else tuple(map(int, where.split(","))), question, f"{file.stem} {name} {number}")
                for number, (where, question) in enumerate(row.split(" | ", 1) for row in rows if row.strip())
            )
            text = re.sub(r"\s+", " ", page["answer"])[int(start) : int(end)]
            yield Sheet(name, " > ".join(filter(None, (page["focus"], heading))), text, int(count), asked)


def ours(folder: Path, encoder: Encoder, others: int = 4, seed: int = 7) -> Iterator[Case]:
    """Our own questions: the pool is the stretch of a page they were asked of, and stretches of a few other pages.

    ValueError names a stretch that is not as it was when its questions were written.
    """
    luck, found = random.Random(seed), list(sheets(folder))
    cuts = [cut(f"{sheet.page} {sheet.text[:20]}", sheet.heading, sheet.text, encoder) for sheet in found]
    for sheet, passages in zip(found, cuts, strict=True):
        told = [(passage.id, one.start, one.end) for passage in passages for one in passage.sentences]
        if len(told) != sheet.count:
            raise ValueError(f"{sheet.page} has {len(told)} sentences there, not {sheet.count}: its text has changed.")
        rest = tuple(passage for each in luck.sample(cuts, others) if each is not passages for passage in each)
        for right, question, _ in sheet.asked:
            gold = frozenset(told[number - 1] for number in right)
            yield Case("ours", question, (*passages, *rest), bool(gold), gold, sheet.page)


def squad(folder: Path, encoder: Encoder, every: int = 1) -> Iterator[Case]:
    """SQuAD 2.0: the pool is the article; half the questions are near misses written by people."""
    rows = lines(folder / "squad2" / "qa.jsonl")[::every]
    cutter = partial(cut, encoder=encoder)
    pages: dict[str, dict[str, list[Passage]]] = defaultdict(dict)
    for row in rows:
        title = row["title"].replace("_", " ")
        if row["context"] not in pages[title]:
            pages[title][row["context"]] = cutter(f"squad-{title}-{len(pages[title])}", title, row["context"])
    for row in rows:
        page = pages[title := row["title"].replace("_", " ")]
        pool = tuple(passage for passages in page.values() for passage in passages)
        gold = _gold(page[row["context"]], [(a["start"], a["start"] + len(a["text"])) for a in row["answers"]])
        if bool(gold) == row["answerable"]:
            yield Case("squad2", row["question"], pool, row["answerable"], gold, title)


def covid(folder: Path, encoder: Encoder, articles: int = 24) -> Iterator[Case]:
    """COVID-QA: the pool is the article; every other question has the passages around its answer hidden."""
    rows = lines(folder / "covid_qa" / "docs.jsonl")[:articles]
    pages = {row["doc"]: cut(f"covid-{row['doc']}", row["title"], row["text"][:15_000], encoder) for row in rows}
    for number, row in enumerate(lines(folder / "covid_qa" / "qa.jsonl")):
        page = pages.get(row["doc"], [])
        gold = _gold(page, [(a["start"], a["start"] + len(a["text"])) for a in row["answers"]])
        if not gold:
            continue
        told = {id for id, _, _ in gold}
        hidden = number % 2 == 1
        near = {
            page[i].id for i, p in enumerate(page) for j in (i - 1, i + 1) if 0 <= j < len(page) and page[j].id in told
        }
        pool = tuple(passage for passage in page if not hidden or passage.id not in told | near)
        yield Case("covid_qa", row["question"], pool, not hidden, frozenset() if hidden else gold, str(row["doc"]))


def _gold(passages: list[Passage], spans: list[tuple[int, int]]) -> frozenset[tuple[str, int, int]]:
    """The sentences that a span of the text begins in."""
    return frozenset(
        (passage.id, sentence.start, sentence.end)
        for passage in passages
        for sentence in passage.sentences
        for start, _ in spans
        if sentence.start <= start < sentence.end
    )
