"""The command line keeps the contract: commands, exit codes, one line for a fault, plain text in a pipe."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.bot import Bot
from bot.faces import upkeep
from bot.faces.cli import app
from bot.faces.schema import ReplyBody
from bot.render import as_text
from bot.settings import BUNDLED, load
from tests.command import run

CASES = (
    "[dev all]\n\nask: Can men produce milk?\nexpect: answer\n\nask: What is the capital of France?\nexpect: abstain\n"
)


@pytest.fixture
def leaflets(tmp_path: Path) -> Path:
    """A folder with one good leaflet."""
    folder = tmp_path / "leaflets"
    folder.mkdir()
    (folder / "tea.md").write_text(
        "---\npublisher: A club\nlicence: CC0\n---\n# Tea\n\n## Brewing\n\nPour hot water over the leaves.\n", "utf-8"
    )
    return folder


def test_help_is_quick_and_light(tmp_path: Path) -> None:
    """`--help` names every command and costs less than 0.3 s of processor time, on the quietest of five tries."""
    costs = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run("--help", cwd=tmp_path)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert done.returncode == 0
    commands = "serve build rollback ask chat mcp check doctor measure report erase"
    for command in commands.split():
        assert f" {command} " in done.stdout
    assert min(costs) < 0.3


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """Neither the model's, the index's nor the page's libraries are loaded to show help."""
    code = (
        "import sys; from typer.testing import CliRunner; from bot.faces.cli import app; "
        "assert CliRunner().invoke(app, ['ask', '--help']).exit_code == 0; "
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert not {"torch", "gradio", "faiss", "fastapi", "numpy", "sentence_transformers"} & set(done.stdout.split())
    assert "typer" in done.stdout.split()


def test_version() -> None:
    """`--version` prints one line."""
    assert re.fullmatch(r"milkwise \d+\.\d+\.\d+\n", CliRunner().invoke(app, ["--version"]).stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["ask"],
        ["ask", " "],
        ["ask", "x" * 2001],
        ["ask", "hi", "--loud"],
        ["serve", "--port", "x"],
        ["serve", "--port", "70000"],
        ["measure"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    """What was typed wrong is said on stderr, and nothing is done."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert done.stderr or not arguments


def test_ask_builds_what_is_missing_and_answers(tmp_path: Path) -> None:
    """The first question in an empty folder builds the index, says so on stderr only, and is answered on stdout."""
    done = run("ask", "Can men produce milk?", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No index in .milkwise yet" in done.stderr
    assert (tmp_path / ".milkwise").is_dir()
    bot = Bot.open(tmp_path / ".milkwise")
    assert done.stdout == as_text(bot.reply("Can men produce milk?"))
    assert "\x1b" not in done.stdout
    assert "not yet reviewed by a clinician" in done.stdout
    assert "Traceback" not in done.stderr


def test_ask_json_is_the_contract_s(index_dir: Path) -> None:
    """`--json` prints the Reply and nothing else; the locale is taken."""
    done = CliRunner().invoke(
        app, ["ask", "What is relactation?", "--json", "--index", str(index_dir), "--locale", "en-GB"]
    )
    assert done.exit_code == 0
    reply = json.loads(done.stdout)
    ReplyBody.model_validate(reply, strict=True)
    assert reply["kind"] == "answer"
    assert reply["disclaimer"]["locale"] == "en-GB"


def test_chat_carries_the_topic_until_told_otherwise(index_dir: Path) -> None:
    """Lines from a pipe are a conversation: a follow-up is resolved, /new forgets, every reply has the disclaimer."""
    lines = "What is induced lactation?\n\nHow long does it take?\n/new\nHow long does it take?\n" + "x" * 3000 + "\n"
    done = CliRunner().invoke(app, ["chat", "--index", str(index_dir)], input=lines)
    assert done.exit_code == 0
    first, _, rest = done.stdout.partition("How human lactation works says:")
    assert "automated assistant" in first
    before, _, after = rest.partition("A new subject.")
    assert before.count("About: induced lactation") == 1  # the first stands before the first answer
    assert "About: induced lactation" in first
    assert "induced lactation" not in after.partition("You can ask")[0]
    assert "too long" in after
    assert done.stdout.count("does not give medical advice") == 4
    ended = CliRunner().invoke(app, ["chat", "--index", str(index_dir)], input="/quit\nhi\n")
    assert ended.exit_code == 0
    assert ended.stdout.count("does not give medical advice") == 1


def test_build_says_what_it_did(leaflets: Path, tmp_path: Path) -> None:
    """Added, changed, removed and kept are told apart; a pipe gets lines, no bar."""
    index = str(tmp_path / "index")

    def built() -> str:
        done = CliRunner().invoke(app, ["build", str(leaflets), "--index", index])
        assert done.exit_code == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        return " ".join(done.stdout.split())

    (leaflets / "milk.txt").write_text("Milk\n\nAdd the milk first, or last.\n", "utf-8")
    assert "added 2: milk, tea changed 0 removed 0 kept 0" in built()
    (leaflets / "tea.md").write_text("# Tea\n\nPour cold water over the leaves.\n", "utf-8")
    (leaflets / "milk.txt").unlink()
    assert "added 0 changed 1: tea removed 1: milk kept 0" in built()
    assert "added 0 changed 0 removed 0 kept 1: tea" in built()


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_indexed(leaflets: Path, tmp_path: Path) -> None:
    """Exit code 1, one line naming file and remedy, and the good leaflet answers."""
    (leaflets / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    (leaflets / "notes.xyz").write_text("?", "utf-8")
    index = str(tmp_path / "index")
    done = CliRunner().invoke(app, ["build", str(leaflets), "--index", index])
    assert done.exit_code == 1
    assert "not read: broken.pdf" in done.stderr
    assert "notes.xyz" in done.stderr
    assert "added   1: tea" in done.stdout
    assert Bot.open(index).index.document("tea")


def test_an_index_remembers_its_documents(leaflets: Path, tmp_path: Path) -> None:
    """What was built from a folder is refreshed from that folder, not replaced by the bundled article."""
    index = tmp_path / "index"
    assert CliRunner().invoke(app, ["build", str(leaflets), "--index", str(index)]).exit_code == 0
    settings = load(index=index)
    assert upkeep.documents(settings) == leaflets
    upkeep.refresh(settings)
    assert Bot.open(index, settings).index.document("tea")
    assert upkeep.documents(load(index=index, documents=BUNDLED)) == BUNDLED
    assert upkeep.documents(load(index=tmp_path / "other")) == BUNDLED
    (leaflets / "tea.md").rename(leaflets / "chai.md")
    upkeep.refresh(settings)
    assert Bot.open(index, settings).index.document("chai")


@pytest.mark.parametrize("note", [b"/caf\xe9\n", b"", b"\n", b"/data\x00\n"])
def test_a_damaged_note_of_documents_replaces_nothing(leaflets: Path, tmp_path: Path, note: bytes) -> None:
    """Bytes that name no folder are told with the remedy; the index stays as it is, and a named folder mends it."""
    index = tmp_path / "index"
    assert CliRunner().invoke(app, ["build", str(leaflets), "--index", str(index)]).exit_code == 0
    (index / upkeep.SOURCE).write_bytes(note)
    for command in (["build"], ["check"]):
        done = CliRunner().invoke(app, [*command, "--index", str(index)])
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "SOURCE: names no folder" in done.stderr
        assert "milkwise build FOLDER" in done.stderr
    assert [each.id for each in Bot.open(index).index.documents()] == ["tea"]
    assert CliRunner().invoke(app, ["build", str(leaflets), "--index", str(index)]).exit_code == 0
    assert upkeep.documents(load(index=index)) == leaflets


def test_measure_reads_its_cases_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken cases are told before an index is built or a model is loaded for them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.txt").write_text("expect: answer\n", "utf-8")
    done = CliRunner().invoke(app, ["measure", "broken.txt", "--index", "new"])
    assert (done.exit_code, done.stderr.splitlines()[0][:18]) == (1, "broken.txt, line 1")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "no-such-folder"],
        ["measure", "no-such-file"],
        ["measure", "broken.txt", "--index", "INDEX"],
        ["ask", "hi", "--index", "foreign"],
        ["build", "--index", "foreign"],
        ["check", "no-such-folder"],
        ["serve", "--host", "no-such-host.invalid"],
    ],
)
def test_failed_work_is_1_and_one_line(
    arguments: list[str], tmp_path: Path, index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What, where, remedy: no traceback for input that cannot be used."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.txt").write_text("expect: answer\n", "utf-8")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "holiday.jpg").write_bytes(b"x")
    done = CliRunner().invoke(app, [str(index_dir) if one == "INDEX" else one for one in arguments])
    said = (done.stderr if arguments[0] != "check" else done.stdout).strip().splitlines()
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    assert said[-1].endswith(".") or arguments[0] == "check"
    assert not any("Traceback" in line for line in said)
    assert (tmp_path / "foreign" / "holiday.jpg").exists()


def test_a_bad_setting_is_one_line(tmp_path: Path) -> None:
    """A wrong environment variable and a broken settings file name key, value and remedy."""
    done = run("ask", "hi", cwd=tmp_path, MILKWISE_PROT="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Did you mean port?" in done.stderr
    (tmp_path / "milkwise.toml").write_text("top_k = 'many'", "utf-8")
    done = run("ask", "hi", cwd=tmp_path)
    assert done.returncode == 1
    assert "top_k = 'many'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_damaged_index_is_refused_by_name(leaflets: Path, tmp_path: Path) -> None:
    """A changed byte: ask and check say which file, and the command that mends it."""
    index = tmp_path / "index"
    assert CliRunner().invoke(app, ["build", str(leaflets), "--index", str(index)]).exit_code == 0
    assert CliRunner().invoke(app, ["check", str(leaflets), "--index", str(index)]).exit_code == 0
    (file,) = index.rglob("store.sqlite")
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    for command in (["ask", "hi"], ["check", str(leaflets)]):
        done = CliRunner().invoke(app, [*command, "--index", str(index)])
        assert done.exit_code == 1
        assert "store.sqlite" in done.stderr
        assert "milkwise build --index" in done.stderr


def test_check_tells_errors_from_notes(leaflets: Path) -> None:
    """A missing review is noted; a missing publisher and an overdue review fail, with file, line and remedy."""
    noted = CliRunner().invoke(app, ["check", str(leaflets)])
    assert noted.exit_code == 0
    assert "note: tea.md" in noted.stdout
    (leaflets / "old.md").write_text("---\nlicence: CC0\nreviewed: 2001-02-03\n---\n# Old\n\nWords.\n", "utf-8")
    failed = CliRunner().invoke(app, ["check", str(leaflets)])
    assert failed.exit_code == 1
    assert re.search(r"old\.md, line \d+: the publisher is missing\. Add", failed.stdout)
    assert "36 months" in failed.stdout
    assert "2 to mend, 1 to note" in failed.stdout


def test_the_bundled_documents_pass_check() -> None:
    """What ships needs no mending; that nobody has reviewed it is noted."""
    done = CliRunner().invoke(app, ["check", str(BUNDLED)])
    assert done.exit_code == 0
    assert "no clinician has reviewed it yet" in done.stdout


def test_measure_prints_figures_and_draws(index_dir: Path, tmp_path: Path) -> None:
    """A table for people, JSON for programs, a picture where asked."""
    cases, picture = tmp_path / "cases.txt", tmp_path / "curve.png"
    cases.write_text(CASES, "utf-8")
    shared = ["measure", str(cases), "--index", str(index_dir)]
    table = CliRunner().invoke(app, [*shared, "--plot", str(picture)])
    assert table.exit_code == 0, table.stderr
    assert re.search(r"all +2 +\d+%", table.stdout)
    assert picture.read_bytes().startswith(b"\x89PNG")
    odd = CliRunner().invoke(app, [*shared, "--plot", str(tmp_path / "curve.xyz")])
    assert odd.exit_code == 1
    assert "curve.xyz" in odd.stderr
    figures = CliRunner().invoke(app, [*shared, "--json"]).stdout
    assert json.loads(figures)["cases"] == 2
    (tmp_path / "old.json").write_text(figures, "utf-8")
    gated = CliRunner().invoke(app, [*shared, "--against", str(tmp_path / "old.json"), "--floor", "all=1"])
    assert "0 gained, 0 lost" in gated.stdout
    assert gated.exit_code == (1 if "below the floor of 100.0%" in gated.stderr else 0)
