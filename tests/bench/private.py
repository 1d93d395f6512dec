"""How much the journal's redaction finds and how much it takes too many, by hand: `python -m tests.bench.private`.

On tests/golden/private.txt, whose half "choose" the library and its threshold were chosen on and whose half "report" is
what docs/editor.md reports; and on every golden question, which names nobody. Prints figures, and what "choose" misses.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from bot.bot import Bot
from bot.golden import load_cases
from bot.redact import ADDRESS, NAME, NUMBER, redact
from bot.spelling import public

GOLDEN = Path(__file__).parents[1] / "golden"
MARKED = re.compile(r"\{(.*?)\}|<(.*?)>")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
TITLES = {"dr", "prof", "professor"}


class Message(NamedTuple):
    """One line: what is typed, the words of it that must go, by kind, and where it belongs."""

    half: str
    text: str
    names: list[str]
    addresses: list[str]


def messages(file: Path = GOLDEN / "private.txt") -> list[Message]:
    """Every message of the file, in order."""
    half, found = "", []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            half = line[3:].partition(":")[0]
        elif line and not line.startswith("#"):
            names, addresses = (
                [
                    word
                    for match in MARKED.finditer(line)
                    for word in WORD.findall(match[group] or "")
                    if word.casefold() not in TITLES
                ]
                for group in (1, 2)
            )
            found.append(Message(half, re.sub(r"[{}<>]", "", line), names, addresses))
    return found


def left(text: str, redacted: str) -> Counter[str]:
    """The words that are still there."""
    for kind in (NAME, ADDRESS, NUMBER):
        redacted = redacted.replace(kind, " ")
    return Counter(WORD.findall(redacted)) & Counter(WORD.findall(text))


def main() -> None:
    """Print the figures."""
    bot = Bot.open()

    def shown(text: str) -> str:
        return redact(text, "", lambda word: public(word, bot.index))

    for half in ("choose", "report"):
        part = [(one, left(one.text, shown(one.text))) for one in messages() if one.half == half]
        for kind, of in (("name", "names"), ("address", "addresses")):
            held = [(one, Counter(getattr(one, of)), rest) for one, rest in part if getattr(one, of)]
            words = sum(sum(private.values()) for _, private, _ in held)
            missed = sum(sum((private & rest).values()) for _, private, rest in held)
            whole = sum(not private & rest for _, private, rest in held)
            say(f"{half}: {kind} words taken out {words - missed}/{words}, messages with none left {whole}/{len(held)}")
            if half == "choose":
                for one, private, rest in held:
                    if private & rest:
                        say(f"   missed: {shown(one.text)}")
        plain = [
            Counter(WORD.findall(one.text)) - Counter(one.names) - Counter(one.addresses) - rest for one, rest in part
        ]
        total = sum(len(WORD.findall(one.text)) - len(one.names) - len(one.addresses) for one, _ in part)
        say(f"{half}: other words taken out {sum(sum(words.values()) for words in plain)}/{total}")
        neither = [(one, words) for (one, _), words in zip(part, plain, strict=True) if not one.names + one.addresses]
        hurt = [shown(one.text) for one, words in neither if words]
        say(f"{half}: messages without either that lose a word {len(hurt)}/{len(neither)}")
        if half == "choose":
            say(*(f"   lost: {text}" for text in hurt))
    asked = [case.ask for name in ("dev", "heldout") for case in load_cases(GOLDEN / f"{name}.txt")]
    start = time.process_time()
    changed = [shown(text) for text in asked if shown(text) != text]
    took = (time.process_time() - start) / (len(asked) + len(changed)) * 1000
    say(f"golden questions changed {len(changed)}/{len(asked)}, {took:.1f} ms of CPU each")


def say(*lines: str) -> None:
    """Lines to the terminal."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
