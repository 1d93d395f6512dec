"""Follow-ups of public conversations: what is found with the last turn alone, as the bot resolves it, as people do.

Run by hand: `python -m tests.bench.followups DATA [MOST]`, where DATA holds `canard`, `mtrag` and `trec_cast` as one
JSON object a line, and MOST is how many follow-ups of each to take (default 500, evenly spread). Writes a table.

Only the second half of each set is scored: the first was looked at while follow-ups were worked on.

What is looked for. `canard`: the passage that answered this very turn, among all answers of the set. `mtrag passages`:
a passage that annotators marked for the turn, among those of all turns (it has no human rewrite). `mtrag rewrites` and
`trec_cast` come without passages: there it is the human rewrite itself, among the rewrites of all turns, so the figure
says how near a resolved question comes to what a person would have asked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.measure import Figure
from bot.reply import Query, Turn
from bot.rewrite import rewrite
from bot.settings import hush
from corpus.document import Sentence
from index.index import Index, build

ENCODER = "all-MiniLM-L6-v2"
DEEP = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """One follow-up: the earlier questions, their answers ("" where unknown), a person's rewrite, what to find."""

    before: tuple[str, ...]
    answers: tuple[str, ...]
    asked: str
    human: str
    wanted: frozenset[str]


def lines(path: Path) -> list[dict[str, object]]:
    """The objects of a file, one a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def canard(data: Path) -> Iterator[Ask]:
    """Each turn after the first; the title that its readers saw is the first turn."""
    talks: dict[str, list[dict[str, object]]] = {}
    for row in lines(data / "canard" / "dev.jsonl"):
        talks.setdefault(str(row["dialog"]), []).append(row)
    for talk in talks.values():
        for row, after in pairwise(talk):
            history, later = list(map(str, row["history"])), list(map(str, after["history"]))  # type: ignore[call-overload]
            if history and len(later) == len(history) + 2:
                before = (f"What about {row['title']}?", *history[0::2])
                yield Ask(
                    before, ("", *history[1::2]), str(row["question"]), str(row["rewrite"]), frozenset([later[-1]])
                )


def mtrag_passages(data: Path) -> Iterator[Ask]:
    """Turns that annotators marked passages for."""
    for row in lines(data / "mtrag" / "reference.jsonl"):
        said = [(str(one["speaker"]), str(one["text"])) for one in row["input"]]  # type: ignore[attr-defined]
        wanted = frozenset(str(one["text"]).strip() for one in row["contexts"])  # type: ignore[attr-defined]
        asked = [text for speaker, text in said if speaker == "user"]
        if wanted and len(asked) > 1:
            answers = tuple(text for speaker, text in said if speaker != "user")
            yield Ask(tuple(asked[:-1]), answers, asked[-1], "", wanted)


def mtrag_rewrites(data: Path) -> Iterator[Ask]:
    """Turns that a person rewrote."""
    for row in lines(data / "mtrag" / "rewrites.jsonl"):
        asked = [text.strip() for text in str(row["questions"]).split("|user|:") if text.strip()]
        human = str(row["rewrite"]).removeprefix("|user|:").strip()
        yield Ask(tuple(asked[:-1]), ("",) * (len(asked) - 1), asked[-1], human, frozenset([human]))


def trec_cast(data: Path) -> Iterator[Ask]:
    """Turns after the first of each topic."""
    talks: dict[tuple[object, object], list[str]] = {}
    for row in lines(data / "trec_cast" / "turns.jsonl"):
        before = talks.setdefault((row["year"], row["topic"]), [])
        if before:
            human = str(row["rewrite"])
            yield Ask(tuple(before), ("",) * len(before), str(row["utterance"]), human, frozenset([human]))
        before.append(str(row["utterance"]))


def resolved(ask: Ask, index: Index) -> Query:
    """What the bot would look up; its own earlier answers are the conversation's."""
    kept = dict(zip(ask.before, ask.answers, strict=False))

    def answered(query: Query) -> Sequence[Sentence]:
        text = kept.get(query.asked, "")
        return (Sentence("", text, 0, len(text)),) if text else ()

    return rewrite(ask.asked, [Turn(text) for text in ask.before], index, answered)[-1]


def found(text: str, ask: Ask, index: Index) -> tuple[bool, bool]:
    """Whether what is wanted is the first passage found, and among the first five."""
    texts = [hit.passage.text.strip() for hit in index.search(text, DEEP)]
    hits = [any(text in each or each in text for each in ask.wanted) for text in texts]
    return any(hits[:1]), any(hits)


def score(name: str, asks: Sequence[Ask], most: int) -> Iterator[str]:
    """A row for each way to ask: success at 1 and at 5, with 95 % intervals."""
    pool = sorted({text for ask in asks for text in ask.wanted})
    unseen = asks[len(asks) // 2 :]
    picked = unseen[:: max(1, len(unseen) // most)][:most]
    with TemporaryDirectory() as folder:
        texts = Path(folder) / "texts"
        texts.mkdir()
        for number, text in enumerate(pool):
            (texts / f"t{number:05}.txt").write_text(text + "\n", encoding="utf-8")
        build(texts, Path(folder) / "index", ENCODER, limit=200)
        index = Index.open(Path(folder) / "index", ENCODER)
        queries = [resolved(ask, index) for ask in picked]
        ways: dict[str, Callable[[int], str]] = {
            "last turn alone": lambda place: picked[place].asked,
            "resolved": lambda place: queries[place].text,
            "human rewrite": lambda place: picked[place].human,
        }
        for way, put in ways.items():
            if not put(0):
                continue
            rows = [found(put(place), ask, index) for place, ask in enumerate(picked)]
            cells = [Figure.over(row[deep] for row in rows) for deep in (0, 1)]
            shown = [f"{one.share:.0%} ({one.low:.0%} to {one.high:.0%})" for one in cells]
            yield f"| {name} | {len(picked)} of {len(unseen)}, {len(pool)} texts | {way} | {' | '.join(shown)} |"
        index.close()
        carried = sum(query.carried for query in queries)
        yield f"| {name} | | topic carried | {carried / len(queries):.0%} | |"


def main() -> None:
    """Score every set and print a table."""
    hush()
    data, most = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 500
    print("| set | follow-ups | asked as | success@1 | success@5 |\n|---|---|---|---|---|")  # noqa: T201
    sets = {
        "canard": canard,
        "mtrag passages": mtrag_passages,
        "mtrag rewrites": mtrag_rewrites,
        "trec_cast": trec_cast,
    }
    for name, read in sets.items():
        for line in score(name, list(read(data)), most):
            print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
