"""Markdown to drafts: CommonMark with tables, and YAML front matter.

Comes in: the bytes of a file. Goes out: `Source`; inline markup flattened to plain words; raw HTML, images and
struck words dropped. Does not know: offsets, sections, or where defaults come from. The only import of markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode
from mdit_py_plugins.front_matter import front_matter_plugin

from corpus.document import CorpusError
from corpus.draft import Draft, Source, clean, decode, row_text
from corpus.metadata import Noted, parse

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(front_matter_plugin)
_UNCLOSED = re.compile(r"---[ \t]*\n[A-Za-z_]+:(\s|$)")
_STRUCK = re.compile(r"<(/?)(?:del|s|strike)(?=[\s/>])", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def read_markdown(data: bytes, name: str) -> Source:
    """Read a Markdown file. Raises CorpusError for a wrong encoding or front matter that does not parse."""
    text = decode(data, name)
    tokens = _PARSER.parse(text)
    meta: dict[str, Noted] = {}
    if tokens and tokens[0].type == "front_matter":
        meta = parse(tokens.pop(0).content, name, first=2)
    elif _UNCLOSED.match(text):
        raise CorpusError(name, "line 1", "the front matter has no end.", "Close it with a line '---'.")
    drafts = [draft for node in SyntaxTreeNode(_live(tokens)).children for draft in _drafts(node)]
    return Source(tuple(drafts), meta)


def _live(tokens: Sequence[Token]) -> list[Token]:
    """The blocks without those between an HTML block that begins struck words and the one that ends them."""
    kept: list[Token] = []
    struck, level = 0, 0
    for token in tokens:
        if token.level < level:
            struck = 0  # the quotation or item that it began in ends here
        if not struck:
            kept.append(token)
        if token.type == "html_block":
            struck, level = max(0, struck + _strikes(token.content)), token.level if not struck else level
    return kept


def _strikes(html: str) -> int:
    """How many more tags begin struck words than end them."""
    return sum(-1 if end else 1 for end in _STRUCK.findall(_COMMENT.sub("", html)))


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
    struck = 0  # tags open around a word
    for child in node.walk():
        if child.type == "html_inline":
            struck = max(0, struck + _strikes(child.content))
        if child.type in ("softbreak", "hardbreak") or (
            child.type == "html_inline" and child.content.startswith("<br")
        ):
            words.append(" ")
        elif child.type in ("text", "code_inline", "text_special") and not (struck or _unsaid(child)):
            words.append(child.content)
    return clean("".join(words))


def _unsaid(node: SyntaxTreeNode) -> bool:
    """Whether a word only describes an image, or is struck out: its author took it back."""
    above = node.parent
    while above is not None and above.type not in ("image", "s"):
        above = above.parent
    return above is not None


def _line(node: SyntaxTreeNode) -> int | None:
    return node.map[0] + 1 if node.map else None
