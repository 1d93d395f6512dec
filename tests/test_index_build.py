"""Building: only what changed is encoded, the report is true, the same inputs give the same index."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from corpus import split as splitting
from corpus.read import read
from corpus.split import split
from index import index as module
from index.contract import Encoder, FloatMatrix, IndexFault
from index.embed import texts
from index.generations import CURRENT
from index.index import Index, build, is_stale, verify
from index.manifest import Manifest
from tests.conftest import ENCODER
from tests.index_samples import BIKES, BREAD, write


class Counting:
    """The real encoder, noting every text it is given."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.seen = encoder, list[str]()
        self.name, self.window, self.count, self.tokens = encoder.name, encoder.window, encoder.count, encoder.tokens

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Encode, and note."""
        self.seen += texts
        return self._encoder.encode(texts)


@pytest.fixture
def counting(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Counting:
    """The build uses this encoder; the sentences it measures its scale on are not counted."""
    counter = Counting(encoder)
    monkeypatch.setattr(module, "prepare", lambda name, index: (counter, {}))
    monkeypatch.setattr("index.sealed.calibrate", lambda model: {"unrelated": 0.0})
    return counter


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder of two documents."""
    folder = tmp_path / "documents"
    write(folder, "bread", BREAD)
    write(folder, "bikes", BIKES)
    return folder


def make(shelf: Path, index: Path, limit: int = 200) -> module.Built:
    """Build with the bundled model."""
    return build(shelf, index, ENCODER, limit)


def test_only_what_changed_is_encoded(counting: Counting, shelf: Path, tmp_path: Path) -> None:
    """Of an edited document only the passages with other texts are encoded again; the rest keep their very vectors."""
    index = tmp_path / "index"
    first = make(shelf, index)
    assert (first.added, first.changed, first.removed, first.kept) == (("bikes", "bread"), (), (), ())
    assert "Oil the chain after rain." in counting.seen
    with_first = Index.open(index, ENCODER)

    counting.seen.clear()
    write(shelf, "bread", {**BREAD, "Baking": "Bake the loaf on hot bricks. Then let it cool."})
    write(shelf, "boats", {"Sails": "Reef the sails in a gale."})
    second = make(shelf, index)
    assert (second.added, second.changed, second.removed, second.kept) == (("boats",), ("bread",), (), ("bikes",))
    opened = Index.open(index, ENCODER)
    fresh = [passage for id in ("bread", "boats") for passage in opened.passages(id)]
    again = [passage for passage in fresh if passage not in with_first.passages("bread")]
    titles = {document.id: document.title for document in opened.documents()}
    assert counting.seen
    assert set(counting.seen) <= {text for passage in again for text in texts(titles[passage.document], passage)}
    assert not {"Knead the dough for ten minutes.", "Oil the chain after rain."} & set(counting.seen)
    for passage in with_first.passages("bikes"):
        assert np.array_equal(opened.vectors(passage.id), with_first.vectors(passage.id))

    counting.seen.clear()
    (shelf / "bikes.md").unlink()
    third = make(shelf, index)
    assert (third.removed, third.kept) == (("bikes",), ("boats", "bread")) and counting.seen == []
    opened = Index.open(index, ENCODER)
    assert opened.document("bikes") is None and "bikes" not in opened.manifest.documents
    assert all(hit.passage.document != "bikes" for hit in opened.search("Oil the chain", 10))

    counting.seen.clear()
    fourth = make(shelf, index)
    assert counting.seen == [] and fourth.generation == third.generation and fourth.kept == ("boats", "bread")


def test_metadata_changes_without_encoding(counting: Counting, shelf: Path, tmp_path: Path) -> None:
    """A new publisher changes the document but not one vector."""
    make(shelf, tmp_path / "index")
    counting.seen.clear()
    file = shelf / "bikes.md"
    file.write_text(f"---\npublisher: The Cyclists’ Union\n---\n{file.read_text()}")
    built = make(shelf, tmp_path / "index")
    assert built.changed == ("bikes",) and counting.seen == []
    found = Index.open(tmp_path / "index", ENCODER).document("bikes")
    assert found and found.publisher == "The Cyclists’ Union"


