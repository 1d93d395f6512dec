"""The index in PostgreSQL: the same answers as from a folder, and the same refusals by name."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from typer.testing import CliRunner

from bot.bot import Bot
from bot.calibrate import Calibrator
from bot.faces.api import create_app
from bot.faces.cli import app
from bot.faces.keeper import Change, Keeper
from bot.golden import load_cases
from bot.settings import BUNDLED, load
from index import revise
from index.contract import IndexFault
from index.database import Database, migrate
from index.home import build, open_index, renewed, verify
from index.index import Index
from index.postgres import PostgresStore
from tests.conftest import ENCODER
from tests.index_samples import BIKES, BREAD, document, passages, rows, vectors, write
from tests.postgres_server import Server
from tests.serving import served

DEV = Path(__file__).parent / "golden" / "dev.txt"


@pytest.fixture(scope="module")
def address(postgres: Server) -> str:
    """A database with the bundled documents, built once; read it, do not change it."""
    made = postgres.create("bundled")
    build(BUNDLED, made, ENCODER, 200, calibrator=Calibrator(8))
    return made


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of two small documents."""
    write(tmp_path / "shelf", "bread", BREAD)
    return write(tmp_path / "shelf", "bikes", BIKES).parent


def test_both_lists_are_those_of_a_folder(address: str, index: Index) -> None:
    """The same passages with the same cosines and the same BM25, for every question."""
    shared = open_index(address, ENCODER)
    for case in load_cases(DEV):
        vector = index.encoder.encode([case.ask])[0]
        here, there = (each.store.dense(vector, 20) for each in (index, shared))
        assert {hit.passage.id: hit.cosine for hit in there} == pytest.approx(
            {hit.passage.id: hit.cosine for hit in here}, abs=1e-6
        ), case.ask
        words, same = (each.store.lexical(case.ask, 20) for each in (index, shared))
        assert [hit.passage for hit in same] == [hit.passage for hit in words], case.ask
        assert [hit.bm25 for hit in same] == pytest.approx([hit.bm25 for hit in words], rel=1e-6, abs=1e-9), case.ask
    shared.close()


def test_what_is_found_is_that_of_a_folder(address: str, index: Index) -> None:
    """Asked its own questions, the same index says the same of itself, wherever it lives."""
    shared = open_index(address, ENCODER)
    here, there = dict(index.manifest.trust), dict(shared.manifest.trust)
    assert there.pop("reader") == here.pop("reader")
    assert there == pytest.approx(here, abs=0.011)
    shared.close()


def test_replies_are_those_of_a_folder(address: str, bot: Bot) -> None:
    """A whole reply differs in nothing but the name of the index."""
    shared = Bot.open(address)
    for asked in ("Can men produce milk?", "What is prolactin?", "How do I fix a bicycle?", "does it hurt?"):
        here, there = bot.reply(asked), shared.reply(asked)
        assert (there.kind, there.claims, there.reason) == (here.kind, here.claims, here.reason)
        assert there.confidence == pytest.approx(here.confidence, abs=1e-5)
    shared.index.close()


