"""What the commands share: their options, the settings and the bot behind them, and one line for a fault.

Comes in: flags. Goes out: settings, an open bot, JSON on stdout, a fault on stderr with exit code 1. Does not know:
which command runs.

What a command needs is imported inside it: the model's and the page's libraries cost seconds, `--help` must not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from bot.bot import Bot
    from bot.settings import Settings

IndexDir = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="Folder the index is kept in.")]
StoreAt = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="Database to keep it in instead: postgresql://…")
]
LocaleTag = Annotated[str | None, typer.Option("--locale", metavar="TAG", help="Language and country, such as en-GB.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Documents = Annotated[Path | None, typer.Argument(metavar="[DOCUMENTS]", help="File or folder of documents.")]


def settings_of(**flags: Any) -> Settings:
    """The settings, flags before all else. Raises SettingsError."""
    from bot.settings import hush, load

    hush()
    if flags.get("index") and flags.get("store"):
        raise typer.BadParameter("name a folder or a database, not both.", param_hint="--index, --store")
    if flags.get("index"):
        flags["store"] = ""  # whatever the environment or the file says
    return load(**flags)


def opened(index: Path | None, store: str | None) -> Bot:
    """The bot of an index, built first where there is none. Raises IndexFault."""
    settings = settings_of(index=index, store=store)
    from bot.bot import Bot
    from bot.faces import upkeep

    if not upkeep.indexed(settings):
        upkeep.refresh(settings)
    return Bot.open(settings=settings)


@contextmanager
def one_line() -> Iterator[None]:
    """Turn every fault an operator can mend into one line on stderr and exit code 1."""
    from bot.golden import GoldenError, ReportError
    from bot.journal import JournalFault
    from bot.settings import SettingsError
    from bot.words import WordsError
    from corpus.document import CorpusError
    from index.contract import IndexFault

    try:
        yield
    except (CorpusError, GoldenError, IndexFault, JournalFault, ReportError, SettingsError, WordsError) as fault:
        fail(str(fault))
    except BrokenPipeError:
        raise  # whoever read our output has had enough: not a fault
    except OSError as fault:
        fail(f"{fault.filename or 'system'}: {fault.strerror or fault}. Check that path and its permissions.")


def print_json(body: dict[str, Any]) -> None:
    """JSON on stdout."""
    import json

    typer.echo(json.dumps(body, ensure_ascii=False, indent=2))


def fail(line: str) -> NoReturn:
    """One line on stderr, and exit code 1."""
    typer.echo(" ".join(line.split()), err=True)
    raise typer.Exit(1)
