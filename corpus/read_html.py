"""HTML to drafts: what a visitor reads of a page, without scripts, menus, forms, struck and hidden words.

Comes in: the bytes of a page. Goes out: `Source`; title, language, address and the usual metadata as the page gives
them. Does not know: offsets, sections, or where defaults come from. The only import of selectolax.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.document import CorpusError
from corpus.draft import Draft, Source, clean, decode
from corpus.html_blocks import BLOCKS, BREAK, Blocks
from corpus.metadata import DATES, LANGUAGE, Noted, day, is_web_address

_DROPPED = (
    "script, style, nav, aside, footer, form, noscript, template, iframe, object, svg, math, canvas, audio, video, "
    "button, select, dialog, [aria-hidden=true], [role=navigation], [role=search], [role=banner], "
    "[role=contentinfo], body > header"
)
_STRUCK = ("del", "s", "strike")
_UNSEEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|text-decoration(?:-line)?\s*:[^;]*\bline-through)\b",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
# What pages call our keys, the surest first.
_NAMES = {
    "publisher": ("publisher", "dc.publisher", "dcterms.publisher", "og:site_name"),
    "licence": ("licence", "license", "dc.rights", "dcterms.license", "dcterms.rights", "copyright"),
    "url": ("og:url",),
    "written": ("written", "dcterms.issued", "dcterms.created", "dc.date", "article:published_time", "date"),
    "reviewed": ("reviewed", "last-reviewed", "lastreviewed", "dcterms.reviewed"),
    "review_by": ("review_by", "review-by", "next-review", "dcterms.valid"),
}


def read_html(data: bytes, name: str) -> Source:
    """Read a page. Raises CorpusError where the bytes are not text in the encoding the page names, or in UTF-8."""
    page = LexborHTMLParser(_decode(data, name))
    said = _said(page)  # first: what is not shown may still name the publisher
    _leave_out(page)
    said["title"] = _title(page)
    return Source(tuple(_drafts(page)), _checked(said, name))


def html_drafts(fragment: str) -> list[Draft]:
    """The blocks of a piece of HTML, such as an answer kept with its markup."""
    page = LexborHTMLParser(fragment)
    _leave_out(page)
    return _drafts(page)


def _decode(data: bytes, name: str) -> str:
    declared = _CHARSET.search(data, 0, 4096)
    if declared is None or data.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)):
        return decode(data, name)
    charset = declared[1].decode("ascii", "replace").lower()
    if charset in ("utf-8", "utf8"):
        return decode(data, name)
    if charset in ("iso-8859-1", "latin1", "us-ascii"):
        charset = "windows-1252"  # what browsers take these for
    try:
        return data.decode(charset)
    except (LookupError, ValueError):
        problem = f"its bytes are not text in {charset!r}, the encoding it names."
        raise CorpusError(name, "", problem, "Save the page as UTF-8, and name that.") from None


def _said(page: LexborHTMLParser) -> dict[str, str]:
    """What the page says of itself, but for its title."""
    given: dict[str, str] = {}
    for tag in page.css("meta"):
        key = tag.attributes.get("name") or tag.attributes.get("property") or tag.attributes.get("itemprop") or ""
        given.setdefault(key.lower(), clean(tag.attributes.get("content") or ""))
    said = {key: next((given[word] for word in words if given.get(word)), "") for key, words in _NAMES.items()}
    canonical, licence = page.css_first("link[rel=canonical]"), page.css_first("link[rel=license], a[rel=license]")
    said["url"] = (canonical.attributes.get("href") or "").strip() if canonical else said["url"]
    said["licence"] = said["licence"] or (licence.attributes.get("href") or "" if licence else "")
    html = page.css_first("html")
    said["language"] = (html.attributes.get("lang") or "").strip() if html else ""
    return said


def _checked(said: Mapping[str, str], name: str) -> dict[str, Noted]:
    """What it says badly counts as not said, for pages are seldom written by hand."""
    found: dict[str, Noted] = {}
    for key, value in said.items():
        if key in DATES:
            when = day(value)
            if when:
                found[key] = Noted(name, day=when)
        elif (key != "url" or is_web_address(value)) and (key != "language" or LANGUAGE.fullmatch(value)) and value:
            found[key] = Noted(name, text=value)
    return found


def _title(page: LexborHTMLParser) -> str:
    heads = [clean(head.text()) for head in page.css("h1")]
    if len(heads) == 1 and heads[0]:
        return heads[0]
    title = page.css_first("head > title")
    return clean(title.text()) if title else ""


def _drafts(page: LexborHTMLParser) -> list[Draft]:
    _drop(page.css(_DROPPED))
    articles = page.css("article")
    root = page.css_first("main, [role=main]") or (articles[0] if len(articles) == 1 else page.body)
    blocks = Blocks()
    if root is not None:
        _walk(root, blocks)
    return blocks.drafts


def _leave_out(page: LexborHTMLParser) -> None:
    """Take out struck words and what is not shown, but for a whole page that waits for a script to show it."""
    marked = page.css(f"{', '.join(_STRUCK)}, body [hidden], body [style]")
    _drop([node for node in marked if node.tag in _STRUCK or _is_unseen(node)])


def _is_unseen(node: LexborNode) -> bool:
    return "hidden" in node.attributes or _UNSEEN.search(node.attributes.get("style") or "") is not None


def _drop(nodes: Sequence[LexborNode]) -> None:
    """Destroy each of these nodes, in the page's order, once (a node is found by each selector that fits it).

    The inner ones first: destroying one destroys what it holds.
    """
    for node in reversed({node.mem_id: node for node in nodes}.values()):
        node.decompose()


def _walk(root: LexborNode, blocks: Blocks) -> None:
    """Tell `blocks` what opens and closes. Not recursive: pages nest deeper than Python does."""
    node: LexborNode | None = root
    above: list[LexborNode] = []
    while node is not None:
        if node.is_text_node:
            blocks.words(node.text_content or "")
        elif node.tag == "br":
            blocks.words(BREAK)
        elif node.tag in BLOCKS:
            blocks.opens(node.tag, layout=node.tag == "tr" and _is_layout(node))
        if node.child is not None:
            above.append(node)
            node = node.child
            continue
        _close(node, blocks)
        while node.next is None and above:
            node = above.pop()
            _close(node, blocks)
        node = node.next if above else None


def _close(node: LexborNode, blocks: Blocks) -> None:
    if node.tag in BLOCKS:
        blocks.closes(node.tag)


def _is_layout(row: LexborNode) -> bool:
    """Whether a table row only places things side by side."""
    cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
    return len(cells) < 2 or row.css_first("h1, h2, h3, h4, table") is not None
