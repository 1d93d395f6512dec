"""Small documents and vectors for the tests of the index: everyday subjects, made by the real splitter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from corpus.document import Block, Document, Passage, Section
from corpus.split import split
from index.contract import FloatMatrix

BREAD = {
    "Kneading": "Knead the dough for ten minutes. Stop when it springs back under your thumb.",
    "Baking": "Bake the loaf on a hot stone. A hollow sound tells that it is done.",
    "How do I keep bread fresh?": "Keep it in a linen bag. A stale loaf makes good toast.",
}
BIKES = {
    "Tyres": "Pump the tyres once a week. A soft tyre makes every hill harder.",
    "Chains": "Oil the chain after rain. Wipe off what drips from it.",
}


def words(text: str) -> int:
    """How many words a text has."""
    return len(text.split())


def document(id: str, sections: dict[str, str], title: str = "", publisher: str = "") -> Document:
    """A document with one section for each heading, its body one paragraph."""
    text, made = "", []
    for heading, body in sections.items():
        start = len(text)
        text += f"{heading}\n\n"
        blocks = [Block("heading", start, start + len(heading), level=1)]
        if body:
            blocks.append(Block("paragraph", len(text), len(text) + len(body)))
            text += f"{body}\n\n"
        questions = (heading,) if heading.endswith("?") else ()
        made.append(Section((heading,), start, len(text), tuple(blocks), questions))
    return Document(id, title or id.title(), text, tuple(made), publisher=publisher, source=f"{id}.md")


def passages(document: Document) -> list[Passage]:
    """Its passages, of at most 40 words."""
    return split(document, 40, words)


def vectors(passages: list[Passage], dim: int, seed: int = 0) -> list[FloatMatrix]:
    """Random unit rows as many as each passage has texts: itself, its sentences, its keys."""
    return [rows(1 + len(each.sentences) + len(each.keys), dim, seed + place) for place, each in enumerate(passages)]


def rows(count: int, dim: int, seed: int) -> FloatMatrix:
    """Random unit rows, the same for the same seed."""
    made = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    unit: FloatMatrix = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


def write(folder: Path, name: str, sections: dict[str, str]) -> Path:
    """A Markdown file of those sections."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.md"
    body = "".join(f"## {heading}\n\n{text}\n\n" for heading, text in sections.items())
    file.write_text(f"# {name.title()}\n\n{body}", encoding="utf-8")
    return file
