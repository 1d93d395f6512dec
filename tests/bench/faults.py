"""What an operator meets: no room on the disk, a folder that cannot be written, two builds at once, an index deleted.

Run: `python -m tests.bench.faults`. Every case has to end with a message of one line that names what, where and the
remedy, the index before still answering, and all well again once the cause is gone. Mounts file systems of its own in a
namespace of its own (`unshare`, Linux), as a process without the right to pass over permissions (`setpriv`).
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bot.settings import hush
from index.index import verify
from tests.bench.load import MILKWISE, serving
from tests.index_samples import BIKES, BREAD, write

ALONE = ("unshare", "--map-root-user", "--mount")
BOUND = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner")
ASKED, SUNDAY = "When do I oil the chain?", {**BIKES, "Chains": "Oil the chain on Sunday, come what may."}
Row = tuple[str, str, str, str]
Said = tuple[int, str]


def milkwise(*arguments: object, prefix: tuple[str, ...] = ()) -> Said:
    """The exit code of a command, and what it printed, without blank lines."""
    command = [*prefix, MILKWISE, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    return done.returncode, "\n".join(line for line in done.stdout.splitlines() if line.strip())


def refused(said: Said, *words: str) -> str:
    """The last line of a command that failed as it should. Raises AssertionError."""
    code, text = said
    assert code == 1 and "Traceback" not in text, said
    line = text.splitlines()[-1]
    assert all(word in line for word in words), line
    return line


def answers(index: Path, words: str, prefix: tuple[str, ...] = ()) -> None:
    """It answers with these words. Raises AssertionError."""
    code, text = milkwise("ask", ASKED, "--index", index, prefix=prefix)
    assert code == 0 and words in " ".join(text.split()), (code, text)


def shelf(folder: Path, bikes: dict[str, str] = BIKES) -> Path:
    """A folder of two documents."""
    write(folder / "documents", "bread", BREAD)
    return write(folder / "documents", "bikes", bikes).parent


def built(documents: Path, index: Path, prefix: tuple[str, ...] = ()) -> None:
    """Build; it has to work. Raises AssertionError."""
    said = milkwise("build", documents, "--index", index, prefix=prefix)
    assert said[0] == 0, said


def no_room_at_first(folder: Path) -> str:
    """A disk that is full before the first index is whole: at its start, in the encoder, in the store."""
    said = ""
    for megabytes in (1, 40, 90):
        disk = mounted(folder / f"disk{megabytes}", f"size={megabytes}m")
        said = refused(milkwise("build", shelf(folder), "--index", disk / "index"), "Make room")
        assert not (disk / "index" / "CURRENT").exists()
    return said


def no_room_later(folder: Path) -> str:
    """A disk that fills up: the index in use answers on, and the next build works once there is room."""
    disk = mounted(folder / "disk", "size=200m")
    index, filler = disk / "index", disk / "filler"
    built(shelf(folder), index)
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
        while stream.write(bytes(1 << 16)):
            pass
    said = refused(milkwise("build", shelf(folder, SUNDAY), "--index", index), "Make room")
    answers(index, "after rain")
    filler.unlink()
    built(folder / "documents", index)
    answers(index, "Sunday")
    return said


def read_only(folder: Path) -> str:
    """A file system mounted for reading only: it answers from there, and a build says why not."""
    index = folder / "index"
    built(shelf(folder), index)
    subprocess.run(["mount", "--bind", index, index], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", index], check=True)
    answers(index, "after rain")
    said = refused(milkwise("build", shelf(folder, SUNDAY), "--index", index), "Make room there, or choose another")
    subprocess.run(["umount", index], check=True)
    built(folder / "documents", index)
    answers(index, "Sunday")
    return said


def denied(folder: Path) -> str:
    """Folders and files that may not be written or read."""
    index = folder / "index"
    built(shelf(folder), index)
    index.chmod(0o500)
    said = refused(milkwise("build", shelf(folder, SUNDAY), "--index", index, prefix=BOUND), "Permission denied")
    answers(index, "after rain", prefix=BOUND)
    (current,) = index.glob("*/store.sqlite")
    current.chmod(0)
    refused(milkwise("ask", ASKED, "--index", index, prefix=BOUND), "store.sqlite", "milkwise build")
    index.chmod(0o700)
    current.chmod(0o600)
    built(folder / "documents", index, prefix=BOUND)
    answers(index, "Sunday", prefix=BOUND)
    return said


def two_builders(folder: Path) -> str:
    """Two builds begun together: one works, the other says so or comes after it; never both at a time."""
    index, said = folder / "index", "the second came after the first"
    built(shelf(folder), index)
    for turn in range(5):
        documents = shelf(folder, BIKES if turn % 2 else SUNDAY)
        command = [MILKWISE, "build", str(documents), "--index", str(index)]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in "ab"]
        ended = [(each.communicate(timeout=600)[0], each.returncode) for each in both]
        assert min(code for _, code in ended) == 0, ended
        for text, code in ended:
            if code:
                said = refused((code, text.strip()), "another build is under way")
        answers(index, "after rain" if turn % 2 else "Sunday")
        verify(index)
    return said


def deleted(folder: Path) -> str:
    """The index folder deleted under a running server: it answers on, and takes the next one that is built."""
    index, documents = folder / "index", shelf(folder)
    built(documents, index)
    command = [MILKWISE, "serve", "--index", str(index), "--port", "0"]
    with serving(command) as (_, site), httpx.Client(base_url=site, timeout=60) as client:

        def ask(extra: str) -> dict[str, object]:
            return dict(client.post("/v1/ask", json={"question": ASKED + extra}).raise_for_status().json())

        before = ask("")
        shutil.rmtree(index)
        assert ask(" ")["claims"] and ask(" ?")["index"] == before["index"]
        built(shelf(folder, SUNDAY), index)
        patience = time.monotonic() + 120
        while (now := ask(" ??"))["index"] == before["index"]:
            assert time.monotonic() < patience, "the new index was not taken up"
            time.sleep(0.5)
        assert "Sunday" in str(now["claims"])
    return "it answered throughout, then from the new index"


def mounted(place: Path, options: str) -> Path:
    """A file system in memory at that place, gone with the namespace."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
    return place


CASES: dict[str, tuple[str, Callable[[Path], str]]] = {
    case.__name__: (what, case)
    for what, case in (
        ("disk full at the first build, at three sizes", no_room_at_first),
        ("disk full at a later build", no_room_later),
        ("index on a file system for reading only", read_only),
        ("permission denied, folder and file", denied),
        ("two builds begun together, five times", two_builders),
        ("index deleted under a running server", deleted),
    )
}


def rows() -> Iterator[Row]:
    """(what, measured, bar, remark) for each case; each in a process, and a namespace, of its own."""
    for name, (what, _) in CASES.items():
        done = subprocess.run(
            [*ALONE, sys.executable, "-m", "tests.bench.faults", name], capture_output=True, text=True
        )
        lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
        well = "said so and recovered" if done.returncode == 0 else "FAILED"
        yield what, well, "a clear message, and recovery", lines[-1].replace("|", "/") if lines else ""


def main() -> None:
    """One case by its name, or the rows of all."""
    hush()
    if sys.argv[1:]:
        with TemporaryDirectory() as folder:
            said = CASES[sys.argv[1]][1](Path(folder))
            sys.stdout.write(said.replace(folder, "…") + "\n")
        return
    for row in rows():
        sys.stdout.write(f"| {' | '.join(row)} |\n")


if __name__ == "__main__":
    main()
