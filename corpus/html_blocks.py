"""The opening and closing of HTML elements to drafts: headings, paragraphs, list items, table rows.

Comes in: tags opening and closing in order, and the words between. Goes out: drafts. Does not know: how HTML is parsed,
or which parts of a page are worth reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from corpus.draft import Draft, clean, row_text

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
LISTS = ("ul", "ol", "menu")
_FLOW = (
    *("address", "article", "blockquote", "body", "center", "details", "div", "fieldset", "figcaption", "figure"),
    *("footer", "header", "hgroup", "hr", "legend", "li", "main", "p", "pre", "section", "summary", "dl", "dt", "dd"),
)
_TABLE = ("caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr")
BLOCKS = frozenset((*HEADINGS, *LISTS, *_FLOW, *_TABLE))
BREAK = "\x1f"  # a line break; two of them part paragraphs
_PARTED = re.compile(rf"{BREAK}\s*{BREAK}[\s{BREAK}]*")
_CONTEXTS = frozenset((*HEADINGS, "li", "dd", "dt", "summary", "td", "th"))


@dataclass(slots=True)
class _Table:
    """A table under way. `row` is None between rows, and in a row that only lays out the page."""

    header: list[str] | None = None
    row: list[str] | None = None
    headed: int = 0  # header cells in the row


class Blocks:
    """Collects drafts while a page is walked."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self._words: list[str] = []
        self._open: list[str] = []
        self._tables: list[_Table] = []
        self._term = ""
        self._joins = False  # whether more words of this list item belong to the last draft

    def words(self, text: str) -> None:
        """Words, or BREAK."""
        self._words.append(text)

    def opens(self, tag: str, layout: bool = False) -> None:
        """A block opens. `layout` marks a table row whose cells are not data."""
        self._flush()
        self._open.append(tag)
        if tag == "li" or tag in LISTS:
            self._joins = False
        elif tag == "table":
            self._tables.append(_Table())
        elif self._tables and tag == "tr":
            self._tables[-1].row, self._tables[-1].headed = None if layout else [], 0
        elif self._tables and tag in ("td", "th") and self._tables[-1].row is not None:
            self._tables[-1].row.append("")
            self._tables[-1].headed += tag == "th"

    def closes(self, tag: str) -> None:
        """The block opened last closes."""
        self._flush()
        self._open.pop()
        if tag == "li" or tag in LISTS:
            self._joins = False
        elif tag == "table":
            self._tables.pop()
        elif tag == "tr" and self._tables:
            self._row(self._tables[-1])

    def _row(self, table: _Table) -> None:
        row, table.row = table.row, None
        if not row:
            return
        if table.header is None and (table.headed == len(row) or "thead" in self._open):
            table.header = row
        elif table.header is None and len(row) == 2 and table.headed:
            self.drafts.append(Draft("row", row_text(["", ""], [": ".join(filter(None, row))])))
        else:
            self.drafts.append(Draft("row", row_text(table.header, row)))

    def _flush(self) -> None:
        parts = [clean(part) for part in _PARTED.split("".join(self._words))]
        self._words = []
        for part in parts:
            if part:
                self._add(part)

    def _add(self, text: str) -> None:
        if self._tables and self._tables[-1].row:  # words of a cell, whatever they are wrapped in
            self._tables[-1].row[-1] = f"{self._tables[-1].row[-1]} {text}".strip()
            return
        context = next((tag for tag in reversed(self._open) if tag in _CONTEXTS), "")
        joins, self._joins = self._joins, context == "li"
        if context in HEADINGS:
            self.drafts.append(Draft("heading", text, int(context[1])))
        elif context in ("summary", "dt") and text.endswith("?"):  # a list of questions, folded or not
            above = next((draft for draft in reversed(self.drafts) if draft.kind == "heading" and not draft.asks), None)
            self.drafts.append(Draft("heading", text, min((above.level if above else 1) + 1, 6), asks=True))
            self._term = ""
        elif context == "dt":
            self._term = text
        elif context == "dd" and self._term:
            self.drafts.append(Draft("row", f"{self._term}: {text}"))
        elif joins:
            self.drafts[-1] = replace(self.drafts[-1], text=f"{self.drafts[-1].text} {text}")
        elif context == "li":
            depth = max(1, sum(tag in LISTS for tag in self._open))
            self.drafts.append(Draft("item", text, depth))
        else:
            self.drafts.append(Draft("paragraph", text))
