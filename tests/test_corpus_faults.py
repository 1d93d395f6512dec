"""Bad input: each file a named fault with a remedy, and the others are read all the same."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import docx
import matplotlib
import pytest
from docx.oxml import OxmlElement
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from corpus.document import CorpusError
from corpus.read import LARGEST, read
from tests.test_corpus_read import write


def fault(path: Path) -> CorpusError:
    """The one fault of a path, complete."""
    reading = read(path)
    assert not reading.documents
    (found,) = reading.faults
    assert found.file and found.problem and found.remedy
    assert str(found).startswith(found.file)
    return found


def make_pdf(path: Path, *pages: str) -> Path:
    """A PDF of one figure per page: a text, or a picture of noise where the text is empty."""
    with matplotlib.rc_context({"pdf.fonttype": 42}), PdfPages(path) as pdf:
        for text in pages:
            figure = Figure(figsize=(4, 4))
            if text:
                figure.text(0.1, 0.5, text)
            else:
                figure.figimage([[0, 1], [1, 0]])
            pdf.savefig(figure)
    return path


def test_encrypted_pdf(tmp_path: Path) -> None:
    """A PDF that asks for a password is named as such."""
    # The standard handler with a user key that no empty password gives: what a reader meets in a locked file.
    data = make_pdf(tmp_path / "plain.pdf", "Soup is food.").read_bytes()
    entry = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (b"11" * 32, b"22" * 32)
    ids = b"/ID [<%s> <%s>]" % (b"33" * 16, b"33" * 16)
    locked = data.replace(b"trailer\n<<", b"trailer\n<< /Encrypt " + entry + b" " + ids, 1)
    assert locked != data
    (tmp_path / "plain.pdf").unlink()
    found = fault(write(tmp_path / "locked.pdf", locked))
    assert "encrypted" in found.problem
    assert "password" in found.remedy


def test_scanned_pdf(tmp_path: Path) -> None:
    """A PDF of pictures is named with its page; one that also has text is read without them, and says so."""
    found = fault(make_pdf(tmp_path / "scan.pdf", "", ""))
    assert found.place == "page 1"
    assert "picture" in found.problem and "1, 2" in found.problem
    assert "OCR" in found.remedy
    reading = read(make_pdf(tmp_path / "part.pdf", "Soup is food.", ""))
    assert [document.text for document in reading.documents] == ["Soup is food."]
    assert [each.place for each in reading.faults] == ["page 2"]


@pytest.mark.parametrize("cut", [0.3, 0.9])
def test_corrupt_files(tmp_path: Path, cut: float) -> None:
    """A PDF or DOCX file that is cut off, or is something else, is damaged."""
    docx.Document().save(str(tmp_path / "whole.docx"))
    data = (tmp_path / "whole.docx").read_bytes()
    (tmp_path / "whole.docx").unlink()
    assert "damaged" in fault(write(tmp_path / "a.docx", data[: int(len(data) * cut)])).problem
    assert "damaged" in fault(write(tmp_path / "a" / "a.pdf", b"%PDF-1.7\n" + b"rubbish\n" * int(100 * cut))).problem


def test_docx_of_another_kind(tmp_path: Path) -> None:
    """A zip that is no DOCX file, an old Word file, and XML that is broken inside are named."""
    with zipfile.ZipFile(tmp_path / "zip.docx", "w") as archive:
        archive.writestr("a.txt", "soup")
    assert "damaged" in fault(tmp_path / "zip.docx").problem
    assert (
        "old Word file" in fault(write(tmp_path / "old.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 99)).problem
    )
    docx.Document().save(str(tmp_path / "whole.docx"))
    with zipfile.ZipFile(tmp_path / "whole.docx") as whole, zipfile.ZipFile(tmp_path / "xml.docx", "w") as broken:
        for entry in whole.namelist():
            broken.writestr(entry, b"<w:document" if entry == "word/document.xml" else whole.read(entry))
    assert "damaged" in fault(tmp_path / "xml.docx").problem


def test_docx_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    """A file that would fill the memory is refused before it is unpacked."""
    bomb = zipfile.ZipFile(tmp_path / "bomb.docx", "w", zipfile.ZIP_DEFLATED)
    with bomb as archive, archive.open("word/document.xml", "w") as entry:
        for _ in range(201):
            entry.write(b" " * 2**20)
    found = fault(tmp_path / "bomb.docx")
    assert "201 MB" in found.problem


def test_docx_with_tracked_changes(tmp_path: Path) -> None:
    """Changes that nobody has decided are not vetted text: the file is refused, not half read."""
    file = docx.Document()
    paragraph = file.add_paragraph("Soup is ")
    paragraph._p.append(OxmlElement("w:ins"))
    file.save(str(tmp_path / "a.docx"))
    found = fault(tmp_path / "a.docx")
    assert "tracked changes" in found.problem
    assert "Accept" in found.remedy


@pytest.mark.parametrize(
    ("name", "data", "place", "problem"),
    [
        ("latin.txt", "One\nSoupe à l’oignon\n".encode("cp1252"), "line 2", "not UTF-8"),
        ("latin.md", "# Soupe\n\n\nCrème".encode("latin-1"), "line 4", "not UTF-8"),
        ("latin.csv", "question,answer\nCrème?,Oui".encode("latin-1"), "line 2", "not UTF-8"),
        ("utf16.txt", "Soup is food.".encode("utf-16-le"), "", "binary"),
        ("picture.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "", "binary"),
        ("program.md", b"\x7fELF\x02\x01\x01" + b"\x00" * 50, "", "binary"),
        ("wrong.html", b'<meta charset="ascii-85"><p>x</p>', "", "ascii-85"),
        ("wrong2.html", b'<meta charset="utf-8"><p>cr\xe8me</p>', "line 1", "not UTF-8"),
        ("empty.txt", b"", "", "empty"),
        ("blank.md", b" \n\n \n", "", "empty"),
        ("bare.md", b"---\ntitle: Soup\n---\n", "", "no text"),
        ("heads.md", b"# Soup\n\n## Cold\n", "", "no text"),
        ("scripts.html", b"<body><script>a()</script><noscript>b</noscript><nav>c</nav>", "", "no text"),
        ("head.csv", b"question,answer\n", "", "no text"),
        ("soup.odt", b"x", "", "unknown"),
    ],
)
def test_unreadable_text(tmp_path: Path, name: str, data: bytes, place: str, problem: str) -> None:
    """Wrong encodings, binaries in disguise, and files without words are named, with the line where there is one."""
    found = fault(write(tmp_path / name, data))
    assert (found.file, found.place) == (name, place)
    assert problem in found.problem


@pytest.mark.parametrize(
    ("front", "line", "problem", "remedy"),
    [
        ("title: [soup", 2, "YAML", ""),
        ("id: soup\ntitle: a: b", 3, "YAML", "quote"),
        ("title: Soup\n\tid: x", 3, "YAML", ""),
        ("- soup", 2, "not a list of", ""),
        ("titel: Soup", 2, "'titel'", "'title'"),
        ("title: Soup\nlicense: MIT", 3, "'license'", "'licence'"),
        ("reviewed: 2026-13-01", 2, "2026-13-01", "2026-11-30"),
        ("written: last May", 2, "last May", "2026-11-30"),
        ("url: javascript:alert(1)", 2, "web address", "https://"),
        ("url: /relative", 2, "web address", "https://"),
        ("id: a#b", 2, "'a#b'", "letters"),
        ("language: english please", 2, "language tag", "en"),
        ("title: [a, b]", 2, "one value", "title: value"),
        ("title: a\ntitle: b", 3, "twice", "Keep one"),
        ("questions:\n  Cold:\n    - x?\n  Hoot soups: y?", 5, "Hoot soups", "'Hot soups'"),
        ("questions:\n  Twin: y?", 3, "2 times", ">"),
        ("questions:\n  Cold:\n    a: b", 3, "'Cold'", "- question"),
        ("? [a]\n: b", 2, "plain word", "key: value"),
        ("a: &x [*x]", 2, "'a'", ""),
    ],
)
def test_bad_front_matter(tmp_path: Path, front: str, line: int, problem: str, remedy: str) -> None:
    """Front matter that cannot be used is a fault with its line and what to write instead."""
    body = "## Cold\n\nYes.\n\n## Hot soups\n\nYes.\n\n## Twin\n\nYes.\n\n## Twin\n\nYes.\n"
    found = fault(write(tmp_path / "a.md", f"---\n{front}\n---\n{body}"))
    assert found.place == f"line {line}"
    assert problem in found.problem
    assert remedy in found.remedy


def test_front_matter_without_end(tmp_path: Path) -> None:
    """Front matter that is never closed is not taken for text."""
    assert "no end" in fault(write(tmp_path / "a.md", "---\ntitle: Soup\n\nSoup is food.\n")).problem


def test_bad_sidecar_and_defaults(tmp_path: Path) -> None:
    """A sidecar's fault names the sidecar; broken defaults are a fault of their own and stop nothing."""
    write(tmp_path / "a.txt", "Soup is food.")
    write(tmp_path / "a.txt.yaml", "reviewed: soon\n")
    write(tmp_path / "b.txt", "Bread is food.")
    write(tmp_path / "defaults.yaml", "publisher: X\nid: same\n")
    reading = read(tmp_path)
    assert [(each.file, each.place) for each in reading.faults] == [
        ("defaults.yaml", "line 2"),
        ("a.txt.yaml", "line 1"),
    ]
    assert [document.id for document in reading.documents] == ["b"]


