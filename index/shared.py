"""An index in a database that several servers share: built by one at a time, opened at one revision, verified.

Comes in: an address, and documents. Goes out: an `Index`, refused by name where it is missing, stale, foreign or
damaged. Does not know: how a store keeps rows, or how hits are ranked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from corpus.document import Document
from corpus.split import split
from index.contract import Calibrator, Encoder, IndexFault
from index.database import KEY, Connection, Database, migrate, version, wanted_version
from index.embed import Progress, encode
from index.encode import fingerprint, load_encoder
from index.index import Admit, Built, Index, readable, told, trusted
from index.manifest import Manifest, corpus_digest
from index.postgres import PostgresStore
from index.postings import Cutter
from index.revise import Change, manifest_of, revise
from index.scale import calibrate
from index.sealed import splitter

SERVING = {"by": "sentence-transformers"}  # a network written down for onnxruntime is a file, and here are none


def open_index(address: str, encoder: str) -> Index:
    """The newest revision, built with that encoder. Raises IndexFault."""
    wanted = fingerprint(encoder)
    database = Database(address)
    try:
        store, manifest = newest(database, wanted)
    except BaseException:
        database.close()
        raise
    return Index(store, _encoder(encoder), manifest, database.fault)


def renewed(opened: Index, encoder: str) -> Index | None:
    """The newest revision where it is another than the one open, on the same connections; else None."""
    store = opened.store
    assert isinstance(store, PostgresStore)
    if store.newest().generation == opened.generation:
        return None
    fresh, manifest = newest(store.database, fingerprint(encoder))
    return Index(fresh, _encoder(encoder), manifest, store.database.fault)


def build(
    documents: Path,
    address: str,
    encoder: str,
    limit: int,
    progress: Progress | None,
    admit: Admit | None,
    calibrator: Calibrator | None,
) -> Built:
    """Bring the index up to those documents, in one step; the ones that did not change are not touched.

    A second step follows where `calibrator` finds something else of them than was found before. Makes the tables, or
    brings them up to date, first. Raises IndexFault where nothing could be read or written, or someone else builds; the
    index in use then stays as it is.
    """
    reading = readable(documents, admit)
    with _builder(address) as (database, connection):
        try:
            old, before = newest(database, None)
        except IndexFault:
            old, before = None, None
        model = _encoder(encoder)
        had = before.documents if before else {}
        same = before is not None and (before.encoder, dict(before.splitter)) == (model.name, splitter(limit))
        todo = [each for each in reading.documents if not same or had.get(each.id) != each.digest]
        # Until it is calibrated the new revision goes on with what was found about the one before: those who follow it
        # in between are nearer to the truth than with nothing.
        trust = before.trust if before and calibrator else {}
        manifest = _manifest(reading.documents, model, limit, trust)
        if manifest != before:
            cut = [(each, split(each, min(limit, model.window), model.count)) for each in todo]
            useful = old if before and before.encoder == model.name else None
            vectors = encode(model, useful, [each.id for each in todo if each.id in had], cut, progress)
            changes = [Change(each, passages, [vectors[one.id] for one in passages]) for each, passages in cut]
            changes += [Change(each, [], []) for each in _left(database, manifest)]
            _publish(database, connection, changes, manifest)
        # Only what is published can be searched here, so what is found makes a revision of its own. It is looked for
        # even where no document changed: the build before may have died between the two.
        if calibrator and (found := _trust(database, model, calibrator)) != manifest.trust:
            manifest = replace(manifest, trust=found)
            _publish(database, connection, [], manifest)
    return told(reading, manifest, had)


def verify(address: str) -> list[str]:
    """Check the newest revision to the last passage; one line a document. Raises IndexFault naming what is wrong."""
    database = Database(address)
    try:
        store, manifest = newest(database, None)
        _inspect(store, manifest)
    except ValueError as problem:
        raise database.fault(f"the index is damaged: {problem}.") from None
    finally:
        database.close()
    return [f"{manifest.generation}/{id}: sha256 {digest}" for id, digest in manifest.documents.items()]


def newest(database: Database, encoder: str | None) -> tuple[PostgresStore, Manifest]:
    """A store on the newest revision, and its manifest, built with that encoder if one is named. Raises IndexFault."""
    tables, wanted = database.read(version), wanted_version()
    if tables > wanted:
        remedy = "Upgrade Milkwise here."
        raise IndexFault(database.name, f"its tables are of version {tables}, this Milkwise knows {wanted}.", remedy)
    if tables < wanted:
        raise database.fault(f"its tables are of version {tables}, this Milkwise needs {wanted}.")
    at = PostgresStore(database, 0).newest()
    if at.facts is None:
        raise database.fault("there is no index in this database.")
    try:
        manifest = manifest_of(at.facts, {})
        store = PostgresStore(database, manifest.dim, at)
        manifest = manifest_of(at.facts, store.documents())
    except ValueError as problem:
        raise database.fault(f"the index cannot be used: revision {at.number}: {problem}.") from None
    if manifest.generation != at.generation:
        raise database.fault(f"the index is damaged: revision {at.number} is not what was built.")
    if encoder and manifest.encoder != encoder:
        raise database.fault(f"the index is stale: built with {manifest.encoder}, not {encoder}.")
    return store, manifest


@contextlib.contextmanager
def _builder(address: str) -> Iterator[tuple[Database, Connection]]:
    """A database to build in, for one builder at a time.

    The lock belongs to the connection: a builder that dies gives it up.
    """
    database = Database(address, write=True)
    try:
        with database.connection() as connection:
            if connection.execute("SELECT pg_try_advisory_lock(%s)", [KEY]).fetchone() != (True,):
                remedy = "Wait until it has ended, then run it again."
                raise IndexFault(database.name, "another build is under way here.", remedy)
            migrate(connection)
            yield database, connection
    finally:
        database.close()


def _encoder(name: str) -> Encoder:
    """The encoder by its own library. Raises IndexFault."""
    return load_encoder(name, Path(), SERVING)


def _manifest(documents: Sequence[Document], model: Encoder, limit: int, trust: Mapping[str, str | float]) -> Manifest:
    digests = {each.id: each.digest for each in sorted(documents, key=lambda each: each.id)}
    return Manifest(
        encoder=model.name,
        dim=model.encode([]).shape[1],
        splitter=splitter(limit),
        documents=digests,
        corpus=corpus_digest(digests),
        calibration=calibrate(model),
        serving=SERVING,
        files={},
        sizes={},
        trust=trust,
    )


def _left(database: Database, manifest: Manifest) -> list[Document]:
    """The documents there that the manifest does not list; also those of an index this version cannot read."""
    store = PostgresStore(database, 0)
    try:
        store.newest()
    except IndexFault:
        return []  # nothing was ever put in
    return [each for id in store.documents() if id not in manifest.documents and (each := store.document(id))]


def _trust(database: Database, model: Encoder, calibrator: Calibrator) -> dict[str, str | float]:
    """What is found about the newest revision, by itself: with nothing found before."""
    store, manifest = newest(database, model.name)
    return trusted(Index(store, model, replace(manifest, trust={}), database.fault), calibrator)


def _publish(database: Database, connection: Connection, changes: Sequence[Change], manifest: Manifest) -> None:
    try:
        for change in changes:
            change.check(manifest.dim)
        revise(connection, changes, manifest.dim, Cutter(), manifest)
    except ValueError as problem:
        remedy = "The index in use stays as it is. Build again."
        raise IndexFault(database.name, f"the new index is unsound: {problem}.", remedy) from None


def _inspect(store: PostgresStore, manifest: Manifest) -> None:
    """Compare a store with its manifest and with itself. Raises ValueError for the first thing that does not fit."""
    passages = words = 0
    for id, digest in manifest.documents.items():
        document, cut = store.document(id), store.passages(id)
        if not document or document.digest != digest or "".join(each.text for each in cut) != document.text:
            raise ValueError(f"document {id!r} is not what its digest or its passages say")
        for passage, wanted in zip(cut, store.cutter.passages(document.title, cut), strict=True):
            rows = store.vectors(passage.id)
            if len(rows) != 1 + len(passage.sentences) + len(passage.keys):
                raise ValueError(f"passage {passage.id!r} has {len(rows)} vectors")
            if store.postings(passage.id) != wanted.weights:
                raise ValueError(f"passage {passage.id!r} is listed under other words than it has")
            words += wanted.length
        passages += len(cut)
    if store.totals() != (passages, words):
        raise ValueError(f"it counts {store.totals()} passages and words, and holds {(passages, words)}")
