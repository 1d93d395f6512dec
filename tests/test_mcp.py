"""The MCP server, asked by the SDK's own client over HTTP and over stdio, as any program would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import Transport
from mcp_types import CallToolResult, ListToolsResult, TextContent

from bot.bot import Bot
from bot.faces import mcp
from bot.faces.api import create_app
from bot.render import as_dict, as_text
from bot.settings import load
from tests.command import MILKWISE, PATIENCE_S
from tests.serving import served

ROOT = Path(__file__).parents[1]
SECRET = "zebrafish lighthouse"
SITE = "https://www.example.org"

T = TypeVar("T")


@pytest.fixture(scope="module")
def url(bot: Bot) -> Iterator[str]:
    """Where a served bot's tools are."""
    settings = load(index=bot.settings.index, hosts=("help.example.org",), origins=(SITE,))
    app = create_app(bot, settings)
    app.include_router(mcp.router(bot, settings))
    with served(app) as address:
        yield f"{address}/mcp"


def talk(to: str | Transport, say: Callable[[Client], Awaitable[T]]) -> T:
    """What `say` gives with a client connected there."""

    async def connected() -> T:
        async with Client(to) as client:
            return await say(client)

    return asyncio.run(asyncio.wait_for(connected(), 2 * PATIENCE_S))


def call(to: str, tool: str, **arguments: Any) -> CallToolResult:
    """The result of one call."""
    return talk(to, lambda client: client.call_tool(tool, arguments))


def text(result: CallToolResult) -> str:
    """What the result says."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


def untimed(reply: dict[str, Any]) -> dict[str, Any]:
    """The reply without how long it took."""
    return {**reply, "ms": None}


def test_the_tools_are_described(url: str, bot: Bot) -> None:
    """Three tools that only read, each with what it takes and gives; the instructions hold the disclaimer."""

    async def looked(client: Client) -> tuple[ListToolsResult, str | None]:
        return await client.list_tools(), client.instructions

    listed, instructions = talk(url, looked)
    assert [tool.name for tool in listed.tools] == ["ask", "search", "read_passage"]
    for tool in listed.tools:
        assert tool.description
        assert tool.output_schema
        assert "disclaimer" in tool.output_schema["required"]
        assert tool.annotations
        assert tool.annotations.read_only_hint
    assert bot.words.disclaimer("en").text in (instructions or "")


@pytest.mark.parametrize(
    "asked", ["Can men produce milk?", "My baby has stopped breathing", "What is a kumquat?", "hi"]
)
def test_ask_gives_the_reply_of_every_face(url: str, bot: Bot, asked: str) -> None:
    """The structured result is the contract's JSON, the text is what the terminal prints: sources, disclaimer."""
    result, reply = call(url, "ask", question=asked), bot.reply(asked)
    assert not result.is_error
    assert json.dumps(untimed(result.structured_content)) == json.dumps(untimed(as_dict(reply)))
    assert text(result) == as_text(reply)
    assert reply.disclaimer.text in text(result)
    assert all(citation.url in text(result) for citation in reply.citations)


def test_ask_takes_history_and_locale(url: str) -> None:
    """A follow-up is resolved as over REST; ids nobody has are ignored."""
    history = [{"asked": "What is induced lactation?", "cited": ["nowhere#at-all"]}]
    result = call(url, "ask", question="How long does it take?", history=history, locale="en-GB")
    assert "induced lactation" in result.structured_content["query"]
    assert result.structured_content["disclaimer"]["locale"] == "en-GB"


def test_search_gives_passages_with_their_sources(url: str, bot: Bot) -> None:
    """Passages verbatim, best first, each with publisher and review; the disclaimer with them."""
    found = call(url, "search", question="What is relactation?", limit=3)
    body = found.structured_content
    assert len(body["passages"]) == 3
    document = bot.index.document("human-lactation")
    assert document
    for passage in body["passages"]:
        assert document.text[passage["start"] : passage["end"]] == passage["text"]
        assert passage["text"].strip() in text(found)
        assert (passage["publisher"], passage["reviewed"]) == (document.publisher, None)
        assert passage["sha256"] == document.sha256
    assert body["disclaimer"]["text"] in text(found)


