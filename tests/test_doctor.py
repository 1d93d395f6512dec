"""`milkwise doctor` finds what is wrong with an installation, says how to mend it, and calls nothing else wrong."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.faces import doctor, upkeep
from bot.faces.cli import app
from bot.faces.doctor import Finding, State, examine
from bot.settings import SettingsError, load
from bot.words import Words
from index.contract import IndexFault
from index.index import verify


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder without settings."""
    monkeypatch.chdir(tmp_path)


def look(subject: str, **settings: Any) -> list[Finding]:
    """What is found of one subject, the others left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doctor, "_LOOKS", {subject: doctor._LOOKS[subject]})
        return list(examine(load(**settings)))


@pytest.mark.parametrize(("flags", "notes"), [("fpu sse2 avx f16c", 1), ("fpu sse2 avx avx2 f16c", 0), ("fp asimd", 0)])
def test_a_processor_that_reads_slowly_is_named(
    flags: str, notes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An x86 processor without AVX2 is something to know, with a remedy; one that is no x86 is not judged."""
    monkeypatch.setattr(doctor, "CPU", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text(f"processor: 0\nflags: {flags}\n", encoding="utf-8")
    found = [one for one in look("program") if "AVX2" in one.what]
    assert [one.state for one in found] == [State.NOTE] * notes
    assert all(one.remedy for one in found)


def test_a_sound_installation_has_nothing_wrong(index_dir: Path) -> None:
    """Every subject is looked at, nothing is wrong, a question is asked and answered, and nothing is changed."""
    before = {path: path.read_bytes() for path in index_dir.rglob("*") if path.is_file()}
    found = list(examine(load(index=index_dir, port=0, locale="en-GB")))
    assert {one.subject for one in found} == set(doctor._LOOKS)
    assert not [one for one in found if one.state == State.WRONG]
    assert all(one.remedy for one in found if one.state == State.NOTE)
    assert found[-1].state == State.OK
    assert "(answer), with a disclaimer" in found[-1].what
    assert before == {path: path.read_bytes() for path in index_dir.rglob("*") if path.is_file()}


def test_a_damaged_index_is_wrong(index_dir: Path, tmp_path: Path) -> None:
    """One changed byte is found, with the command that mends it; the look goes on after it."""
    index = shutil.copytree(index_dir, tmp_path / "index")
    store = next(index.rglob("*.sqlite*"))
    data = bytearray(store.read_bytes())
    data[len(data) // 2] ^= 1
    store.write_bytes(data)
    (found,) = look("index", index=index)
    assert found.state == State.WRONG
    assert "milkwise build" in found.what
    with pytest.raises(IndexFault):
        verify(index)


def test_no_index_yet_is_only_told(tmp_path: Path) -> None:
    """Before the first build there is none, and nothing is wrong with that."""
    (found,) = look("index", index=tmp_path / "none")
    assert (found.state, "milkwise build" in found.remedy) == (State.NOTE, True)
    assert look("question", index=tmp_path / "none") == []


def test_a_model_that_is_none_is_wrong(tmp_path: Path) -> None:
    """The folder is named, and what belongs in it."""
    (found,) = look("model", encoder=str(tmp_path))
    assert found.state == State.WRONG
    assert str(tmp_path) in found.what
    assert "modules.json" in found.what


def test_documents_that_are_gone_are_wrong(tmp_path: Path) -> None:
    """The path is named with a remedy; documents an editor should see to are told, with the command that lists them."""
    (gone,) = look("documents", documents=tmp_path / "gone")
    assert (gone.state, str(tmp_path / "gone") in gone.what) == (State.WRONG, True)
    assert gone.remedy
    (tmp_path / "tea.md").write_text("# Tea\n\nPour hot water over the leaves.\n")
    (unvetted,) = look("documents", documents=tmp_path / "tea.md")
    assert (unvetted.state, unvetted.remedy) == (State.NOTE, f"Run: milkwise check {tmp_path / 'tea.md'}")
    assert "2 to mend" in unvetted.what


def test_the_address_is_tried() -> None:
    """A taken port is told, and an address that other machines reach, without a name for it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (found,) = look("address", port=port)
        assert (found.state, str(port) in found.what) == (State.NOTE, True)
    free, open_, unnamed = look("address", host="0.0.0.0", port=0)
    assert (free.state, open_.state, unnamed.state) == (State.OK, State.NOTE, State.NOTE)
    assert "proxy" in open_.remedy
    assert "hosts" in unnamed.remedy
    assert len(look("address", host="0.0.0.0", port=0, hosts=("help.example.org",))) == 2


def test_a_site_without_tls_is_told() -> None:
    """What is asked on a plain http page can be read on the way; a developer's own machine is spared."""
    found = look("origins", origins=("http://www.example.org", "http://localhost:8000", "https://example.org"))
    assert [one.what.split()[0] for one in found if one.state == State.NOTE] == ["http://www.example.org"]


def test_what_nobody_has_reviewed_and_a_locale_without_a_country_are_told() -> None:
    """The disclaimer is there in every language; rules and numbers nobody has checked are named."""
    found = look("words", locale="en")
    assert all(f"{name} (version" in found[0].what for name in Words.load().locales)
    told = " ".join(one.what for one in found if one.state == State.NOTE)
    assert "redflags.toml" in told
    assert "contacts.toml" in told
    assert "names no country" in told
    assert "names no country" not in " ".join(one.what for one in look("words", locale="en-GB"))


def test_a_broken_phrases_file_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disclaimer without its text stops it, by the name of the file."""
    folder = shutil.copytree(Words.load().folder / "phrases", tmp_path / "words" / "phrases")
    shutil.copytree(Words.load().folder / "rules", tmp_path / "words" / "rules")
    spoilt = (folder / "en.toml").read_text(encoding="utf-8").replace("[disclaimer]", "[disclaimed]")
    (folder / "en.toml").write_text(spoilt, encoding="utf-8")
    whole = Words.load
    monkeypatch.setattr(Words, "load", lambda: whole(tmp_path / "words"))
    (found,) = look("words")
    assert found.state == State.WRONG
    assert "en.toml" in found.what


def test_the_command(index_dir: Path, tmp_path: Path) -> None:
    """A line each and exit code 0 where nothing is wrong, 1 where something is; the same as JSON."""
    shared = ["doctor", "--index", str(index_dir)]
    sound = CliRunner().invoke(app, shared)
    assert sound.exit_code == 0
    assert sound.stdout.splitlines()[-1].startswith("0 wrong, ")
    assert "\nok    index      " in sound.stdout
    (tmp_path / "milkwise.toml").write_text('encoder = "nowhere"\n')
    broken = CliRunner().invoke(app, [*shared, "--json"])
    assert broken.exit_code == 1
    wrong = [one["subject"] for one in json.loads(broken.stdout)["findings"] if one["state"] == "wrong"]
    assert wrong == ["model", "index", "question"]


@pytest.mark.parametrize("prefix", ["faq", "/faq/", "/", "//", "/a b", "https://example.org/faq"])
def test_a_prefix_is_written_as_a_proxy_strips_it(prefix: str) -> None:
    """A prefix that could not work is refused when the settings are read; one that can is not."""
    with pytest.raises(SettingsError, match="root_path"):
        load(root_path=prefix)
    assert load(root_path="/help/faq").root_path == "/help/faq"


def test_documents_in_another_language_are_pointed_out(tmp_path: Path) -> None:
    """Red flags and the reading are English: who puts Spanish documents before visitors is told so."""
    settings = load(documents=Path(__file__).parent / "golden" / "spanish", index=tmp_path / "index")
    upkeep.refresh(settings)
    found = look("question", documents=settings.documents, index=settings.index)
    assert [one.state for one in found[:-1]] == [State.NOTE]
    assert "es: words of danger" in found[0].what
