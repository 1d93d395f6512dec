"""What the trained model reads: sentences and clauses at their places, slips, and what was taken back."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.intent import CHUNK, PARAMETERS, QUIET, Intent, chunks, load_intent, load_model, spans
from bot.reply import UNSURE
from bot.triage import load_rules
from bot.words import Words
from index.contract import Encoder, IndexFault
from tests.bench.intent_data import exemplars

RULES = load_rules(Words.load())
MEANT = {  # none of them an exemplar
    "poison": "my toddler chewed up the sleeping pills from my handbag",
    "crisis": "tonight I mean to leave this world and nobody will stop me",
    "voices": "someone only I can hear tells me what to do with the baby",
    "baby-harm": "I keep picturing holding her under the bath water",
}


@pytest.fixture(scope="module")
def intent(encoder: Encoder) -> Intent:
    """The shipped model with the bundled encoder."""
    found = load_intent(encoder)
    assert found
    return found


@given(st.text(max_size=300))
def test_places_lie_in_the_text_and_begin_and_end_with_a_character(text: str) -> None:
    """Every sentence and clause is a slice of the text without spaces around it, and each word is in one of them."""
    whole = (0, len(text))
    found = spans(text, whole)
    for start, end in found:
        assert text[start:end] == text[start:end].strip() != ""
    for word in re.finditer(r"\w+", text):
        assert any(start <= word.start() and word.end() <= end for start, end in found)


@given(st.text(alphabet="ab .!?\n", max_size=3000))
def test_the_sentences_of_a_message_are_the_message(text: str) -> None:
    """Read sentence by sentence nothing but spaces is lost or read twice, and each part fits the encoder."""
    parts = list(chunks(text))
    assert re.sub(r"\s", "", "".join(text[start:end] for start, end in parts)) == re.sub(r"\s", "", text)
    assert all(end - start <= CHUNK for start, end in parts)


def test_a_long_sentence_is_read_by_clause() -> None:
    """Its clauses are places of their own, a short sentence is one place."""
    text = "I pump four times a day with a rented pump, and my chest hurts, but the milk is coming. Fine."
    found = [text[start:end] for start, end in spans(text, (0, len(text)))]
    assert found[-1] == "Fine."
    assert "and my chest hurts" in found
    assert "my chest hurts" not in found


@pytest.mark.parametrize("meaning", MEANT)
def test_what_no_pattern_names_is_told_by_its_meaning(intent: Intent, meaning: str) -> None:
    """Alone and in the middle of a long message, a red flag in other words is flagged with its meaning."""
    talk = "We adopted in May and I pump four times a day with a rented pump. "
    for text in (MEANT[meaning], talk * 14 + MEANT[meaning] + ". " + talk * 12):
        sense = intent.read(text)
        assert sense.flag >= intent.model.threshold
        assert sense.meaning == meaning


def test_a_place_taken_back_is_not_read(intent: Intent) -> None:
    """A sentence that holds a hidden place is passed over; the one beside it is not."""
    text = f"{MEANT['voices']}. {MEANT['poison']}."
    at = text.index("hear")
    assert intent.read(text, [(at, at + 4)]).meaning == "poison"
    assert intent.read(MEANT["voices"], [(0, 7)]).flag == 0
    assert intent.read("").meaning == QUIET


def test_a_slip_of_the_finger_is_mended(intent: Intent) -> None:
    """A word one slip away from one that red flags are told in becomes that word; others stay as they are."""
    assert intent.mend("my baby is unrespnsive and floppy") == "my baby is unresponsive and floppy"
    for text in ("What is domperidone for?", "my baby is breathing", "", "☃ 🤱🏽 ا"):
        assert intent.mend(text) == text


def test_each_meaning_has_one_rule_that_speaks_for_it() -> None:
    """What the model can find and what the rules can say are the same, and the exemplars know no other."""
    meanings = set(load_model().meanings)
    spoken = [rule.meaning for rule in RULES if rule.meaning]
    assert sorted(spoken) == sorted(meanings - {QUIET} | {UNSURE})
    assert {meaning for meaning, _ in exemplars()} == meanings


def test_another_encoder_leaves_patterns_alone(encoder: Encoder, caplog: pytest.LogCaptureFixture) -> None:
    """The model is not used with vectors it was not trained on, and the log says so."""

    class Other:
        name = "another-model@123"

    with caplog.at_level(logging.WARNING):
        assert load_intent(Other()) is None  # type: ignore[arg-type]  # only its name is asked
    assert "another-model" in caplog.text
    assert load_intent(encoder)


@pytest.mark.parametrize(
    ("old", "new"), [('bytes = "', 'bytes = "??'), ("[[net]]", "[[nets]]"), ("threshold = 0", "threshhold = 0")]
)
def test_a_damaged_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    """Parameters that do not fit stop the start, by name and with a remedy."""
    path = tmp_path / "intent.toml"
    shutil.copy(PARAMETERS, path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(IndexFault, match=r"intent\.toml"):
        load_model(path)


@pytest.mark.parametrize("line", ["quiet: hello", "quiet | (one|two", "quiet | "])
def test_a_malformed_exemplar_fails(tmp_path: Path, line: str) -> None:
    """A line that is no exemplar raises an error with its number."""
    path = tmp_path / "exemplars.txt"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1"):
        exemplars(path)
