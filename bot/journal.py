"""What the operator chose to keep of questions and thumbs: redacted words, the day, and what came of them.

Comes in: replies and votes, only where `[journal]` is on. Goes out: entries for the report. A day is the finest time
kept, rows have no order that could join a conversation, and a row leaves the file when its days are over. Of a reply
that points to help (urgent, or a word of caution) no words are kept at all. Does not know: who asked, or what a report
makes of it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock
from typing import Any

from bot.redact import redact
from bot.reply import UNSURE, Kind, Reply
from bot.settings import JournalSettings

WORDLESS = (Kind.URGENT, Kind.SMALLTALK)  # kinds of which only the number is kept
TABLES = (
    "CREATE TABLE IF NOT EXISTS asked (id BLOB PRIMARY KEY, day TEXT NOT NULL, kind TEXT NOT NULL,"
    " reason TEXT NOT NULL, text TEXT) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS votes (id BLOB PRIMARY KEY, day TEXT NOT NULL, kind TEXT NOT NULL, vote TEXT NOT NULL,"
    " reason TEXT, text TEXT) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS asked_on ON asked (day)",
    "CREATE INDEX IF NOT EXISTS votes_on ON votes (day)",
)


class JournalFault(Exception):
    """A journal that cannot be used: names the file, what is wrong and the remedy."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `reason` is the reply's; `text` the redacted question, None where no words are kept."""

    day: date
    kind: Kind
    reason: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Vote:
    """One thumb, "up" or "down", with the redacted reason and question where they were given."""

    day: date
    kind: Kind
    vote: str
    reason: str | None
    text: str | None


class Journal:
    """One SQLite file in WAL mode. Safe to share between threads and processes. Raises JournalFault.

    `country` and `public` are for `redact`, which see.
    """

    def __init__(
        self, settings: JournalSettings, country: str = "", public: Callable[[str], bool] = lambda word: False
    ) -> None:
        self.settings, self.country, self.public = settings, country, public
        self._lock, self._pruned = Lock(), date.min
        with self._unfailing():
            settings.file.parent.mkdir(parents=True, exist_ok=True)
            settings.file.touch(mode=0o600)  # for its owner alone, before anything is in it
            self._sql = sqlite3.connect(settings.file, check_same_thread=False, isolation_level=None, timeout=30)
            for pragma in ("journal_mode = WAL", "secure_delete = ON", "synchronous = NORMAL"):
                self._sql.execute(f"PRAGMA {pragma}")
            for table in TABLES:
                self._sql.execute(table)
        self.prune()

    def close(self) -> None:
        """Close the file."""
        self._sql.close()

    def record(self, reply: Reply) -> None:
        """Keep one reply: its kind and reason, and the redacted question unless words are not kept."""
        words = None if reply.kind in WORDLESS or reply.reason == UNSURE else self._redacted(reply.query)
        self._keep("INSERT INTO asked VALUES (?, ?, ?, ?, ?)", reply.kind, reply.reason, words)

    def vote(self, vote: str, kind: str, reason: str | None = None, question: str | None = None) -> None:
        """Keep one thumb, its reason and question redacted. Of one that points to help no words are kept."""
        wordless = kind in (*WORDLESS, Kind.REFER)  # it may be for what may be a red flag
        said, asked = (None if wordless else self._redacted(text or "") for text in (reason, question))
        self._keep("INSERT INTO votes VALUES (?, ?, ?, ?, ?, ?)", kind, vote, said, asked)

    def asked(self) -> Iterator[Asked]:
        """Every question kept, by day; in no order within one."""
        for day, kind, *rest in self._rows("day, kind, reason, text", "asked"):
            yield Asked(date.fromisoformat(day), Kind(kind), *rest)

    def votes(self) -> Iterator[Vote]:
        """Every thumb kept, by day; in no order within one."""
        for day, kind, *rest in self._rows("day, kind, vote, reason, text", "votes"):
            yield Vote(date.fromisoformat(day), Kind(kind), *rest)

    def prune(self, today: date | None = None) -> int:
        """Delete what is older than the days it may be kept, overwritten on the disk; how many rows went."""
        today = today or date.today()
        self._pruned = today
        return self._delete(f" WHERE day < '{today - timedelta(days=self.settings.days)}'")

    def erase(self) -> int:
        """Delete everything, overwritten on the disk; how many rows went."""
        return self._delete("")

    def _keep(self, statement: str, *row: str | None) -> None:
        today = date.today()
        if today != self._pruned:
            self.prune(today)
        with self._unfailing():
            self._sql.execute(statement, (secrets.token_bytes(16), today.isoformat(), *row))

    def _delete(self, where: str) -> int:
        with self._unfailing():
            gone = sum(self._sql.execute(f"DELETE FROM {table}{where}").rowcount for table in ("asked", "votes"))
            if gone:
                self._sql.execute("VACUUM")
                self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what was deleted is in the log too
        return gone

    def _redacted(self, text: str) -> str | None:
        kept = " ".join(redact(text, self.country, self.public).split()) if self.settings.words else ""
        return kept or None

    def _rows(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        with self._unfailing():
            return self._sql.execute(f"SELECT {columns} FROM {table} ORDER BY day").fetchall()

    @contextmanager
    def _unfailing(self) -> Iterator[None]:
        """One user of the connection at a time; every fault names the file, and holds no words of a visitor."""
        with self._lock:
            try:
                yield
            except (OSError, sqlite3.Error) as fault:
                remedy = "Make room, mend its permissions, or name another file in [journal]."
                raise JournalFault(f"{self.settings.file}: the journal cannot be used ({fault}). {remedy}") from None