def test_rows_of_a_list_fail_alone(tmp_path: Path) -> None:
    """A row without a question or answer, or with too many cells, is a fault with its line; the others are read."""
    rows = 'question,answer\n"Is it\nhot?",Yes.\n,No.\nCold?,\nWarm?,Yes, it is.\nGood?,Yes.\n'
    reading = read(write(tmp_path / "faq.csv", rows))
    assert [each.place for each in reading.faults] == ["line 6", "line 4", "line 5"]
    assert [section.headings[-1] for section in reading.documents[0].sections] == ["Is it hot?", "Good?"]
    lines = '{"question": "Hot?", "answer": "Yes."}\nnot json\n[1]\n{"question": "Cold?"}\n' + "[" * 90_000
    reading = read(write(tmp_path / "faq.jsonl", lines))
    assert {each.place for each in reading.faults} == {"line 2", "line 3", "line 4", "line 5"}
    assert len(reading.documents) == 1


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a,b\n1,2\n", 1, "no question"),
        ('question,answer\na,b\nc,"d\n', 3, "not CSV"),
        ("question\nx\n", 1, "no question"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, line: int, problem: str) -> None:
    """A CSV file without the columns, or with a quote that never closes, is refused at its line."""
    found = fault(write(tmp_path / "faq.csv", text))
    assert found.place == f"line {line}"
    assert problem in found.problem


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 50 MB file is refused by its size, which is named, before a byte of it is read."""
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(50 * 2**20)

    def never(path: Path) -> bytes:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr(Path, "read_bytes", never)
    found = fault(tmp_path)
    assert "50 MB" in found.problem and f"{LARGEST // 2**20} MB" in found.problem
    assert "Split" in found.remedy


def test_links(tmp_path: Path) -> None:
    """Links that loop or lead nowhere are faults; the same folder by another name is read once."""
    write(tmp_path / "deep" / "a.txt", "Soup is food.")
    (tmp_path / "deep" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "deep" / "self").symlink_to(tmp_path / "deep" / "self")
    (tmp_path / "gone.md").symlink_to(tmp_path / "nothing.md")
    (tmp_path / "same").symlink_to(tmp_path / "deep", target_is_directory=True)
    (tmp_path / "yes.md").symlink_to(write(tmp_path / ".kept" / "b.md", "Bread is food."))
    reading = read(tmp_path)
    assert [each.file for each in reading.faults] == ["deep/loop", "deep/self", "gone.md"]
    assert [document.source for document in reading.documents] == ["deep/a.txt", "yes.md"]
    assert reading.left == (".kept: hidden", "same: the same folder as deep")


def test_special_files_are_left(tmp_path: Path) -> None:
    """A pipe with a document's name is left, not waited for."""
    os.mkfifo(tmp_path / "pipe.txt")
    assert read(tmp_path).left == ("pipe.txt: not a regular file",)


