"""The bot's own words: plain, free of any clinician's voice, complete, and the right contacts for each country."""

from __future__ import annotations

import ast
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.grade import grade
from bot.words import BASE, ROLES, Words, WordsError, places

WORDS = Words.load()
PHRASES: dict[str, str] = tomllib.loads((WORDS.folder / "phrases" / "en.toml").read_text(encoding="utf-8"))["phrases"]
CONTACTS = tomllib.loads((WORDS.folder / "rules" / "contacts.toml").read_text(encoding="utf-8"))
COUNTRIES = ("US", "GB", "IE", "CA", "AU", "NZ", "IN", "ZA", "DE", "FR", "ES")
LABEL = 4  # words; a button or label this short has no grade worth measuring
VALUES = {name: "the page" for text in PHRASES.values() for name in places(text) if name not in ROLES}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the phrases and rules, to spoil."""
    for name in ("phrases", "rules"):
        shutil.copytree(WORDS.folder / name, tmp_path / name)
    return tmp_path


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    """Replace the first `old` in a file; it has to be there."""
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("id", PHRASES)
def test_a_phrase_is_plain(id: str) -> None:
    """Each phrase longer than a label is at or below US grade 6, with its places filled."""
    text = WORDS.text(id, "en-GB", **VALUES)
    if len(text.split()) > LABEL and not id.startswith("no-number-"):
        assert grade(text) <= 6.0, text


def test_the_disclaimer_is_plain_and_short() -> None:
    """It says it is an assistant, that this is no medical advice and whom to ask, in a line or two at grade 6."""
    text = WORDS.disclaimer("en").text
    assert grade(text) <= 6.0
    assert len(text) <= 220
    for part in ("automated assistant (AI)", "not give medical advice", "ask a doctor, nurse or pharmacist"):
        assert part in text


@pytest.mark.parametrize("id", PHRASES)
def test_a_phrase_has_no_person_behind_it(id: str) -> None:
    """No "I", no apology, no clinician's name or title for the bot, no verdict."""
    assert not re.search(
        r"\bI\b|\bI'm\b|\bmy\b|\bwe\b|\bour\b|sorry|unfortunately|\bDr\b|as a (?:doctor|nurse)|diagnos", PHRASES[id]
    )
    assert not re.search(r"[\U0001F300-\U0001FAFF]", PHRASES[id])


