"""Readers: every format gives the same kind of document, whatever it started as."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from corpus.document import Document
from corpus.read import read

PLAIN = """Can You Boil It? How Soup Really Works

Soup, a dish of liquid and solids cooked together, is often thought of as winter food. It warms and it fills.

The Usual Way to Make Stock

Stock is water in which bones or vegetables have simmered. Cold water is the usual start.

The stock is strained after some hours, a step known as the “clear” step.

Soup Without Fire

Cold soups need:
- ripe tomatoes
- a blender, e.g. an old one

1. Chop everything.
2. Blend it.

Is It Food or Drink?

It is both.
"""


def one(path: Path) -> Document:
    """The only document of a path, faults refused."""
    reading = read(path)
    assert not reading.faults, reading.faults
    (document,) = reading.documents
    for section in document.sections:
        for block in section.blocks:
            assert section.start <= block.start < block.end <= section.end
    assert document.sections[0].start == 0
    assert document.sections[-1].end == len(document.text)
    for before, after in zip(document.sections, document.sections[1:], strict=False):
        assert before.end == after.start
    return document


def write(path: Path, text: str | bytes) -> Path:
    """A file with that text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def words(document: Document, kind: str) -> list[str]:
    """The texts of all blocks of a kind."""
    blocks = [block for section in document.sections for block in section.blocks]
    return [document.text[block.start : block.end] for block in blocks if block.kind == kind]


def test_plain_text_with_bare_headings(tmp_path: Path) -> None:
    """Bare lines of a plain text are its headings, the first its title, and a question is a key."""
    document = one(write(tmp_path / "soup-guide.txt", PLAIN))
    assert (document.id, document.title) == ("soup-guide", "Can You Boil It? How Soup Really Works")
    headings = [section.headings for section in document.sections]
    assert headings == [(), ("The Usual Way to Make Stock",), ("Soup Without Fire",), ("Is It Food or Drink?",)]
    assert document.sections[3].questions == ("Is It Food or Drink?",)
    assert words(document, "item") == ["ripe tomatoes", "a blender, e.g. an old one", "Chop everything.", "Blend it."]
    assert "Cold soups need:\n- ripe tomatoes\n- a blender" in document.text


def test_plain_text_that_only_looks_bare(tmp_path: Path) -> None:
    """Short lines that end a sentence, follow one another or end the file are paragraphs."""
    text = "A soup diary\n\nIt was good.\n\nYours\n\nThe Cook\n\nThen came the second day\nof the soup.\n\nThe end"
    document = one(write(tmp_path / "diary.txt", text))
    assert words(document, "heading") == ["A soup diary", "The Cook"]
    assert words(document, "paragraph") == ["It was good.", "Yours", "Then came the second day of the soup.", "The end"]


def test_plain_text_underlined(tmp_path: Path) -> None:
    """Underlined lines of a plain text are headings."""
    document = one(write(tmp_path / "a.txt", "Soups\n=====\n\nAll of them.\n\nCold ones\n---------\nServe cold.\n"))
    assert document.title == "Soups"
    assert [section.headings for section in document.sections] == [(), ("Cold ones",)]


MARKDOWN = """---
id: soups
title: Soups of the world
publisher: The Ladle
licence: CC-BY-4.0
url: https://example.org/soups
written: 2025-02-01
reviewed:
review_by: 2027-02-01
language: en-GB
questions:
  Cold soups:
    - Can I eat soup cold?
    - Is there summer soup?
  "Hot soups > Thick": ["What is thick soup?"]
---
# Soups of the *world*

Soup is **liquid** [food](https://example.org), `mostly`,<br>it
seems.<!-- not this -->

<div onclick="x()">nor this</div>

## Cold soups

You need these:

- a spoon

  of wood
- a bowl
  1. deep

| Soup | Time |
|------|------|
| Borscht | 2 h |
| Gazpacho | |

## Hot soups

> Quoted words &amp; more.

### Thick

![picture](x.png)
Thick soup stands.
"""


