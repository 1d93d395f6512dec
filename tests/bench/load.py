"""What a request over HTTP costs the server: asked anew, asked again, and through Gradio's own API.

CPU time of the server process for each request, over loopback, one client; requests a second are its inverse on one
core. The work is the same: the same bot answers the same questions.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from gradio_client import Client  # type: ignore[import-untyped]  # it ships no types

from bot.golden import load_cases
from bot.settings import BUNDLED, hush, load
from index.index import build

GOLDEN = Path(__file__).parents[1] / "golden" / "dev.txt"
MILKWISE = str(Path(sys.executable).with_name("milkwise"))
ASKED, ROUNDS = 30, 3
GRADIO = """
import sys
from pathlib import Path
from bot.settings import hush, load; hush()
import gradio
from bot.bot import Bot
settings = load(index=Path(sys.argv[1]))
bot = Bot.open(settings.index, settings)
def say(text, history): return " ".join(claim.text for claim in bot.reply(text).claims)
chat = gradio.ChatInterface(say)
_, address, _ = chat.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True)
print(address, flush=True)
chat.block_thread()
"""


def cpu_s(process: int) -> float:
    """CPU seconds a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(process: int) -> float:
    """Resident megabytes of a process."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def serving(command: list[str]) -> Iterator[tuple[int, str]]:
    """A server while the block runs: its process, and the address at the end of the line it prints when ready."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            for line in server.stdout:
                if found := re.search(r"http://[^ /]+", line):
                    yield server.pid, found.group()
                    return
            raise SystemExit(f"{command[:3]} did not start")
        finally:
            server.terminate()


def cost(process: int, asked: list[str], ask: Callable[[str], object]) -> float:
    """CPU milliseconds of a server for each question."""
    start = cpu_s(process)
    for text in asked:
        ask(text)
    return (cpu_s(process) - start) / len(asked) * 1000


def rows() -> list[tuple[str, str, str, str]]:
    """(what, measured, bar, remark) for each row of the report. Needs Linux."""
    hush()
    settings = load()
    questions = [case.ask for case in load_cases(GOLDEN) if not case.before][:ASKED]
    spent: dict[str, list[float]] = {"anew": [], "again": [], "gradio": []}
    with TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        build(BUNDLED, index, settings.encoder, settings.passage_pieces)
        ours = serving([MILKWISE, "serve", "--index", str(index), "--port", "0"])
        theirs = serving([sys.executable, "-c", GRADIO, str(index)])
        with ours as (process, site), theirs as (other, page), httpx.Client(base_url=site, timeout=120) as client:
            chat = Client(page, verbose=False)

            def ask(text: str) -> None:
                client.post("/v1/ask", json={"question": text}).raise_for_status()

            for each in (ask, chat.predict):  # passages seen for the first time are not what a question costs
                cost(process, questions, each)
            for turn in range(ROUNDS):
                anew = [text.replace(" ", " " * (turn + 2), 1) for text in questions]  # the same, and not at hand
                spent["anew"].append(cost(process, anew, ask))
                spent["again"].append(cost(process, anew * 10, ask))
                spent["gradio"].append(cost(other, anew, chat.predict))
            size = resident_mb(process)
    fresh, again, gradio = (statistics.median(spent[name]) for name in ("anew", "again", "gradio"))
    return [
        ("HTTP requests a second / Gradio's own API", f"{gradio / fresh:.1f} ×", "≥ 2.5 ×",
         f"{fresh:.1f} and {gradio:.1f} CPU ms a request; gr.ChatInterface, the same bot"),
        ("asked again / asked anew", f"{fresh / again:.1f} ×", "≥ 5 ×", f"{again:.2f} CPU ms a request"),
        ("memory of the server after these", f"{size:.0f} MB", "", "page, API and bundled article"),
    ]  # fmt: skip
