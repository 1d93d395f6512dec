"""What every reader hands over: a flat list of drafts and what the file says of itself.

Comes in: the bytes of a file. Goes out: `Source`, clean lines of text, decoded text. Does not know: any format, or how
drafts become a document.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from corpus.document import BlockKind, CorpusError
from corpus.metadata import Noted

# Unseen characters: control, format (zero-width, bidirectional, soft hyphen, byte order mark), surrogates, private use.
# The two joiners stay after letters of scripts that spell with them (Arabic to Sinhala).
_UNSEEN = re.compile(
    "(?<![\u0600-\u0dff])[\u200c\u200d]|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e007f\U000f0000-\U0010ffff]"
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Draft:
    """One block as a reader found it. `level` and `page` as in `Block`; `line` counts from 1 where there are lines.

    `asks` marks a heading that is a question whatever its punctuation.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    line: int | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file, read: its blocks in order, its metadata by key, and the parts that were left out, each a fault."""

    drafts: tuple[Draft, ...]
    meta: dict[str, Noted] = field(default_factory=dict)
    faults: tuple[CorpusError, ...] = ()


def clean(text: str) -> str:
    """One line of text as it is kept: composed (NFC), without unseen characters, each run of whitespace one space."""
    return unicodedata.normalize("NFC", " ".join(_UNSEEN.sub("", text).split()))


def row_text(header: Sequence[str] | None, cells: Sequence[str]) -> str:
    """A table row as words: "Header: cell; Header: cell", empty cells left out.

    Where there are more or fewer headers than cells none is used: a cell under the wrong header would be a false claim.
    """
    names = header if header and len(header) == len(cells) else [""] * len(cells)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell)


def decode(data: bytes, name: str) -> str:
    """Text of a UTF-8 file, or a UTF-16 one with a byte order mark. Raises CorpusError for anything else."""
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError as fault:
        if b"\x00" in data[:4096]:
            raise _binary(name) from None
        line = data.count(b"\n", 0, fault.start) + 1
        raise CorpusError(
            name,
            f"line {line}",
            f"the byte 0x{data[min(fault.start, len(data) - 1)]:02x} is not UTF-8 text.",
            "Save the file as UTF-8.",
        ) from None
    if "\x00" in text:
        raise _binary(name)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _binary(name: str) -> CorpusError:
    return CorpusError(name, "", "it holds binary data, not text.", "Give it the ending of its real format.")
