"""How passages are found: build an index over documents, open it, search it.

Comes in: a folder of documents; then questions. Goes out: an index folder swapped in one atomic step; then passages,
by two ranked lists, nearest vectors and BM25, fused here and nowhere else. Does not know: file formats, what an
encoder or a store is made of, or whether a passage answers the question.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import nlargest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from corpus.document import CorpusError, Document, Passage
from index import generations
from index.contract import Calibrator, Encoder, FloatMatrix, Hit, IndexFault, Key, Ranked, Store
from index.embed import Progress, encode
from index.encode import fingerprint, load_encoder, prepare, sweep, written
from index.files import checksum
from index.manifest import Manifest, corpus_digest
from index.sealed import inspect, open_sealed, splitter, write
from index.store import SqliteStore

if TYPE_CHECKING:
    from corpus.read import Reading

RANK_OFFSET = 60  # reciprocal rank fusion's usual constant: how slowly a lower rank loses weight
DEPTH = 200  # how far down each ranked list is read
CACHED = 2_000  # documents kept in memory once they were quoted
READER = "reader"  # in `Manifest.trust`: the name of the calibrator

Admit = Callable[[Document], str]  # why a document may not be used, "" where it may


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did, as document ids; the faults and files left of the reading; the generation now in use.

    `slow` says why the encoder could not be written down for serving, and is "" where it could; `trust` is the
    manifest's.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]
    faults: tuple[CorpusError, ...]
    left: tuple[str, ...]
    generation: str
    slow: str = ""
    trust: Mapping[str, str | float] = field(default_factory=dict)


class Index:
    """One generation, open for reading. Safe to share between threads; a later build does not disturb it."""

    def __init__(
        self, store: Store, encoder: Encoder, manifest: Manifest, fault: Callable[[str], IndexFault], place: str = ""
    ) -> None:
        """`fault` tells what is wrong with it and the remedy; `place` is the generation's folder, where it has one."""
        self.store, self.encoder, self.manifest = store, encoder, manifest
        self.generation, self.place, self._fault = manifest.generation, place, fault
        self._documents: dict[str, Document] = {}

    @classmethod
    def open(cls, path: Path, encoder: str) -> Index:
        """Open the generation in use. Raises IndexFault where there is none, or it is damaged, foreign or stale."""
        wanted = fingerprint(encoder)
        folder = generations.current(path)
        while True:
            try:
                store, manifest = open_sealed(path, folder, wanted)
                break
            except IndexFault:
                if (now := generations.current(path)) == folder:
                    raise
                folder = now  # a build swapped it and cleared this one away while we looked
        try:
            model = load_encoder(encoder, path, manifest.serving)
        except ValueError as problem:
            store.close()
            raise generations.fault(path, f"the index is damaged: {problem}.") from None
        return cls(store, model, manifest, partial(generations.fault, path), folder.name)

    def close(self) -> None:
        """Close the files or connections."""
        self.store.close()

    def search(self, text: str, k: int) -> list[Hit]:
        """The k best passages for a question, best first; never raises, whatever the text.

        Each hit carries its cosine, and its BM25 where it is among the 200 best by words, else 0.
        """
        if not text.strip() or k < 1:
            return []
        vector = self.encoder.encode([text])[0]
        hits = self.store.both(vector, text, DEPTH, lambda dense, lexical: fuse(dense, lexical, k))
        best = sorted(hits, key=lambda hit: (-hit.score, hit.passage.id))[:k]
        return [hit if hit.cosine else replace(hit, cosine=self._cosine(hit, vector)) for hit in best]

    def document(self, id: str) -> Document | None:
        """The document of that id, or None. Raises IndexFault where it is not the one that was built in."""
        if id not in self._documents and (found := self.store.document(id)):
            if found.digest != self.manifest.documents.get(id):
                raise self._fault(f"the index is damaged: document {id!r} has changed.")
            if len(self._documents) >= CACHED:
                self._documents.clear()
            self._documents[id] = found
        return self._documents.get(id)

    def documents(self) -> list[Document]:
        """Every document, in order of id."""
        return [document for id in self.store.documents() if (document := self.document(id))]

    def passage(self, id: str) -> Passage | None:
        """The passage of that id, or None."""
        return self.store.passage(id)

    def passages(self, document: str) -> list[Passage]:
        """The passages of a document, in order; together they are its text."""
        return self.store.passages(document)

    def vectors(self, passage: str) -> FloatMatrix:
        """(m, dim): row 0 the passage's text, then one row a sentence, then one row a key."""
        return self.store.vectors(passage)

    def _cosine(self, hit: Hit, vector: FloatMatrix) -> float:
        return float(np.clip((self.vectors(hit.passage.id) @ vector).max(), -1, 1))


