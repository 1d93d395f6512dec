"""How often the passage that answers is found first, or among five: BM25, vectors, both fused, and after weighing.

Run: `python -m tests.bench.retrieval DATA` with a folder holding infant_feeding, covid_qa and bioasq as JSON lines.
Prints a Markdown table. Takes about twenty minutes on one core. The sections of infant_feeding whose headings are
questions are indexed without them, and the headings asked.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.measure import Figure
from bot.reply import Query
from bot.weigh import weigh
from corpus.document import Passage
from index.contract import Hit
from index.encode import BUNDLED
from index.index import Index, build
from tests.bench.weigh_data import LIMIT, lines

DEPTH = 8
QUESTIONS = 300  # of each set at most


Asked = tuple[str, Callable[[Passage], bool]]


@dataclass(frozen=True)
class Set:
    """A name; documents, file name → Markdown; questions, each with what says whether a passage answers it."""

    name: str
    documents: dict[str, str]
    asked: list[Asked]


def page(title: str, heading: str, text: str) -> str:
    """A document: a title, perhaps a heading, and text of which no line reads as Markdown."""
    plain = "\n\n".join(re.sub(r"^\W+", "", line) for line in text.splitlines() if re.search(r"\w", line))
    head = re.sub(r"[\"\\\n]", " ", title).strip() or "Untitled"
    return f'---\ntitle: "{head}"\n---\n\n' + (f"## {heading}\n\n" if heading else "") + plain + "\n"


def infant(folder: Path) -> Set:
    """Sections of pages on feeding infants; those under a question are asked it, and do not hold it."""
    sections = lines(folder / "infant_feeding" / "sections.jsonl")
    asked = {row["question"].strip() for row in lines(folder / "infant_feeding" / "question_headings.jsonl")}
    documents, questions = dict[str, str](), list[Asked]()
    for number, row in enumerate(sections):
        heading, name = row["heading"].strip(), f"section-{number}"
        documents[name] = page(row["title"], "" if heading in asked else heading, row["text"])
        if heading in asked:
            questions.append((heading, partial(_from, {name})))
    return Set("infant_feeding", documents, questions)


def covid(folder: Path) -> Set:
    """Articles; a passage answers where it holds the start of an answer."""
    rows = lines(folder / "covid_qa" / "docs.jsonl")
    documents = {f"article-{row['doc']}": page(row["title"], "", row["text"][:20_000]) for row in rows}
    questions = list[Asked]()
    for row in lines(folder / "covid_qa" / "qa.jsonl"):
        told = bare(row["answers"][0]["text"])[:40]
        name = f"article-{row['doc']}"
        if told in bare(documents.get(name, "")):
            questions.append((row["question"], partial(_says, told)))
    return Set("covid_qa", documents, questions[:: max(1, len(questions) // QUESTIONS)])


def bioasq(folder: Path) -> Set:
    """Experts' snippets; those chosen for a question answer it."""
    documents, questions = dict[str, str](), list[Asked]()
    for row in lines(folder / "bioasq" / "questions.jsonl")[:QUESTIONS]:
        texts = [one["text"] for one in row["snippets"] if one["text"].strip()]
        own = {f"snippet-{hashlib.sha256(text.encode()).hexdigest()[:12]}": text for text in texts}
        documents |= {name: page(name, "", text) for name, text in own.items()}
        questions.append((row["question"], partial(_from, set(own))))
    return Set("bioasq", documents, questions)


def _from(names: set[str], passage: Passage) -> bool:
    return passage.document in names


def _says(told: str, passage: Passage) -> bool:
    return told in bare(passage.text)


def bare(text: str) -> str:
    """Letters and figures only, to compare texts whose spaces differ."""
    return re.sub(r"[\W_]+", "", text).lower()


def ways(index: Index) -> dict[str, Callable[[str], list[Passage]]]:
    """Each way of finding: a question in, passages out, best first."""
    store = index.store

    def listed(hits: Sequence[Hit]) -> list[Passage]:
        return [hit.passage for hit in hits]

    def weighed(question: str) -> list[Passage]:
        hits = index.search(question, DEPTH)
        said = weigh(Query(question, question), hits, index, threshold=0.0).sentences
        first = [passage for one in said[:1] if (passage := index.passage(one.passage))]
        return first + [hit.passage for hit in hits if hit.passage not in first]

    return {
        "BM25": lambda question: listed(store.lexical(question, DEPTH)),
        "vectors": lambda question: listed(store.dense(index.encoder.encode([question])[0], DEPTH)),
        "fused": lambda question: listed(index.search(question, DEPTH)),
        "weighed": weighed,
    }


def rows(asked: Set) -> Iterator[str]:
    """One line of the table for each way."""
    with TemporaryDirectory() as folder:
        shelf = Path(folder) / "documents"
        shelf.mkdir()
        for name, text in asked.documents.items():
            (shelf / f"{name}.md").write_text(text, encoding="utf-8")
        build(shelf, Path(folder) / "index", BUNDLED, LIMIT)
        index = Index.open(Path(folder) / "index", BUNDLED)
        for way, find in ways(index).items():
            found = [[right(passage) for passage in find(question)] for question, right in asked.asked]
            first, five = (Figure.over(any(each[:k]) for each in found) for k in (1, 5))
            yield (
                f"| {asked.name} | {len(found)} | {way} | {first.share:.2f} ({first.low:.2f} to {first.high:.2f}) "
                f"| {five.share:.2f} ({five.low:.2f} to {five.high:.2f}) |"
            )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    sys.stdout.write("| set | n | found by | first (95 % interval) | among five |\n|---|---|---|---|---|\n")
    for asked in (infant(data), covid(data), bioasq(data)):
        for row in rows(asked):
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
