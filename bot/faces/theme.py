"""The operator's colours, put in the one table of colours, and whether they can be read.

Comes in: settings. Goes out: the styles' custom properties as CSS. A colour that fails WCAG 2.2 AA is a SettingsError.
Does not know: where a colour is used.
"""

from __future__ import annotations

import re
from pathlib import Path

from bot.settings import Settings, SettingsError

TOKENS = Path(__file__).parents[1] / "static" / "tokens.css"
DARK = "@media (prefers-color-scheme: dark)"
ENOUGH = 4.5  # WCAG 2.2, success criterion 1.4.3: contrast of text to its ground
KEYS = ("accent", "accent_dark")
GROUNDS = ("ground", "paper", "note")  # what text in the accent's colour stands on


def css(settings: Settings) -> str:
    """tokens.css with the two accents set, each with the better of white and black for the words on it."""
    whole = TOKENS.read_text(encoding="utf-8")
    if (settings.accent, settings.accent_dark) == tuple(Settings.model_fields[key].default for key in KEYS):
        return whole
    light, between, dark = whole.partition(DARK)
    return _set(light, KEYS[0], settings.accent) + between + _set(dark, KEYS[1], settings.accent_dark)


def grounds() -> dict[str, list[str]]:
    """The colours that text in each accent stands on."""
    blocks = TOKENS.read_text(encoding="utf-8").split(DARK)
    return {key: list(_grounds(block)) for key, block in zip(KEYS, blocks, strict=True)}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours "#RRGGBB", 1 to 21, as WCAG 2.2 defines it."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def readable(colour: str) -> str:
    """White or black, whichever stands out more on the colour; one of them always has 4.5 to 1."""
    return max("#FFFFFF", "#000000", key=lambda ink: contrast(ink, colour))


def _set(block: str, key: str, colour: str) -> str:
    worst = min(_grounds(block), key=lambda ground: contrast(colour, ground))
    ratio = contrast(colour, worst)
    if ratio < ENOUGH:
        way = "darker" if key == KEYS[0] else "lighter"
        raise SettingsError(
            f"setting {key} = {colour!r}: on {worst} it has {ratio:.1f} to 1, and words need {ENOUGH} to 1 "
            f"to be read. Choose a {way} colour; the page /widget shows the contrast of each."
        )
    block = re.sub(r"--accent: #\w+", f"--accent: {colour}", block)
    return re.sub(r"--on-accent: #\w+", f"--on-accent: {readable(colour)}", block)


def _grounds(block: str) -> tuple[str, ...]:
    colours = dict(re.findall(r"--([\w-]+): (#[0-9A-F]{6});", block))
    return tuple(colours[name] for name in GROUNDS)


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
