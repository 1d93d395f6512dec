"""Nearest vectors, exactly: the only door to faiss.

Comes in: unit rows, several to an owner. Goes out: the owners whose best row is nearest, with its cosine. Does not
know: what an owner is, where vectors come from, or any approximation.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from index.contract import FloatMatrix

faiss.omp_set_num_threads(1)  # one short search gains nothing from threads and suffers from them on a busy machine


class Dense:
    """Rows and their owners, searched by inner product; on unit rows that is the cosine."""

    def __init__(self, rows: FloatMatrix, owners: NDArray[np.int64]) -> None:
        """`rows` is (n, dim), `owners` (n,) with owners[i] the owner of rows[i]."""
        if rows.ndim != 2 or len(rows) != len(owners):
            raise ValueError(f"rows {rows.shape} and owners {owners.shape} do not belong together")
        self._index = faiss.IndexIDMap(faiss.IndexFlatIP(rows.shape[1]))
        self._index.add_with_ids(np.ascontiguousarray(rows, np.float32), np.ascontiguousarray(owners, np.int64))

    @classmethod
    def read(cls, path: Path) -> Dense:
        """Read what `write` wrote. Raises ValueError where it is something else."""
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as fault:
            raise ValueError(f"no faiss index: {str(fault).splitlines()[0]}") from None
        if not isinstance(index, faiss.IndexIDMap):
            raise ValueError(f"a faiss {type(index).__name__}, not an IndexIDMap")
        dense = cls.__new__(cls)
        dense._index = index
        return dense

    def write(self, path: Path) -> None:
        """Write to a file."""
        faiss.write_index(self._index, str(path))

    @property
    def dim(self) -> int:
        """Length of a row."""
        return int(self._index.d)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def best(self, vector: FloatMatrix, k: int) -> list[tuple[int, float]]:
        """The k owners nearest to a (dim,) unit vector with the cosine of their best row, best first, ties by owner."""
        total = len(self)
        if k < 1 or not total:
            return []
        query = np.ascontiguousarray(vector, np.float32).reshape(1, -1)  # one at a time: batches take a slow path
        wanted = min(total, 8 * k)
        while True:
            scores, owners = (found[0] for found in self._index.search(query, wanted))
            best: dict[int, float] = {}
            for owner, score in zip(owners.tolist(), scores.tolist(), strict=True):
                best.setdefault(owner, score)
            # A text's vector differs in its last bits with what it was encoded beside: nearer than that is a tie.
            ranked = sorted(best.items(), key=lambda item: (-round(item[1], 5), item[0]))
            # Complete once k owners beat the last row seen: any owner unseen is at most as near as that row.
            if wanted == total or (len(ranked) >= k and ranked[k - 1][1] > scores[-1]):
                return [(owner, min(1.0, max(-1.0, score))) for owner, score in ranked[:k]]
            wanted = min(total, wanted * 4)
