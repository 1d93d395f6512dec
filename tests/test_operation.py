"""What an operator relies on, tried on `milkwise serve` as it is run: its log, metrics and request ids, its end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.faces.tally import Tally
from bot.reply import Kind
from tests.command import MILKWISE, PATIENCE_S
from tests.replies import every_kind
from tests.serving import served

SECRET = "zebrafish lighthouse"  # stands for what a visitor typed: it may be written nowhere
JSON = {"content-type": "application/json"}
MCP = {"accept": "application/json, text/event-stream"}


@contextmanager
def serving(index: Path, folder: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """`milkwise serve` on a free port: the process, its address, and the file its stderr goes to."""
    log = folder / "stderr"
    command = [str(MILKWISE), "serve", "--index", str(index), "--port", "0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            assert process.stdout
            (address,) = re.findall(r"http://[\d.]+:\d+", process.stdout.readline())
            yield process, address, log
        finally:
            process.terminate()
            process.wait(PATIENCE_S)


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector of traces: its address, and what it is sent."""
    sent: list[bytes] = []

    async def taken(request: Request) -> Response:
        sent.append(await request.body())
        return Response()

    with served(Starlette(routes=[Route("/v1/traces", taken, methods=["POST"])])) as address:
        yield address, sent


@pytest.fixture(scope="module")
def server(
    index_dir: Path, tmp_path_factory: pytest.TempPathFactory, collector: tuple[str, list[bytes]]
) -> Iterator[tuple[httpx.Client, Path]]:
    """A client of a server that traces each request and logs it as JSON, and its log."""
    folder = tmp_path_factory.mktemp("served")
    told = {"MILKWISE_LOG_LEVEL": "info", "MILKWISE_LOG_FORMAT": "json", "MILKWISE_TRACES": collector[0]}
    with (
        serving(index_dir, folder, **told) as (_, address, log),
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client, log


def lines(log: Path) -> list[dict[str, Any]]:
    """The log so far; every line of it is JSON."""
    time.sleep(0.2)  # a response is read before its line is written
    return [json.loads(line) for line in log.read_text().splitlines()]


def counted(client: httpx.Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples of /metrics by name and labels, read with Prometheus' own parser."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_no_log_line_holds_what_a_visitor_typed(server: tuple[httpx.Client, Path]) -> None:
    """Asked and mistaken in every way there is, the server writes a line for each request and none of the words."""
    client, log = server
    said = f"Can men produce milk? {SECRET}"
    messages = [{"role": "user", "content": said}, {"role": "assistant", "content": SECRET}]
    tool = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "ask", "arguments": {"question": said}},
    }
    client.post("/v1/ask", json={"question": said, "history": [{"asked": SECRET, "cited": [SECRET]}]})
    client.post("/v1/ask", json={"question": said}, headers={"accept": "text/event-stream"})
    client.post("/v1/ask", json={"question": [said], "locale": SECRET})
    client.post("/v1/ask", content=f'{{"question": "{SECRET}', headers=JSON)
    client.post("/v1/feedback", json={"vote": "down", "kind": "answer", "question": said, "reason": SECRET})
    client.post("/v1/chat/completions", json={"model": "milkwise", "messages": messages})
    client.post("/v1/chat/completions", json={"model": "milkwise", "messages": [*messages, messages[0]]})
    client.post("/mcp", json=tool, headers=MCP)
    client.post("/mcp", json={**tool, "params": {"name": SECRET, "arguments": {"question": [said]}}}, headers=MCP)
    client.post("/mcp", content=SECRET, headers=JSON | MCP)
    client.post("/chat/gradio_api/queue/join", json={"data": [said], "fn_index": 0, "session_hash": "s"})
    client.get("/chat/", params={"q": SECRET})
    client.get(f"/documents/{SECRET}", params={"from": SECRET})
    client.get("/faq", params={"q": SECRET}, headers={"X-Request-ID": SECRET, "User-Agent": SECRET, "Referer": SECRET})
    client.request("ZEBRAFISH", f"/{SECRET}")
    written = lines(log)
    assert not re.search("zebrafish|lighthouse", log.read_text(), re.I)
    requests = [line for line in written if line["event"] == "request"]
    assert len(requests) >= 14
    for line in requests:
        assert {"time", "level", "request", "method", "route", "status", "ms"} <= set(line)
    assert any(line["route"].startswith("/chat/") for line in requests)
    assert {"/v1/ask", "/v1/chat/completions", "/mcp", "/documents/{id:path}", "/faq", "none"} <= {
        line["route"] for line in requests
    }


def test_each_response_names_its_request(server: tuple[httpx.Client, Path]) -> None:
    """The id of a response is in the log; a proxy's own is kept; every response has one of its own."""
    client, log = server
    given = client.get("/healthz", headers={"X-Request-ID": "proxy-1234"})
    assert given.headers["x-request-id"] == "proxy-1234"
    ids = [client.get(path).headers["x-request-id"] for path in ("/healthz", "/nothing", "/chat/", "/faq")]
    assert len(set(ids)) == len(ids)
    assert {"proxy-1234", *ids} <= {line.get("request") for line in lines(log)}


