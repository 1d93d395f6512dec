"""Builds killed at random moments, bits flipped at random places, and one process asked very often: is anything ever
lost, mixed up or misread, and does memory grow?

Run: `python -m tests.bench.endurance KILLS FLIPS QUESTIONS`; it prints rows for docs/RESULTS.md.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.bot import Bot
from bot.golden import load_cases
from bot.settings import BUNDLED as ARTICLE
from bot.settings import hush, load
from index.contract import IndexFault
from index.encode import BUNDLED
from index.index import Index, build, verify
from tests.bench.load import GOLDEN, resident_mb
from tests.index_samples import BIKES, BREAD, write

KILLS, FLIPS, QUESTIONS = 300, 2_000, 100_000
ASKED = ("oil the chain", "hollow sound", "how do I keep bread fresh?")
VERSIONS = tuple({**BIKES, "Chains": f"Oil the chain on {day}."} for day in ("Sunday", "Monday"))


def kills(count: int) -> Counter[str]:
    """Kill so many builds, each after a time of its own; what was found afterwards, how often."""
    found: Counter[str] = Counter()
    chosen = random.Random(0)
    with TemporaryDirectory() as folder:
        shelf, index = Path(folder) / "documents", Path(folder) / "index"
        write(shelf, "bread", BREAD)
        write(shelf, "bikes", VERSIONS[0])
        build(shelf, index, BUNDLED, 200)
        start = time.perf_counter()
        write(shelf, "bikes", VERSIONS[1])
        build(shelf, index, BUNDLED, 200)
        takes = time.perf_counter() - start
        now = 1
        for _ in range(count):
            write(shelf, "bikes", VERSIONS[1 - now])
            child = os.fork()
            if not child:
                signal.setitimer(signal.ITIMER_REAL, chosen.uniform(0.001, 1.1 * takes))
                signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
                build(shelf, index, BUNDLED, 200)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            found["killed" if os.WIFSIGNALED(status) else "ended before it was killed"] += 1
            try:
                verify(index)
                opened = Index.open(index, BUNDLED)
                text = (opened.document("bikes") or opened.documents()[0]).text
                day = [version for version in (0, 1) if VERSIONS[version]["Chains"] in text]
                whole = len(day) == 1 and "hollow sound" in opened.search("hollow sound", 1)[0].passage.text
                found["whole and answering" if whole else "LOST OR MIXED"] += 1
                now = day[0] if day else now
                opened.close()
            except IndexFault:
                found["LOST OR MIXED"] += 1
    return found


def flips(count: int) -> Counter[str]:
    """Flip one bit so many times, over every file in proportion to its size, the small ones at least one in ten."""
    found: Counter[str] = Counter()
    chosen = random.Random(0)
    with TemporaryDirectory() as folder:
        shelf, index = Path(folder) / "documents", Path(folder) / "index"
        write(shelf, "bread", BREAD)
        write(shelf, "bikes", BIKES)
        build(shelf, index, BUNDLED, 200)
        spare = Path(folder) / "spare"
        shutil.copytree(index, spare)  # by copy: nothing here shares a file with what is spoilt
        whole = answers(index)
        files = [file for file in sorted(index.rglob("*")) if file.is_file() and file.stat().st_size]
        for number in range(count):
            file = chosen.choice(files)
            place, bit = chosen.randrange(file.stat().st_size), chosen.randrange(8)
            flip(file, place, bit)
            try:
                found["answers the same, to the bit" if answers(index) == whole else "ANSWERS DIFFER"] += 1
            except IndexFault:
                found["refused"] += 1
            flip(file, place, bit)
            if number % 500 == 0:
                assert file.read_bytes() == (spare / file.relative_to(index)).read_bytes()
    return found


def growth(count: int) -> tuple[float, float]:
    """Resident megabytes of this process after a tenth of so many questions, and after all; each is another text."""
    settings = load()
    asked = [case.ask for case in load_cases(GOLDEN)]
    with TemporaryDirectory() as folder:
        build(ARTICLE, Path(folder), settings.encoder, settings.passage_pieces)
        bot = Bot.open(folder, settings)
        sizes = list[float]()
        for part in (count // 10, count - count // 10):
            for number in range(part):
                text = asked[number % len(asked)]
                bot.reply(text.replace(" ", " " * (1 + number // len(asked) + 40 * len(sizes)), 1))
            sizes.append(resident_mb(os.getpid()))
        bot.index.close()
    return sizes[0], sizes[1]


def answers(index: Path) -> object:
    """What an index finds and quotes for some questions, to the bit."""
    opened = Index.open(index, BUNDLED)
    try:
        hits = [opened.search(text, 5) for text in ASKED]
        return hits, [document.text for document in opened.documents()]
    finally:
        opened.close()


def flip(file: Path, place: int, bit: int) -> None:
    """Turn over one bit of a file, in place."""
    with file.open("r+b") as stream:
        stream.seek(place)
        (byte,) = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte ^ (1 << bit)]))


Row = tuple[str, str, str, str]  # what, measured, bar, remark; a crash of this process is a row that is not there


def killed(count: int = KILLS) -> Row:
    """The row of killed builds."""
    hush()
    found = kills(count)
    listed = ", ".join(f"{times} {what}" for what, times in sorted(found.items()))
    return f"{count:,} builds killed at random moments", f"{found['LOST OR MIXED']} lost or mixed", "0", listed


def flipped(count: int = FLIPS) -> Row:
    """The row of flipped bits."""
    hush()
    found = flips(count)
    listed = ", ".join(f"{times} {what}" for what, times in sorted(found.items()))
    return f"{count:,} bits flipped over every file", f"{found['ANSWERS DIFFER']} answered otherwise", "0", listed


def asked_often(count: int = QUESTIONS) -> Row:
    """The row of memory."""
    hush()
    early, late = growth(count)
    remark = f"resident memory from {early:.0f} MB after a tenth of them to {late:.0f} MB; no two texts the same"
    return f"{count:,} questions in one process", f"{100 * (late / early - 1):+.1f} %", "< 3 %", remark


if __name__ == "__main__":
    for row, counted in zip((killed, flipped, asked_often), sys.argv[1:4], strict=True):
        sys.stdout.write(f"| {' | '.join(row(int(counted)))} |\n")