def test_markdown(tmp_path: Path) -> None:
    """Markdown gives plain words, nested lists, table rows with their headers, and its front matter."""
    document = one(write(tmp_path / "x.md", MARKDOWN))
    assert (document.id, document.title, document.publisher) == ("soups", "Soups of the world", "The Ladle")
    assert (document.licence, document.url) == ("CC-BY-4.0", "https://example.org/soups")
    assert (document.written, document.reviewed, document.review_by) == (date(2025, 2, 1), None, date(2027, 2, 1))
    assert (document.language, document.source) == ("en-GB", "x.md")
    path = [section.headings for section in document.sections]
    assert path == [(), ("Cold soups",), ("Hot soups",), ("Hot soups", "Thick")]
    assert document.sections[1].questions == ("Can I eat soup cold?", "Is there summer soup?")
    assert document.sections[3].questions == ("What is thick soup?",)
    assert document.text == (
        "Soups of the world\n\nSoup is liquid food, mostly, it seems.\n\nCold soups\n\nYou need these:\n"
        "- a spoon of wood\n- a bowl\n  - deep\n\nSoup: Borscht; Time: 2 h\nSoup: Gazpacho\n\n"
        "Hot soups\n\nQuoted words & more.\n\nThick\n\nThick soup stands."
    )


def test_title_from_the_only_first_heading(tmp_path: Path) -> None:
    """A Markdown file without a title takes its one H1; one whose headings ask takes its name."""
    assert one(write(tmp_path / "a.md", "# Soup\n\nWords.\n\n## More\n\nWords.")).title == "Soup"
    assert one(write(tmp_path / "soup-faq.md", "# Is it hot?\n\nYes.\n\n# Is it cold?\n\nNo.")).title == "Soup faq"


def test_text_is_normalised(tmp_path: Path) -> None:
    """Text is composed, and loses zero-width, bidirectional and control characters, but not a Persian joiner."""
    document = one(write(tmp_path / "a.txt", "Cafe\u0301\u200b soup\u202e is\xa0\xad good.\x07\r\nمی‌خواهم soup.\r\n"))
    assert document.text == "Café soup is good. می‌خواهم soup."


HTML = """<!doctype html><html lang="en-GB"><head><meta charset="windows-1252"><title>Soup | Ladle</title>
<meta property="og:site_name" content="The Ladle"><meta name="last-reviewed" content="2025-03-04T10:00">
<meta name="dcterms.issued" content="last week"><link rel="canonical" href="https://example.org/soup">
<script>steal()</script><style>p {}</style></head><body><header>Top bar</header><nav><a>Menu</a></nav>
<main><header><h1>Soup \x96 all of it</h1></header><p onclick="x()">One<br>two<b> b</b>old.<br><br>Three &amp; four.</p>
<h2>Things</h2><p>You need:</p><ul><li>one <p>more</p><ul><li>deep</li></ul></li><li>two</ul>
<table><tr><th>Name<th>Time<tr><td>Veal<td>6 h<tr><td colspan=2>all done</table>
<details><summary>Is it hot?</summary>Yes, <i>it</i> is.</details><dl><dt>Roux<dd>flour in butter</dl>
<form>Subscribe</form><aside>Related</aside><noscript>no</noscript><template><p>t</p></template>
<p hidden>hidden words</p></main><footer>(c)</footer></body></html>"""


def test_html(tmp_path: Path) -> None:
    """A page gives its main words and metadata, in the encoding it names, and nothing of its scripts and menus."""
    document = one(write(tmp_path / "soup.html", HTML.encode("latin-1")))
    assert (document.title, document.publisher, document.language) == ("Soup – all of it", "The Ladle", "en-GB")
    assert (document.url, document.reviewed, document.written) == ("https://example.org/soup", date(2025, 3, 4), None)
    assert document.text == (
        "Soup – all of it\n\nOne two bold.\n\nThree & four.\n\nThings\n\nYou need:\n- one more\n  - deep\n- two\n\n"
        "Name: Veal; Time: 6 h\n\nall done\n\nIs it hot?\n\nYes, it is.\n\nRoux: flour in butter"
    )
    assert document.sections[2].headings == ("Things", "Is it hot?")
    assert document.sections[2].questions == ("Is it hot?",)


