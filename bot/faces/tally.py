"""Counters of thumbs, in memory.

Comes in: a vote and a kind of reply. Goes out: the counters as Prometheus reads them. Keeps no text and does not know
who voted.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock


class Tally:
    """Counts votes by kind of reply; safe between threads, empty after a restart."""

    def __init__(self) -> None:
        self._votes: Counter[tuple[str, str]] = Counter()
        self._lock = Lock()

    def count(self, vote: str, kind: str) -> None:
        """One more."""
        with self._lock:
            self._votes[vote, kind] += 1

    def exposition(self) -> str:
        """The counters in Prometheus' text format."""
        lines = ["# HELP milkwise_feedback_total Thumbs given.", "# TYPE milkwise_feedback_total counter"]
        with self._lock:
            for (vote, kind), votes in sorted(self._votes.items()):
                lines.append(f'milkwise_feedback_total{{vote="{vote}",kind="{kind}"}} {votes}')
        return "\n".join(lines) + "\n"
