"""Golden cases are read or refused by line, and figures are what the textbook says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bot import Bot
from bot.golden import GoldenError
from bot.measure import Case, Figure, Outcome, Report, load_cases, measure, plot
from bot.reply import Kind

GOOD = """
# a comment
[tune follow-up]

ask: Can men produce milk?
expect: answer
from: human-lactation#milk-production-in-unusual-circumstances
says: rare | hardly ever
ask: Why does that happen?
expect: answer
query: men

[report near-miss]
ask: How do I treat cracked nipples?
expect: abstain | refer
"""


def write(folder: Path, text: str) -> Path:
    """A golden file with that text."""
    path = folder / "cases.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_cases_are_read(tmp_path: Path) -> None:
    """Parts, sorts, conversations, choices and lines come out as they were written."""
    first, second, third = load_cases(write(tmp_path, GOOD))
    assert (first.part, first.sort, first.line, first.before) == ("tune", "follow-up", 5, ())
    assert first.says == (("rare", "hardly ever"),)
    assert second.before == (first.ask,)
    assert second.query == "men"
    assert third.expect == (Kind.ABSTAIN, Kind.REFER)
    assert third.before == ()
    assert third.part == "report"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ask: What?\nexpect: anwser", "line 2: 'anwser' is no kind of reply"),
        ("ask: What?\nexpects: answer", "Did you mean 'expect'?"),
        ("ask: What?", "line 1: nothing is expected of 'What?'"),
        ("expect: answer", "line 1: 'expect' stands before any question"),
        ("ask: What?\nexpect: abstain\nfrom: a#b", "only an answer has quotes"),
        ("ask:\nexpect: answer", "line 1: 'ask:' is not a field with a value"),
        ("[tune near-miss\nask: What?", "Write '[part]' or '[part sort]'"),
        ("# nothing", "there are no cases"),
    ],
)
def test_a_malformed_case_is_named(tmp_path: Path, text: str, says: str) -> None:
    """The error names the file, the line and what to write instead."""
    with pytest.raises(GoldenError, match=r"cases\.txt, line") as fault:
        load_cases(write(tmp_path, text))
    assert says in str(fault.value)


def test_cases_that_are_not_utf_8_are_named(tmp_path: Path) -> None:
    """Bytes that are no text are named with their line."""
    (tmp_path / "cases.txt").write_bytes(b"ask: What?\nexpect: answer\nsays: caf\xe9\n")
    with pytest.raises(GoldenError, match=r"cases\.txt, line 3: .*0xe9.* Save the file as UTF-8\."):
        load_cases(tmp_path / "cases.txt")


def test_wilson_interval() -> None:
    """The interval is the one published for 9 of 10 (0.596 to 0.982), and empty for nothing."""
    figure = Figure.over([True] * 9 + [False])
    assert (figure.count, figure.of) == (9, 10)
    assert figure.low == pytest.approx(0.596, abs=0.001)
    assert figure.high == pytest.approx(0.982, abs=0.001)
    assert Figure.over([]) == Figure(0, 0, 0.0, 0.0, 0.0)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_an_interval_holds_its_share(flags: list[bool]) -> None:
    """Low ≤ share ≤ high, all within 0 and 1."""
    figure = Figure.over(flags)
    assert 0 <= figure.low <= figure.share + 1e-9 <= figure.high + 2e-9 <= 1 + 3e-9


def outcome(confidence: float, would: bool, able: bool) -> Outcome:
    """An outcome of that confidence, right or not, of a question that can be answered or not."""
    expect = (Kind.ANSWER if able else Kind.ABSTAIN,)
    return Outcome(Case("q", 1, expect=expect), "right", Kind.ANSWER, "", None, confidence, would, 1.0)


def test_the_curve_is_what_counting_gives() -> None:
    """Coverage counts answerable questions answered, risk the wrong among all answers given."""
    kept = (outcome(0.9, True, True), outcome(0.8, False, False), outcome(0.7, False, True))
    assert Report(kept).curve() == [(0.9, 0.5, 0.0), (0.8, 0.5, 0.5), (0.7, 1.0, pytest.approx(2 / 3))]


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), max_size=40))
def test_coverage_only_grows(drawn: list[tuple[float, bool, bool]]) -> None:
    """Answering from a lower confidence on never answers fewer questions."""
    points = Report(tuple(outcome(c, would and able, able) for c, would, able in drawn)).curve()
    covered = [coverage for _, coverage, _ in points]
    assert covered == sorted(covered)
    assert [threshold for threshold, _, _ in points] == sorted({c for c, _, _ in drawn}, reverse=True)


def test_a_bot_is_measured(bot: Bot, tmp_path: Path) -> None:
    """Three cases through the real bot: outcomes, figures that are JSON, and a picture."""
    report = measure(bot, load_cases(write(tmp_path, GOOD)))
    assert [one.case.ask for one in report.outcomes][:1] == ["Can men produce milk?"]
    assert len(report.outcomes) == 3
    kept = json.loads(json.dumps(report.as_dict()))
    assert kept["cases"] == 3
    assert set(kept["figures"]) == {"all", "follow-up", "near-miss"}
    assert report.only("report").outcomes == report.outcomes[2:]
    plot(report, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_wrong_reply_is_told(bot: Bot, tmp_path: Path) -> None:
    """A case that asks for what the bot does not do is a failure that says why."""
    text = "ask: What is the capital of Norway?\nexpect: answer\n\nask: hi\nexpect: abstain"
    refused, wrong = measure(bot, load_cases(write(tmp_path, text))).failures
    assert (refused.verdict, refused.why) == ("refused", "abstain, not answer")
    assert (wrong.verdict, wrong.why) == ("wrong", "smalltalk, not abstain")


def test_nothing_to_draw(tmp_path: Path) -> None:
    """With no case decided by evidence there is no picture, and the error says what to add."""
    with pytest.raises(ValueError, match="Add cases"):
        plot(Report(()), tmp_path / "curve.png")
