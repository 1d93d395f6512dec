"""The README is true: its commands run, its tables match the code, its links lead somewhere."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import BUNDLED, table
from corpus.check import check

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MILKWISE = Path(sys.executable).with_name("milkwise")
COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", README, re.S) for line in block.splitlines()]
PAGES = [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]
PATIENCE_S = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site owner's folder: one article with the README's own front matter."""
    folder = tmp_path_factory.mktemp("site")
    (front,) = re.findall(r"```yaml\n(.*?)```", README, re.S)
    body = (BUNDLED / "human-lactation.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    heading = next(line for line in body.splitlines() if line.startswith("## "))[3:]
    (folder / "my-documents").mkdir()
    article = f"---\n{front.replace('Lactation without pregnancy', heading)}---\n{body}"
    (folder / "my-documents" / "article.md").write_text(article, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    """`milkwise serve my-documents`, as the README has it, on a free port; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [str(MILKWISE), "serve", "my-documents", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert any(address in line for line in process.stdout), "serve ended without printing its address"
            yield address
        finally:
            process.terminate()
            process.wait(30)


def test_the_front_matter_example_is_understood(folder: Path) -> None:
    """The README's own metadata passes the vetting."""
    findings = check(folder / "my-documents", date(2026, 11, 23), 36)
    assert not [finding for finding in findings if finding.error]


@pytest.mark.parametrize("command", [line for line in COMMANDS if " serve" not in line])
def test_the_commands_run(folder: Path, command: str) -> None:
    """Every `$ milkwise …` line ends well, with no traceback."""
    name, *arguments = [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', command)]
    assert name == "milkwise"
    done = subprocess.run(
        [str(MILKWISE), *arguments], cwd=folder, input="hi\n", capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr


def test_serve_and_the_curl_example(server: str) -> None:
    """`milkwise serve` answers the README's own request, and shows its page."""
    (body,) = re.findall(r"-d '(.*?)'", README, re.S)
    asked = urllib.request.Request(
        f"{server}/v1/ask", data=body.encode(), headers={"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
        reply = json.load(answer)
    assert reply["kind"] == "answer"
    assert reply["disclaimer"]["text"]
    with urllib.request.urlopen(f"{server}/", timeout=PATIENCE_S) as page:
        assert page.url.endswith("/chat/")


@pytest.mark.parametrize("target", re.findall(r"\bmake ([a-z]+)", README))
def test_the_make_targets_exist(target: str) -> None:
    """Each `make …` the README names is a target."""
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_settings_table_is_the_code_s() -> None:
    """Each setting has its row: name, default, description."""
    rows = []
    for name, default, about in table():
        if isinstance(default, SecretStr):
            default = ""
        shown = "the bundled article" if default == BUNDLED else str(default) if default not in ("", None) else "none"
        rows.append(f"| `{name}` | {shown} | {about} |")
    assert "\n".join(rows) in README


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "DESIGN.md", *PAGES])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of the project's pages is a file, and so is every path they name."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("http") or (path.parent / target).exists(), f"{page}: {target} is not there"
    for named in re.findall(r"`((?:bot|corpus|index|tests|docs|\.ci)/[\w./-]+)`", text):
        assert (ROOT / named).exists(), f"{page}: {named} is not there"
