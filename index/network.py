"""A transformer kept in a folder, run on texts or pairs of texts: the only door to onnxruntime and tokenizers.

    <folder>/model.onnx        the network; some of its outputs are a row a text, others a row a word piece
    <folder>/tokenizer.json    how text becomes word pieces
    <folder>/network.json      the longest input, what the network was made from, the checksums of the other two

Comes in: such a folder (see export.py); then texts. Goes out: their word pieces and named outputs, whatever else is in
the batch. Does not know: what an output means, or how the folder came to be.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from index.files import checksum

# Its official builds write an id of the device into the home folder and report to Microsoft, as soon as they are
# loaded: its own disable_telemetry_events() comes too late for that. Its native code reads this, hence putenv.
os.putenv("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime  # type: ignore[import-untyped]  # it ships no types; after the line above

MODEL, TOKENIZER, FACTS = "model.onnx", "tokenizer.json", "network.json"
FORMAT = 1
BATCH, PIECES = 8, 256  # texts, and word pieces with what fills them up, at a time: more fall out of the cache

Text = str | tuple[str, str]

onnxruntime.disable_telemetry_events()


@dataclass(frozen=True, slots=True)
class Seen:
    """One text, or pair, through a network.

    `pieces` holds its word pieces, special ones included: ids, offsets, sequence_ids, special_tokens_mask. `outputs`
    holds name → (dim,) for what is said of the whole, (pieces, dim) for what is said of each piece.
    """

    pieces: Encoding
    outputs: Mapping[str, NDArray[np.float32]]


class Network:
    """An exported transformer with its tokenizer. Safe to share between threads; one thread runs one call."""

    def __init__(self, folder: Path) -> None:
        """Open what `seal` completed. Raises ValueError saying what is missing, damaged or not understood."""
        self.folder, self.facts = folder, verified(folder)
        self.limit = int(self.facts["limit"])
        try:
            self._whole = Tokenizer.from_file(str(folder / TOKENIZER))
            self._whole.no_truncation()
            self._whole.no_padding()
            self._framed = Tokenizer.from_str(self._whole.to_str())
            self._framed.enable_truncation(self.limit, strategy="longest_first")
            self._session = _session(folder / MODEL)
        except Exception as fault:  # both libraries raise bare exceptions of many kinds
            raise ValueError(f"{folder.name}: cannot be run ({next(iter(str(fault).splitlines()), '')})") from fault
        self._takes = [each.name for each in self._session.get_inputs()]
        self._gives = {each.name: len(each.shape) for each in self._session.get_outputs()}

    @property
    def special(self) -> int:
        """How many special word pieces surround a single text."""
        return int(self._whole.num_special_tokens_to_add(False))

    def pieces(self, text: str) -> Encoding:
        """The word pieces of a text, nothing cut, no special ones."""
        return self._whole.encode(sound(text), add_special_tokens=False)

    def run(self, texts: Sequence[Text], outputs: Sequence[str] | None = None) -> list[Seen]:
        """Texts or pairs in, one `Seen` each, in order; `outputs` names what is wanted, None all of it.

        What exceeds `limit` is cut, of a pair from the longer side. A few of like length run at a time, always the
        same together, and two such batches at once where a core is free.
        """
        wanted = list(self._gives if outputs is None else outputs)
        framed = [self._frame(*((text, None) if isinstance(text, str) else text)) for text in texts]
        found: dict[int, Seen] = {}
        batches = deque(_batches([len(each.ids) for each in framed]))

        def work() -> None:
            while True:
                try:
                    places = batches.popleft()
                except IndexError:
                    return
                rows = self._session.run(wanted, self._batch([framed[place] for place in places]))
                for row, place in enumerate(places):
                    length = len(framed[place].ids)
                    named = zip(wanted, rows, strict=True)
                    cut = {name: each[row, :length] if self._gives[name] == 3 else each[row] for name, each in named}
                    found[place] = Seen(framed[place], cut)

        with _helped(work, len(batches)):
            work()
        return [found[place] for place in range(len(framed))]

    def _frame(self, text: str, other: str | None) -> Encoding:
        return self._framed.encode(sound(text), None if other is None else sound(other))

    def _batch(self, framed: Sequence[Encoding]) -> dict[str, NDArray[np.int64]]:
        """The inputs of one pass, (n, longest) each; where a text is shorter, the mask says so."""
        shape = len(framed), max(len(each.ids) for each in framed)
        inputs = {name: np.zeros(shape, np.int64) for name in ("input_ids", "attention_mask", "token_type_ids")}
        inputs["input_ids"] += int(self.facts["pad"])
        for row, each in enumerate(framed):
            inputs["input_ids"][row, : len(each.ids)] = each.ids
            inputs["attention_mask"][row, : len(each.ids)] = each.attention_mask
            inputs["token_type_ids"][row, : len(each.ids)] = each.type_ids
        return {name: inputs[name] for name in self._takes}


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of texts that run together, shortest first: at most BATCH of them and PIECES with what fills up."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if batch and (len(batch) == BATCH or (len(batch) + 1) * lengths[place] > PIECES):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


_helper = ThreadPoolExecutor(1, "network")  # one for all: more would only take turns with those who ask
_helping = Lock()


@contextlib.contextmanager
def _helped(work: Callable[[], None], batches: int) -> Iterator[None]:
    """The same work in a second thread meanwhile, unless it already helps somebody or there is one core or batch."""
    if batches < 2 or (os.cpu_count() or 1) < 2 or not _helping.acquire(blocking=False):
        yield
        return
    try:
        other = _helper.submit(work)
        yield
        if not other.cancel():  # it has begun, and what it took is still to come
            other.result()
    finally:
        _helping.release()


def seal(folder: Path, limit: int, pad: int, made: Mapping[str, Any]) -> None:
    """Complete a folder that holds a network and its tokenizer: write its facts and checksums beside them.

    `limit` is the longest input in word pieces, special ones counted; `pad` the id that fills up a batch; `made` says
    for people what the network was made from and how near it came.
    """
    files = {name: checksum(folder / name) for name in (MODEL, TOKENIZER)}
    facts = {"format": FORMAT, "limit": limit, "pad": pad, "made": dict(made), "files": files}
    (folder / FACTS).write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def verified(folder: Path) -> dict[str, Any]:
    """The facts of a folder, its checksums compared. Raises ValueError naming the file that is wrong."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        kinds = {"format": int, "limit": int, "pad": int, "made": dict, "files": dict}
        if not isinstance(facts, dict) or any(not isinstance(facts.get(name), kind) for name, kind in kinds.items()):
            raise ValueError("is not what was written")
        if facts["format"] != FORMAT:
            raise ValueError(f"has format {facts['format']}, this version reads {FORMAT}")
    except (OSError, ValueError) as problem:
        raise ValueError(f"{folder.name}/{FACTS}: {problem}") from None
    for name in (MODEL, TOKENIZER):
        try:
            found = checksum(folder / name)
        except OSError:
            raise ValueError(f"{folder.name}/{name} is missing") from None
        if found != facts["files"].get(name):
            raise ValueError(f"{folder.name}/{name} is not what was written (checksum differs)")
    return facts


def remove(folder: Path) -> None:
    """Delete a network's files, then its folder; anything else in it is left, and the folder with it."""
    for name in (MODEL, TOKENIZER, FACTS):
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # one short text gains little from a second, and loses much on a busy machine
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sound(text: str) -> str:
    """Half a surrogate pair, which no tokenizer takes, becomes a question mark; lengths stay the same."""
    return text.encode("utf-8", "replace").decode()
