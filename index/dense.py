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
SAMPLE, STRAY = 200, 1.0  # questions that measure that, and how far they stray from a row: to a cosine of 0.7
SPREAD = 4  # rows looked at for each owner wanted, at first: several of one owner are often near
CHUNK = 1 << 16  # rows compared at a time where all are
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
        wanted = min(total, SPREAD * k)
        while True:
            scores, owners = (found[0] for found in self._index.search(query, wanted))
            over = wanted == total or owners[-1] < 0  # the lists read can hold fewer rows than were wanted
            if owners[-1] < 0:
                scores, owners = scores[owners >= 0], owners[owners >= 0]
            owners, first = np.unique(owners, return_index=True)  # best first: an owner's first row is its best
            # A text's vector differs in its last bits with what it was encoded beside: nearer than that is a tie.
            best = scores[first].astype(np.float64)
            ranked = np.lexsort((owners, -np.rint(best * 1e5)))[:k]
            # Complete once k owners beat the last row seen: any owner unseen is at most as near as that row.
            if over or (len(ranked) == k and best[ranked[-1]] > scores[-1]):
                return list(zip(owners[ranked].tolist(), best[ranked].clip(-1.0, 1.0).tolist(), strict=True))
            wanted = min(total, wanted * 4)

    def recall(self, asked: FloatMatrix, truth: NDArray[np.int64]) -> float:
        """The share of the rows `truth[i]`, see `nearest`, that are found for the row `asked[i]`."""
        plain = faiss.downcast_index(self._index.index)  # by rows, not by owners
        found = [plain.search(row[None], truth.shape[1])[1][0] for row in asked]
        return float(np.mean([np.isin(true, near).mean() for true, near in zip(truth, found, strict=True)]))

    def _tune(self, rows: FloatMatrix) -> None:
        """Read a quarter more lists until the ten nearest rows are found for what is as near as questions are."""
        chance = np.random.default_rng(0)
        asked = rows[chance.choice(len(rows), SAMPLE, replace=False)]
        asked = asked + STRAY * chance.standard_normal(asked.shape, np.float32) / np.sqrt(
            rows.shape[1], dtype=np.float32
        )
        truth = nearest(asked, rows, TOP)
        inner: Any = faiss.downcast_index(self._index.index)
        inner.nprobe = 16
        while inner.nprobe < inner.nlist and self.recall(asked, truth) < RECALL:
            inner.nprobe = min(inner.nlist, inner.nprobe + inner.nprobe // 4)


def nearest(asked: FloatMatrix, rows: FloatMatrix, k: int) -> NDArray[np.int64]:
    """(m, k): for each row of `asked`, which k of `rows` have the greatest inner product with it, all compared."""
    scores, places = np.zeros((len(asked), 0), np.float32), np.zeros((len(asked), 0), np.int64)
    for start in range(0, len(rows), CHUNK):
        fresh = asked @ rows[start : start + CHUNK].T
        kept = np.argpartition(-fresh, min(k, fresh.shape[1]) - 1)[:, :k]
        scores = np.hstack([scores, np.take_along_axis(fresh, kept, 1)])
        places = np.hstack([places, kept + start])
    kept = np.argsort(-scores, kind="stable")[:, :k]
    return np.take_along_axis(places, kept, 1)


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