def test_search_puts_safety_first(url: str) -> None:
    """What can mean an emergency gives whom to call, and no passage that competes with it."""
    found = call(url, "search", question="My baby has stopped breathing", locale="en-GB")
    body = found.structured_content
    assert (body["kind"], body["passages"]) == ("urgent", [])
    assert "999" in text(found)
    assert body["notices"]
    assert body["contacts"]


def test_read_passage(url: str, bot: Bot) -> None:
    """A passage by its id, whole, with its source and the disclaimer."""
    passage = bot.index.passages("human-lactation")[3]
    result = call(url, "read_passage", id=passage.id)
    assert result.structured_content["text"] == passage.text
    assert result.structured_content["title"] == "How human lactation works"
    assert passage.text.strip() in text(result)
    assert "not yet reviewed by a clinician" in text(result)
    assert bot.words.disclaimer("en").text in text(result)


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("ask", {}, "question"),
        ("ask", {"question": " "}, "question"),
        ("ask", {"question": SECRET * 200}, "question"),
        ("ask", {"question": "hi", "locale": SECRET}, "locale"),
        ("ask", {"question": "hi", "history": [{"asked": 7}]}, "history[0].asked"),
        ("search", {"question": "hi", "limit": 0}, "limit"),
        ("read_passage", {"id": SECRET}, "id"),
        (SECRET, {}, "tool"),
    ],
)
def test_a_fault_names_the_field_and_repeats_nothing(
    url: str, bot: Bot, tool: str, arguments: dict[str, Any], field: str
) -> None:
    """A wrong call is a result that says what is wrong, under the disclaimer, without the words it was sent."""
    result = call(url, tool, **arguments)
    assert result.is_error
    assert text(result).startswith(f"{field}: ")
    assert bot.words.disclaimer("en").text in text(result)
    assert SECRET not in result.model_dump_json()


def test_a_fault_of_ours_tells_nothing(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error inside is a result too; neither it nor the log holds what was asked."""

    def broken(*_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(bot, "reply", broken)
    result = mcp.Tools(bot, bot.settings).call("ask", {"question": "hi"})
    assert result.is_error
    assert SECRET not in result.model_dump_json() + caplog.text
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "help.example.org"}, 200),
        ({"host": "evil.example"}, 421),
        ({"host": "help.example.org.evil.example"}, 421),
        ({"origin": SITE}, 401),  # the gate asks a page for a session token
        ({"origin": "http://localhost:7860"}, 403),  # another port of this machine is another site
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_host_and_origin_are_checked(url: str, headers: dict[str, str], status: int) -> None:
    """A page elsewhere cannot reach the tools through its visitor's browser."""
    start = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    accepted = {"accept": "application/json, text/event-stream"}
    answer = httpx.post(url, json=start, headers=accepted | headers)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_there_is_no_stream_to_hold_open(url: str) -> None:
    """Without sessions a GET has nothing to wait for, and a body past the limit is not read."""
    assert httpx.get(url, headers={"accept": "text/event-stream"}).status_code == 405
    assert httpx.post(url, content=b" " * 70_000, headers={"content-type": "application/json"}).status_code == 413


def test_stdio(index_dir: Path, bot: Bot, tmp_path: Path) -> None:
    """`milkwise mcp` speaks the protocol over its standard streams and answers the same; its end is quiet."""
    command = StdioServerParameters(
        command=str(MILKWISE),
        args=["mcp", "--index", str(index_dir)],
        cwd=str(tmp_path),
        env={"PYTHONPATH": str(ROOT)},
    )
    said = tmp_path / "stderr"

    async def asked(client: Client) -> tuple[ListToolsResult, CallToolResult]:
        listed = await client.list_tools()
        return listed, await client.call_tool("ask", {"question": "Can men produce milk?"})

    with said.open("w") as errors:
        listed, result = talk(stdio_client(command, errlog=errors), asked)
    assert [tool.name for tool in listed.tools] == ["ask", "search", "read_passage"]
    assert untimed(result.structured_content) == untimed(as_dict(bot.reply("Can men produce milk?")))
    assert said.read_text() == ""