def test_html_address_must_be_web(tmp_path: Path) -> None:
    """A canonical address that is a script is dropped."""
    page = '<link rel="canonical" href="javascript:alert(1)"><article><p>Soup is food.</p></article>'
    assert one(write(tmp_path / "a.htm", page)).url == ""


def test_folder_defaults_and_sidecars(tmp_path: Path) -> None:
    """A folder is walked in order; its defaults hold below it, a sidecar beats them, and other files are left."""
    write(tmp_path / "defaults.yaml", "publisher: The Ladle\nlicence: CC0-1.0\n")
    write(tmp_path / "b.txt", "Soup is food.")
    write(tmp_path / "a.csv", "question,answer\nHot?,Yes.\n")
    write(tmp_path / "a.csv.yaml", "id: pairs\npublisher: Someone Else\nreviewed: 2026-01-31\n")
    write(tmp_path / "deep" / "defaults.yaml", "licence: ''\nlanguage: no\n")
    write(tmp_path / "deep" / "c.md", "# Stock\n\nIt simmers.")
    write(tmp_path / "gone.md.yaml", "id: gone\n")
    write(tmp_path / ".hidden.md", "x")
    write(tmp_path / "picture.png", b"\x89PNG")
    reading = read(tmp_path)
    assert not reading.faults
    assert [document.source for document in reading.documents] == ["a.csv", "b.txt", "deep/c.md"]
    pairs, b, c = reading.documents
    assert (pairs.id, pairs.publisher, pairs.licence, pairs.reviewed) == (
        *("pairs", "Someone Else", "CC0-1.0"),
        date(2026, 1, 31),
    )
    assert (b.publisher, b.language) == ("The Ladle", "en")
    assert (c.publisher, c.licence, c.language) == ("The Ladle", "", "no")
    assert [line.split(":")[0] for line in reading.left] == [".hidden.md", "gone.md.yaml", "picture.png"]
    assert read(tmp_path / "b.txt").documents[0].publisher == "The Ladle"


def test_utf16_and_bom(tmp_path: Path) -> None:
    """UTF-16 with a byte order mark and UTF-8 with one are read as the same text."""
    for encoding in ("utf-16", "utf-8-sig"):
        assert one(write(tmp_path / "a.txt", "Soupe à l’oignon.".encode(encoding))).text == "Soupe à l’oignon."


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    """A file or folder whose name is not UTF-8 is one fault that shows the byte; what is only left shows it too."""
    try:
        for name in (b"caf\xe9.md", b"th\xe9.jpg"):
            write(tmp_path / os.fsdecode(name), "Soup is food.")
        (tmp_path / os.fsdecode(b"d\xe9p\xf4t")).mkdir()
    except OSError:
        pytest.skip("this file system takes no such name")
    write(tmp_path / os.fsdecode(b"d\xe9p\xf4t") / "a.md", "Soup is food.")
    write(tmp_path / "thé.md", "Soup is food.")
    reading = read(tmp_path)
    assert [document.source for document in reading.documents] == ["thé.md"]
    assert [fault.file for fault in reading.faults] == [r"caf\xe9.md", r"d\xe9p\xf4t"]
    assert all("UTF-8" in fault.problem and "Rename" in fault.remedy for fault in reading.faults)
    assert [line.partition(":")[0] for line in reading.left] == [r"th\xe9.jpg"]
    for path in (tmp_path / os.fsdecode(b"caf\xe9.md"), tmp_path / os.fsdecode(b"d\xe9p\xf4t")):
        assert len(read(path).faults) == 1
