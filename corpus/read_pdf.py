"""PDF to drafts: the lines of each page as PDFium reads them, every block with its page.

Comes in: the bytes of a file. Goes out: `Source`. Does not know: which lines make a paragraph or a heading, offsets or
sections. The only import of pypdfium2.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

import pypdfium2  # type: ignore[import-untyped]  # it ships no types
from pypdfium2 import raw

from corpus.document import CorpusError
from corpus.draft import Source, clean
from corpus.metadata import Noted
from corpus.pdf_blocks import HYPHEN, Line, drafts_of

_BOLD = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
# Ligatures, and the bullets of symbol fonts.
_GLYPHS = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
    | dict.fromkeys("\uf0b7\uf0a7\uf06e", "•")
)
_HYPHENATED = re.compile(rf"\w[{HYPHEN}\xad‐-]$")
_NO_TITLE = re.compile(r"\.\w{2,4}$|^(microsoft |untitled|document\d*$)", re.IGNORECASE)


@dataclass(slots=True)
class _Setting:
    """A line while its characters come in."""

    codes: list[str] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    bold: int = 0
    left: float = 0.0
    right: float = 0.0
    y: float = 0.0


def read_pdf(data: bytes, name: str) -> Source:
    """Read a PDF. Raises CorpusError, with the page, where it is damaged, locked by a password, or only pictures."""
    try:
        with pypdfium2.PdfDocument(data) as pdf:
            pages, pictures = _pages(pdf)
            title = clean(pdf.get_metadata_value("Title"))
    except pypdfium2.PdfiumError as fault:
        if fault.err_code == raw.FPDF_ERR_PASSWORD:
            problem, remedy = "the PDF is encrypted.", "Save a copy that opens without a password."
        else:
            problem, remedy = f"the PDF is damaged ({fault}).", "Export it again from its source."
        raise CorpusError(name, "", problem, remedy) from None
    faults = () if not pictures else (_pictured(pictures, name),)
    if faults and not any(pages):
        raise faults[0]
    drafts = drafts_of(pages)
    meta = {}
    if drafts and drafts[0].kind != "heading" and title and not _NO_TITLE.search(title):
        meta["title"] = Noted(name, text=title)
    return Source(tuple(drafts), meta, tuple(faults))


def _pictured(pages: Sequence[int], name: str) -> CorpusError:
    what = "the page is" if len(pages) == 1 else f"pages {', '.join(map(str, pages))} are"
    remedy = "Run text recognition (OCR) over the file."
    return CorpusError(name, f"page {pages[0]}", f"{what} only a picture, without text.", remedy)


def _pages(pdf: pypdfium2.PdfDocument) -> tuple[list[list[Line]], list[int]]:
    """The lines of every page, and which pages are pictures without text."""
    pages, pictures = [], []
    for number in range(1, len(pdf) + 1):
        page = pdf[number - 1]
        pages.append(_page_lines(page, number))
        if not pages[-1] and next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])), None):
            pictures.append(number)
        page.close()
    return pages, pictures


def _page_lines(page: pypdfium2.PdfPage, number: int) -> list[Line]:
    """The lines of one page, in the order PDFium reads them."""
    text = page.get_textpage()
    lines = [line for setting in _settings(text) if (line := _line(setting, number))]
    text.close()
    return lines


def _settings(text: pypdfium2.PdfTextPage) -> Iterator[_Setting]:
    x, y = ctypes.c_double(), ctypes.c_double()
    box = raw.FS_RECTF()
    line = _Setting()
    for index in range(text.count_chars()):
        code = chr(raw.FPDFText_GetUnicode(text, index))
        if code in "\r\n":
            yield line
            line = _Setting()
            continue
        if raw.FPDFText_IsGenerated(text, index) == 1 or code.isspace():
            line.codes.append(" ")
            continue
        raw.FPDFText_GetCharOrigin(text, index, x, y)
        raw.FPDFText_GetLooseCharBox(text, index, box)
        size = _size(text, index)
        if line.sizes and abs(line.y - y.value) > 0.6 * min(line.sizes[-1], size):  # PDFium ran two lines together
            yield line
            line = _Setting()
        if not line.sizes:
            line.left, line.right, line.y = box.left, box.right, y.value
        line.codes.append(code)
        line.sizes.append(size)
        line.right = max(line.right, box.right)
        line.bold += _is_bold(text, index)
    yield line


def _size(text: pypdfium2.PdfTextPage, index: int) -> float:
    """Font size as seen: some files set every font at 1 point and scale it."""
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text, index, matrix)
    scale = (matrix.b**2 + matrix.d**2) ** 0.5 or 1.0
    return float(raw.FPDFText_GetFontSize(text, index) * scale)


def _is_bold(text: pypdfium2.PdfTextPage, index: int) -> bool:
    name = ctypes.create_string_buffer(128)
    raw.FPDFText_GetFontInfo(text, index, name, len(name), None)
    return bool(_BOLD.search(name.value)) or raw.FPDFText_GetFontWeight(text, index) >= 600


def _line(setting: _Setting, page: int) -> Line | None:
    units = "".join(setting.codes).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    words = clean(units.translate(_GLYPHS))
    if not words:
        return None
    if _HYPHENATED.search(units.rstrip()):
        words = words.rstrip("-‐") + HYPHEN
    bold = setting.bold * 2 > len(setting.sizes)
    size = round(median(setting.sizes), 1)
    return Line(page, words, size, bold, setting.left, setting.right, setting.y)
