"""Questions with passages that do or do not answer them, from a folder of public data.

Comes in: a folder holding squad2, bioasq, covid_qa and medquad as JSON lines. Goes out: `Case`s, each with the passages
a search might bring; where the answer is known to the sentence, its offsets. Near misses are the point: questions their
paragraph does not answer, questions whose own answer is hidden, the entity swapped for another, and attributes a page
never mentions.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bot.terms import content
from corpus.document import Block, Document, Passage, Section
from corpus.split import split
from index.contract import Encoder

LIMIT = 200


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


def load(folder: Path, encoder: Encoder, seed: int = 7) -> list[Case]:
    """Every case, in a fixed order."""
    general, clinical = list(squad(folder, encoder)), [*covid(folder, encoder), *bioasq(folder, encoder)]
    general += swapped(general, random.Random(seed))
    luck = random.Random(seed)
    clinical += [*swapped(clinical, luck), *medquad(folder, encoder, luck)]
    return general + clinical


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


def bioasq(folder: Path, encoder: Encoder, questions: int = 500) -> Iterator[Case]:
    """BioASQ: the pool is every expert's snippet; every other question has its own documents hidden."""
    rows = lines(folder / "bioasq" / "questions.jsonl")[:questions]
    snippets: dict[str, Passage] = {}
    source: dict[str, str] = {}
    mine: list[set[str]] = []
    for row in rows:
        own = set()
        for snippet in sorted(row["snippets"], key=lambda one: one["text"])[:3]:
            text = snippet["text"].strip()
            if 40 <= len(text) <= 700:
                name = "bioasq-" + hashlib.sha256(text.encode()).hexdigest()[:10]
                for passage in cut(name, "", text, encoder):
                    snippets[passage.id], source[passage.id] = passage, snippet["doc"]
                    own.add(passage.id)
        mine.append(own)
    for number, (row, own) in enumerate(zip(rows, mine, strict=True)):
        hidden = number % 2 == 1
        pool = tuple(
            p for id, p in snippets.items() if not hidden or (id not in own and source[id] not in row["documents"])
        )
        gold = frozenset((id, s.start, s.end) for id in own for s in snippets[id].sentences)
        if gold:
            yield Case("bioasq", row["question"], pool, not hidden, frozenset() if hidden else gold, row["id"])


ASKED = {
    "information": ("What is {}?", "What does {} mean?", "tell me about {}"),
    "symptoms": ("What are the symptoms of {}?", "How do I know if I have {}?", "signs of {}"),
    "treatment": ("How is {} treated?", "How do I treat {}?", "What can be done about {}?"),
    "inheritance": ("Is {} inherited?", "Does {} run in families?"),
    "frequency": ("How common is {}?", "How many people have {}?", "Is {} rare?"),
    "genetic changes": ("What genes are related to {}?", "Which gene causes {}?"),
    "causes": ("What causes {}?", "Why do people get {}?"),
    "exams and tests": ("How is {} diagnosed?", "Is there a test for {}?"),
    "outlook": ("What is the outlook for {}?", "Will I recover from {}?"),
    "susceptibility": ("Who is at risk for {}?", "Who gets {}?"),
    "prevention": ("How can I prevent {}?", "How to avoid {}?"),
    "complications": ("What problems can {} lead to?",),
}
# What visitors ask of anything; a page without a word of the guard does not answer it.
UNTOLD = (
    ("How much does {} cost?", r"cost|price|expens|insur|pay|\$"),
    ("Is {} covered by insurance?", r"insur|cover|medicaid"),
    ("Can I buy {} medicine over the counter?", r"counter|prescri|pharmac|buy"),
    ("Is {} safe during pregnancy?", r"pregnan|baby|babies|birth|mother|fetus"),
    ("Can I breastfeed with {}?", r"breast|milk|nurs"),
    ("How long does {} last?", r"last|days|weeks|months|years|chronic|lifelong|life-long|perman|duration"),
    ("Who discovered {}?", r"discover|first described|named (?:after|for)|identified"),
    ("Does {} hurt?", r"pain|hurt|sore|ache|discomfort"),
    ("How do I treat {}?", r"treat|therap|surg|medic|drug|cure|manag|relie"),
    ("Is there a cure for {}?", r"treat|therap|cure|surg|drug|medic"),
    ("What dose should I take for {}?", r"dose|dosage|mg\b|milligram"),
    ("Can I drink alcohol with {}?", r"alcohol|drink|beer|wine"),
    ("What should I eat if I have {}?", r"eat|food|diet|nutri|meal"),
    ("Can exercise help {}?", r"exercis|activ|sport|walk"),
    ("Is {} contagious?", r"contag|infect|spread|transmi|catch|pass"),
    ("Is {} hereditary?", r"inherit|heredit|gene|famil|parent|mutation"),
    ("Can children get {}?", r"child|infan|kid|bab|birth|young|teen|age"),
    ("What is the first sign of {}?", r"sign|symptom|first|early|start"),
    ("Is there a blood test for {}?", r"blood|test|diagnos|exam|screen"),
    ("Can stress cause {}?", r"stress|anxi|emotion|psych"),
    ("How can I prevent {}?", r"prevent|avoid|lower|reduce|protect"),
    ("Does {} cause hair loss?", r"hair|bald|alopecia"),
    ("Does {} affect sleep?", r"sleep|insomn|tired|fatigue"),
    ("Can I fly with {}?", r"fly|air|travel|plane"),
    ("Is {} more common in men or women?", r"\bm[ae]n\b|wom[ae]n|male|sex|gender|boy|girl"),
    ("Which doctor should I see for {}?", r"doctor|physician|special|provider|ist\b|clinic|team"),
    ("Where can I find a support group for {}?", r"support|group|organi[sz]|help|contact"),
    ("What are the side effects of {}?", r"side effect|adverse|effects"),
    ("How is {} made?", r"made|produc|manufact|form|synthes"),
    ("When was {} first used?", r"first|histor|\d{4}|introduc|approv"),
)