def test_vectors_are_those_of_the_texts(encoder: Encoder, index: Index) -> None:
    """Row 0 is the passage under its headings, then each sentence, then each key, in that order."""
    for document in index.documents():
        for passage in index.passages(document.id):
            rows = index.vectors(passage.id)
            assert len(rows) == 1 + len(passage.sentences) + len(passage.keys)
            assert np.allclose(rows, encoder.encode(texts(document.title, passage)), atol=1e-5)


def test_documents_come_through_whole(index: Index) -> None:
    """Documents are those that were read, and their passages joined are their text."""
    from bot.settings import BUNDLED

    read_again = sorted(read(BUNDLED).documents, key=lambda document: document.id)
    assert index.documents() == read_again
    for document in read_again:
        passages = index.passages(document.id)
        assert "".join(passage.text for passage in passages) == document.text
        assert all(index.passage(passage.id) == passage for passage in passages)
    assert index.document("nobody") is None and index.passage("nobody#x") is None and index.passages("nobody") == []


def test_same_inputs_same_manifest(shelf: Path, tmp_path: Path) -> None:
    """Two fresh builds agree byte for byte, files included, wherever they lie; a change in any input shows."""
    made = {name: make(shelf, tmp_path / name).generation for name in ("one", "two")}
    assert made["one"] == made["two"]
    folders = [tmp_path / name / made[name] for name in made]
    for file in ("manifest.json", "store.sqlite", "dense.faiss"):
        assert (folders[0] / file).read_bytes() == (folders[1] / file).read_bytes()
    manifest = Manifest.from_json((folders[0] / "manifest.json").read_text())
    assert set(manifest.documents) == {"bikes", "bread"} and manifest.splitter["limit"] == 200
    assert manifest.encoder.startswith("all-MiniLM-L6-v2@") and manifest.dim == 384
    assert str(tmp_path) not in manifest.to_json()
    assert make(shelf, tmp_path / "three", limit=100).generation != made["one"]


def test_the_scale_of_the_encoder_is_in_the_manifest(index: Index) -> None:
    """Paraphrases score well above sentences that have nothing in common, and the spread is known."""
    scale = index.manifest.calibration
    assert set(scale) == {"unrelated", "unrelated_sd", "paraphrase", "paraphrase_sd"}
    assert -0.1 < scale["unrelated"] < 0.2 and 0.5 < scale["paraphrase"] < 0.95
    assert scale["unrelated"] + 3 * scale["unrelated_sd"] < scale["paraphrase"]


def test_progress_counts_up_to_the_end(shelf: Path, tmp_path: Path) -> None:
    """It starts at 0, ends at the number of passages to encode, and for nothing to do says 0 of 0."""
    for number in range(40):
        write(shelf, f"note{number:02}", {f"Note {number}": f"Note {number} is about the number {number}."})
    told: list[tuple[int, int]] = []
    build(shelf, tmp_path / "index", ENCODER, 200, lambda done, total: told.append((done, total)))
    total = told[0][1]
    assert told[0] == (0, total) and told[-1] == (total, total) and len(told) > 2 and told == sorted(told)
    told.clear()
    build(shelf, tmp_path / "index", ENCODER, 200, lambda done, total: told.append((done, total)))
    assert told == [(0, 0)]


def test_stale_is_when_a_build_would_change_something(shelf: Path, tmp_path: Path, tiny: Path) -> None:
    """A missing index, another document, text, limit or encoder; not an index that is as it would be built."""
    index = tmp_path / "index"
    assert is_stale(shelf, index, ENCODER, 200)
    make(shelf, index)
    assert not is_stale(shelf, index, ENCODER, 200)
    assert is_stale(shelf, index, ENCODER, 100)
    assert is_stale(shelf, index, str(tiny), 200)
    write(shelf, "bread", {**BREAD, "Baking": "Bake it."})
    assert is_stale(shelf, index, ENCODER, 200)
    write(shelf, "bread", BREAD)
    assert not is_stale(shelf, index, ENCODER, 200)
    (shelf / "bikes.md").unlink()
    assert is_stale(shelf, index, ENCODER, 200)
    write(shelf, "bikes", BIKES)
    (index / CURRENT).write_text("nonsense")
    assert is_stale(shelf, index, ENCODER, 200)


