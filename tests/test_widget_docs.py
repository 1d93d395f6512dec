"""docs/widget.md is true: each attribute, property, part, method and event of the widget is in it, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from bot.bot import Bot
from bot.faces import bodies, server
from bot.faces.cli import compose
from bot.faces.embed import STATIC, filled
from bot.settings import Settings, load
from tests.serving import served

DOCS = (Path(__file__).parents[1] / "docs" / "widget.md").read_text(encoding="utf-8")
SOURCE = (STATIC / "widget.js").read_text(encoding="utf-8")
ROWS = re.findall(r"(?m)^\| `([^`]+)` \|", DOCS)


@pytest.mark.parametrize(
    ("documented", "coded"),
    [
        (r"data-([\w-]+)", r'#option\("(\w+)"\)'),
        (r"milkwise:(\w+)", r'#tell\("(\w+)"'),
        (r"::part\((\w+)\)", r'part: "(\w+)"'),
        (r"(\w+\(\w*\))$", r"(?m)^    (?:async )?((?!connected|disconnected|remove)[a-z]+\((?:text)?\)) {"),
    ],
    ids=["attributes", "events", "parts", "methods"],
)
def test_the_tables_are_the_code_s(documented: str, coded: str) -> None:
    """What a row documents is in the script, and what the script takes or tells has a row."""
    rows = {found[1] for row in ROWS if (found := re.fullmatch(documented, row))}
    assert rows
    assert rows == set(re.findall(coded, SOURCE)) - {"launch()"}


def test_the_styles_are_the_code_s(bot: Bot) -> None:
    """So are the custom properties, some of which come with the colours as it is served."""
    assert {row for row in ROWS if row.startswith("--")} == set(
        re.findall(r"var\((--milkwise-[\w-]+)", filled(bot, bot.settings))
    )


def test_what_it_says_of_the_server_is_so(bot: Bot) -> None:
    """Its settings are settings, its numbers the code's, and each address it names is there."""
    for name in re.findall(r"`(\w+)(?: = [^`]+)?`", DOCS.split("## Running the server")[1].split("## What was")[0]):
        assert name in Settings.model_fields or name in ("null", "nosniff", "itsdangerous"), name
    assert f"after {bodies.PATIENCE_S:.0f} seconds, headers after {server.PATIENCE_S:.0f}" in DOCS
    assert f"At most {server.CONNECTIONS} connections" in DOCS
    settings = load(index=bot.settings.index)
    with served(compose(bot, settings)) as url, httpx.Client(base_url=url) as client:
        for path in ("/widget.js", "/faq", "/widget", "/frame?locale=en-GB", "/v1/session"):
            assert path in DOCS
            assert client.get(path).status_code == 200, path
