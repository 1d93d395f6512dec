"""Dense search against brute force, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.dense import Dense
from tests.index_samples import rows

DIM = 8


def brute(matrix: np.ndarray, owners: np.ndarray, query: np.ndarray) -> dict[int, float]:
    """The oracle: each owner's best inner product."""
    scores = matrix.astype(np.float64) @ query.astype(np.float64)
    return {int(owner): float(scores[owners == owner].max()) for owner in set(owners.tolist())}


@settings(max_examples=150, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    seed=st.integers(0, 10_000),
    k=st.integers(1, 40),
)
def test_dense_is_brute_force(sizes: list[int], seed: int, k: int) -> None:
    """The owners found, their order and their cosines are those of a plain matrix product, however rows are shared."""
    matrix = rows(sum(sizes), DIM, seed)
    owners = np.repeat(np.arange(len(sizes)) * 7 + 3, sizes)
    query = rows(1, DIM, seed + 1)[0]
    truth = brute(matrix, owners, query)
    found = Dense(matrix, owners).best(query, k)
    assert len(found) == min(k, len(sizes)) == len({owner for owner, _ in found})
    wanted = sorted(truth.values(), reverse=True)[:k]
    assert np.allclose([score for _, score in found], wanted, atol=1e-5)
    assert all(abs(truth[owner] - score) < 1e-5 for owner, score in found)


def test_ties_go_by_owner() -> None:
    """Equal rows come out in order of their owners, however many there are and whatever the order they went in."""
    row = rows(1, DIM, 5)
    owners = np.array([9, 4, 7, 1, 8, 2] * 20)
    found = Dense(np.repeat(row, len(owners), axis=0), owners).best(row[0], 3)
    assert [owner for owner, _ in found] == [1, 2, 4]
    assert all(score == pytest.approx(1) and score <= 1 for _, score in found)


def test_nothing_to_find() -> None:
    """An empty search and a k of 0 give no hits."""
    empty = Dense(np.zeros((0, DIM), np.float32), np.zeros(0, np.int64))
    assert empty.best(rows(1, DIM, 0)[0], 3) == []
    assert Dense(rows(2, DIM, 0), np.array([1, 2])).best(rows(1, DIM, 0)[0], 0) == []


def test_rows_and_owners_must_match() -> None:
    """Rows without owners are refused, with both shapes in the message."""
    with pytest.raises(ValueError, match=r"\(3, 8\).*\(2,\)"):
        Dense(rows(3, DIM, 0), np.array([1, 2]))


def test_a_file_gives_the_same_answers(tmp_path: Path) -> None:
    """What is written and read again finds the same, to the last bit."""
    dense, query = Dense(rows(50, DIM, 1), np.arange(50) // 3), rows(1, DIM, 2)[0]
    dense.write(tmp_path / "dense.faiss")
    again = Dense.read(tmp_path / "dense.faiss")
    assert again.best(query, 10) == dense.best(query, 10)
    assert (again.dim, len(again)) == (DIM, 50)


def test_another_file_is_refused(tmp_path: Path) -> None:
    """Garbage, an empty file and a missing one are a ValueError, not a crash."""
    for name, content in (("garbage", b"not faiss" * 50), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="faiss"):
            Dense.read(tmp_path / name)
    with pytest.raises(ValueError, match="faiss"):
        Dense.read(tmp_path / "missing")
