"""docs/connect.md is true: its examples run as they stand, in order, against a served site and a built index."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.bot import Bot
from bot.faces.cli import compose
from bot.reply import Kind, Reply
from tests.replies import HOSTILE, answer, cite, document, every_kind
from tests.serving import served

PAGE = (Path(__file__).parents[1] / "docs" / "connect.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))
SERVER = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def site(bot: Bot) -> Iterator[str]:
    """The whole site, served."""
    with served(compose(bot, bot.settings)) as url:
        yield url


def run(section: str, server: str) -> dict[str, Any]:
    """What a section's examples leave behind, run one after the other."""
    (text,) = (body for title, body in SECTIONS.items() if title.startswith(section))
    names: dict[str, Any] = {}
    examples = re.findall(r"```python\n(.*?)```", text, re.S)
    assert examples
    for example in examples:
        exec(example.replace(SERVER, server), names)
    return names


def test_the_client_in_a_dozen_lines(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It keeps the history, so that a follow-up is understood, and prints what it says it prints."""
    reply = run("A client in Python", site)["reply"]
    assert "induced lactation" in reply["query"]
    assert reply["disclaimer"]["locale"] == "en-GB"
    printed = capsys.readouterr().out
    assert all(claim["text"] in printed for claim in reply["claims"])
    (client,) = re.findall(r"(class Milkwise.*?return reply\n)", PAGE, re.S)
    assert len([line for line in client.splitlines() if line.strip()]) <= 12


def test_the_notebook(
    site: str, index_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`from bot import Bot` opens an index and answers; the follow-up is resolved."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(index_dir, ".milkwise")
    reply = run("In a notebook", site)["reply"]
    assert reply.kind == Kind.ANSWER
    assert reply.disclaimer.locale == "en-GB"
    assert capsys.readouterr().out.strip() != "Why does that happen?"


def test_the_tools(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The SDK's client gets an answer with its citations."""
    result = run("Tools for an assistant", site)["result"]
    assert result.structured_content["kind"] == "answer"
    assert result.structured_content["disclaimer"]["text"] in capsys.readouterr().out


def test_the_chat_model(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    """OpenAI's client gets a message with links, and the reply beside it."""
    done = run("A chat program", site)["done"]
    printed = capsys.readouterr().out
    assert done.milkwise["disclaimer"]["text"] in printed
    assert f"{site}/documents/human-lactation?from=" in printed


@pytest.mark.parametrize("reply", every_kind().values(), ids=str)
def test_a_notebook_shows_every_kind_with_its_disclaimer(reply: Reply) -> None:
    """Both displays hold what is said and the disclaimer, and link nowhere: no server is behind a notebook."""
    for shown in (reply._repr_html_(), reply._repr_markdown_()):
        assert reply.disclaimer.text in shown
        assert all(claim.text in shown for claim in reply.claims)
        assert "href" not in shown
        assert "](" not in shown


def test_a_notebook_runs_nothing_a_document_says() -> None:
    """Hostile words in a document are shown, not obeyed."""
    reply = answer(cite(document(HOSTILE), HOSTILE))
    assert "<script" not in reply._repr_html_() + reply._repr_markdown_()
    assert "<img" not in reply._repr_html_()


def test_the_door_opens_on_the_bot_only() -> None:
    """`from bot import Bot` is the class; another name is a fault like that of any module."""
    import bot as door

    assert door.Bot is Bot
    with pytest.raises(AttributeError, match="Bots"):
        door.Bots  # noqa: B018
