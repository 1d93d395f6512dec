"""The sum behind docs/scale.md, and that the page holds what it comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.sizing import AT_HAND, BUSY, FIGURES, rows, search_ms, size

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"


def test_the_sum_by_hand() -> None:
    """A thousand questions a second over 30,000 passages: three hundred answers of 8.4 ms, a millisecond a request."""
    it = size(30_000, 1_000)
    assert (AT_HAND, BUSY) == (0.7, 0.6) and it.answers == pytest.approx(300)
    assert it.cores == 6  # (1000 x 1.0 + 300 x 8.4) / 1000 / 0.6 = 5.9
    assert it.machines == 1 and it.memory_gb == pytest.approx(30_000 * (5376 + 560) / 1e9 + 0.5)
    assert it.index_core_hours == pytest.approx(30_000 * 34 / 3.6e6)


def test_more_never_takes_less() -> None:
    """More passages or more questions need at least as many cores, machines and bytes."""
    for few, many in ((10_000, 1_000_000), (1_000_000, 100_000_000)):
        assert search_ms(few) <= search_ms(many) and size(few, 10).memory_gb < size(many, 10).memory_gb
        assert size(few, 1_000).cores <= size(many, 1_000).cores
    assert size(10_000, 10).machines == 1 < size(10_000, 100_000).machines
    assert size(100_000_000, 10).first == "too large: shard"


def test_search_goes_through_what_is_known() -> None:
    """At each size in the table it is what the table says, and between two of them between the two."""
    known = FIGURES["search_ms"]
    assert isinstance(known, dict)
    assert all(search_ms(passages) == pytest.approx(ms) for passages, ms in known.items())
    assert known[30_000] < search_ms(200_000) < known[1_000_000]


def test_the_page_holds_the_table() -> None:
    """docs/scale.md shows what the script prints."""
    assert "\n".join(rows()) in PAGE.read_text(encoding="utf-8")
