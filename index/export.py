"""A torch model written down for serving: the way from sentence-transformers and transformers to a `Network` folder.

Comes in: a loaded model and an empty folder. Goes out: the folder, complete. Does not know: who runs it. Imported only
where a model is built or trained: it takes torch with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from index import network
from index.quantise import quantise

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

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
    limit = limit or int(min(model.max_seq_length or model.tokenizer.model_max_length, 1 << 20))
    _export(_Encoder(model, _names(model.tokenizer)), model.tokenizer, folder, made, "vectors", limit, eight_bit)


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
