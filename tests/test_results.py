"""The report of the measurements: a missed bar is marked, and what is not measured again stays."""

from __future__ import annotations

import pytest

from tests.bench.results import TITLES, marked, sections


@pytest.mark.parametrize(
    ("measured", "bar", "shown"),
    [
        ("1.10", "≤ 1.10", "1.10"),
        ("1.11", "≤ 1.10", "**1.11, missed**"),
        ("0.18 CPU s", "≤ 0.3 s", "0.18 CPU s"),
        ("2.4 ×", "≥ 2.5 ×", "**2.4 ×, missed**"),
        ("812 MB", "≤ 1 GB", "812 MB"),
        ("1,812 MB", "≤ 1 GB", "**1,812 MB, missed**"),
        ("-0.5 %", "< 3 %", "-0.5 %"),
        ("+3.0 %", "< 3 %", "**+3.0 %, missed**"),
        ("0 lost or mixed", "0", "0 lost or mixed"),
        ("2 lost or mixed", "0", "**2 lost or mixed, missed**"),
        ("said so and recovered", "a clear message, and recovery", "said so and recovered"),
        ("FAILED", "a clear message, and recovery", "**FAILED, missed**"),
        ("343 MB", "", "343 MB"),
    ],
)
def test_what_misses_its_bar_is_marked(measured: str, bar: str, shown: str) -> None:
    """Numbers are compared with the bar, in its unit; what has no number is left as it is."""
    assert marked(measured, bar) == shown


def test_a_report_is_taken_apart_by_its_parts() -> None:
    """Each section goes back to the part that made it; a title that no part has is left."""
    text = "# Results\n\nIntro.\n\n" + "\n".join(f"## {title}\n\nrows of {part}\n" for part, title in TITLES.items())
    assert sections(text + "\n## Gone\n\nold\n") == {part: f"rows of {part}" for part in TITLES}
