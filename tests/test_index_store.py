"""What every store promises. Another store joins by one more line in STORES."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.document import Block, Document, Passage, Section
from index.contract import Key, Ranked, Store
from index.database import Database, migrate
from index.postgres import PostgresStore
from index.rows import document_json, passage_json, read_document, read_passage
from index.store import SqliteStore
from tests.index_samples import BIKES, BREAD, document, passages, rows, vectors

DIM = 8
Opener = Callable[[], Store]
STORES: dict[str, Callable[[str], Store]] = {
    "sqlite": lambda folder: SqliteStore(Path(folder) / "store.sqlite", DIM),
    "postgres": lambda address: PostgresStore(Database(address, write=True), DIM),
}


@pytest.fixture(params=sorted(STORES))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The name of a store in STORES, and where an empty one is."""
    if request.param != "postgres":
        return request.param, str(tmp_path)
    address: str = request.getfixturevalue("empty_database")
    with contextlib.closing(Database(address, write=True)) as database, database.connection() as connection:
        migrate(connection)
    return request.param, address


@pytest.fixture
def opener(place: tuple[str, str]) -> Iterator[Opener]:
    """Opens one more handle on the same, at first empty, store."""
    kind, where = place
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(contextlib.closing(STORES[kind](where)))


@pytest.fixture
def store(opener: Opener) -> Store:
    """A handle on an empty store."""
    return opener()


def put(store: Store, made: Document, seed: int = 0) -> list[Passage]:
    """Put a document with random vectors."""
    found = passages(made)
    store.replace_document(made, found, vectors(found, DIM, seed))
    return found


def test_an_empty_store(store: Store) -> None:
    """Nothing is in it, and asking it raises nothing."""
    assert store.documents() == {}
    assert store.document("bread") is None and store.passage("bread#kneading") is None
    assert store.passages("bread") == [] and store.vectors("bread#kneading").shape == (0, DIM)
    assert store.dense(rows(1, DIM, 0)[0], 5) == [] and store.lexical("bread", 5) == []


def test_read_your_writes(store: Store) -> None:
    """What was put is there at once: equal values, in order, and found both ways."""
    bread = document("bread", BREAD, publisher="The Bakers’ Guild")
    found = put(store, bread)
    assert store.documents() == {"bread": bread.digest}
    assert store.document("bread") == bread
    assert store.passages("bread") == found and "".join(each.text for each in found) == bread.text
    for passage, wanted in zip(found, vectors(found, DIM), strict=True):
        assert store.passage(passage.id) == passage
        assert np.array_equal(store.vectors(passage.id), wanted)
        for row in wanted:
            nearest = store.dense(row, 1)[0]
            assert nearest.passage == passage and nearest.cosine == nearest.score == pytest.approx(1, abs=1e-6)
    assert [hit.passage.id for hit in store.lexical("thumb", 5)] == ["bread#kneading"]


def test_dense_is_brute_force(store: Store) -> None:
    """Hits carry each passage's best cosine over all its rows, best first, and k of them."""
    found = [*put(store, document("bread", BREAD)), *put(store, document("bikes", BIKES), seed=50)]
    query = rows(1, DIM, 99)[0]
    truth = {passage.id: float((store.vectors(passage.id) @ query).max()) for passage in found}
    hits = store.dense(query, len(found) + 3)
    assert [hit.passage.id for hit in hits] == sorted(truth, key=lambda id: -truth[id])
    assert all(hit.cosine == pytest.approx(truth[hit.passage.id], abs=1e-6) for hit in hits)
    assert [hit.passage.id for hit in store.dense(query, 2)] == [hit.passage.id for hit in hits[:2]]


def test_both_lists_at_once(store: Store) -> None:
    """`both` reads what is chosen of the two lists, and gives it the scores of either."""
    put(store, document("bread", BREAD)), put(store, document("bikes", BIKES), seed=50)
    query = rows(1, DIM, 99)[0]

    def choose(dense: Ranked, lexical: Ranked) -> dict[Key, float]:
        assert [[score for _, score in ranked] for ranked in (dense, lexical)] == [[near[0].score], [worded[0].score]]
        return {dense[0][0]: 0.5, lexical[0][0]: 0.5}

    near, worded = store.dense(query, 1), store.lexical("thumb", 1)
    hits = {hit.passage.id: hit for hit in store.both(query, "thumb", 1, choose)}
    assert hits.keys() == {near[0].passage.id, "bread#kneading"} and hits["bread#kneading"].bm25 == worded[0].bm25
    assert hits[near[0].passage.id].cosine == near[0].cosine and hits["bread#kneading"].score == 0.5


