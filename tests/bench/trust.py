"""Whether confidence is truer for what a build finds out about its documents: on questions that the build never saw.

Run: `python -m tests.bench.trust DATA` with a folder holding infant_feeding as JSON lines. Prints a Markdown table:
the expected calibration error, and what comes out at the threshold, without the index's own shift and with it. Asked
are the development questions on the bundled article that nothing was set by ([report] of tests/golden/dev.txt), and the
50 headings of infant_feeding that are questions, indexed without them: as they are, and once more with the sections
that answer them hidden, so that they have no answer. Takes about two minutes of one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.bot import Bot
from bot.calibrate import Calibrator
from bot.measure import Case, Figure, Outcome, Report, load_cases, measure
from bot.reply import Kind, Query
from bot.settings import BUNDLED, load
from bot.triage import load_rules
from bot.weigh import load_weights, weigh
from bot.words import Words
from index import encode
from index.index import Index, build
from tests.bench.retrieval import Asked, infant
from tests.bench.weigh_data import LIMIT

TOP_K = load().top_k
DEV = Path(__file__).parents[1] / "golden" / "dev.txt"
PART = "report"


def both(documents: Path, folder: Path) -> tuple[Index, Index]:
    """The same index, as nobody had asked it and with what a build found out."""
    build(documents, folder, encode.BUNDLED, LIMIT, calibrator=Calibrator(TOP_K))
    found = Index.open(folder, encode.BUNDLED)
    bare = Index.open(folder, encode.BUNDLED)
    bare.manifest = replace(bare.manifest, trust={})
    return bare, found


class Terse(Bot):
    """A bot that offers nothing after a refusal, which spares trying what it would offer."""

    def _answers(self, question: str) -> bool:
        return False


def article(index: Index) -> Report:
    """The development questions on the bundled article that nothing was set by."""
    words = Words.load()
    bot = Terse(index, load(), load_rules(words), words)
    return measure(bot, [case for case in load_cases(DEV) if case.part == PART])


def headings(index: Index, asked: Sequence[Asked]) -> Report:
    """Questions asked with everything there, and again without the passages that answer them."""
    outcomes = list[Outcome]()
    for question, answers in asked:
        hidden = sum(answers(passage) for document in index.documents() for passage in index.passages(document.id))
        hits = index.search(question, TOP_K + hidden)
        for kept in (hits, [hit for hit in hits if not answers(hit.passage)]):
            evidence = weigh(Query(question, question), kept[:TOP_K], index, threshold=0.0)
            first = index.passage(evidence.sentences[0].passage) if evidence else None
            outcomes.append(outcome(question, evidence.confidence, kept is hits, bool(first and answers(first))))
    return Report(tuple(outcomes))


def outcome(question: str, confidence: float, able: bool, right: bool) -> Outcome:
    """A question with an answer or without one, as a case that was measured."""
    case = Case(question, 0, expect=(Kind.ANSWER if able else Kind.ABSTAIN,))
    said = confidence >= load_weights().threshold
    good = right if said else not able
    kind = Kind.ANSWER if said else Kind.ABSTAIN
    return Outcome(case, "right" if good else "wrong" if said else "refused", kind, "", None, confidence, right, 0.0)


def row(name: str, index: Index, report: Report) -> str:
    """One line of the table."""
    threshold = load_weights().threshold
    known = [(one.confidence or 0.0, one.would, Kind.ANSWER in one.case.expect) for one in report.outcomes]
    known = [each for each in known if each[1] is not None]
    given = Figure.over(not right for sure, right, _ in known if sure >= threshold)
    missed = Figure.over(sure < threshold for sure, right, _ in known if right)
    told = Figure.over(sure >= threshold for sure, _, able in known if not able)
    trust = index.manifest.trust
    cells = [name, f"{float(trust.get('shift', 0)):+.2f}", str(len(known)), f"{report.calibration_error():.3f}"]
    cells += [f"{one.share:.0%} ({one.low:.0%} to {one.high:.0%})" for one in (given, missed, told)]
    cells += [f"{float(trust[each]):.0%}" if each in trust else "" for each in ("wrong", "missed")]
    return f"| {' | '.join(cells)} |"


def rows(data: Path) -> Iterator[str]:
    """The lines of the table, as they come."""
    with TemporaryDirectory() as folder:
        for index in both(BUNDLED, Path(folder) / "article"):
            yield row("bundled article", index, article(index))
        asked, shelf = infant(data), Path(folder) / "shelf"
        shelf.mkdir()
        for name, text in asked.documents.items():
            (shelf / f"{name}.md").write_text(text, encoding="utf-8")
        for index in both(shelf, Path(folder) / "infant"):
            yield row("infant_feeding", index, headings(index, asked.asked))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    head = ["documents", "shift", "n", "calibration error", "answers that are wrong", "right ones declined"]
    head += ["without an answer, answered", "wrong, as the build expects", "declined, as it expects"]
    sys.stdout.write(f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n")
    for line in rows(parser.parse_args().data):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
