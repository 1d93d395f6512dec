"""Traces for an operator's OpenTelemetry collector, where one is set: a span for each request and stage, and no text.

Comes in: an address, and what the bot tells. Goes out: spans. Without an address nothing is kept or sent. Does not
know: what was asked, or by whom.
"""

from __future__ import annotations

import time
from importlib.metadata import version

from opentelemetry import trace

from bot.reply import Reply
from bot.settings import SettingsError

PATIENCE_SECONDS = 5  # for a collector that does not answer
DELAY_MS = 1000  # between two portions of spans
_tracer: trace.Tracer = trace.NoOpTracer()


def tracer() -> trace.Tracer:
    """What makes spans: they go nowhere until `configure` has been called."""
    return _tracer


def ended(name: str, seconds: float, **attributes: str) -> None:
    """A span that took so long and ends now, under the one that is open."""
    end = time.time_ns()
    span = _tracer.start_span(name, start_time=end - int(seconds * 1e9), attributes=attributes)
    span.end(end)


class Spans:
    """Told by a bot: a span for each stage and one for the reply, under that of the request."""

    def stage(self, name: str, seconds: float) -> None:
        """One stage that ends now."""
        ended(name, seconds)

    def replied(self, reply: Reply) -> None:
        """Kind, reason and index; no words."""
        ended("reply", reply.ms / 1000, kind=reply.kind.value, reason=reply.reason, index=reply.index)


def configure(address: str) -> None:
    """Send spans to the collector at `address` (OTLP over HTTP). Raises SettingsError without the extra `otel`."""
    global _tracer
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        remedy = "Install it with: pip install 'milkwise[otel]', or take the setting out."
        raise SettingsError(f"setting traces = {address!r}: OpenTelemetry is not installed. {remedy}") from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": "milkwise", "service.version": version("milkwise")})
    )
    exporter = OTLPSpanExporter(endpoint=f"{address.rstrip('/')}/v1/traces", timeout=PATIENCE_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=DELAY_MS))
    # Not the process's own provider: to that, frameworks tell each address with all that follows its question mark.
    _tracer = provider.get_tracer("milkwise")
