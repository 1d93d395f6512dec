"""One generation's contents: written into an empty folder, inspected, and opened for reading only.

Comes in: documents cut into passages, and their vectors. Goes out: a complete folder with its manifest; an open store.
Does not know: which generation is in use, what changed since the last one, or how hits are ranked.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from corpus.document import Document, Passage
from index import generations
from index.contract import Encoder, FloatMatrix, IndexFault
from index.dense import Dense
from index.files import checksum
from index.manifest import Manifest, corpus_digest
from index.scale import calibrate
from index.store import SqliteStore


def write(
    aside: Path,
    cut: Sequence[tuple[Document, Sequence[Passage]]],
    vectors: Mapping[str, FloatMatrix],
    model: Encoder,
    serving: Mapping[str, str | float],
    limit: int,
) -> Manifest:
    """Write a whole generation into an empty folder, open it again and inspect it; IndexFault if it is unsound."""
    dim = model.encode([]).shape[1]
    with contextlib.closing(SqliteStore(aside / generations.STORE, dim, durable=False)) as store:
        for document, passages in cut:
            store.replace_document(document, passages, [vectors[passage.id] for passage in passages])
        store.work_out()
        store.derived().write(aside / generations.DENSE)
        digests = dict(store.documents())
    manifest = Manifest(
        encoder=model.name,
        dim=dim,
        splitter=splitter(limit),
        documents=digests,
        corpus=corpus_digest(digests),
        calibration=calibrate(model),
        serving=serving,
        files={name: checksum(aside / name) for name in (generations.STORE, generations.DENSE)},
        sizes={name: (aside / name).stat().st_size for name in (generations.STORE, generations.DENSE)},
    )
    generations.write_manifest(aside, manifest)
    with contextlib.closing(open_sealed(aside.parent, aside, model.name)[0]) as store:
        try:
            inspect(store, manifest)
        except ValueError as problem:
            remedy = "The index in use stays as it is. Leave that document out, and report it."
            raise IndexFault(str(aside), f"the new index is unsound: {problem}.", remedy) from None
    return manifest


def open_sealed(
    index: Path, folder: Path, encoder: str | None, *, wholly: bool = False
) -> tuple[SqliteStore, Manifest]:
    """The store of a generation, its files verified, built with that encoder if one is named. Raises IndexFault.

    `wholly` reads every byte of them, however many: see `generations.verified`.
    """
    manifest = generations.verified(index, folder, wholly=wholly)
    if encoder and manifest.encoder != encoder:
        raise generations.fault(index, f"the index is stale: built with {manifest.encoder}, not {encoder}.")
    try:
        dense = Dense.read(folder / generations.DENSE)
        store = SqliteStore(folder / generations.STORE, manifest.dim, sealed=True)
    except (ValueError, OSError, sqlite3.Error) as problem:
        raise generations.fault(index, f"the index is damaged: {problem}.") from None
    store.adopt(dense)
    return store, manifest


def inspect(store: SqliteStore, manifest: Manifest) -> None:
    """Compare a store with its manifest and with itself. Raises ValueError for the first thing that does not fit."""
    if dict(store.documents()) != manifest.documents:
        raise ValueError("its documents are not those of its manifest")
    rows = 0
    for id, digest in manifest.documents.items():
        document, passages = store.document(id), store.passages(id)
        if not document or document.digest != digest or "".join(each.text for each in passages) != document.text:
            raise ValueError(f"document {id!r} is not what its digest or its passages say")
        rows += sum(len(store.vectors(passage.id)) for passage in passages)
    if rows != len(store.derived()):
        raise ValueError(f"{rows} vectors are stored, {len(store.derived())} are searched")


def splitter(limit: int) -> dict[str, str | int]:
    """What decides where passages end: the limit in word pieces, and this version's way of splitting."""
    return {"limit": limit, "milkwise": version("milkwise")}