def test_every_phrase_the_code_says_is_there() -> None:
    """Each id written in the code, and its places, are those of the phrases file."""
    said = 0
    for path in sorted((Path(__file__).parents[1] / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            id = node.args[0].value
            if name in ("say", "text", "_say", "_text") and isinstance(id, str) and re.fullmatch("[a-z-]+", id):
                assert id in PHRASES, f"{path.name}, line {node.lineno}: no phrase {id!r}"
                said += 1
                given = {word.arg for word in node.keywords}
                if None not in given:
                    assert places(PHRASES[id]) - set(ROLES) <= given, f"{path.name}, line {node.lineno}: {id!r}"
    assert said


def test_a_value_is_never_read_as_a_template() -> None:
    """What a visitor typed comes out as it went in, whatever braces it holds."""
    for typed in ("{emergency}", "{0.__class__}", "{topic}", "{}", "{{n}}", "%s", "\\1"):
        assert WORDS.text("about", "en-GB", topic=typed) == f"About: {typed}"


@given(st.text(max_size=60))
def test_any_value_stands_unchanged_in_its_place(typed: str) -> None:
    """Filling a place adds nothing and takes nothing away."""
    assert WORDS.text("about", "en", topic=typed) == f"About: {typed}"


def test_a_claim_names_its_phrase() -> None:
    """What is said carries the id of the phrase that backs it."""
    claim = WORDS.say("greeting", "en-IE")
    assert claim.source == "phrase:greeting"
    assert claim.text == PHRASES["greeting"]


def test_an_unknown_phrase_or_a_missing_value_is_named() -> None:
    """A slip in the code is an error with the nearest id or the missing name."""
    with pytest.raises(WordsError, match="'greeting'"):
        WORDS.text("greetin", "en")
    with pytest.raises(WordsError, match="topic"):
        WORDS.text("about", "en")


@pytest.mark.parametrize(
    ("locale", "named"),
    [
        ("en", "en"),
        ("en-GB", "en-GB"),
        ("en_us", "en-US"),
        ("EN-ie", "en-IE"),
        ("fr-FR", "en"),
        ("", "en"),
        ("<b>", "en"),
    ],
)
def test_the_disclaimer_falls_back_to_english(locale: str, named: str) -> None:
    """Any locale has a disclaimer, and it names the language it is really in."""
    assert WORDS.disclaimer(locale).locale == named
    assert WORDS.disclaimer(locale).text == WORDS.disclaimer("en").text


@given(st.text(max_size=40))
def test_any_locale_has_a_disclaimer_and_contacts(locale: str) -> None:
    """Whatever a request names as its locale, nothing is empty and nothing of it is repeated but a valid tag."""
    found = WORDS.disclaimer(locale)
    assert found.text
    assert re.fullmatch(r"[a-z]{2,3}(-([A-Z]{2}|\d{3}))?", found.locale)
    assert WORDS.contacts(locale, ("emergency",))


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_country_has_an_emergency_number_and_a_crisis_line(country: str) -> None:
    """Each has both of its own, day and night, and they stand in the sentence."""
    own = CONTACTS["countries"][country]
    for role in ("emergency", "crisis"):
        assert any(row["role"] == role and row.get("call") and row["hours"] == "24/7" for row in own)
    first = next(row["call"] for row in own if row["role"] == "emergency")
    assert f"Call {first} now" in WORDS.text("urgent-adult", f"en-{country}")
    assert WORDS.contacts(f"en-{country}", ("crisis",))[0].label == next(
        row["label"] for row in own if row["role"] == "crisis"
    )


@pytest.mark.parametrize("locale", ["en", "en-ZZ", "xx-QQ", "de", "es-419", ""])
def test_there_is_no_default_country(locale: str) -> None:
    """Where the country is unknown, 112 and the international directory are shown and no country's line is."""
    shown = {c.call or c.url for c in WORDS.contacts(locale, ROLES)}
    assert shown == {"112", "https://findahelpline.com"}
    assert WORDS.text("no-number-emergency", locale) in WORDS.text("urgent-adult", locale)
    assert WORDS.text("no-number-crisis", locale) in WORDS.text("urgent-crisis", locale)


def test_a_role_nobody_serves_shows_the_emergency_contact() -> None:
    """A country without an advice line still shows someone to turn to, once."""
    assert [c.role for c in WORDS.contacts("en-US", ("advice",))] == ["emergency"]
    assert [c.role for c in WORDS.contacts("en-US", ("advice", "emergency"))] == ["emergency"]
    assert WORDS.contacts("en-GB", ()) == ()


def test_a_line_that_closes_at_night_is_listed_but_not_put_in_a_sentence() -> None:
    """Its number is shown with its hours; the sentence names no number that may not answer."""
    assert WORDS.contacts("en-IE", ("poison",))[0].hours == "8am to 10pm"
    assert "01 809 2166" not in WORDS.text("urgent-poison", "en-IE")


def test_every_contact_names_its_source() -> None:
    """Each has a source and a review date, empty until someone has rung it; addresses are https."""
    for row in [*CONTACTS["international"], *(row for rows in CONTACTS["countries"].values() for row in rows)]:
        assert row["source"]
        assert row["reviewed"] == ""
        assert row.get("url", "https://").startswith("https://")


@pytest.mark.parametrize("key", ["id", "version", "text"])
@pytest.mark.parametrize("instead", ["", '{} = ""', '{} = "  "', "{} = 1"])
def test_nothing_starts_without_a_whole_disclaimer(folder: Path, key: str, instead: str) -> None:
    """A part of the English disclaimer that is missing, empty or no text is refused with file, key and remedy."""
    path = folder / "phrases" / "en.toml"
    head, disclaimer = path.read_text(encoding="utf-8").split("[disclaimer]\n")
    line = next(line for line in disclaimer.splitlines() if line.startswith(f"{key} ="))
    path.write_text(f"{head}[disclaimer]\n{disclaimer.replace(line, instead.format(key), 1)}", encoding="utf-8")
    with pytest.raises(WordsError, match=rf"en\.toml, disclaimer\.{key}: .+ Every locale needs"):
        Words.load(folder)


def test_another_language_needs_its_own_disclaimer(folder: Path) -> None:
    """A locale file without one is refused; with one, its phrases are used and the rest falls back to English."""
    path = folder / "phrases" / "pt-BR.toml"
    path.write_text('[phrases]\nask = "Perguntar"\n', encoding="utf-8")
    with pytest.raises(WordsError, match=r"pt-BR\.toml, disclaimer"):
        Words.load(folder)
    path.write_text(
        '[disclaimer]\nid = "medical-information"\nversion = "1"\ntext = "Aviso."\n[phrases]\nask = "Perguntar"\n'
    )
    words = Words.load(folder)
    assert words.text("ask", "pt-BR") == "Perguntar"
    assert words.text("stop", "pt-BR") == PHRASES["stop"]
    assert (words.disclaimer("pt-BR").text, words.disclaimer("pt-BR").locale) == ("Aviso.", "pt-BR")
    assert words.disclaimer("en-GB").text == WORDS.disclaimer("en").text


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("phrases/en.toml", 'ask = "Ask"', 'ask = ""', "phrases.ask"),
        ("phrases/en.toml", 'ask = "Ask"', "ask = 3", "phrases.ask"),
        ("phrases/en.toml", "no-number-crisis", "no-number-crysis", "no-number-crisis"),
        ("phrases/en.toml", "[phrases]", "[phrases", "TOML"),
        ("rules/contacts.toml", 'role = "emergency"', 'role = "police"', "'police'"),
        ("rules/contacts.toml", 'label = "Emergency services"', 'lable = "Emergency services"', "'label'"),
        ("rules/contacts.toml", 'call = "911"', "call = 911", "911"),
        ("rules/contacts.toml", 'call = "911"', "", "US[0]"),
        ("rules/contacts.toml", "countries.US", "countries.Usa", "'Usa'"),
        ("rules/contacts.toml", 'source = "https://www.911.gov"', 'source = ""', "source"),
    ],
)
def test_a_bad_file_is_refused_by_name(folder: Path, file: str, old: str, new: str, named: str) -> None:
    """A fault names the file, the key or value, and a remedy, and nothing starts."""
    spoil(folder, file, old, new)
    with pytest.raises(WordsError, match=re.escape(named)) as caught:
        Words.load(folder)
    assert Path(file).name in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("phrase", ['asq = "?"', 'ask = "{query}"'])
def test_a_translation_may_not_add_ids_or_places(folder: Path, phrase: str) -> None:
    """An id or a place that the English file lacks is refused, so nothing is said with a hole in it."""
    head = '[disclaimer]\nid = "medical-information"\nversion = "1"\ntext = "Hinweis."\n[phrases]\n'
    (folder / "phrases" / "de.toml").write_text(head + phrase, encoding="utf-8")
    with pytest.raises(WordsError, match=r"de\.toml, phrases\.as"):
        Words.load(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    """Without the English phrases nothing starts."""
    (folder / "phrases" / f"{BASE}.toml").unlink()
    with pytest.raises(WordsError, match=r"en\.toml"):
        Words.load(folder)


def test_where_questions_are_kept_only_what_is_said_of_keeping_changes() -> None:
    """The phrases that say nothing is kept tell the truth instead; no title or button turns into another."""
    kept = WORDS.telling("-kept", days=30)
    changed = {id for id in PHRASES if WORDS.text(id, BASE, **VALUES) != kept.text(id, BASE, **VALUES)}
    without = {"privacy", "feedback-thanks", "safety-private", "privacy-sent", "safety-private-sent"}
    assert {id for id in changed if not id.endswith("-kept")} == without
