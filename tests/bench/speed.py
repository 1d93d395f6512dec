"""What encoding, finding and indexing cost beside the plainest way to do the same, in one process, interleaved.

CPU time of this process. Finding is measured over PASSAGES passages of made-up texts and rows, three rows a passage
(see made.py); everything else over the sentences of scale.toml.
"""

from __future__ import annotations

import random
import statistics
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from index import scale
from index.encode import BUNDLED, NetworkEncoder, prepare
from index.index import DEPTH, Index
from tests.bench import made

PASSAGES, ROWS = 30_000, 3
ROUNDS, ASKED = 60, 200


def cpu_ms(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call, all threads of this process."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def medians(works: Sequence[tuple[str, Callable[[int], object]]], rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Name → CPU milliseconds of each round; the works take turns, and their order with each round."""
    spent: dict[str, list[float]] = {name: [] for name, _ in works}
    for number in range(rounds):
        for name, work in (works, works[::-1])[number % 2]:
            spent[name].append(cpu_ms(lambda: work(number)))  # noqa: B023  # called at once
    return spent


def sentences() -> list[str]:
    """Everyday sentences, each once."""
    pairs = tomllib.loads(Path(scale.__file__).with_name("scale.toml").read_text(encoding="utf-8"))["pairs"]
    return [text for pair in pairs for text in pair]


def encoding(encoder: NetworkEncoder) -> dict[str, list[float]]:
    """A question through our encoder, and the same network run bare: tokenizer, one pass, nothing else."""
    network, texts = encoder.network, sentences()

    def bare(number: int) -> object:
        framed = network._framed.encode(texts[number % len(texts)])
        inputs = {"input_ids": framed.ids, "attention_mask": framed.attention_mask, "token_type_ids": framed.type_ids}
        return network._session.run(["vectors"], {name: np.array([row]) for name, row in inputs.items()})

    return medians([("bare", bare), ("ours", lambda number: encoder.encode([f"{texts[number % len(texts)]} "]))])


def finding(folder: Path) -> tuple[dict[str, list[float]], dict[str, float]]:
    """A search of both lists over PASSAGES passages, and its parts, beside one bare pass; how good its vectors are."""
    made.build(folder, PASSAGES, ROWS)
    index = Index.open(folder, BUNDLED)
    encoder, store = index.encoder, index.store
    assert isinstance(encoder, NetworkEncoder)
    vectors, texts, true = made.questions(PASSAGES, ROWS, index.manifest.dim, ASKED)
    searched = [encoder.encode([f"{text} "])[0] for text in texts]  # another text, so as not to be remembered
    works: list[tuple[str, Callable[[int], object]]] = [
        ("bare", lambda number: encoder.network.run([texts[number % ASKED]], ["vectors"])),
        ("search", lambda number: index.search(texts[number % ASKED], 8)),
        ("vectors", lambda number: store.both(searched[number % ASKED], "", DEPTH, lambda *_: {})),
    ]
    for number in range(ROUNDS, ASKED):  # the first touches of the file are not a question's cost
        works[1][1](number)
    spent = medians(works)
    found = [{hit.passage.id for hit in store.dense(vector, DEPTH)[:10]} for vector in vectors]
    index.close()
    return spent, {
        "overlap": statistics.mean(len(mine & theirs) / 10 for mine, theirs in zip(found, true, strict=True))
    }


def indexing(encoder: NetworkEncoder) -> dict[str, list[float]]:
    """Passages of some 120 words through our encoder, and through a plain loop of sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    from index.encode import _folder

    plain = SentenceTransformer(str(_folder(BUNDLED)), device="cpu", local_files_only=True)
    texts = sentences()
    chosen = random.Random(0)
    passages = [" ".join(chosen.choices(texts, k=12)) for _ in range(16)]
    return medians([("plain", lambda _: plain.encode(passages)), ("ours", lambda _: encoder.encode(passages))], 4)


def rows() -> list[tuple[str, str, str, str]]:
    """(what, measured, bar, remark) for each row of the report."""
    with TemporaryDirectory() as folder:
        encoder, _ = prepare(BUNDLED, Path(folder) / "encoder")
        assert isinstance(encoder, NetworkEncoder)
        encode = encoding(encoder)
        find, facts = finding(Path(folder) / "index")
        learn = indexing(encoder)
    middle = statistics.median
    bare = middle(find["bare"])
    parts = f"{middle(find['search']):.2f} CPU ms, of these a pass {bare:.2f} and vectors {middle(find['vectors']):.2f}"
    remark = f"{PASSAGES:,} made-up passages, {PASSAGES * ROWS:,} rows; {parts}"
    return [
        ("embed(question) / bare pass", f"{ratio(encode, 'ours', 'bare'):.2f}", "≤ 1.10",
         f"bare {middle(encode['bare']):.2f} CPU ms"),
        ("retrieve, its pass included / bare pass", f"{ratio(find, 'search', 'bare'):.2f}", "≤ 1.5", remark),
        ("ten nearest passages found, of those by comparing all", f"{facts['overlap']:.3f}", "≥ 0.97",
         f"{ASKED} vectors near rows of the above"),
        ("index CPU a passage / plain sentence-transformers", f"{ratio(learn, 'ours', 'plain'):.2f}", "≤ 0.5",
         f"encoding only, 16 passages of some 120 words at once; {middle(learn['ours']) / 16:.1f} CPU ms each"),
    ]  # fmt: skip


def ratio(spent: dict[str, list[float]], one: str, other: str) -> float:
    """The median, over the rounds, of what one cost by what the other did."""
    return statistics.median(mine / theirs for mine, theirs in zip(spent[one], spent[other], strict=True))
