"""What is counted, in memory, for whoever runs the server: replies, refusals, stages, queue, requests, thumbs. No text.

Comes in: what the bot and the routes tell. Goes out: the counters in Prometheus' text format; and entries of the
journal behind them, where the operator has switched it on. Keeps no text itself, and does not know who asked or voted.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from bot.journal import Journal, JournalFault
from bot.reply import Reply

REASONS = ("reason-other", "reason-hard", "reason-wrong")  # why not helpful, where the operator keeps a journal
MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_STAGE_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_REPLY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_LOG = logging.getLogger("milkwise")
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series nobody here reads


class Tally:
    """Counts; safe between threads, empty after a restart. Each has its own registry, so that two apps do not mix.

    `journal` is None where the operator keeps none.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._votes = Counter("milkwise_feedback", "Thumbs given.", ["vote", "kind"], registry=registry)
        self._replies = Counter("milkwise_replies", "Replies given.", ["kind", "reason"], registry=registry)
        self._seconds = Histogram(
            "milkwise_reply_seconds", "Time to a reply.", registry=registry, buckets=_REPLY_SECONDS
        )
        self._stages = Histogram(
            "milkwise_stage_seconds", "Time in each stage.", ["stage"], registry=registry, buckets=_STAGE_SECONDS
        )
        self._voiced = Counter("milkwise_voiced", "Answers a model was to introduce.", ["outcome"], registry=registry)
        self._requests = Counter(
            "milkwise_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._waits = Histogram(
            "milkwise_http_seconds",
            "Time to the end of a response.",
            ["route"],
            registry=registry,
            buckets=_REPLY_SECONDS,
        )
        self.under_way = Gauge("milkwise_http_requests_under_way", "Requests being answered.", registry=registry)
        self.waiting = Gauge("milkwise_queue_waiting", "Questions that wait for an answer's turn.", registry=registry)
        self.queued = Histogram(
            "milkwise_queue_seconds", "Time waited for that turn.", registry=registry, buckets=_REPLY_SECONDS
        )
        self._turned_away = Counter(
            "milkwise_queue_refused", "Questions told to come again.", ["reason"], registry=registry
        )
        self._looked_up = Counter("milkwise_cache_requests", "Replies looked for.", ["result"], registry=registry)
        self.kept = Gauge("milkwise_cache_replies", "Replies at hand.", registry=registry)
        self._index = Info("milkwise_index", "What is served: index generation and version.", registry=registry)

    def count(self, vote: str, kind: str, reason: str | None = None, question: str | None = None) -> None:
        """One more thumb; the words that came with it go to the journal or nowhere."""
        self._votes.labels(vote, kind).inc()
        if self.journal:
            with _unharmed():
                self.journal.vote(vote, kind, reason, question)

    def stage(self, name: str, seconds: float) -> None:
        """How long one stage of a reply took."""
        self._stages.labels(name).observe(seconds)

    def replied(self, reply: Reply) -> None:
        """One more reply; `reason` is a short code or the id of a rule."""
        self._replies.labels(reply.kind.value, reply.reason).inc()
        self._seconds.observe(reply.ms / 1000)
        if reply.voiced:
            self._voiced.labels(reply.voiced).inc()
        if self.journal:
            with _unharmed():
                self.journal.record(reply)

    def turned_away(self, reason: str) -> None:
        """One more question told to come again: the queue was "full", or its turn came too "late"."""
        self._turned_away.labels(reason).inc()

    def looked_up(self, found: bool) -> None:
        """One more question looked for among the replies at hand."""
        self._looked_up.labels("hit" if found else "miss").inc()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One more response. `route` is a template, never an address somebody typed."""
        self._requests.labels(method, route, str(status)).inc()
        self._waits.labels(route).observe(seconds)

    def exposition(self, generation: str | None) -> bytes:
        """The counters in Prometheus' text format, with the index that is served now, if one is."""
        self._index.info({"generation": generation or "", "version": version("milkwise")})
        return generate_latest(self._registry)


@contextmanager
def _unharmed() -> Iterator[None]:
    """A full disk costs the journal an entry, and no visitor an answer."""
    try:
        yield
    except JournalFault as fault:
        _LOG.error("%s", fault)
