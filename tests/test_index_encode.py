"""The real encoder: unit rows, honest counts, exact character spans, other models by folder, no network."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import export
from index.contract import Encoder, IndexFault
from index.encode import fingerprint, load_encoder, prepare
from index.network import verified
from tests.conftest import ENCODER

TEXTS = ["A loaf.", "Oil the chain after rain.", "", "Knead the dough. " * 40, "naïve café 🍞", "хлеб"]


def test_rows_are_unit_and_in_order(encoder: Encoder) -> None:
    """One float32 row of length 1 for each text, whatever else is in the batch."""
    rows = encoder.encode(TEXTS)
    assert rows.shape == (len(TEXTS), 384) and rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    for text, row in zip(TEXTS, rows, strict=True):
        assert float(encoder.encode([text])[0] @ row) == pytest.approx(1, abs=1e-5)
    assert encoder.encode([]).shape == (0, 384)


def test_the_same_texts_give_the_same_bits(encoder: Encoder) -> None:
    """Twice, and from eight threads at once."""
    texts = [text[:40] for text in TEXTS]
    wanted = encoder.encode(texts)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: encoder.encode(texts), range(16)):
            assert np.array_equal(found, wanted)


def test_meaning_is_near(encoder: Encoder) -> None:
    """The weights are the real ones: a paraphrase is nearer than another subject."""
    asked, same, other = encoder.encode(["Where do I park my car?", "A place to leave the car.", "Bake the loaf."])
    assert float(asked @ same) > float(asked @ other) + 0.3


def test_counts_are_of_the_whole_text(encoder: Encoder) -> None:
    """Word pieces are counted past the window, special ones left out."""
    assert encoder.window == 254
    assert encoder.count("") == 0 and encoder.count("bread") == 1
    assert encoder.count("bread " * 5000) == 5000


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_tokens_point_into_their_text(encoder: Encoder, text: str) -> None:
    """For any text: as many rows, spans and ids as there are pieces, spans in order and inside the text."""
    (found,) = encoder.tokens([text])
    assert len(found.vectors) == len(found.spans) == len(found.ids) == encoder.count(text)
    assert all(0 <= start <= end <= len(text) for start, end in found.spans)
    assert list(found.spans) == sorted(found.spans)
    assert encoder.encode([text]).shape == (1, 384)


def test_tokens_spell_the_words(encoder: Encoder) -> None:
    """Spans cut the pieces from the text as typed; rows are unit, special pieces are left out, batches agree."""
    text = "Naïve bakery don't hurry."
    found = encoder.tokens(["Oil the chain after rain, and wipe off what drips from it.", text, ""])
    assert [text[start:end] for start, end in found[1].spans] == ["Naïve", "bakery", "don", "'", "t", "hurry", "."]
    assert found[1].vectors.shape == (7, 384) and found[1].vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(found[1].vectors, axis=1), 1, atol=1e-5)
    assert np.allclose(found[1].vectors, encoder.tokens([text])[0].vectors, atol=1e-5)
    assert found[2].vectors.shape == (0, 384) and encoder.tokens([]) == []
    assert len(encoder.tokens(["bread " * 1000])[0].ids) == encoder.window


def test_the_name_says_which_weights(encoder: Encoder, tiny: Path, tmp_path: Path) -> None:
    """It is known without loading, the same wherever the folder lies, and another for other weights."""
    assert encoder.name == fingerprint(ENCODER) and encoder.name.startswith("all-MiniLM-L6-v2@")
    assert fingerprint(str(tiny)).startswith("tiny@")
    moved = tiny.parent / "elsewhere" / "tiny"
    moved.parent.mkdir()
    tiny.rename(moved)
    name = fingerprint(str(moved))
    assert name == prepare(str(moved), tmp_path)[0].name
    weights = moved / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(bytes(changed))
    assert fingerprint(str(moved)) != name


def test_another_model_by_its_folder(tiny: Path, tmp_path: Path) -> None:
    """Any sentence-transformers folder encodes, with its own length of vectors and its own window."""
    small, serving = prepare(str(tiny), tmp_path)
    assert small.encode(["one", "two"]).shape == (2, 32) and small.window == 30
    assert small.tokens(["one two"])[0].vectors.shape == (2, 32)
    assert load_encoder(str(tiny), tmp_path, serving) is small


def test_two_who_write_it_down_at_once(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets a whole encoder, the same one, and neither leaves a half-written folder."""
    together, tracing, write_down = threading.Barrier(2), threading.Lock(), export.write_down

    def at_once(model: export.SentenceEncoder, folder: Path) -> str:
        """Both have begun before either is done; torch, which two processes have each to itself, is asked in turn."""
        with tracing:
            why = write_down(model, folder)
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(20)
        return why

    monkeypatch.setattr(export, "write_down", at_once)
    index = tmp_path / "index"
    with ThreadPoolExecutor(2) as pool:
        served: list[Mapping[str, str | float]] = [
            serving for _, serving in pool.map(lambda _: prepare(str(tiny), index), range(2))
        ]
    assert served[0] == served[1]
    assert [folder.name for folder in index.iterdir()] == [served[0]["folder"]]
    verified(index / str(served[0]["folder"]))


@pytest.mark.parametrize("name", ["sentence-transformers/all-mpnet-base-v2", "no-such-folder", ""])
def test_what_is_no_model_is_refused(name: str, tmp_path: Path) -> None:
    """A hub's model name is not fetched, and the message says what to set."""
    with pytest.raises(IndexFault, match="Set encoder to all-MiniLM-L6-v2"):
        prepare(name, tmp_path)


@pytest.mark.parametrize("spoil", ["model.safetensors", "tokenizer.json", "config.json", "modules.json"])
def test_a_broken_model_is_refused(tiny: Path, tmp_path: Path, spoil: str) -> None:
    """A damaged file in the folder is an IndexFault naming the folder, not a traceback from a library."""
    (tiny / spoil).write_text("{")
    with pytest.raises(IndexFault, match="tiny"):
        prepare(str(tiny), tmp_path)


def test_pickled_weights_are_refused(tiny: Path, tmp_path: Path) -> None:
    """Weights that only exist as a pickle are not loaded."""
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(tiny / "model.safetensors"), tiny / "pytorch_model.bin")
    (tiny / "model.safetensors").unlink()
    with pytest.raises(IndexFault):
        prepare(str(tiny), tmp_path)


def test_importing_the_index_does_not_import_torch() -> None:
    """Commands that encode nothing start without the seconds that torch takes."""
    script = (
        "import sys, index.index, index.encode; index.encode.fingerprint('all-MiniLM-L6-v2'); "
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """A process in which any look-up or connection fails, and whose caches are empty, loads the model and encodes.

    It leaves nothing in the home folder, where onnxruntime would keep an id of the device and what it has to report.
    """
    script = (
        "import sys\n"
        "def guard(event, _):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname'): raise OSError(event)\n"
        "sys.addaudithook(guard)\n"
        "from pathlib import Path\n"
        "from index.encode import prepare\n"
        "made = prepare('all-MiniLM-L6-v2', Path(sys.argv[1]))\n"
        "assert made[0].encode(['bread']).shape == (1, 384) and made[1]['by'] == 'onnxruntime'\n"
    )
    environment = {"PATH": "/usr/bin", "HOME": str(tmp_path), "HF_HOME": str(tmp_path)}
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", script, str(tmp_path / "index")]
    subprocess.run(command, check=True, timeout=120, cwd=root, env=environment)
    left = {file.relative_to(tmp_path).parts[0] for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"index"}
