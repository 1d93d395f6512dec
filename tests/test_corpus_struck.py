"""Words an author struck out or hid are not live text: no reader keeps them, whatever the format."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE

from corpus.read import read
from tests.test_corpus_read import one, words, write


@pytest.mark.parametrize(
    "line",
    [
        "Take ~~10 mg~~ 5 mg daily.",
        "Take ~~**10** [mg](https://example.org)~~ 5 mg daily.",
        "Take <del>10 mg</del> 5 mg daily.",
        "Take <s class='old'>10 <s>g</s> mg</s> 5 mg daily.",
        "Take <STRIKE>10 `mg`</STRIKE> 5 mg daily.",
    ],
)
def test_markdown_leaves_out_struck_words(tmp_path: Path, line: str) -> None:
    """In a paragraph, a heading, an item and a table, struck words are gone and those around them stay."""
    text = f"# {line}\n\n{line}\n\n- {line}\n\n| Dose |\n|---|\n| {line} |\n"
    document = one(write(tmp_path / "a.md", text))
    left = "Take 5 mg daily."
    assert document.text == f"{left}\n\n{left}\n\n- {left}\n\nDose: {left}"


def test_markdown_struck_as_a_whole(tmp_path: Path) -> None:
    """A paragraph, an item or a heading struck throughout leaves no block; a stray closing tag hides nothing."""
    text = "# Doses\n\n~~Take 10 mg.~~\n\n## ~~Old~~\n\n- ~~10 mg~~\n- 5 mg</del> daily\n\nAnd <span>rest</span>.\n"
    assert one(write(tmp_path / "a.md", text)).text == "Doses\n\n- 5 mg daily\n\nAnd rest."


def test_markdown_struck_across_blocks(tmp_path: Path) -> None:
    """Blocks between struck tags on their own lines are gone; what encloses the tags ends them; a comment is no tag."""
    text = (
        "# Doses\n\n<!-- <del> -->\n\nFirst.\n\n<del>\n\nTake 10 mg.\n\n- 20 mg\n\n  <s>\n\n  </s>\n\n</del>\n\n"
        "Take 5 mg.\n\n> <del>\n>\n> Take 30 mg.\n\nLast.\n"
    )
    assert one(write(tmp_path / "a.md", text)).text == "Doses\n\nFirst.\n\nTake 5 mg.\n\nLast."


@pytest.mark.parametrize(
    "old",
    [
        "<del>10 mg</del>",
        "<s>10 mg</s>",
        "<strike><b>10</b> <del hidden>g</del> mg</strike>",
        "<span hidden>10 mg</span>",
        "<span style='color: red; DISPLAY : none !important'>10 <s>mg</s></span>",
        '<span style="visibility:hidden;">10 mg</span>',
        "<span style='text-decoration: underline line-through'>10 mg</span>",
    ],
)
def test_html_leaves_out_struck_and_hidden_words(tmp_path: Path, old: str) -> None:
    """In title, text, item and cell, what a visitor sees struck or not at all is gone, and the rest stays."""
    line = f"Take {old} 5 mg daily."
    text = (
        f"<h1>{line}</h1><p>{line}<ul><li>{line}</ul>"
        f"<table><tr><th>Dose<th>When<tr><td>{line}<td style='display:block'>Now</table>"
    )
    document = one(write(tmp_path / "a.html", text))
    left = "Take 5 mg daily."
    assert document.title == left
    assert document.text == f"{left}\n\n{left}\n\n- {left}\n\nDose: {left}; When: Now"


def test_html_hidden_until_a_script_shows_it(tmp_path: Path) -> None:
    """A page whose whole body waits for a script to show it is read; what it says of itself may be hidden."""
    page = (
        "<body style='visibility:hidden'><div style='display:none'><meta itemprop=publisher content='A club'></div>"
        "<h1 style='display:none'>Old soup</h1><h1>Soup</h1><p>Soup is food.</p></body>"
    )
    document = one(write(tmp_path / "a.html", page))
    assert (document.title, document.publisher, document.text) == ("Soup", "A club", "Soup\n\nSoup is food.")


def test_faq_answers_leave_out_struck_words(tmp_path: Path) -> None:
    """An answer kept with its markup is read as a page is."""
    document = one(write(tmp_path / "faq.csv", "question,answer\nHow much?,<p>Take <del>10 mg</del> 5 mg.</p>\n"))
    assert words(document, "paragraph") == ["Take 5 mg."]


@pytest.mark.parametrize("mark", ["strike", "double_strike", "hidden"])
def test_docx_leaves_out_struck_and_hidden_runs(tmp_path: Path, mark: str) -> None:
    """Marked on the run, by its character style or one that is based on, or by its paragraph's style: gone."""
    file = docx.Document()
    old = file.styles.add_style("Old", WD_STYLE_TYPE.CHARACTER)
    setattr(old.font, mark, True)
    older = file.styles.add_style("Older", WD_STYLE_TYPE.CHARACTER)
    older.base_style = old
    gone = file.styles.add_style("Gone", WD_STYLE_TYPE.PARAGRAPH)
    setattr(gone.font, mark, True)
    table = file.add_table(1, 1)
    for paragraph in (file.add_paragraph(), file.add_heading("", 1), table.rows[0].cells[0].paragraphs[0]):
        paragraph.add_run("Take ")
        setattr(paragraph.add_run("10 mg ").font, mark, True)
        paragraph.add_run("20 mg ", style=old)
        paragraph.add_run("30 mg ", style=older)
        kept = paragraph.add_run("5 mg", style=old)
        setattr(kept.font, mark, False)  # the run has the last word
        paragraph.add_run(" daily.")
    file.add_paragraph("Take 40 mg.", style=gone)
    file.save(str(tmp_path / "a.docx"))
    left = "Take 5 mg daily."
    assert one(tmp_path / "a.docx").text == f"{left}\n\n{left}\n\n{left}"


def test_a_file_struck_throughout_is_empty(tmp_path: Path) -> None:
    """Where nothing is left, the file is a fault rather than a document of struck words."""
    write(tmp_path / "a.md", "~~Take 10 mg.~~\n")
    write(tmp_path / "b.html", "<p><del>Take 10 mg.</del></p>")
    file = docx.Document()
    file.add_paragraph().add_run("Take 10 mg.").font.strike = True
    file.save(str(tmp_path / "c.docx"))
    reading = read(tmp_path)
    assert not reading.documents
    assert [fault.file for fault in reading.faults] == ["a.md", "b.html", "c.docx"]
