"""Models in torch, run or written down for serving: the only door to torch, transformers and sentence-transformers.

Comes in: a model's folder, or a loaded model and an empty folder. Goes out: an `Encoder`; a `Network` folder, complete.
Does not know: who uses it. Imported only where a model is written down, trained, or cannot be written down.
"""

from __future__ import annotations

import copy
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from index import network
from index.contract import Encoder, FloatMatrix, Tokens
from index.encode import NetworkEncoder, unit
from index.network import BATCH, Network
from index.quantise import quantise

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

AGREE = 0.9999  # the least cosine between a written-down model's vectors and the model's own
OPSET = 17
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class _Encoder(torch.nn.Module):
    """A sentence-transformers model: `vectors` as it pools and normalises them, `tokens` as they were before."""

    def __init__(self, model: SentenceTransformer, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = self.model(dict(zip(self.names, inputs, strict=True)))
        return found["sentence_embedding"], found["token_embeddings"]


class _Scorer(torch.nn.Module):
    """A transformers sequence classifier: its `logits`, and `tokens`, the last layer's vectors."""

    def __init__(self, model: PreTrainedModel, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        named = dict(zip(self.names, inputs, strict=True))
        found = self.model(**named, output_hidden_states=True, return_dict=True)
        return found.logits, found.hidden_states[-1]


def export_encoder(
    model: SentenceTransformer,
    folder: Path,
    made: Mapping[str, Any],
    *,
    limit: int | None = None,
    eight_bit: bool = False,
) -> None:
    """Write a SentenceTransformer to a folder: outputs `vectors` (dim,) and `tokens` (pieces, dim).

    `limit` is the longest input in word pieces, special ones counted; by default the model's own. The model is left in
    evaluation mode; whatever torch raises for one it cannot trace is passed on.
    """
    wrapped = _Encoder(model, _names(model.tokenizer))
    _export(wrapped, model.tokenizer, folder, made, "vectors", limit or longest(model), eight_bit)


def export_scorer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    made: Mapping[str, Any],
    *,
    limit: int = 512,
    eight_bit: bool = False,
) -> None:
    """Write a transformers sequence classifier over text pairs: outputs `logits` (labels,) and `tokens` (pieces, dim).

    `limit` is the longest pair in word pieces, special ones counted. The model is left in evaluation mode.
    """
    _export(_Scorer(model, _names(tokenizer)), tokenizer, folder, made, "logits", limit, eight_bit)


def _export(
    wrapped: torch.nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    made: Mapping[str, Any],
    output: str,
    limit: int,
    eight_bit: bool,
) -> None:
    names = _names(tokenizer)
    example = tokenizer(["Oil the chain after rain.", "A loaf."], padding=True, return_tensors="pt")
    wrapped.eval()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's, of branches that padding and lengths do not reach
        torch.onnx.export(
            wrapped,
            tuple(example[name] for name in names),
            str(folder / network.MODEL),
            dynamo=False,  # the newer exporter needs onnxscript, and gives the same network
            opset_version=OPSET,
            input_names=list(names),
            output_names=[output, "tokens"],
            dynamic_axes={
                **{name: {0: "texts", 1: "pieces"} for name in (*names, "tokens")},
                output: {0: "texts"},
            },
        )
    if eight_bit:
        quantise(folder / network.MODEL)
    tokenizer.backend_tokenizer.save(str(folder / network.TOKENIZER))
    weights = "8-bit blocks of 32" if eight_bit else "float32"
    network.seal(folder, limit, int(tokenizer.pad_token_id or 0), {**made, "weights": weights})


def _names(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """The inputs the model takes, in the order the network names them."""
    return tuple(name for name in INPUTS if name in tokenizer.model_input_names)


def longest(model: SentenceTransformer) -> int:
    """The longest input of a model in word pieces, special ones counted."""
    return int(min(model.max_seq_length or model.tokenizer.model_max_length, 1 << 20))


def load(folder: Path) -> SentenceTransformer:
    """A sentence-transformers model from its folder, for one thread; nothing is fetched, and no code in it is run."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers left it untyped
    torch.set_num_threads(1)  # more threads for one short text cost more than they bring, much more on a busy machine
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, model_kwargs={"use_safetensors": True})


def write_down(encoder: SentenceEncoder, folder: Path) -> str:
    """Write an encoder's model to an empty folder and compare the two on everyday sentences; why it failed, or "".

    They agree where the least cosine, over the sentences and over their word pieces, is 0.9999 or more.
    """
    made = {"model": encoder.name, "by": f"sentence-transformers {version('sentence-transformers')}"}
    try:
        export_encoder(encoder.model, folder, made)
        near = agreement(encoder, NetworkEncoder(Network(folder), encoder.name))
    except Exception as fault:  # torch, the model's own code and onnxruntime raise nearly anything
        return f"it cannot be traced ({next(iter(str(fault).splitlines()), type(fault).__name__)})"
    if near < AGREE:
        return f"its vectors would differ (cosine {near:.4f}, not {AGREE})"
    facts = network.verified(folder)
    network.seal(folder, facts["limit"], facts["pad"], {**facts["made"], "cosine": round(near, 6)})
    return ""


def agreement(one: Encoder, other: Encoder) -> float:
    """The least cosine between what two encoders make of the same everyday sentences and of their word pieces."""
    pairs = tomllib.loads(Path(__file__).with_name("scale.toml").read_text(encoding="utf-8"))["pairs"]
    texts = [text for pair in pairs for text in pair]
    texts.append(" ".join(texts))  # past any window
    rows = [(one.encode(texts) * other.encode(texts)).sum(1)]
    for left, right in zip(one.tokens(texts), other.tokens(texts), strict=True):
        if (left.ids, left.spans) != (right.ids, right.spans):
            return -1.0
        rows.append((left.vectors * right.vectors).sum(1))
    return float(np.concatenate(rows).min())


class SentenceEncoder:
    """A sentence-transformers model behind the `Encoder` protocol. Safe to share between threads."""

    def __init__(self, model: SentenceTransformer, name: str) -> None:
        self.model, self._name, self._lock = model, name, Lock()
        special = model.tokenizer.num_special_tokens_to_add(pair=False)
        self._window = longest(model) - int(special)
        self._whole = copy.deepcopy(model.tokenizer.backend_tokenizer)  # the model's own cuts texts short
        self._whole.no_truncation()
        self._whole.no_padding()
        self._framed = copy.deepcopy(self._whole)
        self._framed.enable_truncation(longest(model))
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
        return len(self._whole.encode(network.sound(text), add_special_tokens=False).ids)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Texts in, (n, dim) float32 with unit rows out. What exceeds the window is not seen."""
        if not texts:
            return np.zeros((0, self._dim), np.float32)
        with self._lock:  # the library's tokenizer may be borrowed by one thread at a time
            rows = self.model.encode([*map(network.sound, texts)], batch_size=BATCH, show_progress_bar=False)
        return unit(rows)

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Texts in, their contextual token vectors out. What exceeds the window has none."""
        if not texts:
            return []
        with self._lock:
            found: Any = self.model.encode(
                [*map(network.sound, texts)], batch_size=BATCH, show_progress_bar=False, output_value=None, prompt=""
            )
        return [self._pieces(text, item) for text, item in zip(map(network.sound, texts), found, strict=True)]

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
