"""Golden cases are read or refused by line, and figures are what the textbook says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bot import Bot
from bot.compare import Floor, compare, load_report, read_floor
from bot.golden import GoldenError, ReportError
from bot.measure import Case, Figure, Outcome, Report, load_cases, measure
from bot.plot import plot
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


def test_reliability_is_what_counting_gives() -> None:
    """Tenths of confidence with the share right in each; the error is their distance, weighted by their cases."""
    kept = [
        outcome(0.92, True, True),
        outcome(0.98, True, True),
        outcome(0.15, False, False),
        outcome(1.0, False, True),
    ]
    report = Report(tuple(kept))
    low, high = report.reliability()
    assert (low.confidence, low.right.count, low.right.of) == (0.15, 0, 1)
    assert high.confidence == pytest.approx(2.9 / 3)
    assert (high.right.count, high.right.of) == (2, 3)
    assert report.calibration_error() == pytest.approx((0.15 + 3 * (2.9 / 3 - 2 / 3)) / 4)
    assert Report(()).calibration_error() is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_the_bins_hold_every_case_once(drawn: list[tuple[float, bool]]) -> None:
    """No case is lost or counted twice, and the error is a share."""
    report = Report(tuple(outcome(confidence, would, True) for confidence, would in drawn))
    assert sum(each.right.of for each in report.reliability()) == len(drawn)
    assert 0 <= (report.calibration_error() or 0) <= 1


def told(*verdicts: tuple[str, str]) -> Report:
    """A report of questions and whether each came out right."""
    return Report(
        tuple(
            Outcome(Case(ask, 1, sort="typo", expect=(Kind.ANSWER,)), verdict, Kind.ANSWER, "", None, None, None, 1.0)  # type: ignore[arg-type]  # drawn from the three
            for ask, verdict in verdicts
        )
    )


def test_a_report_is_held_against_an_earlier_one(tmp_path: Path) -> None:
    """What was gained and lost on shared cases, what is new and gone, and what chance would give (the sign test)."""
    path = tmp_path / "report.json"
    before = told(("a", "wrong"), ("b", "right"), ("c", "refused"), ("d", "wrong"), ("old", "right"))
    path.write_text(json.dumps(before.as_dict()), encoding="utf-8")
    now = told(("a", "right"), ("b", "right"), ("c", "right"), ("d", "right"), ("new", "wrong"))
    change = compare(now, load_report(path))
    assert (change.shared, change.new, change.gone) == (4, 1, 1)
    assert [one.case.ask for one in change.gained] == ["a", "c", "d"]
    assert change.lost == ()
    assert (change.before.count, change.now.count) == (1, 4)
    assert change.chance == pytest.approx(2 * 0.5**3)
    assert compare(before, load_report(path)).chance == 1


@pytest.mark.parametrize("text", ["", "[]", '{"outcomes": 3}', '{"outcomes": [{"ask": "a"}]}', "\udcff"])
def test_what_is_no_report_is_named(tmp_path: Path, text: str) -> None:
    """The error names the file and the command that writes one."""
    (tmp_path / "old.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ReportError, match=r"old\.json: no report\. Write one with 'milkwise measure"):
        load_report(tmp_path / "old.json")


def test_a_floor_is_held_or_missed() -> None:
    """A share at its floor passes, one below is named with its figures."""
    report = told(("a", "right"), ("b", "wrong"))
    cases = [one.case for one in report.outcomes]
    assert read_floor("0.5", cases).missed(report) == ""
    assert read_floor(" typo = 0.6", cases) == Floor("typo", 0.6)
    assert read_floor("typo=0.6", cases).missed(report) == "typo: 1 of 2 right, 50.0%, below the floor of 60.0%"


@pytest.mark.parametrize(
    ("floor", "says"),
    [
        ("near-miss=0.9", "no case is of sort 'near-miss'. There are all, typo."),
        ("1.5", "'1.5' is no share"),
        ("typo=high", "'high' is no share"),
        ("nan", "'nan' is no share"),
    ],
)
def test_a_floor_that_is_none_is_named(floor: str, says: str) -> None:
    """The error prints the value, and what to give instead."""
    with pytest.raises(ReportError) as fault:
        read_floor(floor, [one.case for one in told(("a", "right")).outcomes])
    assert says in str(fault.value)


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
