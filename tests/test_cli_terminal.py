"""The installed command as people run it: on a terminal, in a pipe, as a server."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from rich.console import Console

from bot.faces import terminal
from bot.reply import Kind
from tests.command import MILKWISE, PATIENCE_S, run
from tests.replies import answer, cite, document, every_kind


def test_odd_bytes_and_a_narrow_terminal_end_nothing(tmp_path: Path, index_dir: Path) -> None:
    """Bytes that are no text are asked as such, and letters the terminal lacks are replaced."""
    done = subprocess.run(
        [os.fsencode(MILKWISE), b"ask", b"\xff\xfe men produce milk", b"--index", os.fsencode(index_dir)],
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE_S,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert b"does not give medical advice" in done.stdout
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("kind", Kind)
def test_a_terminal_shows_all_of_a_reply(kind: Kind) -> None:
    """Claims, numbers, sources, contacts and the disclaimer, in colour or, with NO_COLOR, without."""
    reply = every_kind()[kind]
    for colour in (True, False):
        page = io.StringIO()
        console = Console(file=page, force_terminal=True, width=60, no_color=not colour, highlight=False)
        terminal.show(reply, console, 36, reply.query)
        assert ("\x1b[36m" in page.getvalue()) == (colour and bool(reply.citations or reply.contacts))
        shown = " ".join(re.sub(r"\x1b\[[\d;]*m", "", page.getvalue()).split())
        for words in (*(claim.text for claim in reply.claims), *reply.suggestions, reply.disclaimer.text):
            assert words in shown
        assert all(f"[{citation.number}]" in shown for citation in reply.citations)
        assert all(contact.call in shown for contact in reply.contacts if contact.call)


def test_a_document_cannot_drive_the_terminal() -> None:
    """Escape sequences and Rich's own markup in a document are shown as words or not at all."""
    words = "A [bold red]trap[/bold red] \x1b[2J and :smile: here."
    page = io.StringIO()
    console = Console(file=page, force_terminal=True, width=80, highlight=False, markup=False, emoji=False)
    terminal.show(answer(cite(document(words, title="[blink]T[/blink]"), words)), console, 36, "")
    assert "\x1b[2J" not in page.getvalue()
    assert "[bold red]trap[/bold red]" in page.getvalue()
    assert ":smile:" in page.getvalue()
    assert "[blink]T[/blink]" in page.getvalue()


def test_no_color_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The console made for output follows NO_COLOR."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not terminal.console().no_color
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.console().no_color


def test_a_real_terminal_gets_colour(tmp_path: Path, index_dir: Path) -> None:
    """On a pseudo-terminal `ask` styles its answer."""
    leader, follower = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        [str(MILKWISE), "ask", "Can men produce milk?", "--index", str(index_dir)],
        cwd=tmp_path,
        stdout=follower,
        stderr=follower,
        env={**environment, "TERM": "xterm-256color"},
    )
    os.close(follower)
    said = b""
    while select.select([leader], [], [], PATIENCE_S)[0]:
        try:
            said += os.read(leader, 65536)
        except OSError:  # Linux reports the end of a pseudo-terminal as an error
            break
    os.close(leader)
    assert process.wait(PATIENCE_S) == 0
    assert b"[1]" in said
    assert b"\x1b[36m" in said


def test_serve_says_where_and_ends_on_request(tmp_path: Path, index_dir: Path) -> None:
    """A free port is taken and printed when ready; the pages answer; SIGTERM ends it cleanly; a taken port is said."""
    index = shutil.copytree(index_dir, tmp_path / "index")  # serving may update it; other tests read theirs
    command = [str(MILKWISE), "serve", "--port", "0", "--index", str(index)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            assert found, line
            with socket.create_connection(("127.0.0.1", int(found[1])), 30) as wire:
                wire.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
                assert b"200 OK" in wire.recv(4096)
            busy = run("serve", "--port", found[1], "--index", str(index), cwd=tmp_path)
            assert busy.returncode == 1
            assert "--port" in busy.stderr
            assert len(busy.stderr.strip().splitlines()) == 1
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert time.monotonic() - started < 20
            assert process.stderr
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
