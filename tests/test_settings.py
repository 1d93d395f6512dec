"""Settings: one table, four sources in order, errors that name key, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsError, load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and no MILKWISE_ variables."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"MILKWISE_{name.upper()}", raising=False)
    return tmp_path


def test_flags_beat_environment_beats_file_beats_defaults(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source overrides the one before it."""
    assert load().port == 7860
    (folder / "milkwise.toml").write_text("port = 1001\n")
    assert load().port == 1001
    monkeypatch.setenv("MILKWISE_PORT", "1002")
    assert load().port == 1002
    assert load(port=1003).port == 1003
    assert load(port=None).port == 1002


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("prot = 1\n", ["prot", "port"]),
        ("port = 99999999\n", ["port", "99999999"]),
        ("port = \n", ["milkwise.toml", "TOML"]),
        ('title = ""\n', ["title"]),
    ],
)
def test_a_bad_file_is_named(folder: Path, toml: str, says: list[str]) -> None:
    """An unknown key names its nearest neighbour; a bad value is printed."""
    (folder / "milkwise.toml").write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load()
    assert all(word in str(caught.value) for word in says)


def test_a_file_that_is_not_utf_8_is_named(folder: Path) -> None:
    """Bytes that are no text are a setting's fault, with file, line and remedy."""
    (folder / "milkwise.toml").write_bytes(b'port = 1\ntitle = "caf\xe9"\n')
    with pytest.raises(SettingsError, match=r"milkwise\.toml, line 2: .*0xe9.* Save the file as UTF-8\."):
        load()


def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt MILKWISE_ variable is not silently ignored."""
    monkeypatch.setenv("MILKWISE_TOPK", "5")
    with pytest.raises(SettingsError, match="top_k"):
        load()


def test_no_setting_switches_the_disclaimer_off() -> None:
    """There is nothing to set."""
    assert not [name for name in Settings.model_fields if "disclaimer" in name]


def test_every_setting_is_described() -> None:
    """The table is the documentation."""
    assert all(field.description for field in Settings.model_fields.values())
