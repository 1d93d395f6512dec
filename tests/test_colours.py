"""The styles: colours that can be read, and a print that keeps the disclaimer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.faces import pages, theme
from bot.settings import SettingsError, load


def test_print_keeps_the_disclaimer() -> None:
    """The print styles hide navigation, and not the disclaimer."""
    css = (Path(pages.__file__).parents[1] / "static" / "milkwise.css").read_text(encoding="utf-8")
    (printed,) = re.findall(r"@media print \{(.*?)\n\}", css, re.S)
    hidden = " ".join(re.findall(r"([^{}]*)\{[^}]*display: none", printed))
    assert "nav" in hidden
    assert "note" not in hidden


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "grounds"),
    [
        ("ink", ("ground", "paper", "note", "mark")),
        ("ink-soft", ("ground", "paper", "note")),
        ("accent", ("ground", "paper", "note")),
        ("on-accent", ("accent",)),
        ("urgent", ("urgent-ground", "ground", "paper")),
    ],
)
def test_colours_have_contrast(scheme: str, ink: str, grounds: tuple[str, ...]) -> None:
    """Each pair of colours that text is set in has at least 4.5 to 1, in light and in dark."""
    css = (Path(pages.__file__).parents[1] / "static" / "tokens.css").read_text(encoding="utf-8")
    light, _, dark = css.partition("prefers-color-scheme: dark")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6});", light if scheme == "light" else dark))
    for ground in grounds:
        assert theme.contrast(colours[ink], colours[ground]) >= 4.5, f"{ink} on {ground}"


def test_the_accents_are_the_operator_s() -> None:
    """Each in its own scheme, with words on it that can be read; by default the table is as it is written."""
    assert theme.css(load()) == theme.TOKENS.read_text(encoding="utf-8")
    light, _, dark = theme.css(load(accent="#1D4ED8", accent_dark="#93C5FD")).partition(theme.DARK)
    assert re.findall(r"--(?:on-)?accent: #\w+", light) == ["--accent: #1D4ED8", "--on-accent: #FFFFFF"]
    assert re.findall(r"--(?:on-)?accent: #\w+", dark) == ["--accent: #93C5FD", "--on-accent: #000000"]


@pytest.mark.parametrize(("key", "way"), [("accent", "darker"), ("accent_dark", "lighter")])
def test_a_colour_nobody_can_read_is_refused(key: str, way: str) -> None:
    """With its contrast, and which way to go; what is no colour is refused too."""
    with pytest.raises(SettingsError, match=rf"{key} = '#808080'.* to 1.*{way}"):
        theme.css(load(**{key: "#808080"}))
    with pytest.raises(SettingsError, match=key):
        load(**{key: "teal"})


def test_contrast_is_wcag_s() -> None:
    """Black on white has 21 to 1, a colour on itself 1, and the grey known to just pass passes."""
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#123456", "#123456") == 1
    assert 4.5 < theme.contrast("#767676", "#FFFFFF") < 4.6