def test_metrics_count_replies_stages_and_requests(server: tuple[httpx.Client, Path]) -> None:
    """What is asked moves the counters by as much, whichever face it is asked through; no text is among them."""
    client, _ = server
    before = counted(client)

    def moved(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after.get(key, 0) - before.get(key, 0)

    messages = [{"role": "user", "content": "Can men produce milk?"}] * 3
    client.post("/v1/ask", json={"question": "Can men produce milk?"})
    client.post("/v1/ask", json={"question": f"What is a {SECRET}?"})
    client.post("/v1/ask", json={"question": "My baby has stopped breathing"})
    client.post("/v1/chat/completions", json={"model": "milkwise", "messages": messages})
    client.post("/v1/ask", json={"question": ""})
    after = counted(client)
    kinds = {
        kind: sum(
            value - before.get(key, 0)
            for key, value in after.items()
            if key[0] == "milkwise_replies_total" and ("kind", kind) in key[1]
        )
        for kind in ("answer", "abstain", "urgent")
    }
    assert kinds == {"answer": 2, "abstain": 1, "urgent": 1}
    assert moved("milkwise_reply_seconds_count") == 4
    # Two turns are gone over again, suggestions are tried, and what was asked before may be at hand.
    for stage, times in {"triage": 5, "rewrite": 4, "search": 4, "weigh": 4}.items():
        assert moved("milkwise_stage_seconds_count", stage=stage) >= times
    assert moved("milkwise_http_requests_total", method="POST", route="/v1/ask", status="200") == 3
    assert (
        moved("milkwise_cache_requests_total", result="hit") + moved("milkwise_cache_requests_total", result="miss")
        == 3
    )
    assert after["milkwise_cache_replies", ()] >= 1
    assert after["milkwise_queue_waiting", ()] == 0
    assert moved("milkwise_http_requests_total", method="POST", route="/v1/ask", status="422") == 1
    assert after["milkwise_http_requests_under_way", ()] == 1  # this very one
    ready = client.get("/readyz").json()
    assert any(name == "milkwise_index_info" and ("generation", ready["index"]) in labels for name, labels in after)
    assert any(name == "process_resident_memory_bytes" for name, _ in after)
    assert SECRET not in client.get("/metrics").text


def test_traces_hold_stages_and_no_words(server: tuple[httpx.Client, Path], collector: tuple[str, list[bytes]]) -> None:
    """A collector gets a span for the request, under the caller's own, and one for each stage under that."""
    client, _ = server
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    asked = {"question": f"What is relactation? {SECRET}"}
    client.get(f"/{SECRET}", params={"q": SECRET})
    client.post("/v1/ask", json=asked, headers={"traceparent": f"00-{trace}-{parent}-01"})
    patience = time.monotonic() + PATIENCE_S
    spans: dict[str, Any] = {}
    while "POST /v1/ask" not in spans and time.monotonic() < patience:
        time.sleep(0.2)
        exports = [ExportTraceServiceRequest.FromString(body) for body in collector[1]]
        groups = [group for export in exports for whole in export.resource_spans for group in whole.scope_spans]
        spans = {span.name: span for group in groups for span in group.spans if span.trace_id.hex() == trace}
    request, stages = spans["POST /v1/ask"], {"triage", "rewrite", "search", "weigh", "reply"}
    assert request.parent_span_id.hex() == parent
    assert set(spans) == stages | {"POST /v1/ask"}
    assert all(spans[name].parent_span_id == request.span_id for name in stages)
    assert {one.key for one in request.attributes} >= {"http.route", "http.response.status_code", "request.id"}
    assert {one.key for one in spans["reply"].attributes} == {"kind", "reason", "index"}
    assert not any(word in body for body in collector[1] for word in (b"zebrafish", b"lighthouse"))


def test_sigterm_lets_answers_finish(index_dir: Path, tmp_path: Path) -> None:
    """Told to stop with a question half sent and a page open, the server answers it, and ends quietly."""
    body = json.dumps({"question": "Can men produce milk?"}).encode()
    head = f"POST /v1/ask HTTP/1.0\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(index_dir, tmp_path) as (process, address, log), httpx.Client(base_url=address, timeout=60) as client:
        client.post("/v1/ask", json={"question": "Can men produce milk?"})  # the first answer loads what others use
        place = ("127.0.0.1", int(address.rpartition(":")[2]))
        with socket.create_connection(place, 60) as page, socket.create_connection(place, 60) as asking:
            page.sendall(b"GET /chat/gradio_api/heartbeat/a-page HTTP/1.0\r\nHost: a\r\n\r\n")
            asking.sendall(head.encode() + body[:9])
            while counted(client)["milkwise_http_requests_under_way", ()] < 3:  # those two, and this one itself
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            asking.sendall(body[9:])
            answer = b"".join(iter(lambda: asking.recv(65536), b""))
            code = process.wait(PATIENCE_S)
        assert b" 200 OK" in answer.partition(b"\r\n")[0], (answer, log.read_text())
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["disclaimer"]["text"]
        assert code == 0
        assert [line for line in log.read_text().splitlines() if "timeout graceful shutdown" not in line] == []


def test_every_metric_is_documented() -> None:
    """The operator's page lists each metric with its labels, and none that is not there."""
    page = (Path(__file__).parents[1] / "docs" / "operate.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(milkwise_\w+)` \| (.*?) \|", page, re.M))
    tally = Tally()
    tally.count("up", "answer")
    tally.stage("weigh", 0.1)
    tally.answered("GET", "/", 200, 0.1)
    tally.turned_away("full")
    tally.looked_up(True)
    tally.replied(replace(every_kind()[Kind.ANSWER], voiced="arranged"))
    exposed = {}
    for family in text_string_to_metric_families(tally.exposition("0123").decode()):
        if family.name.startswith("milkwise_"):
            ending = {"counter": "_total", "info": "_info"}.get(family.type, "")
            name = family.name if family.name.endswith("_info") else family.name + ending
            exposed[name] = {label for sample in family.samples for label in sample.labels} - {"le"}
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in listed.items()} == exposed
