"""PostgreSQL under fire: a primary and a hot standby killed, promoted and updated while they are read.

Run: `python -m tests.bench.cluster`, or name some of its parts. Starts real servers from the wheel of the dev extra and
writes rows as of docs/RESULTS.md. Takes some minutes; exits with 1 where any count of lost, mixed or wrong is not 0.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bot.settings import BUNDLED, hush
from corpus.document import Document
from index.contract import IndexFault
from index.database import Database, migrate
from index.postgres import PostgresStore
from tests.index_samples import document, passages, vectors
from tests.postgres_server import Server, home, primary

DIM, ENCODER = 16, "all-MiniLM-L6-v2"
GOLDEN = Path(__file__).parents[1] / "golden" / "dev.txt"
MARKS = ("Oat", "Rye")
if TYPE_CHECKING:
    from bot.bot import Bot

Part = tuple[str, Mapping[str, object], int]  # what was tried, its figures, how many were lost, mixed or wrong
KILLS, SECONDS, SWITCHES = 100, 20.0, 3


def main() -> None:
    """Everything, one line each."""
    hush()
    if sys.argv[1:2] == ["update"]:
        update(sys.argv[2])
        return
    bad = False
    for row in rows(sys.argv[1:]):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
        bad |= not row[1].startswith("0 ")
    raise SystemExit(bad)


def answers() -> Part:
    """Every development question, answered from the folder and from the database."""
    from bot.bot import Bot  # here, not above: a process that is only to be killed starts without the model
    from bot.golden import load_cases
    from index.home import build

    with primary(fsync="off") as server, TemporaryDirectory() as folder:
        address = server.create("faq")
        for place in (address, Path(folder) / "index"):
            build(BUNDLED, place, ENCODER, 200)
        here, there = Bot.open(Path(folder) / "index"), Bot.open(address)
        asked = [case.ask for case in load_cases(GOLDEN) if not case.before]
        same, spent = 0, {"folder": 0.0, "database": 0.0}
        for question in asked:
            replies = []
            for name, bot in (("folder", here), ("database", there)):
                start = time.perf_counter()
                replies.append(bot.reply(question))
                spent[name] += time.perf_counter() - start
            same += (replies[0].kind, replies[0].claims) == (replies[1].kind, replies[1].claims)
        there.index.close()
    ratio = spent["database"] / spent["folder"]
    figures = {"the same kind and claims": f"{same} of {len(asked)}", "time, database / folder": f"{ratio:.2f}"}
    return "Answers from a folder and from PostgreSQL", figures, len(asked) - same


def update(address: str) -> None:
    """Swap two versions of ten documents for ever, saying each one done: a process to be killed."""
    store = PostgresStore(Database(address, write=True), DIM)
    for number in range(1_000_000):
        id, mark = f"doc{number % 10}", MARKS[number // 10 % 2]
        put(store, version(id, mark), number)
        sys.stdout.write(f"{id} {mark}\n")
        sys.stdout.flush()


def version(id: str, mark: str) -> Document:
    """A document whose every passage starts with the mark of its version."""
    return document(id, {f"{mark} {place}": f"{mark} body {place}." for place in range(6)})


def killed_updates() -> Part:
    """`kill -9` of the process that updates, at random moments; what it said was done has to be there, whole."""
    random.seed(7)
    done, lost, mixed, known = 0, 0, 0, set[str]()
    with primary() as server:
        address = server.create("faq")
        store = fresh(address)
        killed = 0
        while killed < KILLS:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.bench.cluster", "update", address],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert process.stdout
            said = [process.stdout.readline().strip()]
            if not said[0]:  # a busy machine: it has not begun, and there is nothing to kill
                process.wait()
                continue
            killed += 1
            timer = threading.Timer(random.uniform(0, 0.5), process.kill)
            timer.start()
            said += process.stdout.read().splitlines()
            process.wait()
            done += len(said)
            latest = dict(line.split(" ") for line in said)
            known |= set(latest)
            lost += len(known - set(store.documents()))
            for id in store.documents():
                found = marks(store, id)
                mixed += len(found) != 1
                # The one after the last it told of may have been done too, and that one only.
                lost += id in latest and latest[id] not in found and not following(said, id)
        store.close()
    figures = {"updates acknowledged": done, "updaters killed": KILLS, "lost": lost, "mixed": mixed}
    return "100 updaters killed at random moments", figures, lost + mixed


def following(said: list[str], id: str) -> bool:
    """Whether the update after the last one told of is of that document."""
    return f"doc{(int(said[-1].split(' ')[0][3:]) + 1) % 10}" == id


def marks(store: PostgresStore, id: str) -> set[str]:
    """Which versions' passages a document holds; six of one where it is whole."""
    found = [passage.text[:3] for passage in store.passages(id)]
    return set(found) | (set() if len(found) == 6 else {"not six"})


