"""An index that is missing, damaged, foreign or stale is refused by name, with the command that mends it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.calibrate import Calibrator
from bot.settings import BUNDLED
from index import generations
from index.contract import IndexFault
from index.encode import EXPORTS
from index.generations import CURRENT, DENSE, MANIFEST, STORE
from index.index import Index, build, is_stale, verify
from index.manifest import Manifest
from index.network import FACTS, MODEL, TOKENIZER
from tests.conftest import ENCODER

FILES = (STORE, DENSE, MANIFEST)


@pytest.fixture
def index(index_dir: Path, tmp_path: Path) -> Path:
    """A copy of the bundled index, to be spoilt; its encoder, the large part, is shared with the original."""
    return copied(index_dir, tmp_path / "my index")


def copied(index: Path, to: Path) -> Path:
    """A copy of an index that links the encoder's files: to spoil one of those, delete it first."""

    def copy(source: str, target: str) -> None:
        (os.link if EXPORTS in source else shutil.copyfile)(source, target)

    return Path(shutil.copytree(index, to, copy_function=copy))


def generation(index: Path) -> Path:
    """The folder of the generation in use."""
    return index / (index / CURRENT).read_text().strip()


def refused(index: Path, *words: str) -> str:
    """Opening, verifying and nothing else refuses it, in words, with the command; a build mends it."""
    for attempt in (lambda: Index.open(index, ENCODER), lambda: verify(index)):
        with pytest.raises(IndexFault) as caught:
            attempt()
        message = str(caught.value)
        assert message.startswith(str(index)) and "\n" not in message
        assert message.endswith(f"Run: milkwise build --index '{index}'") and "Traceback" not in message
        for word in words:
            assert word in message, message
    return message


def mends(index: Path) -> None:
    """The command it names makes it usable again."""
    assert is_stale(BUNDLED, index, ENCODER, 200)
    build(BUNDLED, index, ENCODER, 200)
    opened = Index.open(index, ENCODER)
    assert opened.search("milk", 1) and len(verify(index)) == 5
    opened.close()


def test_a_whole_index_verifies(index: Path) -> None:
    """Each file is listed with its checksum."""
    lines = verify(index)
    assert [line.split(": ")[0].split("/")[1] for line in lines] == [DENSE, STORE, MODEL, FACTS, TOKENIZER]
    assert not is_stale(BUNDLED, index, ENCODER, 200)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: data + b"\0",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
        lambda data: data[:-1] + bytes([data[-1] ^ 0x80]),
        lambda data: b"\0" * len(data),
    ],
    ids=["halved", "emptied", "grown", "bit near the start", "bit at the end", "zeroed"],
)
def test_a_damaged_file_is_refused(index: Path, name: str, spoil: Callable[[bytes], bytes]) -> None:
    """Whatever was done to whichever file, its name is said."""
    file = generation(index) / name
    file.write_bytes(spoil(file.read_bytes()))
    refused(index, name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_flipped_bit_is_seen(index: Path, data: st.DataObject) -> None:
    """One bit anywhere in any file, and the index is not opened."""
    file = generation(index) / data.draw(st.sampled_from(FILES))
    whole = file.read_bytes()
    place, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    file.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << bit)]) + whole[place + 1 :])
    with pytest.raises(IndexFault):
        Index.open(index, ENCODER)
    file.write_bytes(whole)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_and_mended(index: Path, name: str) -> None:
    """The file is named, and the command in the message mends the index."""
    (generation(index) / name).unlink()
    refused(index, f"{name} is missing")
    mends(index)


def test_a_damaged_generation_is_replaced_beside_itself(index: Path) -> None:
    """The same documents build to the same content, but never into the damaged folder."""
    damaged = generation(index)
    (damaged / DENSE).write_bytes(b"garbage")
    refused(index, DENSE, "checksum")
    build(BUNDLED, index, ENCODER, 200, calibrator=Calibrator(8))
    assert generation(index).name == f"{damaged.name}-2"
    assert (generation(index) / MANIFEST).read_bytes() == (damaged / MANIFEST).read_bytes()


@pytest.mark.parametrize("text", ["", "garbage", "../../etc", "000000000000", "abc\0", "ж"])
def test_a_spoilt_current_is_refused(index: Path, text: str) -> None:
    """CURRENT must name a generation that is here; it cannot lead out of the folder."""
    (index / CURRENT).write_text(text, encoding="utf-8")
    refused(index, "damaged")
    mends(index)


