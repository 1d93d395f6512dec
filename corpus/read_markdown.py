"""Markdown to drafts: CommonMark with tables, and YAML front matter.

Comes in: the bytes of a file. Goes out: `Source`; inline markup flattened to plain words, raw HTML and images dropped.
Does not know: offsets, sections, or where defaults come from. The only import of markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from corpus.document import CorpusError
from corpus.draft import Draft, Source, clean, decode, row_text
from corpus.metadata import Noted, parse

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
_NOTHING = Token("", "", 0)
_UNCLOSED = re.compile(r"---[ \t]*\n[A-Za-z_]+:(\s|$)")


def read_markdown(data: bytes, name: str) -> Source:
    """Read a Markdown file. Raises CorpusError for a wrong encoding or front matter that does not parse."""
    text = decode(data, name)
    tokens = _PARSER.parse(text)
    meta: dict[str, Noted] = {}
    if tokens and tokens[0].type == "front_matter":
        meta = parse(tokens.pop(0).content, name, first=2)
    elif _UNCLOSED.match(text):
        raise CorpusError(name, "line 1", "the front matter has no end.", "Close it with a line '---'.")
    return Source(tuple(_drafts(tokens)), meta)


def _drafts(tokens: Sequence[Token]) -> Iterator[Draft]:
    depth, item = 0, Draft("item", "")
    header: list[str] | None = None
    row: list[str] = []
    line: int | None = None
    for opener, token in pairwise([_NOTHING, *tokens]):
        line = token.map[0] + 1 if token.map else line
        match token.type:
            case "bullet_list_open" | "ordered_list_open" | "bullet_list_close" | "ordered_list_close":
                if item.text:  # what comes before a nested list is an item of its own
                    yield item
                depth += token.nesting
                item = Draft("item", "")
            case "list_item_close":
                if item.text:
                    yield item
                item = Draft("item", "")
            case "table_open":
                header = None
            case "tr_open":
                row = []
            case "tr_close" if header is None:
                header = row
            case "tr_close":
                yield Draft("row", row_text(header, row), line=line)
            case "inline" if opener.type in ("th_open", "td_open"):
                row.append(_flat(token))
            case "inline" | "code_block" | "fence" if depth:
                item = Draft("item", f"{item.text} {_flat(token)}".strip(), depth, line=item.line or line)
            case "inline" if opener.type == "heading_open" and opener.level == 0:
                yield Draft("heading", _flat(token), int(opener.tag[1]), line=line)
            case "inline" | "code_block" | "fence":
                yield Draft("paragraph", _flat(token), line=line)


def _flat(token: Token) -> str:
    if token.children is None:
        return clean(token.content)
    words = []
    for child in token.children:
        if child.type in ("softbreak", "hardbreak"):
            words.append(" ")
        elif child.type in ("text", "code_inline", "text_special"):
            words.append(child.content)
    return clean("".join(words))
