"""Readers of PDF, DOCX and FAQ lists: the formats that carry no Markdown."""

from __future__ import annotations

from pathlib import Path

import docx
import matplotlib
import pytest
from docx.oxml import OxmlElement
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from tests.test_corpus_read import one, words, write


def make_pdf(path: Path) -> Path:
    """Three pages in three sizes of type, with a running head, page numbers, bullets and a hyphenated word."""
    with matplotlib.rc_context({"pdf.fonttype": 42}), PdfPages(path) as pdf:
        for page in (1, 2, 3):
            figure, y = Figure(figsize=(8, 11)), 0.95
            body = [
                ("Soup is a liquid food that peo-", 11, 0.0),
                ("ple have made for a long time. It is", 11, 0.0),
                ("warm.", 11, 0.02),
                (f"Broth number {page}", 15, 0.0),
                ("• first item that is long and", 11, 0.0),
                ("   wraps here", 11, 0.0),
                ("• second item", 11, 0.02),
                ("Broth stands in the pot for hours,", 11, 0.0),
                ("and it runs over" if page == 1 else "and it ends.", 11, 0.0),
            ]
            head = [("The Soup Society", 8, 0.01)] + ([("How soup is made", 22, 0.0)] if page == 1 else [])
            top = [("the edge. The rest follows here.", 11, 0.02)] if page == 2 else []
            for text, size, gap in [*head, *top, *body, (f"Page {page} of 3", 9, 0.0)]:
                y -= size * 1.35 / 72 / 11
                figure.text(0.1, y, text, fontsize=size)
                y -= gap
            pdf.savefig(figure)
    return path


def test_pdf(tmp_path: Path) -> None:
    """A PDF gives headings by size, whole paragraphs and sentences, items and pages, without its running heads."""
    document = one(make_pdf(tmp_path / "soup.pdf"))
    assert document.title == "How soup is made"
    assert words(document, "heading") == ["How soup is made", "Broth number 1", "Broth number 2", "Broth number 3"]
    assert words(document, "item")[:2] == ["first item that is long and wraps here", "second item"]
    assert "Soup is a liquid food that people have made for a long time. It is warm." in words(document, "paragraph")
    assert "Broth stands in the pot for hours, and it runs over the edge. The rest follows here." in document.text
    assert "Society" not in document.text
    assert "Page" not in document.text
    pages = [block.page for section in document.sections for block in section.blocks if block.kind == "heading"]
    assert pages == [1, 1, 2, 3]


def test_docx(tmp_path: Path) -> None:
    """A DOCX file gives its headings and lists by style, and its tables row by row."""
    file = docx.Document()
    file.add_paragraph("Soup guide", style="Title")
    file.add_paragraph("Soup is ").add_run("food").bold = True
    file.add_heading("Stock", 1)
    file.add_paragraph("You need:")
    file.add_paragraph("bones", style="List Bullet")
    file.add_paragraph("water", style="List Number 2")
    table = file.add_table(3, 2)
    for row, cells in zip(table.rows, [("Name", "Time"), ("Veal", "6 h"), ("Fish", "1 h")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    file.add_heading("Why so long?", 2)
    file.add_paragraph("Bones are hard.")
    file.save(str(tmp_path / "guide.docx"))
    document = one(tmp_path / "guide.docx")
    assert document.title == "Soup guide"
    assert document.text == (
        "Soup guide\n\nSoup is food\n\nStock\n\nYou need:\n- bones\n  - water\n\nName: Veal; Time: 6 h\n"
        "Name: Fish; Time: 1 h\n\nWhy so long?\n\nBones are hard."
    )
    assert document.sections[2].headings == ("Stock", "Why so long?")
    assert document.sections[2].questions == ("Why so long?",)


def test_docx_content_control(tmp_path: Path) -> None:
    """Text in a content control, which python-docx passes over, is read."""
    file = docx.Document()
    paragraph = file.add_paragraph("Soup in a box.")
    control, content = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
    paragraph._p.addprevious(control)
    control.append(content)
    content.append(paragraph._p)
    file.save(str(tmp_path / "a.docx"))
    assert one(tmp_path / "a.docx").text == "Soup in a box."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "faq.csv",
            '\ufeffID;Question ;ANSWER\n1;Is it hot?;Yes.\n\n2;Opening hours;"Nine to five.\n\nNot on Sunday."\n',
        ),
        (
            "faq.csv",
            'question,answer\nIs it hot?,<p>Yes.</p>\nOpening hours,"<p>Nine to five.<p>Not on <b>Sunday</b>."\n',
        ),
        (
            "faq.jsonl",
            '{"question": "Is it hot?", "answer": "Yes."}\n\n'
            '{"Answer": "Nine to five.\\n\\nNot on Sunday.", "Question": "Opening hours"}\n',
        ),
    ],
)
def test_faq_lists(tmp_path: Path, name: str, text: str) -> None:
    """A pair is a section under its question, which is a key whether or not it has a question mark."""
    document = one(write(tmp_path / name, text))
    assert document.title == "Faq"
    assert [section.headings for section in document.sections] == [("Is it hot?",), ("Opening hours",)]
    assert [section.questions for section in document.sections] == [("Is it hot?",), ("Opening hours",)]
    assert document.text == "Is it hot?\n\nYes.\n\nOpening hours\n\nNine to five.\n\nNot on Sunday."
