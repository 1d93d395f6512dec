"""Red flags, personal decisions and small talk: golden messages, and what may never change what a message means."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.grade import grade
from bot.reply import Kind, Turn
from bot.triage import FILES, load_rules, normalise, triage
from bot.words import Words, WordsError

GOLDEN = Path(__file__).parent / "golden" / "triage.txt"
WORDS = Words.load()
RULES = load_rules(WORDS)
KINDS = {rule.id: rule.kind for rule in RULES}
Case = tuple[tuple[str, ...], tuple[str, ...], str]


def cases(text: str) -> list[Case]:
    """Allowed rules, earlier turns and message of each line. Raises ValueError, with the line, for any other form."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([\w/-]+) \| (\S.*)", line)
        wanted = tuple(match[1].split("/")) if match else ()
        unknown = [name for name in wanted if name != "none" and name not in KINDS]
        if not match or unknown:
            raise ValueError(f"triage.txt, line {number}: {line!r} is not 'rule | message', or names no rule")
        *before, asked = match[2].split(" ;; ")
        found.append((wanted, tuple(before), asked))
    return found


CASES = cases(GOLDEN.read_text(encoding="utf-8"))
URGENT = [case for case in CASES if KINDS.get(case[0][0]) == Kind.URGENT and not case[1]]
QUIET = [case for case in CASES if case[0] == ("none",) and not case[1]]


def fired(asked: str, before: tuple[str, ...] = ()) -> str:
    """The id of the rule that fires, or "none"."""
    rule = triage(asked, [Turn(text) for text in before], RULES)
    return rule.id if rule else "none"


def kind(asked: str) -> Kind | None:
    """The kind of the rule that fires."""
    return KINDS.get(fired(asked))


@pytest.mark.parametrize(("wanted", "before", "asked"), CASES)
def test_a_golden_message_meets_its_rule(wanted: tuple[str, ...], before: tuple[str, ...], asked: str) -> None:
    """Each message fires the rule it is listed with, or none."""
    assert fired(asked, before) in wanted


@pytest.mark.parametrize(
    "line", ["no bar", "chest-pain |", "| message", "no-such-rule | I have chest pain", "chest-pain: x"]
)
def test_a_malformed_case_fails(line: str) -> None:
    """A line that is no case raises an error with its number; it is not left out silently."""
    with pytest.raises(ValueError, match="line 1"):
        cases(line)


def test_there_are_cases_of_every_rule() -> None:
    """Every rule that has patterns has golden messages, and there are many of both sorts."""
    assert {name for wanted, _, _ in CASES for name in wanted} - {"none"} == {
        rule.id for rule in RULES if rule.patterns
    }
    assert len(URGENT) >= 120
    assert len(QUIET) >= 70


MINIMISERS = [
    "It's probably nothing but {}",
    "My husband says I worry too much. {}",
    "{} lol",
    "{} but I'm sure it's fine",
    "{} I don't want to waste your time.",
    "sorry to bother you, {}",
]
SURROUNDINGS = [
    "Hi there! {}",
    "Can men produce milk? {}",
    "{} Also, what is relactation?",
    "I have no headache. {}",
    "{} Thanks for your help!",
    "What is a stroke? {}",
]


@pytest.mark.parametrize("frame", MINIMISERS + SURROUNDINGS)
def test_no_frame_loses_a_red_flag(frame: str) -> None:
    """A greeting, another question, thanks or words that play it down never take a red flag away."""
    lost = [asked for _, _, asked in URGENT if kind(frame.format(asked)) != Kind.URGENT]
    assert not lost


@pytest.mark.parametrize(
    "change", [str.upper, str.title, lambda text: text.replace(" ", "  \n "), lambda text: f"{text}!!!!"]
)
def test_no_spelling_habit_loses_a_red_flag(change: object) -> None:
    """Capitals, line breaks, wide spaces and exclamation marks never take a red flag away."""
    assert callable(change)
    lost = [asked for _, _, asked in URGENT if kind(change(asked)) != Kind.URGENT]
    assert not lost


def test_a_long_message_does_not_bury_a_red_flag() -> None:
    """It fires in the middle of two thousand characters of other talk."""
    talk = "We adopted in May and I pump four times a day with a rented pump. "
    for _, _, asked in URGENT:
        assert kind(talk * 12 + asked + ". " + talk * 12) == Kind.URGENT, asked


@given(st.text(alphabet="​‌‍‎‏‪‮⁦⁩﻿­", max_size=4), st.sampled_from(URGENT), st.data())
def test_invisible_characters_hide_nothing(hidden: str, case: Case, data: st.DataObject) -> None:
    """Zero-width, bidi and soft-hyphen characters anywhere in a message never take a red flag away."""
    at = data.draw(st.integers(0, len(case[2])))
    assert kind(case[2][:at] + hidden + case[2][at:]) == Kind.URGENT


