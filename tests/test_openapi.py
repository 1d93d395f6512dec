"""A slice of tests/bench/robustness.py: the API answers what its OpenAPI names, and five hundred to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from bot.bot import Bot
from bot.faces.cli import compose
from bot.faces.server import Patient
from tests.bench.robustness import malformed, outcomes, schemathesis
from tests.serving import served


@pytest.fixture(scope="module")
def url(bot: Bot) -> Iterator[str]:
    """The whole site, served as in earnest."""
    with served(compose(bot, bot.settings), http=Patient) as url:
        yield url


def test_what_it_answers_is_what_it_says_it_answers(url: str) -> None:
    """No server error, and no status, media type or body that the OpenAPI document does not name."""
    fine, said = schemathesis(url, examples=3)
    assert fine, said


def test_malformed_requests_are_never_our_fault(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Every kind of nonsense gets an answer below five hundred, if only late; the log stays free of faults."""
    came = asyncio.run(outcomes(url, malformed(300)))
    assert came.total() == 300
    assert {"400", "404", "405", "413", "415", "422"} <= set(came), "the requests do not reach far enough"
    assert {outcome for outcome in came if outcome[0] not in "234"} == set(), came
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert httpx.get(f"{url}/readyz").status_code == 200
