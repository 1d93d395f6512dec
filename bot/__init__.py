"""How we talk: one question and its history in, one sourced reply out. In a notebook: `from bot import Bot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.bot import Bot as Bot


def __getattr__(name: str) -> Any:  # noqa: ANN401  # a module's attribute can be anything
    if name != "Bot":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from bot.bot import Bot  # only once it is wanted: every module of this package imports this one

    return Bot