def test_nothing_readable_leaves_the_old_index(shelf: Path, tmp_path: Path) -> None:
    """With every document gone or unreadable the build fails by name, and the old index goes on answering."""
    index = tmp_path / "index"
    made = make(shelf, index)
    for gone in (False, True):
        for file in shelf.glob("*.md"):
            file.write_bytes(b"\0\1\2" * 99)
            if gone:
                file.unlink()
        with pytest.raises(IndexFault, match="nothing could be read"):
            make(shelf, index)
        assert Index.open(index, ENCODER).generation == made.generation
    with pytest.raises(IndexFault, match="nothing could be read"):
        make(tmp_path / "nowhere", tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()


def test_an_unsound_index_is_never_swapped_in(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were a passage lost on the way, the build would name the document and leave the old index in use."""
    made = make(shelf, tmp_path / "index")
    monkeypatch.setattr(splitting, "split", lambda *given: split(*given)[1:])
    with pytest.raises(IndexFault, match="unsound: document 'bikes' is not what its digest or its passages say"):
        make(shelf, tmp_path / "index")
    assert Index.open(tmp_path / "index", ENCODER).generation == made.generation


def test_a_place_that_cannot_be_written_is_named(shelf: Path, tmp_path: Path) -> None:
    """An index below a file is refused with its path and a remedy, not with a traceback."""
    (tmp_path / "file").write_text("text")
    with pytest.raises(IndexFault, match=r"file/index: could not be written .*choose another folder"):
        make(shelf, tmp_path / "file" / "index")


def test_a_bad_file_does_not_stop_the_others(shelf: Path, tmp_path: Path) -> None:
    """The faults and the files left come with the report, and the readable documents are indexed."""
    (shelf / "broken.txt").write_bytes(b"\0\1\2\xff" * 99)
    (shelf / "picture.png").write_bytes(b"png")
    built = make(shelf, tmp_path / "index")
    assert built.added == ("bikes", "bread") and len(built.faults) == 1
    assert "broken.txt" in str(built.faults[0]) and any("picture.png" in line for line in built.left)


def test_any_script_is_found(tmp_path: Path) -> None:
    """Names, headings and text in any script come through exactly and are found by their words."""
    folder = tmp_path / "документы"
    write(folder, "хлеб", {"Ржаной хлеб": "Ржаной хлеб пекут долго. Он хранится неделю."})
    write(folder, "emoji", {"Naïve café 🍞": "The 🍞 is naïve — “really”. 𝒜 letter beyond the plane."})
    make(folder, tmp_path / "index ✓")
    opened = Index.open(tmp_path / "index ✓", ENCODER)
    assert "ржаной" in opened.search("ржаной хлеб", 1)[0].passage.text.lower()
    hit = opened.search("naive cafe", 1)[0]
    assert "𝒜 letter" in hit.passage.text and hit.bm25 > 0
    assert len(verify(tmp_path / "index ✓")) == 5


def test_another_model_by_setting(shelf: Path, tmp_path: Path, tiny: Path) -> None:
    """A folder with any sentence-transformers model builds and searches; passages fit its smaller window."""
    index = tmp_path / "index"
    build(shelf, index, str(tiny), 200)
    opened = Index.open(index, str(tiny))
    assert opened.manifest.dim == 32 and opened.manifest.encoder == opened.encoder.name
    assert opened.search("Oil the chain after rain.", 3)
    for document in opened.documents():
        for passage in opened.passages(document.id):
            assert opened.encoder.count(passage.text) <= 30 and opened.vectors(passage.id).shape[1] == 32
    with pytest.raises(IndexFault, match=r"stale: built with tiny@\w+, not all-MiniLM.*Run: milkwise build"):
        Index.open(index, ENCODER)
    built = make(shelf, index)
    assert built.kept == ("bikes", "bread") and Index.open(index, ENCODER).manifest.dim == 384


def test_the_manifest_is_plain_json(index_dir: Path) -> None:
    """An operator can read what an index was built from."""
    folder = index_dir / (index_dir / CURRENT).read_text().strip()
    found = json.loads((folder / "manifest.json").read_text())
    assert list(found) == sorted(found) and found["format"] == 3
    assert sorted(file.name for file in folder.iterdir()) == ["dense.faiss", "manifest.json", "store.sqlite"]