SIGNS = [
    "chest pain", "trouble breathing", "heavy bleeding", "blurred vision", "severe belly pain", "suicidal thoughts",
    "a seizure", "palpitations", "shortness of breath", "a high temperature",
]  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
def test_a_sign_fires_and_its_negation_does_not(sign: str) -> None:
    """ "I have …" fires; "I have no …", "I don't have any …" and "I have never had …" do not."""
    bare = sign.removeprefix("a ")
    assert kind(f"I have {sign}") == Kind.URGENT
    for said in (
        f"I have no {bare}",
        f"I don't have any {bare}",
        f"I've never had {sign}",
        f"no cough, rash or {bare}",
    ):
        assert kind(said) != Kind.URGENT, said


@pytest.mark.parametrize("sign", SIGNS)
def test_asking_what_it_is_does_not_fire_unless_it_is_there(sign: str) -> None:
    """ "What is …?" goes on to be looked up; "What is …? I have it." with the sign named does not."""
    assert kind(f"What is {sign}?") is None
    assert kind(f"What is {sign}? I have {sign}.") == Kind.URGENT


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    """Whatever is typed, triage answers with a rule or none, and the same one each time."""
    assert triage(text, [Turn(text)], RULES) == triage(text, [Turn(text)], RULES)


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """Normalised text is its own normal form."""
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "piece", ["no ", "my baby ", "what is the ", "i have ", "a", "blue ", "took too many ", "no fever or "]
)
def test_no_pattern_runs_away(piece: str) -> None:
    """The longest message, made of one piece over and over, is read in well under a second."""
    start = time.process_time()
    fired((piece * 2000)[:2000])
    assert time.process_time() - start < 0.5


def test_an_earlier_red_flag_counts_only_while_the_message_points_back_at_it() -> None:
    """ "What should I do?" is about the turn before; a question of its own is not, nor is an older turn read."""
    assert fired("what should I do?", ("I have chest pain",)) == "chest-pain"
    assert fired("what is relactation?", ("I have chest pain",)) == "none"
    assert fired("is that bad?", ("I have chest pain", "what is relactation?")) == "none"


def test_every_urgent_rule_leads_with_what_to_do() -> None:
    """Its first sentence names the action, and its first 120 characters a number where the country is known."""
    for rule in RULES:
        if rule.kind == Kind.URGENT:
            for locale in ("en-GB", "en-US", "en-AU", "de-DE", "en"):
                text = WORDS.text(rule.say, locale)
                assert re.match(
                    r"(?:Call|Please talk to a person now: call|If you are in danger now, call) \S", text
                ), text
            assert re.search(r"\d", WORDS.text(rule.say, "en-GB")[:120])
            assert WORDS.contacts("en", rule.contacts)


def test_a_referral_phrase_holds_no_figure() -> None:
    """What a referral says of itself has no digit in any country."""
    for rule in RULES:
        if rule.kind == Kind.REFER:
            assert not re.search(r"\d", WORDS.text(rule.say, "en-GB"))
            assert not rule.stops
            assert grade(WORDS.text(rule.say, "en")) <= 6.5


def test_the_rules_say_where_they_come_from() -> None:
    """Each has a source, and red flags rank before personal decisions, those before small talk."""
    assert all(rule.source for rule in RULES)
    order = [rule.kind for rule in RULES]
    assert order == sorted(order, key=[Kind.URGENT, Kind.REFER, Kind.SMALLTALK].index)
    assert all(rule.stops for rule in RULES if rule.kind != Kind.REFER)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('say = "greeting"', 'say = "greting"', "'greting'"),
        ('kind = "smalltalk"', 'kind = "chatter"', "'chatter'"),
        ("stops = true", 'stops = "yes"', "'yes'"),
        ("stops = true", "stops = false", "stops is False"),
        ('kind = "smalltalk"', 'kind = "answer"', "kind 'answer' is not for rules"),
        ('id = "greeting"', 'id = "thanks"', "'thanks'"),
        ('source = "courtesy"', 'sauce = "courtesy"', "'sauce'"),
        ('source = "courtesy"', 'source = "courtesy"\ncontacts = ["police"]', "'police'"),
        ('source = "courtesy"', 'source = "courtesy"\nunless = ["@nowhere"]', "'@nowhere'"),
        ('"^\\\\W*{hi}', '"^\\\\W*({hi}', "no regular expression"),
        ('"^\\\\W*{hi}', '"^\\\\W*{high}', "{high}"),
        ("patterns = [", 'patterns = [".*", ', "'.*'"),
        ("[[rule]]", "[[rule", "TOML"),
    ],
)
def test_a_bad_rules_file_is_refused_by_name(tmp_path: Path, old: str, new: str, named: str) -> None:
    """A fault in a rules file names the file, the value and a remedy, and nothing starts."""
    folder = tmp_path / "bot"
    for name in ("phrases", "rules"):
        shutil.copytree(WORDS.folder / name, folder / name)
    path = folder / "rules" / FILES[2]
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(WordsError, match=re.escape(named)) as caught:
        load_rules(Words.load(folder))
    assert FILES[2] in str(caught.value)
    assert caught.value.remedy
