"""The cross-encoder: it reads a question and a sentence together, each pair by itself, and is refused when damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from bot.scorer import FOLDER, LONGEST, load_scorer, pair
from index.contract import FloatMatrix

HEADINGS = ("Asthma", "Inhalers")
TOLD = "A reliever inhaler opens the airways within minutes."


def ask(*questions: str) -> FloatMatrix:
    """The logit of each question with the same sentence."""
    return load_scorer().predict([pair(question, TOLD, HEADINGS, "") for question in questions])


def test_an_answer_is_told_from_a_near_miss() -> None:
    """Questions that share the sentence's words and are not answered by it score below those that are."""
    told = ask("How soon does a reliever inhaler work?", "What does a reliever inhaler do?", "how quick are relievers")
    untold = ask(
        "How much does a reliever inhaler cost?", "Who invented the reliever inhaler?", "Can dogs use inhalers?"
    )
    assert told.min() > untold.max()


def test_a_pair_is_judged_by_itself() -> None:
    """What else is asked at the same time changes nothing."""
    many = ["How soon does it work?", "Is it safe?", "What opens the airways?"] * 6
    alone = np.array([ask(question)[0] for question in many])
    assert np.abs(ask(*many) - alone).max() < 1e-3


def test_nothing_asked_is_nothing_judged() -> None:
    """No pairs, no logits."""
    assert load_scorer().predict([]).shape == (0,)


def test_a_long_question_leaves_room_for_the_sentence() -> None:
    """Only so much of a question is read."""
    question, told = pair("why " * 1000, TOLD, HEADINGS, "Inhalers come in two kinds.")
    assert len(question) == LONGEST
    assert told == f"{TOLD} [SEP] Asthma > Inhalers. Inhalers come in two kinds."


def test_a_damaged_model_is_refused_by_name(tmp_path: Path) -> None:
    """A changed byte is named with its file; nothing is judged by it."""
    folder = shutil.copytree(FOLDER, tmp_path / "scorer")
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(ValueError, match=r"model\.onnx"):
        load_scorer(folder)


def test_its_size_stays_within_what_was_promised() -> None:
    """30 MB at most, with its card beside it."""
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 30_000_000
    assert "licence" in (FOLDER / "CARD.md").read_text(encoding="utf-8").lower()