def half_documents() -> Part:
    """Four readers, two on a hot standby, while two versions are swapped as fast as can be."""
    seen, half = [0, 0, 0, 0], 0
    with cluster() as (server, standby):
        store = fresh(server.address("faq"))
        put(store, version("doc0", MARKS[0]), 0)
        caught_up(server, standby)
        stop = threading.Event()

        def read(number: int) -> None:
            nonlocal half
            reader = PostgresStore(Database((standby if number % 2 else server).address("faq")), DIM)
            while not stop.is_set():
                for found in (reader.passages("doc0"), [hit.passage for hit in reader.lexical("body oat rye", 20)]):
                    half += len(found) != 6 or len({passage.text[:3] for passage in found}) != 1
                    seen[number] += 1
            reader.close()

        readers = [threading.Thread(target=read, args=(number,)) for number in range(4)]
        for reader in readers:
            reader.start()
        swaps, end = 0, time.monotonic() + SECONDS
        while time.monotonic() < end:
            swaps += 1
            put(store, version("doc0", MARKS[swaps % 2]), swaps)
        stop.set()
        for reader in readers:
            reader.join()
        store.close()
    reads = {"swaps": swaps, "reads on the primary": seen[0] + seen[2], "on the standby": seen[1] + seen[3]}
    return "A document read while it is replaced", {**reads, "that saw half of one": half}, half


def failover() -> Part:
    """`kill -9` of the primary under load, promotion, and everyone goes on through the address they had."""
    from bot.bot import Bot
    from bot.golden import load_cases
    from index.home import build

    log: list[tuple[float, str]] = []
    waits, writes, missing = [], [], 0
    for _ in range(SWITCHES):
        with cluster() as (server, standby):
            address = server.address("faq", standby)
            build(BUNDLED, address, ENCODER, 200)
            caught_up(server, standby)
            bot = Bot.open(address)
            asked = [case.ask for case in load_cases(GOLDEN) if not case.before][:20]
            right = {question: bot.reply(question).claims for question in asked}
            writer = PostgresStore(Database(address, write=True), bot.index.manifest.dim)
            since = len(log)
            with asking(bot, right, log):
                time.sleep(3)
                died = time.monotonic()
                server.kill()
                standby.promote()
                until_done(lambda store=writer: put(store, version("oats", MARKS[0]), 0))  # type: ignore[misc]
                writes.append(time.monotonic() - died)
                time.sleep(3)
            times = [died] + [at for at, said in log[since:] if said == "right" and at > died]
            waits.append(max(late - early for early, late in pairwise(times)))
            missing += writer.document("oats") is None
            writer.close()
            bot.index.close()
    said = Counter(kind for _, kind in log)
    figures = {
        "switches": SWITCHES,
        "answers": said["right"],
        "wrong answers": said["wrong"],
        "errors": said["error"],
        "longest wait between two answers after the kill, s": f"{max(waits):.2f}",
        "from the kill to the first write through the same address, s": f"{max(writes):.2f}",
    }
    return "Failover under load: four askers, both nodes in one address", figures, said["wrong"] + missing


def rows(names: Sequence[str] = ()) -> Iterator[tuple[str, str, str, str]]:
    """(what, measured, bar, remark) for each row of docs/RESULTS.md: a part, what has to be 0, and its figures."""
    hush()
    parts = {part.__name__: part for part in (answers, killed_updates, half_documents, failover)}
    for part in [parts[name] for name in names or parts]:
        title, figures, wrong = part()
        listed = ", ".join(f"{name}: {value}" for name, value in figures.items())
        yield title, f"{wrong} wrong, lost or mixed", "0", listed


@contextlib.contextmanager
def asking(bot: Bot, right: Mapping[str, object], log: list[tuple[float, str]]) -> Iterator[None]:
    """Four threads that ask, and log when each answer came and whether it was right."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            question = random.choice(list(right))
            try:
                said = "right" if bot.reply(question).claims == right[question] else "wrong"
            except IndexFault:
                said = "error"
            log.append((time.monotonic(), said))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    yield
    stop.set()
    for asker in askers:
        asker.join()


@contextlib.contextmanager
def cluster() -> Iterator[tuple[Server, Server]]:
    """A primary with an empty database `faq`, and a hot standby that follows it."""
    with primary() as server, home() as folder:
        server.create("faq")
        standby = Server.standby(folder, server)
        try:
            yield server, standby
        finally:
            standby.stop()


def fresh(address: str) -> PostgresStore:
    """A store in an empty database, its tables made."""
    database = Database(address, write=True)
    with database.connection() as connection:
        migrate(connection)
    return PostgresStore(database, DIM)


def put(store: PostgresStore, made: Document, seed: int) -> None:
    """Put a document with random vectors."""
    found = passages(made)
    store.replace_document(made, found, vectors(found, store.dim, seed))


def caught_up(server: Server, standby: Server) -> None:
    """Wait until the standby has all that the primary has written."""
    ((written,),) = server.run("faq", "SELECT pg_current_wal_flush_lsn()::text")
    while standby.run("faq", f"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn") != [(True,)]:
        time.sleep(0.02)


def until_done(work: Callable[[], None]) -> None:
    """Do it again until it works, for at most a minute."""
    end = time.monotonic() + 60
    while True:
        try:
            work()
            return
        except IndexFault:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