def medquad(folder: Path, encoder: Encoder, luck: random.Random, pages: int = 330) -> Iterator[Case]:
    """MedQuAD: the pool is a subject's answers, and the same question's answers for others; plus what no page tells."""
    rows = [row for row in lines(folder / "medquad" / "qa.jsonl") if row["qtype"] in ASKED and len(row["answer"]) > 80]
    subjects: dict[str, dict[str, list[Passage]]] = defaultdict(dict)
    luck.shuffle(rows)
    short = sorted({row["focus"] for row in rows if len(row["focus"]) < 50})
    chosen = set(luck.sample(short, min(pages, len(short))))
    for row in rows:
        if row["focus"] in chosen and row["qtype"] not in subjects[row["focus"]]:
            text = re.sub(r"\s+", " ", row["answer"])[:1000].rsplit(".", 1)[0] + "."
            found = cut(f"medquad-{row['id']}", row["focus"], text, encoder)[:2]
            if found:
                subjects[row["focus"]][row["qtype"]] = found
    kinds: dict[str, list[tuple[str, list[Passage]]]] = defaultdict(list)
    for focus, answers in subjects.items():
        for kind, found in answers.items():
            kinds[kind].append((focus, found))
    for focus, answers in subjects.items():
        own = tuple(passage for found in answers.values() for passage in found)
        said = " ".join(passage.text for passage in own)
        for kind, found in answers.items():
            question = luck.choice(ASKED[kind]).format(focus)
            others = [
                p
                for name, each in luck.sample(kinds[kind], min(6, len(kinds[kind])))
                if name != focus
                for p in each[:1]
            ]
            yield Case("medquad", question, (*own, *others), True, frozenset(), focus)
            rest = tuple(passage for passage in own if passage not in found)
            if kind != "information":
                yield Case("medquad hidden", question, (*rest, *others), False, frozenset(), focus)
        yield from untold(focus, own, said, luck)


def untold(focus: str, own: tuple[Passage, ...], said: str, luck: random.Random) -> Iterator[Case]:
    """What a page never mentions, asked of its subject and of some long word in it."""
    rare = [term.word for term in content(said) if len(term.word) > 8]
    for question, guard in luck.sample(UNTOLD, 4):
        if own and not re.search(guard, said, re.I):
            yield Case("untold", question.format(focus), own, False, frozenset(), focus)
            if rare:
                yield Case("untold", question.format(luck.choice(rare)), own, False, frozenset(), focus)


def swapped(cases: list[Case], luck: random.Random) -> Iterator[Case]:
    """Answerable questions with their longest word replaced by another question's: the subject is no longer met."""
    right = [case for case in cases if case.answerable]
    rare = [max((term.word for term in content(case.question)), key=len, default="") for case in right]
    for case, word in zip(right, rare, strict=True):
        other = luck.choice(rare)
        said = " ".join(passage.text for passage in case.pool[:200]).lower()
        if luck.random() < 0.35 and len(word) > 5 and len(other) > 5 and other not in said and case.kind != "bioasq":
            question = re.sub(re.escape(word), other, case.question, flags=re.I)
            yield Case("swapped", question, case.pool, False, frozenset(), case.group)


def _gold(passages: list[Passage], spans: list[tuple[int, int]]) -> frozenset[tuple[str, int, int]]:
    """The sentences that a span of the text begins in."""
    return frozenset(
        (passage.id, sentence.start, sentence.end)
        for passage in passages
        for sentence in passage.sentences
        for start, _ in spans
        if sentence.start <= start < sentence.end
    )
