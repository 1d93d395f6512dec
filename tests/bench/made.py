"""An index of any number of made-up passages, beside the bundled article: what searching costs, not how good it is.

Words are English ones, as frequent as in English. Rows are unit vectors, not encoded, for that would take hours: those
of a passage have a cosine of about 0.75, those of a document of about 0.5, as those of real texts do. The same each
time. Comes in: a folder and a number. Goes out: an index as `build` leaves it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import symspellpy  # type: ignore[import-untyped]  # it ships no types

from bot.settings import BUNDLED as ARTICLE
from bot.spelling import ENGLISH_WORDS
from corpus.document import Block, Document, Passage, Section
from corpus.read import read
from corpus.split import split
from index import generations
from index.contract import FloatMatrix
from index.dense import nearest
from index.embed import encode
from index.encode import BUNDLED, prepare
from index.sealed import write

WORDS, EACH, LIMIT = 60, 20, 200  # words a passage, passages a document, word pieces a passage of the article
DIRECTIONS, APART, NOISE = 32, 0.7, 4.0  # in which documents differ; how far passages, and rows, stray from there

Made = tuple[Document, list[Passage], list[FloatMatrix]]


def vocabulary() -> tuple[list[str], list[float]]:
    """English words, and how often each and all before it stand in English."""
    text = Path(symspellpy.__file__).with_name(ENGLISH_WORDS).read_text(encoding="utf-8-sig")
    pairs = [line.split() for line in text.splitlines()]
    return [word for word, _ in pairs], list(accumulate(float(count) for _, count in pairs))


def documents(passages: int, rows: int, dim: int) -> Iterator[Made]:
    """Documents of 20 passages with `rows` rows each: the passage's and those of its sentences."""
    chosen, numbers = random.Random(0), np.random.default_rng(0)
    words, odds = vocabulary()
    spread = numbers.standard_normal((DIRECTIONS, dim)).astype(np.float32)
    for place in range(passages // EACH):
        id, cut, start = f"d{place:06}", list[Passage](), 0
        texts = [" ".join(chosen.choices(words, cum_weights=odds, k=WORDS)).capitalize() + ".\n" for _ in range(EACH)]
        for number, text in enumerate(texts):
            end = start + len(text)
            cut.append(Passage(f"{id}#{number}", id, (), text, start, end, spans=((start, end - 1),)))
            start = end
        whole = "".join(texts)
        section = Section((), 0, len(whole), (Block("paragraph", 0, len(whole)),))
        centre = numbers.standard_normal((1, 1, DIRECTIONS)) + APART * numbers.standard_normal((EACH, 1, DIRECTIONS))
        centres = centre.astype(np.float32) @ spread
        made = centres + NOISE * numbers.standard_normal((EACH, rows, dim), dtype=np.float32)
        made /= np.linalg.norm(made, axis=2, keepdims=True)
        yield Document(id, id, whole, (section,)), cut, list(made)


def build(index: Path, passages: int, rows: int) -> None:
    """Build an index of so many made-up passages and the article's in a folder."""
    with generations.builder(index) as aside:
        model, serving = prepare(BUNDLED, index)
        cut = [(each, split(each, LIMIT, model.count)) for each in read(ARTICLE).documents]
        vectors = encode(model, None, [], cut, None)
        for document, found, matrices in documents(passages, rows, model.encode([]).shape[1]):
            cut.append((document, found))
            vectors |= {passage.id: matrix for passage, matrix in zip(found, matrices, strict=True)}
        manifest = write(aside, cut, vectors, model, serving, LIMIT)
        generations.publish(index, aside, manifest)


def questions(passages: int, rows: int, dim: int, count: int) -> tuple[FloatMatrix, list[str], list[set[str]]]:
    """For `count` passages spread over all: a unit vector near their first row, (count, dim); some words of theirs; and
    the ten passages truly nearest to the vector, all compared.
    """
    numbers, step = np.random.default_rng(1), max(1, passages // EACH // count)
    near, texts, owners, every = list[FloatMatrix](), list[str](), list[str](), list[FloatMatrix]()
    for place, (_, cut, matrices) in enumerate(documents(passages, rows, dim)):
        owners += [passage.id for passage in cut]
        every += [np.concatenate(matrices)]
        if place % step == 0 and len(texts) < count:
            vector = matrices[0][0] + numbers.standard_normal(dim, dtype=np.float32) * dim**-0.5
            near.append(vector / np.linalg.norm(vector))
            texts.append(" ".join(cut[0].text.split()[:8]))
    vectors = np.array(near)
    places = nearest(vectors, np.concatenate(every), 10 * rows)
    true = [{*list(dict.fromkeys(owners[row // rows] for row in found))[:10]} for found in places.tolist()]
    return vectors, texts, true