def test_no_permission(tmp_path: Path) -> None:
    """A file or folder that may not be opened is a fault, and the others are read."""
    root = os.geteuid() == 0
    for above in [tmp_path, *tmp_path.parents][:3]:
        if root:
            above.chmod(0o755)
    write(tmp_path / "a.txt", "Soup is food.").chmod(0o000)
    write(tmp_path / "b.txt", "Bread is food.").chmod(0o644)
    (tmp_path / "shut").mkdir(mode=0o000)
    if root:  # root may open everything
        os.seteuid(65534)
    try:
        reading = read(tmp_path)
        inside = read(tmp_path / "shut" / "c.txt")
    finally:
        if root:
            os.seteuid(0)
        (tmp_path / "shut").chmod(0o700)
    assert [each.file for each in reading.faults] == ["a.txt", "shut"]
    assert all("Permission denied" in each.problem for each in (*reading.faults, *inside.faults))
    assert [document.source for document in reading.documents] == ["b.txt"]


def test_missing_path(tmp_path: Path) -> None:
    """A path that is not there is a fault, not a traceback."""
    assert "No such file" in fault(tmp_path / "nothing.md").problem


def test_same_id_twice(tmp_path: Path) -> None:
    """The second document of an id is a fault that names the first."""
    write(tmp_path / "a" / "soup.md", "Soup is food.")
    write(tmp_path / "b" / "soup.txt", "Soup is drink.")
    write(tmp_path / "c.md", "---\ntitle: x\nid: soup\n---\nSoup is neither.")
    reading = read(tmp_path)
    assert [document.source for document in reading.documents] == ["a/soup.md"]
    assert [(each.file, each.place) for each in reading.faults] == [("b/soup.txt", ""), ("c.md", "line 3")]
    assert all("a/soup.md" in each.problem for each in reading.faults)
