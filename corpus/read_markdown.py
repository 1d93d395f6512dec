"""Markdown to drafts: CommonMark with tables, and YAML front matter.

Comes in: the bytes of a file. Goes out: `Source`; inline markup flattened to plain words, raw HTML and images dropped.
Does not know: offsets, sections, or where defaults come from. The only import of markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.front_matter import front_matter_plugin

from corpus.document import CorpusError
from corpus.draft import Draft, Source, clean, decode, row_text
from corpus.metadata import Noted, parse

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
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
    drafts = [draft for node in SyntaxTreeNode(tokens).children for draft in _drafts(node)]
    return Source(tuple(drafts), meta)


def _drafts(node: SyntaxTreeNode, depth: int = 0) -> Iterator[Draft]:
    """Blocks of a node `depth` lists deep. A heading inside a list or a quotation heads nothing: it is a paragraph."""
    match node.type:
        case "heading" if node.level == 0:
            yield Draft("heading", _flat(node), int(node.tag[1]), line=_line(node))
        case "bullet_list" | "ordered_list":
            for item in node.children:
                yield from _item(item, depth + 1)
        case "table":
            header, *rows = (row for part in node.children for row in part.children)
            names = [_flat(cell) for cell in header.children]
            for row in rows:
                yield Draft("row", row_text(names, [_flat(cell) for cell in row.children]), line=_line(row))
        case "blockquote":
            for child in node.children:
                yield from _drafts(child, depth)
        case "paragraph" | "heading" | "code_block" | "fence":
            yield Draft("item" if depth else "paragraph", _flat(node), depth, line=_line(node))


def _item(item: SyntaxTreeNode, depth: int) -> Iterator[Draft]:
    """One list item: its paragraphs are one block, up to the list, table or quotation inside it."""
    words, line = "", _line(item)
    for child in item.children:
        if child.type in ("paragraph", "heading", "code_block", "fence"):
            words, line = f"{words} {_flat(child)}".strip(), line if words else _line(child)
            continue
        yield Draft("item", words, depth, line=line)
        words = ""
        yield from _drafts(child, depth)
    yield Draft("item", words, depth, line=line)


def _flat(node: SyntaxTreeNode) -> str:
    if node.type in ("code_block", "fence"):
        return clean(node.content)
    words = []
    for child in node.walk():
        if child.type in ("softbreak", "hardbreak") or (
            child.type == "html_inline" and child.content.startswith("<br")
        ):
            words.append(" ")
        elif child.type in ("text", "code_inline", "text_special") and not _pictured(child):
            words.append(child.content)
    return clean("".join(words))


def _pictured(node: SyntaxTreeNode) -> bool:
    """Whether a word only describes an image."""
    above = node.parent
    while above is not None and above.type != "image":
        above = above.parent
    return above is not None


def _line(node: SyntaxTreeNode) -> int | None:
    return node.map[0] + 1 if node.map else None
