"""Traces for an operator's OpenTelemetry collector, where one is set: a span for each request and stage, and no text.

Comes in: an address, and what the bot tells. Goes out: spans. Without an address, or in a program that sets up no
OpenTelemetry of its own, nothing is kept or sent. Does not know: what was asked, or by whom.
"""

from __future__ import annotations

import time
from importlib.metadata import version

from opentelemetry import trace

from bot.reply import Reply
from bot.settings import SettingsError

PATIENCE_SECONDS = 5  # for a collector that does not answer
DELAY_MS = 1000  # between two portions of spans
TRACER = trace.get_tracer("milkwise")


class Spans:
    """Told by a bot: a span for each stage, under that of the request; what was replied becomes its attributes."""

    def stage(self, name: str, seconds: float) -> None:
        """One stage that ends now."""
        end = time.time_ns()
        TRACER.start_span(name, start_time=end - int(seconds * 1e9)).end(end)

    def replied(self, reply: Reply) -> None:
        """Kind, reason and index; no words."""
        told = {"kind": reply.kind.value, "reason": reply.reason, "index": reply.index}
        trace.get_current_span().set_attributes({f"milkwise.{key}": value for key, value in told.items()})


def configure(address: str) -> None:
    """Send spans to the collector at `address` (OTLP over HTTP). Raises SettingsError without the extra `otel`."""
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
    trace.set_tracer_provider(provider)
