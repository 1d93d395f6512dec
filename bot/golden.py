"""Golden cases from the plain text that experts edit: what is asked, and what a right reply is.

Comes in: a text file. Goes out: `Case`s. Does not know: the bot, or how a reply is scored.

    # A line like this is a comment.
    [tune follow-up]                        part and sort of all cases below

    ask: Can men produce milk?
    expect: answer                          or abstain, clarify, refer, urgent, smalltalk; "a | b" allows either
    from: human-lactation#unusual | …       a quote is from one of these passages; optional
    says: rare | not common                 the quotes hold one of these; repeat the line for each thing they must say
    ask: Why does that happen?              without a blank line between, the next turn of the same conversation
    expect: answer
    query: men                              the resolved question holds this; optional
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from bot.reply import Kind

FIELDS = ("ask", "expect", "from", "says", "query", "topic")


class GoldenError(Exception):
    """A case that cannot be read: names file, line and remedy."""

    def __init__(self, path: Path, line: int, problem: str, remedy: str) -> None:
        where = f"{path.name}, line {line}" if line else path.name
        super().__init__(f"{where}: {problem} {remedy}".rstrip())


class ReportError(Exception):
    """An earlier report, or a floor for a report, that cannot be used: names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Case:
    """One turn and what a right reply to it is. `before` are the questions asked earlier in the conversation.

    `sources` are the passages a quote may come from, `says` groups of words of which the quotes hold one each, `query`
    and `topic` what the resolved question and its topic hold; all optional.
    """

    ask: str
    line: int
    part: str = ""
    sort: str = ""
    expect: tuple[Kind, ...] = ()
    sources: tuple[str, ...] = ()
    says: tuple[tuple[str, ...], ...] = ()
    query: str = ""
    topic: str = ""
    before: tuple[str, ...] = field(default=())


def load_cases(path: Path | str) -> list[Case]:
    """Read a file of cases, in order. Raises GoldenError for a line that is none or not UTF-8, OSError for no file."""
    path = Path(path)
    cases: list[Case] = []
    part, sort, talk = "", "", list[Case]()
    for number, line in enumerate([*_text(path).splitlines(), ""], start=1):
        text = line.strip()
        if text.startswith("#"):
            continue
        if not text or text.startswith("["):
            cases += _whole(path, talk)
            talk = []
            if text:
                part, sort = _header(path, number, text)
            continue
        name, _, value = (piece.strip() for piece in text.partition(":"))
        if name not in FIELDS or not value:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near and near[0] != name else f"Write one of {', '.join(FIELDS)}."
            raise GoldenError(path, number, f"{text!r} is not a field with a value.", remedy)
        if name == "ask":
            talk.append(Case(value, number, part, sort, before=tuple(case.ask for case in talk)))
        elif not talk:
            raise GoldenError(path, number, f"{name!r} stands before any question.", "Put 'ask: …' above it.")
        else:
            talk[-1] = _with(path, number, talk[-1], name, value)
    if not cases:
        raise GoldenError(path, 1, "there are no cases.", "Write 'ask: …' and 'expect: …'.")
    return cases


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        problem = f"the byte 0x{data[fault.start]:02x} is not UTF-8 text."
        raise GoldenError(path, line, problem, "Save the file as UTF-8.") from None


def _header(path: Path, number: int, text: str) -> tuple[str, str]:
    words = text.strip("[]").split()
    if not text.endswith("]") or not 1 <= len(words) <= 2:
        raise GoldenError(path, number, f"{text!r} is not a heading.", "Write '[part]' or '[part sort]'.")
    return words[0], words[1] if len(words) == 2 else ""


def _with(path: Path, number: int, case: Case, name: str, value: str) -> Case:
    """The case with one more line taken in."""
    either = tuple(choice.strip() for choice in value.split("|") if choice.strip())
    if name == "expect":
        unknown = [choice for choice in either if choice not in list(Kind)]
        if unknown:
            raise GoldenError(path, number, f"{unknown[0]!r} is no kind of reply.", f"Write one of {', '.join(Kind)}.")
        return replace(case, expect=tuple(Kind(choice) for choice in either))
    if name == "from":
        return replace(case, sources=either)
    if name == "says":
        return replace(case, says=(*case.says, either))
    return replace(case, query=value) if name == "query" else replace(case, topic=value)


def _whole(path: Path, talk: list[Case]) -> list[Case]:
    for case in talk:
        if not case.expect:
            raise GoldenError(path, case.line, f"nothing is expected of {case.ask!r}.", "Put 'expect: …' below it.")
        if (case.sources or case.says) and not {Kind.ANSWER, Kind.REFER} & set(case.expect):
            raise GoldenError(path, case.line, "only an answer has quotes.", "Remove 'from' and 'says'.")
    return talk


def add_case(path: Path, ask: str, expect: Kind, today: date) -> bool:
    """Append a case to a file, which may not be there yet; False where its question is in it already.

    Raises GoldenError where the file cannot be read as cases, OSError where it cannot be written.
    """
    ask = " ".join(ask.split())
    known = load_cases(path) if path.exists() and path.read_bytes().strip() else []
    if any(case.ask.casefold() == ask.casefold() for case in known):
        return False
    lines = [f"# from the editor's page, {today}", f"ask: {ask}", f"expect: {expect}"]
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join([*([""] if known else ["[collected]"]), *lines, ""]))
    return True
