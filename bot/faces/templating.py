"""The plain pages' frame: one Jinja environment that escapes everything, and the values every page has.

Comes in: a template's name and values. Goes out: HTML with the disclaimer in it. Does not know: what a page is about.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.labels import label
from bot.reply import Disclaimer

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def prefix(request: Request) -> str:
    """What a proxy strips from the front of every address, such as "/faq"; mostly ""."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def page(template: str, request: Request, site: str, disclaimer: Disclaimer, **values: Any) -> str:
    """The page, whole, its frame in the disclaimer's language. `site` is the name shown."""
    frame = {"root": prefix(request), "site": site, "disclaimer": disclaimer, "say": partial(_say, disclaimer.locale)}
    return _PAGES.get_template(template).render(**(frame | values))


def _say(locale: str, id: str, **values: object) -> str:
    return label(id, locale, **values)
