"""A PostgreSQL database that keeps an index: reached by its address, survived when a node dies, migrated. Owns psycopg.

Comes in: an address, `postgresql://…`, of one node or several. Goes out: connections with pgvector ready; `IndexFault`
where there is none to be had. Does not know: documents, revisions, or what is asked of the connections.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from pgvector.psycopg import register_vector
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool, PoolClosed

from index.contract import IndexFault

MIGRATIONS = Path(__file__).with_name("migrations")
PGVECTOR = (0, 8)  # the first that goes on searching where a filter leaves too few
CONNECTIONS = 10  # of one process; more wait their turn
PATIENCE_S = 3.0  # how long a read goes on trying while nodes are down
BUILDER_PATIENCE_S = 30.0  # nobody waits for an answer then
PAUSE_S = 0.05
KEY = int.from_bytes(b"milkwise")  # of the lock that a builder holds
DEFAULTS = {
    "connect_timeout": "5",  # of each node
    "application_name": "milkwise",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}
SESSION = """
    SET hnsw.iterative_scan = strict_order; SET hnsw.ef_search = 200; SET hnsw.max_scan_tuples = 100000;
    SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0; SET jit = off;
    SET client_connection_check_interval = 1000; SET extra_float_digits = 1
"""
READING = "SET default_transaction_read_only = on; SET statement_timeout = 5000"

Connection = psycopg.Connection[Any]
T = TypeVar("T")
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # a node that is down is told by whoever needed it


class Database:
    """Connections to one database, read-only unless `write`. Safe to share between threads.

    The address may name several nodes (`host=a,b`); reading takes the first that answers, writing the primary. Opening
    raises IndexFault where no node answers or pgvector is missing or old.
    """

    def __init__(self, address: str, *, write: bool = False) -> None:
        self.write, self._patience_s = write, BUILDER_PATIENCE_S if write else PATIENCE_S
        try:
            given = _parts(address)
            self.name = redacted(address)
        except psycopg.Error:  # its message can quote the password
            remedy = "Write it like postgresql://user@host:5432/database, special characters as %-codes."
            raise IndexFault("the store", "has an address that cannot be read.", remedy) from None
        extra = {"target_session_attrs": "read-write"} if write else {}
        self._address = make_conninfo("", **{**DEFAULTS, **extra, **given})
        with self.faults(), self.connect() as first:
            self._require_pgvector(first)
        self._pool = ConnectionPool(
            self._address,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=CONNECTIONS,
            configure=self._configure,
            reconnect_timeout=2,  # then the next reader starts over, instead of waiting ever longer between attempts
            open=True,
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def connect(self) -> Connection:
        """A connection outside the pool. Raises psycopg.Error."""
        return psycopg.connect(self._address, autocommit=True)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection from the pool. Raises IndexFault where the work in it fails."""
        with self.faults(), self._pool.connection(self._patience_s) as connection:
            yield connection

    def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` reads, tried again on another connection while nodes come and go. Raises IndexFault."""
        limit = time.monotonic() + PATIENCE_S
        with self.faults():
            while True:
                try:
                    with self._pool.connection(max(PAUSE_S, limit - time.monotonic())) as connection:
                        return work(connection)
                except (psycopg.errors.QueryCanceled, PoolClosed):
                    raise  # too slow or over, not gone for a moment
                except psycopg.OperationalError:
                    if time.monotonic() > limit:
                        raise
                time.sleep(PAUSE_S)
                self._pool.check()  # the others of that node are dead too

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn the database's faults into one that says what, where and the remedy."""
        try:
            yield
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedColumn):
            raise self.fault("there is no index in this database.") from None
        except psycopg.errors.InsufficientPrivilege as problem:
            remedy = "Run index/roles.sql there as a superuser, and take a role that may."
            raise IndexFault(self.name, f"the role may not do this ({_line(problem)}).", remedy) from None
        except psycopg.errors.ReadOnlySqlTransaction:
            raise IndexFault(self.name, "cannot be written to.", "Name the primary in the address.") from None
        except psycopg.OperationalError as problem:
            remedy = "See that the database runs and the address is right, then try again."
            raise IndexFault(self.name, f"the database does not answer ({_line(problem)}).", remedy) from None
        except psycopg.Error as problem:
            remedy = "The index in use stays as it is. See the database's log."
            raise IndexFault(self.name, f"the database refused ({_line(problem)}).", remedy) from None

    def fault(self, problem: str) -> IndexFault:
        """An IndexFault with the command that mends it."""
        return IndexFault(self.name, problem, "Run: milkwise build DOCUMENTS --store ADDRESS")

    def _configure(self, connection: Connection) -> None:
        register_vector(connection)
        connection.execute(SESSION)
        if not self.write:
            connection.execute(READING)

    def _require_pgvector(self, connection: Connection) -> None:
        row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
        if row is None and self.write:
            connection.execute("CREATE EXTENSION vector")
            self._require_pgvector(connection)
        elif row is None:
            raise self.fault("there is no index in this database: it has no pgvector.")
        elif tuple(int(part) for part in row[0].split(".")[:2]) < PGVECTOR:
            remedy = "Install 0.8 or newer, then run there: ALTER EXTENSION vector UPDATE"
            raise IndexFault(self.name, f"its pgvector is {row[0]}.", remedy)


def redacted(address: str) -> str:
    """Which database this is, without its password: for messages. Raises psycopg.Error where it is no address."""
    given = _parts(address)
    hosts = given.get("host", given.get("hostaddr", "")).split(",")
    ports = given.get("port", "").split(",")
    ports = ports if len(ports) == len(hosts) else ports[:1] * len(hosts)
    places = ",".join(f"{host}:{port}" if port else host for host, port in zip(hosts, ports, strict=True))
    return f"postgresql://{places}/{given.get('dbname', '')}"


def migrate(connection: Connection, folder: Path = MIGRATIONS) -> None:
    """Bring a database's tables up to this version, all steps or none. The owner of the schema owns them."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [KEY + 1])
        owner = "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'milkwise'"
        if row := connection.execute(owner).fetchone():
            connection.execute(SQL("SET LOCAL ROLE {}").format(Identifier(row[0])))
        else:
            connection.execute("CREATE SCHEMA milkwise")
        connection.execute("CREATE TABLE IF NOT EXISTS milkwise.migrations (number integer PRIMARY KEY, name text)")
        done = version(connection)
        for file in sorted(folder.glob("*.sql")):
            if (number := int(file.name[:4])) > done:
                connection.execute(file.read_bytes())
                connection.execute("INSERT INTO milkwise.migrations VALUES (%s, %s)", [number, file.stem])


def version(connection: Connection) -> int:
    """The number of the latest migration a database has had. Raises psycopg.Error where it has had none."""
    row = connection.execute("SELECT coalesce(max(number), 0) FROM milkwise.migrations").fetchone()
    return int(row[0]) if row else 0


def wanted_version(folder: Path = MIGRATIONS) -> int:
    """The number of the latest migration this version of Milkwise knows."""
    return max(int(file.name[:4]) for file in folder.glob("*.sql"))


def _parts(address: str) -> dict[str, str]:
    return {name: str(value) for name, value in conninfo_to_dict(address).items() if value is not None}


def _line(problem: psycopg.Error) -> str:
    return next(iter(str(problem).strip().splitlines()), type(problem).__name__)
