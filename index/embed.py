"""The vectors of passages: taken from the store before where the same texts are there, encoded where they are not.

Comes in: documents cut into passages, an encoder, the store before. Goes out: a matrix for each passage. Does not know:
where vectors are kept, or how they are searched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corpus.document import Document, Passage
from index.contract import Encoder, FloatMatrix, Store

PORTION = 32  # passages encoded between two reports of progress

Progress = Callable[[int, int], None]


def texts(title: str, passage: Passage) -> tuple[str, ...]:
    """What is encoded for a passage: its text under its document's title and its headings; its sentences; its keys.

    A passage seldom repeats what it is about: under "Side effects", of what. Sentences are encoded as they are quoted.
    """
    whole = "\n".join((title, *passage.headings, passage.text.strip()))
    return (whole, *(sentence.text for sentence in passage.sentences), *passage.keys)


def encode(
    model: Encoder,
    old: Store | None,
    among: Sequence[str],
    cut: Sequence[tuple[Document, Sequence[Passage]]],
    progress: Progress | None,
) -> dict[str, FloatMatrix]:
    """Passage id → (m, dim) of its texts, for the passages of some documents.

    Taken from the old store where one of the documents named in `among` had the same texts there, else encoded now.
    """
    wanted = {passage.id: texts(document.title, passage) for document, passages in cut for passage in passages}
    vectors: dict[str, FloatMatrix] = {}
    if old:
        documents = [document for id in among if (document := old.document(id))]
        pairs = [(document, passage) for document in documents for passage in old.passages(document.id)]
        known = {texts(document.title, passage): passage.id for document, passage in pairs}
        vectors = {id: old.vectors(known[each]) for id, each in wanted.items() if each in known}
    fresh = [(id, each) for id, each in wanted.items() if id not in vectors]
    for start in range(0, len(fresh), PORTION):
        if progress:
            progress(start, len(fresh))
        portion = fresh[start : start + PORTION]
        rows = model.encode([text for _, each in portion for text in each])
        for id, each in portion:
            vectors[id], rows = rows[: len(each)], rows[len(each) :]
    if progress:
        progress(len(fresh), len(fresh))
    return vectors
