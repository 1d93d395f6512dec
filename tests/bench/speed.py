"""What encoding, finding and indexing cost beside the plainest way to do the same, in one process, interleaved.

CPU time of this process, one thread. Finding is measured over PASSAGES passages of made-up words with made-up vectors,
three rows a passage, clustered as sentences are; everything else over the sentences of scale.toml.
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

from corpus.document import Block, Document, Passage, Section
from index import scale
from index.contract import FloatMatrix
from index.encode import BUNDLED, NetworkEncoder, prepare
from index.index import DEPTH, fuse
from index.store import SqliteStore

PASSAGES, ROWS, WORDS = 30_000, 3, 20_000
ROUNDS = 40


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


def corpus(dim: int) -> list[tuple[Document, list[Passage], list[FloatMatrix]]]:
    """Documents of 20 passages of 60 words, common words common, with clustered unit rows; the same every time."""
    chosen, numbers = random.Random(0), np.random.default_rng(0)
    words = [f"{chosen.choice('bcdfgklmnprst')}{chosen.choice('aeiou')}{number:x}" for number in range(WORDS)]
    odds = [1 / (place + 10) for place in range(WORDS)]
    spread = numbers.standard_normal((32, dim)).astype(np.float32)
    made = []
    for place in range(PASSAGES // 20):
        id, texts = f"d{place}", [" ".join(chosen.choices(words, odds, k=60)) + ".\n" for _ in range(20)]
        text, passages, start = "".join(texts), [], 0
        for number, each in enumerate(texts):
            span = (start, start + len(each) - 1)
            passages.append(Passage(f"{id}#{number}", id, (), each, start, start + len(each), spans=(span,)))
            start += len(each)
        section = Section((), 0, len(text), (Block("paragraph", 0, len(text)),))
        centre = numbers.standard_normal((20, 1, 32)).astype(np.float32) @ spread
        rows = centre + 4 * numbers.standard_normal((20, ROWS, dim)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=2, keepdims=True)
        made.append((Document(id, id, text, (section,)), passages, list(rows)))
    return made


def encoding(encoder: NetworkEncoder) -> dict[str, list[float]]:
    """A question through our encoder, and the same network run bare: tokenizer, one pass, nothing else."""
    network, texts = encoder.network, sentences()

    def bare(number: int) -> object:
        framed = network._framed.encode(texts[number % len(texts)])
        inputs = {"input_ids": framed.ids, "attention_mask": framed.attention_mask, "token_type_ids": framed.type_ids}
        return network._session.run(["vectors"], {name: np.array([row]) for name, row in inputs.items()})

    return medians([("bare", bare), ("ours", lambda number: encoder.encode([f"{texts[number % len(texts)]} "]))])


def finding(encoder: NetworkEncoder, folder: Path) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Both ranked lists and their fusion over PASSAGES passages, beside one bare pass; then what it took to build."""
    start = time.process_time()
    dim = encoder.encode([]).shape[1]
    store = SqliteStore(folder / "store.sqlite", dim, durable=False)
    asked: list[tuple[FloatMatrix, str]] = []
    for document, passages, rows in corpus(dim):
        store.replace_document(document, passages, rows)
        asked.append((rows[0][0], " ".join(passages[0].text.split()[:8])))
    store.work_out()
    dense = store.derived()
    facts = {"build": time.process_time() - start}
    exact = np.concatenate([rows for _, _, each in corpus(dim) for rows in each])
    facts["recall"] = dense.recall(exact)
    del exact

    def search(number: int) -> object:
        vector, words = asked[number * 7 % len(asked)]
        lists = store.dense(vector, DEPTH), store.lexical(words, DEPTH)
        return fuse(*lists, 8, lambda hit: float((store.vectors(hit.passage.id) @ vector).max()))

    texts = sentences()
    works: list[tuple[str, Callable[[int], object]]] = [
        ("bare", lambda number: encoder.network.run([texts[number % len(texts)]], ["vectors"])),
        ("dense", lambda number: store.dense(asked[number * 7 % len(asked)][0], DEPTH)),
        ("lexical", lambda number: store.lexical(asked[number * 7 % len(asked)][1], DEPTH)),
        ("search", search),
    ]
    medians(works, 4)  # the first touches of the file are not a question's cost
    spent = medians(works)
    store.close()
    return spent, facts


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
        encoder, _ = prepare(BUNDLED, Path(folder))
        assert isinstance(encoder, NetworkEncoder)
        encode = encoding(encoder)
        find, facts = finding(encoder, Path(folder))
        learn = indexing(encoder)
    middle = statistics.median
    bare = middle(find["bare"])
    whole = (bare + middle(find["search"])) / bare
    parts = f"dense {middle(find['dense']):.2f}, words {middle(find['lexical']):.2f}, bare pass {bare:.2f} CPU ms"
    remark = f"{PASSAGES:,} made-up passages, {PASSAGES * ROWS:,} rows; {parts}"
    ratio = middle([ours / bare for ours, bare in zip(encode["ours"], encode["bare"], strict=True)])
    index = middle(learn["ours"]) / middle(learn["plain"])
    return [
        ("embed(question) / bare pass", f"{ratio:.2f}", "≤ 1.10", f"bare {middle(encode['bare']):.2f} CPU ms"),
        ("retrieve, its pass included / bare pass", f"{whole:.2f}", "≤ 1.5", remark),
        ("recall of the ten nearest rows", f"{facts['recall']:.3f}", "≥ 0.97", "of the vector search above"),
        ("index CPU a passage / plain sentence-transformers", f"{index:.2f}", "≤ 0.5", "encoding only, batches of 16"),
    ]
