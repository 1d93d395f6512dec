"""The `milkwise` command: serve, build, rollback, ask, chat, check, measure, report, erase.

Comes in: arguments. Goes out: text, and exit code 0 (done), 1 (the work failed) or 2 (wrong usage). Composes the other
faces. Does not know: how any of the work is done.

What a command needs is imported inside it: the model's and the page's libraries cost seconds, `--help` must not.
"""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bot.bot import Bot
    from bot.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Answers from your own vetted documents, in their words, every sentence cited.",
)

IndexDir = Annotated[Path | None, typer.Option("--index", metavar="DIR", help="Folder the index is kept in.")]
LocaleTag = Annotated[str | None, typer.Option("--locale", metavar="TAG", help="Language and country, such as en-GB.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Documents = Annotated[Path | None, typer.Argument(metavar="[DOCUMENTS]", help="File or folder of documents.")]

Sources = Annotated[
    list[str] | None, typer.Argument(metavar="[DOCUMENTS]", help="File, folder, or addresses of pages and sitemaps.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"milkwise {version('milkwise')}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Answers from your own vetted documents, in their words, every sentence cited."""


@app.command()
def serve(
    documents: Documents = None,
    index: IndexDir = None,
    host: Annotated[str | None, typer.Option(metavar="H", help="Address to serve on.")] = None,
    port: Annotated[int | None, typer.Option(metavar="P", min=0, max=65535, help="Port; 0 takes a free one.")] = None,
) -> None:
    """Serve the chat page, the API and the document pages."""
    with _one_line():
        settings = _settings(documents=documents, index=index, host=host, port=port)
        from bot.faces import server

        with server.bound(settings) as listener:  # before slow work: a taken port shows at once
            from bot.bot import Bot
            from bot.faces import upkeep
            from bot.faces.keeper import Keeper

            upkeep.refresh(settings)
            bot = Bot.open(settings.index, settings)
            site = compose(bot, settings)
            with Keeper(bot, settings, site.state.changes, site.state.tally.journal):
                server.run(site, listener, settings)


@app.command()
def build(
    documents: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DOCUMENTS]", help="File or folder, or addresses of pages or sitemaps."),
    ] = None,
    index: IndexDir = None,
    private: Annotated[bool, typer.Option("--private", help="Read pages at private addresses too.")] = False,
) -> None:
    """Build or update the index; exit code 1 where a file could not be read, though the others were indexed."""
    with _one_line():
        from bot.faces import desk, terminal, upkeep

        settings, faults = desk.gathered(_settings(index=index), documents or [], private)
        with desk.compared(settings):
            built = upkeep.rebuild(settings, terminal.console())
        if built.faults or faults:
            raise typer.Exit(1)


@app.command()
def rollback(index: IndexDir = None) -> None:
    """Go back to the index before; a running server follows at once, and done again it goes forward."""
    with _one_line():
        settings = _settings(index=index)
        from bot.faces import desk

        desk.roll_back(settings)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question.")],
    as_json: AsJson = False,
    index: IndexDir = None,
    locale: LocaleTag = None,
) -> None:
    """Answer one question."""
    question = question.encode(errors="replace").decode()  # an argument can hold bytes that are no text
    if not 1 <= len(question.strip()) <= 2000:
        raise typer.BadParameter("give 1 to 2,000 characters that are not all spaces.", param_hint="QUESTION")
    with _one_line():
        bot = _bot(index)
        reply = bot.reply(question, locale=locale)
        if as_json:
            from bot.render import as_dict

            _print_json(as_dict(reply))
            return
        from bot.faces import terminal

        terminal.show(reply, terminal.console(), bot.settings.review_months)


@app.command()
def chat(index: IndexDir = None, locale: LocaleTag = None) -> None:
    """Hold a conversation; an empty history is one `/new` away."""
    with _one_line():
        bot = _bot(index)
        from bot.faces import terminal

        terminal.chat(bot, locale, terminal.console())


@app.command()
def check(documents: Documents = None, index: IndexDir = None) -> None:
    """Vet documents, and verify every checksum of the index where there is one."""
    with _one_line():
        settings = _settings(documents=documents, index=index)
        from datetime import date

        from bot.faces import terminal, upkeep
        from corpus.check import check as vet

        findings = vet(upkeep.documents(settings), date.today(), settings.review_months)
        failed = terminal.vetted(findings, terminal.console())
        if index or upkeep.indexed(settings):
            from index.index import verify

            terminal.verified(settings.index, verify(settings.index), terminal.console())
        if failed:
            raise typer.Exit(1)


@app.command()
def measure(
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="A file of golden cases.")],
    as_json: AsJson = False,
    index: IndexDir = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the refusal trade-off to this PNG or SVG file.")
    ] = None,
) -> None:
    """Score the bot on golden cases."""
    with _one_line():
        from bot.faces import desk
        from bot.golden import load_cases

        asked = load_cases(cases)  # before slow work: a broken case shows at once
        found = desk.measured(_bot(index), asked, plot)
        if as_json:
            _print_json(found.as_dict())
        else:
            desk.show(found)


@app.command()
def report(
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the questions, put together by meaning, as CSV.")
    ] = False,
    index: IndexDir = None,
) -> None:
    """Say what visitors asked and did not get, from the journal."""
    with _one_line():
        settings = _settings(index=index)
        from bot.faces import desk

        desk.journal(settings)  # before slow work: that there is none shows at once
        found = desk.reported(settings, _bot(index))
        if as_json:
            _print_json(found.as_dict())
        elif as_csv:
            typer.echo(desk.csv_text(found), nl=False)
        else:
            desk.show(found)


@app.command()
def erase(yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False) -> None:
    """Erase all that the journal keeps of questions and thumbs."""
    with _one_line():
        from bot.faces import desk

        journal = desk.journal(_settings())
        if not yes:
            typer.confirm(f"Erase everything in {journal.settings.file}?", abort=True)
        typer.echo(f"erased {journal.erase()} entries of {journal.settings.file}")


def compose(bot: Bot, settings: Settings) -> FastAPI:
    """Every route of the contract in one app."""
    from bot.faces import pages, ui
    from bot.faces.api import create_app
    from bot.faces.editor import edit
    from bot.faces.embed import embed

    site = create_app(bot, settings)
    site.include_router(pages.router(bot, settings))
    embed(site, bot, settings)
    edit(site, bot, settings)
    return ui.mount(site, bot, settings)


def _settings(**flags: Any) -> Settings:
    from bot.settings import hush, load

    hush()
    return load(**flags)


def _bot(index: Path | None) -> Bot:
    settings = _settings(index=index)
    from bot.bot import Bot
    from bot.faces import upkeep

    if not upkeep.indexed(settings):
        upkeep.refresh(settings)
    return Bot.open(settings.index, settings)


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn every fault an operator can mend into one line on stderr and exit code 1."""
    from bot.golden import GoldenError
    from bot.journal import JournalFault
    from bot.settings import SettingsError
    from bot.words import WordsError
    from corpus.document import CorpusError
    from index.contract import IndexFault

    try:
        yield
    except (CorpusError, GoldenError, IndexFault, JournalFault, SettingsError, WordsError) as fault:
        _fail(str(fault))
    except BrokenPipeError:
        raise  # whoever read our output has had enough: not a fault
    except OSError as fault:
        _fail(f"{fault.filename or 'system'}: {fault.strerror or fault}. Check that path and its permissions.")


def _print_json(body: dict[str, Any]) -> None:
    import json

    typer.echo(json.dumps(body, ensure_ascii=False, indent=2))


def _fail(line: str) -> NoReturn:
    typer.echo(" ".join(line.split()), err=True)
    raise typer.Exit(1)


def _terminated(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends it at once
    sys.exit(0)


def main() -> None:
    """The entry point. SIGTERM ends a command as an exception would: what it holds is cleaned up."""
    signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # no byte and no letter ends a conversation
    app()