def fuse(dense: Ranked, lexical: Ranked, k: int) -> dict[Key, float]:
    """Two ranked lists into one by reciprocal rank: the score of the k best, and of those level with the last."""
    scores: dict[Key, float] = {}
    for ranked in (dense, lexical):
        for place, (key, _) in enumerate(ranked, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (RANK_OFFSET + place)
    least = min(nlargest(k, scores.values()), default=0.0)
    return {key: score for key, score in scores.items() if score >= least}


def trusted(index: Index, calibrator: Calibrator) -> dict[str, str | float]:
    """What goes into the manifest of an index as `trust`."""
    return {READER: calibrator.name, **calibrator(index)}


def build(
    documents: Path,
    index: Path,
    encoder: str,
    limit: int,
    progress: Progress | None = None,
    admit: Admit | None = None,
    calibrator: Calibrator | None = None,
) -> Built:
    """Build or update the index of a file or folder; passages that did not change keep their vectors.

    `limit` is the longest passage in word pieces; `progress` is told (passages encoded, passages to encode); a document
    that `admit` has a reason against is left; what `calibrator` finds is kept in the manifest. Raises IndexFault where
    nothing could be read or written, or someone else builds; the index in use then stays as it is.
    """
    reading = readable(documents, admit)
    try:
        manifest, before = _build(reading.documents, index, encoder, limit, progress, calibrator)
    except (OSError, sqlite3.Error) as problem:
        remedy = "Make room there, or choose another folder for the index."
        raise IndexFault(str(index), f"could not be written ({problem}).", remedy) from None
    return told(reading, manifest, before)


def readable(documents: Path, admit: Admit | None = None) -> Reading:
    """What a file or folder of documents holds, without those `admit` has a reason against.

    Raises IndexFault where nothing in it could be read. Where all are withheld the index is empty: what has expired is
    not shown.
    """
    from corpus.read import read  # here, not above: to search, no reader of any format is needed

    reading = read(documents)
    if not reading.documents:
        why = str(reading.faults[0]) if reading.faults else "there are no documents."
        raise IndexFault(str(documents), f"nothing could be read: {why}", "Name a file or folder of documents.")
    return _admitted(reading, admit)


def told(reading: Reading, manifest: Manifest, before: Mapping[str, str]) -> Built:
    """What a build did: the manifest it made, against document id → digest of what was in use before."""
    digests = manifest.documents
    return Built(
        added=tuple(id for id in digests if id not in before),
        changed=tuple(id for id in digests if id in before and before[id] != digests[id]),
        removed=tuple(id for id in before if id not in digests),
        kept=tuple(id for id in digests if before.get(id) == digests[id]),
        faults=reading.faults,
        left=reading.left,
        generation=manifest.generation,
        slow=str(manifest.serving.get("because", "")),
        trust=manifest.trust,
    )


def is_stale(
    documents: Path,
    index: Path,
    encoder: str,
    limit: int,
    admit: Admit | None = None,
    calibrator: Calibrator | None = None,
) -> bool:
    """Whether a build would change something that was not rolled back. Reads the documents but loads no model."""
    from corpus.read import read  # as above

    try:
        manifest = generations.verified(index, generations.current(index))
        written(index, manifest.serving)
    except (IndexFault, ValueError):
        return True
    found = {document.id: document.digest for document in _admitted(read(documents), admit).documents}
    if corpus_digest(found) == generations.left_behind(index):
        return False
    if calibrator and manifest.trust.get(READER) != calibrator.name:
        return True
    built = (manifest.encoder, dict(manifest.splitter), dict(manifest.documents))
    return built != (fingerprint(encoder), splitter(limit), found)


def verify(path: Path) -> list[str]:
    """Check the index in use to the last passage; one line a file. Raises IndexFault naming the first thing wrong."""
    folder = generations.current(path)
    store, manifest = open_sealed(path, folder, None, wholly=True)
    try:
        inspect(store, manifest)
        home = written(path, manifest.serving)
    except (ValueError, sqlite3.Error) as problem:
        raise generations.fault(path, f"the index is damaged: {problem}.") from None
    finally:
        store.close()
    listed = [f"{folder.name}/{name}: sha256 {digest}" for name, digest in sorted(manifest.files.items())]
    parts = sorted(home.iterdir()) if home else []
    return listed + [f"{file.parent.name}/{file.name}: sha256 {checksum(file)}" for file in parts]


def _admitted(reading: Reading, admit: Admit | None) -> Reading:
    """The reading without the documents there is a reason against; each is named among the files left."""
    if admit is None:
        return reading
    reasons = {document.id: admit(document) for document in reading.documents}
    left = tuple(f"{one.source or one.id}: {reasons[one.id]}" for one in reading.documents if reasons[one.id])
    admitted = tuple(document for document in reading.documents if not reasons[document.id])
    return replace(reading, documents=admitted, left=(*reading.left, *left))


def _build(
    documents: Sequence[Document],
    index: Path,
    encoder: str,
    limit: int,
    progress: Progress | None,
    calibrator: Calibrator | None,
) -> tuple[Manifest, Mapping[str, str]]:
    """Build aside and swap in; the manifest, and document id → digest of what was in use before."""
    from corpus.split import split  # as above

    with generations.builder(index) as aside, contextlib.ExitStack() as opened:
        model, serving = prepare(encoder, index)
        before, old = _before(index, model.name)
        if old:
            opened.callback(old.close)
        cut = [(document, split(document, min(limit, model.window), model.count)) for document in documents]
        cut.sort(key=lambda pair: pair[0].id)  # so that the order of reading leaves no trace
        vectors = encode(model, old, list(old.documents()) if old else [], cut, progress)
        manifest = write(aside, cut, vectors, model, serving, limit)
        if calibrator:
            store, _ = open_sealed(index, aside, model.name)
            with contextlib.closing(Index(store, model, manifest, partial(generations.fault, index))) as made:
                manifest = replace(manifest, trust=trusted(made, calibrator))
            generations.write_manifest(aside, manifest)
        generations.publish(index, aside, manifest)
        sweep(index, [each.serving for each in generations.held(index)])
    return manifest, before


def _before(index: Path, encoder: str) -> tuple[Mapping[str, str], SqliteStore | None]:
    """The documents of the index in use, and its store where that holds vectors of this encoder."""
    try:
        store, manifest = open_sealed(index, generations.current(index), None)
    except IndexFault:
        return {}, None
    if manifest.encoder == encoder:
        return manifest.documents, store
    store.close()
    return manifest.documents, None