def test_the_graph_finds_what_is_nearest(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past its threshold the search goes by pgvector's graph, also past what it keeps hidden: recall@10 >= 0.95."""
    monkeypatch.setattr(revise, "GRAPH_FROM", 1000)
    database = Database(empty_database, write=True)
    with database.connection() as connection:
        migrate(connection)
    store, documents = PostgresStore(database, 16), [document(f"doc{n}", BREAD) for n in range(150)]
    for number, made in enumerate(documents):
        found = passages(made)
        store.replace_document(made, found, vectors(found, 16, seed=1000 * number))
    found = [passage for made in documents for passage in store.passages(made.id)]
    matrices = [store.vectors(passage.id) for passage in found]
    with database.connection() as connection:
        plan = connection.execute(
            "EXPLAIN SELECT * FROM milkwise.vectors WHERE dim = 16"
            " ORDER BY embedding::halfvec(16) <#> %s::halfvec(16) LIMIT 80",
            [matrices[0][0]],
        ).fetchall()
    assert "vectors_16" in str(plan)
    right = 0
    for query in rows(50, 16, 7):
        best = np.array([(matrix @ query).max() for matrix in matrices])
        truth = {found[place].id for place in np.argsort(-best)[:10]}
        right += len(truth & {hit.passage.id for hit in store.dense(query, 10)})
    assert right >= 475
    store.close()


def test_a_build_touches_only_what_changed(empty_database: str, shelf: Path, postgres: Server) -> None:
    """Added, changed, removed and kept are told; rows of a kept document stay; nothing new means no new revision."""
    assert build(shelf, empty_database, ENCODER, 200).added == ("bikes", "bread")
    rows = postgres.run("faq", "SELECT row FROM milkwise.passages WHERE document = 'bikes'")
    write(shelf, "bread", {"Rolls": "Rolls need less time than a loaf."})
    write(shelf, "tea", {"Steeping": "Three minutes are enough."})
    built = build(shelf, empty_database, ENCODER, 200)
    assert (built.added, built.changed, built.removed, built.kept) == (("tea",), ("bread",), (), ("bikes",))
    (shelf / "tea.md").unlink()
    assert build(shelf, empty_database, ENCODER, 200).removed == ("tea",)
    assert rows == postgres.run("faq", "SELECT row FROM milkwise.passages WHERE document = 'bikes'")
    again = build(shelf, empty_database, ENCODER, 200)
    assert again.kept == ("bikes", "bread")
    assert postgres.run("faq", "SELECT max(number) FROM milkwise.revisions") == [(3,)]
    assert verify(empty_database) and open_index(empty_database, ENCODER).generation == again.generation


def test_what_is_open_stays_as_it_was(
    empty_database: str, shelf: Path, monkeypatch: pytest.MonkeyPatch, postgres: Server
) -> None:
    """An open index answers as of its revision until that is dropped; then it refuses, and never answers in part."""
    monkeypatch.setattr(revise, "GRACE", "0 seconds")
    build(shelf, empty_database, ENCODER, 200)
    old = open_index(empty_database, ENCODER)
    assert renewed(old, empty_database, ENCODER) is None
    bread = old.passages("bread")
    write(shelf, "bread", {"Rolls": "Rolls need less time than a loaf."})
    build(shelf, empty_database, ENCODER, 200)
    assert old.passages("bread") == bread and old.search("dough", 3)[0].passage.id == "bread#kneading"
    fresh = renewed(old, empty_database, ENCODER)
    assert fresh and fresh.passage("bread#rolls") and not fresh.passage("bread#kneading")
    (shelf / "bikes.md").unlink()
    build(shelf, empty_database, ENCODER, 200)
    gone = postgres.run("faq", "SELECT DISTINCT document FROM milkwise.passages WHERE removed IS NOT NULL")
    assert gone == [("bikes",)]  # the bread of the first revision is no longer there
    for read in (lambda: old.passages("bread"), lambda: old.search("dough", 3), lambda: old.store.passage("no")):
        with pytest.raises(IndexFault, match="no longer kept"):
            read()
    assert fresh.passages("bikes") and verify(empty_database)
    fresh.close()


def test_a_server_follows(empty_database: str, shelf: Path) -> None:
    """A server answers from a new revision without a restart, and answers 503 with Retry-After while it cannot read."""
    build(shelf, empty_database, ENCODER, 200)
    bot = Bot.open(empty_database)
    changes = deque[Change]()
    with (
        served(create_app(bot, bot.settings)) as url,
        httpx.Client(base_url=url, headers={"Connection": "close"}) as client,
        Keeper(bot, bot.settings, changes),
    ):
        before = client.get("/readyz").json()["index"]
        write(shelf, "tea", {"Steeping": "Three minutes are enough."})
        built = build(shelf, empty_database, ENCODER, 200)
        patience = time.monotonic() + 60
        while (now := client.get("/readyz").json()["index"]) == before and time.monotonic() < patience:
            time.sleep(0.05)
        assert now == built.generation
        assert client.get("/v1/passages/tea%23steeping").status_code == 200
        bot.index.close()
        away = client.get("/v1/passages/bread%23baking")
        assert away.status_code == 503 and away.headers["retry-after"] == "1"
        assert away.json()["errors"][0]["field"] == "index"


@pytest.fixture
def logins(postgres: Server, empty_database: str) -> Iterator[dict[str, str]]:
    """Two logins made as index/roles.sql says: group → address."""
    groups = {"milkwise_read": "faq_server", "milkwise_build": "faq_builder"}
    postgres.run("faq", (Path(revise.__file__).parent / "roles.sql").read_text(encoding="utf-8"))
    for group, login in groups.items():
        postgres.run("faq", f"CREATE ROLE {login} LOGIN IN ROLE {group}")
    yield {group: postgres.address("faq", user=login) for group, login in groups.items()}
    postgres.run("faq", f"DROP SCHEMA milkwise CASCADE; DROP ROLE {', '.join(groups.values())}")


def test_a_server_needs_only_select(logins: dict[str, str], shelf: Path) -> None:
    """The builder's role builds, the server's role reads, and it may write nothing."""
    build(shelf, logins["milkwise_build"], ENCODER, 200)
    reader = logins["milkwise_read"]
    shared = open_index(reader, ENCODER)
    assert shared.search("dough", 3)
    shared.close()
    with pytest.raises(IndexFault, match=r"roles\.sql"):
        build(shelf, reader, ENCODER, 200)
    database = Database(reader, write=True)
    for table in ("documents", "passages", "vectors", "postings", "revisions", "migrations"):
        with pytest.raises(IndexFault, match="permission denied"), database.connection() as connection:
            connection.execute(f"DELETE FROM milkwise.{table}".encode())
    database.close()


def test_refusals_name_what_is_wrong(
    empty_database: str, shelf: Path, tiny: Path, tmp_path: Path, postgres: Server
) -> None:
    """Missing, foreign, newer, damaged, being built: each is refused in one line, and no line holds a password."""
    with pytest.raises(IndexFault, match="there is no index"):
        open_index(empty_database, ENCODER)
    build(shelf, empty_database, ENCODER, 200)
    with pytest.raises(IndexFault, match="stale: built with all-MiniLM"):
        open_index(empty_database, str(tiny))
    with Database(empty_database).connect() as builder:
        builder.execute("SELECT pg_advisory_lock(%s)", [int.from_bytes(b"milkwise")])
        with pytest.raises(IndexFault, match="another build is under way"):
            build(shelf, empty_database, ENCODER, 200)
    postgres.run("faq", "INSERT INTO milkwise.migrations VALUES (9999, 'later')")
    with pytest.raises(IndexFault, match="version 9999"):
        open_index(empty_database, ENCODER)
    postgres.run("faq", "DELETE FROM milkwise.migrations WHERE number = 9999")
    postgres.run("faq", "UPDATE milkwise.postings SET weight = 9 WHERE word = 'dough'")
    with pytest.raises(IndexFault, match="other words"):
        verify(empty_database)
    postgres.run("faq", "UPDATE milkwise.documents SET digest = 'x' WHERE id = 'bread'")
    with pytest.raises(IndexFault, match="not what was built"):
        open_index(empty_database, ENCODER)
    with pytest.raises(IndexFault, match="does not answer") as gone:
        open_index("postgresql://faq:hush@localhost:1/faq?password=secret", ENCODER)
    assert "hush" not in str(gone.value) and "secret" not in str(gone.value)


def test_another_encoder_takes_its_place(empty_database: str, shelf: Path, tiny: Path) -> None:
    """A build with another encoder, of other dimensions, replaces everything; who has the old one open reads on."""
    build(shelf, empty_database, ENCODER, 200)
    old = open_index(empty_database, ENCODER)
    built = build(shelf, empty_database, str(tiny), 30)
    assert built.kept == ("bikes", "bread")
    fresh = open_index(empty_database, str(tiny))
    assert fresh.vectors("bread#baking").shape[1] == 32 and old.vectors("bread#baking").shape[1] == 384
    assert old.search("dough", 3) and fresh.search("dough", 3) and verify(empty_database)
    with pytest.raises(IndexFault, match="stale"):
        renewed(old, empty_database, ENCODER)
    shutil.rmtree(tiny)


def test_the_command_line(empty_database: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """build, check and ask take --store or the setting; a folder and a database at once is wrong usage."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "milkwise.toml").write_text(f'store = "{empty_database}"\n', encoding="utf-8")
    milkwise = CliRunner()
    missing = milkwise.invoke(app, ["ask", "How long do I knead?"])
    assert missing.exit_code == 1 and "there is no index" in missing.stderr and missing.stderr.count("\n") == 1
    assert milkwise.invoke(app, ["build", "shelf"]).exit_code == 0
    asked = milkwise.invoke(app, ["ask", "How long do I knead the dough?", "--store", empty_database, "--json"])
    assert asked.exit_code == 0 and '"index"' in asked.stdout
    assert "every checksum is right" in milkwise.invoke(app, ["check", "shelf"]).stdout
    assert milkwise.invoke(app, ["ask", "Why?", "--store", empty_database, "--index", "x"]).exit_code == 2
    assert not (tmp_path / ".milkwise").exists()
    wrong = milkwise.invoke(app, ["ask", "Why?", "--store", "mysql://root:hush@x/y"])
    assert wrong.exit_code == 1 and "postgresql://" in wrong.stderr and "hush" not in wrong.stderr
    assert load(store="").home == Path(".milkwise")
