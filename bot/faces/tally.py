"""Counters of thumbs, in memory; and the journal behind them, where the operator has switched it on.

Comes in: votes and replies. Goes out: the counters as Prometheus reads them. Keeps no text itself and does not know who
voted.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from bot.journal import Journal, JournalFault
from bot.reply import Reply

_LOG = logging.getLogger("milkwise")


class Tally:
    """Counts votes by kind of reply; safe between threads, empty after a restart. `journal` is None where it is off."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal
        self._votes: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def count(self, vote: str, kind: str, reason: str | None = None, question: str | None = None) -> None:
        """One more; the words that came with it go to the journal or nowhere."""
        with self._lock:
            self._votes[vote, kind] += 1
        if self.journal:
            with _unharmed():
                self.journal.vote(vote, kind, reason, question)

    def replied(self, reply: Reply) -> None:
        """A reply for the journal, where there is one."""
        if self.journal:
            with _unharmed():
                self.journal.record(reply)

    def exposition(self) -> str:
        """The counters in Prometheus' text format."""
        lines = ["# HELP milkwise_feedback_total Thumbs given.", "# TYPE milkwise_feedback_total counter"]
        with self._lock:
            for (vote, kind), votes in sorted(self._votes.items()):
                lines.append(f'milkwise_feedback_total{{vote="{vote}",kind="{kind}"}} {votes}')
        return "\n".join(lines) + "\n"


@contextmanager
def _unharmed() -> Iterator[None]:
    """A full disk costs the journal an entry, and no visitor an answer."""
    try:
        yield
    except JournalFault as fault:
        _LOG.error("%s", fault)