def test_a_title_is_found_with_its_sections(store: Store) -> None:
    """Words of the title and of a heading lead to that section of that document, though its text has neither."""
    for name in ("Rye", "Oat", "Spelt"):
        put(store, document(name.lower(), {"Storing": "Keep it dry.", "Baking": "Use a stone."}, title=f"{name} bread"))
    assert store.lexical("How do I store oat bread?", 3)[0].passage.id == "oat#storing"


def test_replacing_removes_the_old(store: Store) -> None:
    """A new version takes the whole place of the older one, in every list; other documents are left alone."""
    put(store, document("bikes", BIKES), seed=50)
    old = put(store, document("bread", BREAD))
    old_row = store.vectors("bread#baking")[0]
    fresh = put(store, document("bread", {"Rolls": "Rolls need less time than a loaf."}), seed=9)
    assert store.passages("bread") == fresh
    assert store.passage("bread#baking") is None and store.vectors("bread#baking").shape == (0, DIM)
    assert not {each.id for each in old} & {hit.passage.id for hit in store.dense(old_row, 50)}
    assert store.lexical("kneading thumb hollow", 5) == []
    assert [hit.passage.id for hit in store.lexical("rolls", 5)] == ["bread#rolls"]
    assert len(store.passages("bikes")) == 2


def test_no_passages_deletes_and_again(store: Store) -> None:
    """A document without passages is gone, and deleting what is not there changes nothing."""
    bread = document("bread", BREAD)
    put(store, bread)
    for _ in range(2):
        store.replace_document(bread, [], [])
        assert store.documents() == {} and store.document("bread") is None and store.lexical("dough", 5) == []
    assert store.dense(rows(1, DIM, 0)[0], 5) == []


def test_what_does_not_belong_together_changes_nothing(store: Store) -> None:
    """Vectors missing or of the wrong shape, or another document's passages, are refused and the old stays whole."""
    bread = document("bread", BREAD)
    found = put(store, bread)
    before = store.revision()
    other = document("bikes", BIKES)
    for made, some, matrices in (
        (bread, found, vectors(found, DIM)[:-1]),
        (bread, found, vectors(found, DIM + 1)),
        (bread, found[:1], [rows(1, DIM, 0)[:0]]),
        (other, found, vectors(found, DIM)),
    ):
        with pytest.raises(ValueError):
            store.replace_document(made, some, matrices)
    assert store.passages("bread") == found and store.revision() == before and "bikes" not in store.documents()


def test_the_revision_follows_the_content(store: Store) -> None:
    """Every change of content changes it; reading does not."""
    seen = [store.revision()]
    put(store, document("bread", BREAD))
    seen.append(store.revision())
    store.lexical("dough", 3), store.dense(rows(1, DIM, 0)[0], 3), store.passages("bread")
    assert store.revision() == seen[-1]
    put(store, document("bread", BIKES))
    seen.append(store.revision())
    store.replace_document(document("bread", BIKES), [], [])
    assert len({*seen, store.revision()}) == 4


def test_a_second_handle_sees_writes(opener: Opener) -> None:
    """A handle that has searched already finds what another one writes later."""
    writer, reader = opener(), opener()
    put(writer, document("bread", BREAD))
    assert reader.lexical("dough", 3) and reader.dense(rows(1, DIM, 0)[0], 3)
    found = put(writer, document("bread", {"Rolls": "Rolls need less time."}), seed=70)
    assert [hit.passage for hit in reader.dense(rows(1, DIM, 0)[0], 3)] == found
    assert reader.lexical("dough", 3) == [] and reader.revision() == writer.revision()


