"""The styles: colours that can be read, and a print that keeps the disclaimer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.faces import pages


def test_print_keeps_the_disclaimer() -> None:
    """The print styles hide navigation, and not the disclaimer."""
    css = (Path(pages.__file__).parents[1] / "static" / "milkwise.css").read_text(encoding="utf-8")
    (printed,) = re.findall(r"@media print \{(.*?)\n\}", css, re.S)
    hidden = " ".join(re.findall(r"([^{}]*)\{[^}]*display: none", printed))
    assert "nav" in hidden
    assert "note" not in hidden


def luminance(colour: str) -> float:
    """The relative luminance of "#RRGGBB", as WCAG defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


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
        bright, dim = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, f"{ink} on {ground}"
