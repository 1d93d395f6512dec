"""A server asked twice as much as it can answer, for a minute: who is answered, how late, and what others are told.

Run: `python -m tests.bench.overload [SECONDS]`. The clients share the machine with the server, which makes it harder.
Every question is another one, so that none is at hand. Capacity is what as many clients as cores get, asking in turn.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bot.golden import load_cases
from bot.settings import BUNDLED, hush, load
from index.index import build
from tests.bench.load import GOLDEN, MILKWISE, resident_mb, serving

SECONDS, MEASURED = 60.0, 10.0
WAITING, PATIENCE = 64, 10.0  # the settings `answers_waiting` and `answer_seconds`, as they are by default
Row = tuple[str, str, str, str]


def questions() -> Iterator[str]:
    """The development questions, over and over, spaced as never before."""
    asked = [case.ask for case in load_cases(GOLDEN) if not case.before]
    for number in count():
        yield asked[number % len(asked)].replace(" ", " " * (2 + number // len(asked)), 1)


async def capacity(client: httpx.AsyncClient, asked: Iterator[str], seconds: float) -> float:
    """Answers a second where each client waits for its answer before it asks again."""
    end, answered = time.monotonic() + seconds, 0

    async def one() -> None:
        nonlocal answered
        while time.monotonic() < end:
            (await client.post("/v1/ask", json={"question": next(asked)})).raise_for_status()
            answered += 1

    await asyncio.gather(*(one() for _ in range(os.cpu_count() or 1)))
    return answered / seconds


async def pressed(
    client: httpx.AsyncClient, asked: Iterator[str], rate: float, seconds: float
) -> list[tuple[int, float, bool]]:
    """(status, seconds, whether it said when to come again) of requests sent at that rate, whoever waits."""
    came: list[tuple[int, float, bool]] = []

    async def one() -> None:
        start = time.monotonic()
        answer = await client.post("/v1/ask", json={"question": next(asked)})
        came.append((answer.status_code, time.monotonic() - start, "retry-after" in answer.headers))

    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            group.create_task(one())
    return came


async def measure(site: str, seconds: float) -> tuple[float, list[tuple[int, float, bool]], float]:
    """Capacity, what came at twice of it, and what is answered a second afterwards."""
    limits, asked = httpx.Limits(max_connections=None), questions()
    async with httpx.AsyncClient(base_url=site, timeout=120, limits=limits) as client:
        await capacity(client, asked, MEASURED / 2)  # passages seen for the first time
        able = await capacity(client, asked, MEASURED)
        came = await pressed(client, asked, 2 * able, seconds)
        return able, came, await capacity(client, asked, MEASURED)


def rows(seconds: float = SECONDS) -> list[Row]:
    """(what, measured, bar, remark) for each row of the report. Needs Linux."""
    hush()
    with TemporaryDirectory() as folder:
        index, settings = Path(folder) / "index", load()
        assert (settings.answers_waiting, settings.answer_seconds) == (WAITING, PATIENCE)
        build(BUNDLED, index, settings.encoder, settings.passage_pieces)
        with serving([MILKWISE, "serve", "--index", str(index), "--port", "0"]) as (process, site):
            able, came, after = asyncio.run(measure(site, seconds))
            size = resident_mb(process)
    said = Counter(status for status, _, _ in came)
    late = sorted(wait for status, wait, _ in came if status == 200)
    told = all(again for status, _, again in came if status == 503)
    other = sum(times for status, times in said.items() if status not in (200, 503))
    budget = PATIENCE + (os.cpu_count() or 1) / able + 0.5  # waited for its turn, made, and sent
    what = f"twice capacity ({2 * able:.0f} questions a second) for {seconds:.0f} s"
    return [
        (what, f"{other} other than 200 and 503", "0", f"{said[200]} answered, {said[503]} told 503"
         f"{' with Retry-After' if told else ', SOME WITHOUT Retry-After'}; {size:.0f} MB"),
        ("longest wait of an answer there", f"{late[-1]:.1f} s", f"≤ {budget:.1f} s",
         f"median {statistics.median(late):.2f} s; the budget is {PATIENCE:.0f} s in the queue, then the answer"),
        ("answers a second there, and after / before", f"{said[200] / seconds / able:.2f}, {after / able:.2f}", "",
         f"capacity {able:.1f} a second with {os.cpu_count()} clients on the same cores"),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in rows(*(float(argument) for argument in sys.argv[1:2])):
        sys.stdout.write(f"| {' | '.join(row)} |\n")