def test_a_reader_never_sees_half_a_document(opener: Opener) -> None:
    """While one handle keeps swapping two versions, every search and listing shows one of them, whole."""
    versions = [document("bread", {f"{mark} {n}": f"{mark} body {n}." for n in range(6)}) for mark in ("Oat", "Rye")]
    writer, reader = opener(), opener()
    put(writer, versions[0])

    def swap() -> None:
        for turn in range(30):
            put(writer, versions[turn % 2], seed=turn)

    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(swap)
        while not busy.done():
            for seen in (
                [hit.passage.text for hit in reader.dense(rows(1, DIM, 3)[0], 20)],
                [hit.passage.text for hit in reader.lexical("body oat rye", 20)],
                [passage.text for passage in reader.passages("bread")],
            ):
                assert len(seen) == 6 and len({text[:3] for text in seen}) == 1
        busy.result()


def test_many_threads_one_handle(opener: Opener) -> None:
    """Several threads write and read through one handle, and nothing is lost."""
    store = opener()

    def work(number: int) -> None:
        put(store, document(f"doc{number}", BREAD), seed=number)
        assert store.document(f"doc{number}") and store.lexical("dough", 50) and store.dense(rows(1, DIM, 1)[0], 5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(24)))
    assert len(store.documents()) == 24 and len(store.lexical("dough", 100)) == 24


def test_writes_survive_a_kill(place: tuple[str, str], opener: Opener) -> None:
    """Once replace_document has returned, kill -9 loses nothing."""
    script = (
        "import os, sys; from tests.test_index_store import *\n"
        "store = STORES[sys.argv[1]](sys.argv[2])\n"
        "for number in range(5): put(store, document(f'doc{number}', BREAD))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, *place], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    store = opener()
    assert list(store.documents()) == [f"doc{number}" for number in range(5)]
    assert len(store.lexical("dough", 50)) == 5 and len(store.dense(rows(1, DIM, 1)[0], 50)) == 15


def test_other_vectors_than_it_holds_are_refused(tmp_path: Path) -> None:
    """A store of 8-dimensional vectors does not open for 16-dimensional ones."""
    SqliteStore(tmp_path / "store.sqlite", DIM).close()
    with pytest.raises(ValueError, match="16"):
        SqliteStore(tmp_path / "store.sqlite", 16)


def test_a_sealed_store_outlives_its_file(tmp_path: Path) -> None:
    """Opened sealed it writes nothing beside itself, and still answers, from any thread, once its file is deleted."""
    writer = SqliteStore(tmp_path / "store.sqlite", DIM, durable=False)
    found = put(writer, document("bread", BREAD))
    writer.close()
    sealed = SqliteStore(tmp_path / "store.sqlite", DIM, sealed=True)
    assert [file.name for file in tmp_path.iterdir()] == ["store.sqlite"]
    (tmp_path / "store.sqlite").unlink()
    with ThreadPoolExecutor(2) as pool:
        assert pool.submit(sealed.passages, "bread").result() == found
        assert pool.submit(sealed.lexical, "dough", 3).result()
    with pytest.raises(Exception, match="readonly"):
        put(sealed, document("bikes", BIKES))


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
dates = st.none() | st.dates(date(1900, 1, 1))
tags = st.sampled_from(["heading", "paragraph", "item", "row"])
blocks = st.builds(Block, tags, st.integers(0), st.integers(0), st.integers(0, 6), st.none() | st.integers(1))
several = st.lists(any_text, max_size=3).map(tuple)
sections = st.builds(Section, several, st.integers(0), st.integers(0), st.lists(blocks, max_size=3).map(tuple), several)


@settings(deadline=None)
@given(
    st.builds(
        Document,
        id=any_text,
        title=any_text,
        text=any_text,
        sections=st.lists(sections, max_size=3).map(tuple),
        publisher=any_text,
        written=dates,
        reviewed=dates,
        review_by=dates,
    )
)
def test_documents_come_back_equal(made: Document) -> None:
    """Any document, in any script, survives JSON exactly, digest included."""
    again = read_document(document_json(made))
    assert again == made and again.digest == made.digest and document_json(again) == document_json(made)


spans = st.lists(st.tuples(st.integers(0), st.integers(0)), max_size=3).map(tuple)


@settings(deadline=None)
@given(
    st.builds(Passage, any_text, any_text, several, any_text, st.integers(0), st.integers(0), keys=several, spans=spans)
)
def test_passages_come_back_equal(made: Passage) -> None:
    """Any passage survives JSON exactly."""
    assert read_passage(passage_json(made)) == made
