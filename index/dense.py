"""Nearest vectors, by the search that fits their number: the only door to faiss.

Comes in: unit rows, several to an owner. Goes out: the owners whose best row is nearest, with its cosine. Does not
know: what an owner is, or where vectors come from.

Up to EXACT rows every row is compared in single precision; up to HALF, every row in half precision, which takes half
the memory and a third of the time; beyond, the rows are sorted into lists (Jégou, Douze, Schmid 2011, inverted files)
and so many of the nearest lists are read that the ten best are found, measured here on rows of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.contract import FloatMatrix

EXACT, HALF = 20_000, 60_000
RECALL, TOP = 0.98, 10  # of the TOP nearest rows, how many the lists read must hold
SAMPLE = 200  # rows asked for to measure that
PER_LIST = 64  # rows a list is trained on, at most; more change little and cost much
MAPPED = faiss.IO_FLAG_MMAP_IFC

faiss.omp_set_num_threads(1)  # one short search gains nothing from threads and suffers from them on a busy machine


class Dense:
    """Rows and their owners, searched by inner product; on unit rows that is the cosine."""

    def __init__(self, rows: FloatMatrix, owners: NDArray[np.int64]) -> None:
        """`rows` is (n, dim), `owners` (n,) with owners[i] the owner of rows[i]."""
        if rows.ndim != 2 or len(rows) != len(owners):
            raise ValueError(f"rows {rows.shape} and owners {owners.shape} do not belong together")
        rows = np.ascontiguousarray(rows, np.float32)
        self._index = faiss.IndexIDMap(_empty(rows))
        self._index.add_with_ids(rows, np.ascontiguousarray(owners, np.int64))
        if len(rows) > HALF:
            self._tune(rows)

    @classmethod
    def read(cls, path: Path) -> Dense:
        """Map what `write` wrote: a page is read when it is searched. Raises ValueError where it is something else."""
        try:
            index = faiss.read_index(str(path), MAPPED)
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

    @property
    def kind(self) -> str:
        """How it searches: "exact", "half precision", or "lists"."""
        inner = faiss.downcast_index(self._index.index)
        if isinstance(inner, faiss.IndexIVF):
            return f"lists ({inner.nprobe} of {inner.nlist} read)"
        return "half precision" if isinstance(inner, faiss.IndexScalarQuantizer) else "exact"

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
                if owner >= 0:  # the lists read can hold fewer rows than were wanted
                    best.setdefault(owner, score)
            # A text's vector differs in its last bits with what it was encoded beside: nearer than that is a tie.
            ranked = sorted(best.items(), key=lambda item: (-round(item[1], 5), item[0]))
            # Complete once k owners beat the last row seen: any owner unseen is at most as near as that row.
            over = wanted == total or owners[-1] < 0
            if over or (len(ranked) >= k and ranked[k - 1][1] > scores[-1]):
                return [(owner, min(1.0, max(-1.0, score))) for owner, score in ranked[:k]]
            wanted = min(total, wanted * 4)

    def recall(self, rows: FloatMatrix) -> float:
        """Of the ten rows nearest to some of `rows`, (n, dim), all those indexed in order: the share found here."""
        asked = rows[np.random.default_rng(0).choice(len(rows), min(SAMPLE, len(rows)), replace=False)]
        exact = faiss.IndexFlatIP(rows.shape[1])
        exact.add(rows)
        plain = faiss.downcast_index(self._index.index)  # by rows, not by owners
        hits = 0
        for row in asked:
            true, found = (index.search(row[None], TOP)[1][0] for index in (exact, plain))
            hits += len(np.intersect1d(true, found))
        return hits / (len(asked) * min(TOP, len(rows)))

    def _tune(self, rows: FloatMatrix) -> None:
        """Read twice as many lists until the ten nearest rows are found."""
        inner: Any = faiss.downcast_index(self._index.index)
        inner.nprobe = 16
        while inner.nprobe < inner.nlist and self.recall(rows) < RECALL:
            inner.nprobe = min(inner.nlist, inner.nprobe * 2)


def _empty(rows: FloatMatrix) -> faiss.Index:
    """An index for as many rows, trained where it has to be, with none in it."""
    count, dim = rows.shape
    if count <= EXACT:
        return faiss.IndexFlatIP(dim)
    half, product = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    if count <= HALF:
        return faiss.IndexScalarQuantizer(dim, half, product)
    lists = 1 << int(np.log2(4 * np.sqrt(count)))
    made = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, lists, half, product, False)
    made.cp.max_points_per_centroid = PER_LIST
    made.cp.spherical = True
    sample = np.random.default_rng(0).choice(count, min(count, PER_LIST * lists), replace=False)
    made.train(rows[np.sort(sample)])
    return made
