"""DOCX to drafts: headings and lists by their styles, tables row by row, without struck and hidden words.

Comes in: the bytes of a file. Goes out: `Source`. Does not know: pages, which only a word processor lays out, offsets
or sections. The only import of python-docx.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence

import docx
from docx.document import Document
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.table import Table
from docx.text.paragraph import Paragraph

from corpus.document import CorpusError
from corpus.draft import Draft, Source, clean, row_text
from corpus.metadata import Noted

LARGEST_UNPACKED = 200 * 1024 * 1024  # bytes
_OLE = b"\xd0\xcf\x11\xe0"  # how old .doc files and encrypted ones begin
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_UNSAID = (qn("w:strike"), qn("w:dstrike"), qn("w:vanish"))  # struck once, struck twice, hidden
_LIST = re.compile(r"list (?:bullet|number|continue)\s*(\d?)", re.IGNORECASE)


def read_docx(data: bytes, name: str) -> Source:
    """Read a DOCX file. Raises CorpusError where it is damaged, encrypted, too large, or holds undecided changes."""
    if data.startswith(_OLE):
        remedy = "Save it as .docx, without a password."
        raise CorpusError(name, "", "it is encrypted, or an old Word file renamed.", remedy)
    try:
        size = _unpacked(data)
        if size <= LARGEST_UNPACKED:
            return _source(docx.Document(io.BytesIO(data)), name)
    except CorpusError:
        raise
    except Exception as fault:  # python-docx lets through whatever its parts raise: zip, XML, missing keys
        problem = f"the DOCX file is damaged ({type(fault).__name__})."
        raise CorpusError(name, "", problem, "Open it in a word processor and save it again.") from None
    raise CorpusError(name, "", f"unpacked it has {size / 2**20:.0f} MB.", "Split the file, or take out its pictures.")


def _unpacked(data: bytes) -> int:
    """How many bytes it would fill, by its own account."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def _source(document: Document, name: str) -> Source:
    body = document.element.body
    if next(body.iter(qn("w:ins"), qn("w:del"), qn("w:moveFrom")), None) is not None:
        remedy = "Accept or reject each change, and save."
        raise CorpusError(name, "", "it holds tracked changes that nobody has decided.", remedy)
    for control in list(body.iter(qn("w:sdt"))):  # python-docx passes over content controls
        _unwrap(control)
    _leave_out(document)
    drafts = tuple(_drafts(document))
    titles = [draft.text for draft in drafts if draft.level == 1 and draft.kind == "heading"]
    style = next((block.style.name for block in document.paragraphs if clean(block.text) and block.style), "")
    return Source(drafts, {"title": Noted(name, text=titles[0])} if style == "Title" and titles else {})


def _unwrap(control: BaseOxmlElement) -> None:
    """Put what a content control holds in its place; a table of contents holds nothing of its own."""
    content, parent = control.find(qn("w:sdtContent")), control.getparent()
    gallery = control.find(f".//{qn('w:docPartGallery')}")
    listed = gallery is not None and "contents" in (gallery.get(qn("w:val")) or "").lower()
    if parent is None:
        return
    for child in [] if content is None or listed else list(content):
        control.addprevious(child)
    parent.remove(control)


def _leave_out(document: Document) -> None:
    """Take out every run that its author struck or hid."""
    styles = {style.get(qn("w:styleId")): style for style in document.styles.element.iter(qn("w:style"))}
    for run in list(document.element.body.iter(qn("w:r"))):
        paragraph = next(run.iterancestors(qn("w:p")), None)
        chain = [run, *_based(run.find(f"{qn('w:rPr')}/{qn('w:rStyle')}"), styles)]
        if paragraph is not None:
            chain += _based(paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}"), styles)
        if any(_is_on(mark, chain) for mark in _UNSAID):
            run.getparent().remove(run)


def _based(named: BaseOxmlElement | None, styles: Mapping[str, BaseOxmlElement]) -> list[BaseOxmlElement]:
    """The style named and those it is based on, nearest first."""
    chain: list[BaseOxmlElement] = []
    while named is not None:
        style = styles.get(named.get(qn("w:val")) or "")
        if style is None or style in chain:
            break
        chain.append(style)
        named = style.find(qn("w:basedOn"))
    return chain


def _is_on(mark: str, chain: Sequence[BaseOxmlElement]) -> bool:
    """Whether the nearest of a run and its styles that speaks of a mark sets it."""
    for each in chain:
        said = each.find(f"{qn('w:rPr')}/{mark}")
        if said is not None:
            return said.get(qn("w:val"), "1") not in ("0", "false", "off")
    return False


def _drafts(document: Document) -> Iterator[Draft]:
    styled = any(_level(paragraph) for paragraph in document.paragraphs)
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            yield from _rows(block)
        elif not _style_name(block).lower().startswith("toc "):
            yield _draft(block, styled)


def _draft(paragraph: Paragraph, styled: bool) -> Draft:
    level, depth = _level(paragraph), _depth(paragraph)
    if level:
        return Draft("heading", paragraph.text, level)
    if depth:
        return Draft("item", paragraph.text, depth)
    if not styled and _looks_like_heading(paragraph):
        return Draft("heading", paragraph.text, 2)
    return Draft("paragraph", paragraph.text)


def _level(paragraph: Paragraph) -> int:
    """1 to 6 for a heading, by its style or the style that one is based on; 0 for other text."""
    style = paragraph.style
    while style is not None:
        found = _HEADING.match(style.name or "")
        if found:
            return min(int(found[1]), 6)
        if style.name == "Title":
            return 1
        style = style.base_style
    return 0


def _depth(paragraph: Paragraph) -> int:
    """How deep in a list, from 1; 0 outside of lists."""
    properties = [paragraph.paragraph_format.element.pPr]
    style = paragraph.style
    while style is not None:
        properties.append(style.element.pPr)
        style = style.base_style
    listed = _LIST.match(_style_name(paragraph))
    depth = int(listed[1] or 1) if listed else 0
    for each in properties:
        number = each.numPr if each is not None else None
        if number is not None and number.numId is not None:  # the nearest one decides, and 0 takes it out of the list
            deeper = number.ilvl.val + 1 if number.ilvl is not None else 1
            return max(depth, deeper) if number.numId.val else 0
    return depth


def _looks_like_heading(paragraph: Paragraph) -> bool:
    """Whether a line in a file without heading styles is one: short, bold throughout, unpunctuated."""
    text = clean(paragraph.text)
    runs = [run for run in paragraph.runs if run.text.strip()]
    return (
        bool(runs)
        and len(text) <= 100
        and not text.endswith((".", "!", ":", ";", ","))
        and all(run.bold for run in runs)
    )


def _style_name(paragraph: Paragraph) -> str:
    return (paragraph.style.name or "") if paragraph.style is not None else ""


def _rows(table: Table) -> Iterator[Draft]:
    """A row as one block; the first row names the columns, unless the table says that it has no header row."""
    look = table._tbl.tblPr.find(qn("w:tblLook"))  # python-docx has no public way to it
    headed = look is None or look.get(qn("w:firstRow"), "1") not in ("0", "false")
    header: list[str] | None = None
    for row in table.rows:
        cells = [clean(cell.text) for cell in row.cells]
        if header is None and headed and len(table.rows) > 1 and len(set(cells)) > 1:
            header = cells
            continue
        merged = [cell if place == 0 or cell != cells[place - 1] else "" for place, cell in enumerate(cells)]
        yield Draft("row", row_text(header, merged))