def test_missing_indexes_are_told_apart(tmp_path: Path) -> None:
    """No folder, an empty folder, a file."""
    with pytest.raises(IndexFault, match=r"there is no index here.*Run: milkwise build --index"):
        Index.open(tmp_path / "nowhere", ENCODER)
    with pytest.raises(IndexFault, match=r"there is no index here.*Run: milkwise build --index"):
        Index.open(tmp_path, ENCODER)
    (tmp_path / "file").write_text("text")
    with pytest.raises(IndexFault, match="is a file"):
        Index.open(tmp_path / "file", ENCODER)
    with pytest.raises(IndexFault, match="is a file"):
        build(BUNDLED, tmp_path / "file", ENCODER, 200)
    assert (tmp_path / "file").read_text() == "text"


def rewritten(index: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Change the manifest, as another version of the program would have written it."""
    folder = generation(index)
    found = json.loads((folder / MANIFEST).read_text())
    change(found)
    (folder / MANIFEST).write_text(json.dumps(found))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda found: found.update(format=1), "format is 1, this version reads 3"),
        (lambda found: found.update(format="one"), "format is 'one'"),
        (lambda found: found.pop("format"), "no manifest"),
        (lambda found: found.pop("dim"), "dim"),
        (lambda found: found.update(dim="384"), "dim is '384'"),
        (lambda found: found.update(extra=1), "extra"),
        (lambda found: found.update(documents=[]), "documents"),
        (lambda found: found.update(encoder="another@0"), "not what was built"),
        (lambda found: found.update(files={"../x": "0"}), "not what was built"),
    ],
)
def test_a_foreign_manifest_is_refused(index: Path, change: Callable[[dict[str, object]], object], word: str) -> None:
    """An unknown format, other fields or edited facts."""
    rewritten(index, change)
    refused(index, word, MANIFEST)


def test_a_large_store_is_read_wholly_only_by_verify(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening one compares its size; a changed word in it is found by `verify`, and never quoted."""
    monkeypatch.setattr(generations, "QUICK", 1)
    file = generation(index) / STORE
    file.write_bytes(file.read_bytes().replace(b"let-down reflex", b"let-dawn reflex"))
    opened = Index.open(index, ENCODER)
    with pytest.raises(IndexFault, match="document 'human-lactation' has changed"):
        opened.document("human-lactation")
    with pytest.raises(IndexFault, match=STORE):
        verify(index)
    file.write_bytes(file.read_bytes()[:-4096])
    with pytest.raises(IndexFault, match=STORE):
        Index.open(index, ENCODER)


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, FACTS])
def test_a_damaged_encoder_is_refused_and_mended(index: Path, name: str) -> None:
    """One bit of what the encoder is run from, or a file of it gone: named, and written down again by a build."""
    (file,) = index.glob(f"{EXPORTS}*/{name}")
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.unlink()
    refused(index, name)
    file.write_bytes(whole)
    refused(index, name)
    mends(index)


@pytest.mark.parametrize("text", ["[]", "null", "{", '"text"', "{}", "1e999", '{"format": NaN}'])
def test_garbage_is_no_manifest(text: str) -> None:
    """JSON of another shape, or none, is a ValueError that says so."""
    with pytest.raises(ValueError):
        Manifest.from_json(text)


def test_a_manifest_must_fit_its_store(index: Path) -> None:
    """Even with every checksum right, a store that is not what the manifest says is found by `verify`."""
    folder = generation(index)
    found = Manifest.from_json((folder / MANIFEST).read_text())
    other = replace(found, documents={"someone-else": "0"})
    (folder / MANIFEST).write_text(other.to_json())
    folder.rename(index / other.generation)
    (index / CURRENT).write_text(other.generation)
    with pytest.raises(IndexFault, match=r"its documents are not those of its manifest.*Run: milkwise build"):
        verify(index)


def test_nothing_is_pickled() -> None:
    """No module of the index names a way to read or write pickles."""
    words = ("pickle", "joblib", "shelve", "marshal", "np.load", "torch.load")
    for file in Path(generations.__file__).parent.glob("*.py"):
        assert not any(word in file.read_text() for word in words), file


def test_no_file_is_a_pickle(index: Path) -> None:
    """The store is SQLite, the vectors are faiss's own format, the manifest is JSON."""
    folder = generation(index)
    starts = {STORE: b"SQLite format 3\0", DENSE: b"IxMp", MANIFEST: b"{"}
    assert {file.name for file in folder.iterdir()} == set(starts)
    for name, start in starts.items():
        assert (folder / name).read_bytes().startswith(start)
