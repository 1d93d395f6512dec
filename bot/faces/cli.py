"""The `milkwise` command: serve, build, rollback, ask, chat, mcp, check, doctor, measure,
report, erase.

Comes in: arguments. Goes out: text, and exit code 0 (done), 1 (the work failed) or 2 (wrong usage). Composes the other
faces. Does not know: how any of the work is done.

What a command needs is imported inside it: the model's and the page's libraries cost seconds, `--help` must not.
"""

from __future__ import annotations

import io
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.faces.command import AsJson, Documents, IndexDir, LocaleTag, StoreAt, one_line, opened, print_json, settings_of

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
    store: StoreAt = None,
    host: Annotated[str | None, typer.Option(metavar="H", help="Address to serve on.")] = None,
    port: Annotated[int | None, typer.Option(metavar="P", min=0, max=65535, help="Port; 0 takes a free one.")] = None,
) -> None:
    """Serve the chat page, the API and the document pages."""
    with one_line():
        settings = settings_of(documents=documents, index=index, store=store, host=host, port=port)
        from bot.faces import server

        with server.bound(settings) as listener:  # before slow work: a taken port shows at once
            from bot.bot import Bot
            from bot.faces import logs, traces, upkeep
            from bot.faces.keeper import Keeper

            logs.configure(settings.log_level, settings.log_format)
            if settings.traces:
                traces.configure(settings.traces)
            upkeep.refresh(settings)
            bot = Bot.open(settings=settings)
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
    store: StoreAt = None,
    private: Annotated[bool, typer.Option("--private", help="Read pages at private addresses too.")] = False,
) -> None:
    """Build or update the index; exit code 1 where a file could not be read, though the others were indexed."""
    with one_line():
        from bot.faces import editing, terminal, upkeep

        settings, faults = editing.gathered(settings_of(index=index, store=store), documents or [], private)
        with editing.compared(settings):
            built = upkeep.rebuild(settings, terminal.console())
        if built.faults or faults:
            raise typer.Exit(1)


@app.command()
def rollback(index: IndexDir = None) -> None:
    """Go back to the index before; a running server follows at once, and done again it goes forward."""
    with one_line():
        settings = settings_of(index=index)
        from bot.faces import editing

        editing.roll_back(settings)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="The question.")],
    as_json: AsJson = False,
    index: IndexDir = None,
    store: StoreAt = None,
    locale: LocaleTag = None,
) -> None:
    """Answer one question."""
    question = question.encode(errors="replace").decode()  # an argument can hold bytes that are no text
    if not 1 <= len(question.strip()) <= 2000:
        raise typer.BadParameter("give 1 to 2,000 characters that are not all spaces.", param_hint="QUESTION")
    with one_line():
        bot = opened(index, store)
        reply = bot.reply(question, locale=locale)
        if as_json:
            from bot.render import as_dict

            print_json(as_dict(reply, bot.settings.review_months))
            return
        from bot.faces import terminal

        terminal.show(reply, terminal.console(), bot.settings.review_months, question)


@app.command()
def chat(index: IndexDir = None, store: StoreAt = None, locale: LocaleTag = None) -> None:
    """Hold a conversation; an empty history is one `/new` away."""
    with one_line():
        bot = opened(index, store)
        from bot.faces import terminal

        terminal.chat(bot, locale, terminal.console())


@app.command()
def mcp(index: IndexDir = None, store: StoreAt = None) -> None:
    """Serve the tools ask, search and read_passage to one program, over standard input and output (MCP)."""
    with one_line():
        bot = opened(index, store)
        from bot.faces import logs
        from bot.faces.mcp import run_stdio

        logs.configure(bot.settings.log_level, bot.settings.log_format)
        run_stdio(bot, bot.settings)


@app.command()
def check(documents: Documents = None, index: IndexDir = None, store: StoreAt = None) -> None:
    """Vet documents, and verify every checksum of the index where there is one."""
    with one_line():
        settings = settings_of(documents=documents, index=index, store=store)
        from datetime import date

        from bot.faces import terminal, upkeep
        from corpus.check import check as vet

        findings = vet(upkeep.documents(settings), date.today(), settings.review_months)
        failed = terminal.vetted(findings, terminal.console())
        if index or upkeep.indexed(settings):
            from index.home import named, verify

            files = verify(settings.home)
            terminal.verified(named(settings.home), files, terminal.console())
        if failed:
            raise typer.Exit(1)


@app.command()
def doctor(index: IndexDir = None, store: StoreAt = None, as_json: AsJson = False) -> None:
    """Say what is wrong with this installation and how to mend it; exit code 1 where something is."""
    with one_line():
        settings = settings_of(index=index, store=store)
        from bot.faces import terminal
        from bot.faces.doctor import examine, show

        if as_json:
            found = [asdict(one) for one in examine(settings)]
            print_json({"findings": found})
            failed = any(one["state"] == "wrong" for one in found)
        else:
            failed = show(examine(settings), terminal.console())
        if failed:
            raise typer.Exit(1)


@app.command()
def measure(
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="A file of golden cases.")],
    as_json: AsJson = False,
    index: IndexDir = None,
    store: StoreAt = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw what refusing costs, and reliability, to a PNG or SVG file."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="REPORT", help="Show what changed since this report, made with --json.")
    ] = None,
    floor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[SORT=]SHARE", help="Fail where the share right is lower, such as near-miss=0.9. Repeat it."
        ),
    ] = None,
) -> None:
    """Score the bot on golden cases; with --floor, exit code 1 where a share of them falls too low."""
    with one_line():
        from bot.faces import editing

        report, change, below = editing.scored(cases, lambda: opened(index, store), plot, against, floor or ())
        if as_json:
            print_json(report.as_dict())
        else:
            editing.show(report, change)
        for line in below:
            typer.echo(line, err=True)
        if below:
            raise typer.Exit(1)


@app.command()
def report(
    as_json: AsJson = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print the questions, put together by meaning, as CSV.")
    ] = False,
    index: IndexDir = None,
    store: StoreAt = None,
) -> None:
    """Say what visitors asked and did not get, from the journal."""
    with one_line():
        from bot.faces import editing

        kept = editing.journal(settings_of(index=index, store=store))  # that there is none shows at once
        found = editing.reported(kept, opened(index, store))
        if as_json:
            print_json(found.as_dict())
        elif as_csv:
            typer.echo(editing.csv_text(found), nl=False)
        else:
            editing.show(found)


@app.command()
def erase(yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False) -> None:
    """Erase all that the journal keeps of questions and thumbs."""
    with one_line():
        from bot.faces import editing

        journal = editing.journal(settings_of())
        if not yes:
            typer.confirm(f"Erase everything in {journal.settings.file}?", abort=True)
        typer.echo(f"erased {journal.erase()} entries of {journal.settings.file}")


def compose(bot: Bot, settings: Settings) -> FastAPI:
    """Every route of the contract in one app."""
    from bot.faces import completions, mcp, pages, ui
    from bot.faces.api import create_app
    from bot.faces.editor import edit
    from bot.faces.embed import embed
    from bot.faces.logs import Requests

    site = create_app(bot, settings)
    site.include_router(pages.router(bot, settings))
    site.include_router(completions.router(bot, settings))
    site.include_router(mcp.router(bot, settings))
    embed(site, bot, settings)
    edit(site, bot, settings)
    site.add_middleware(Requests, tally=site.state.tally)  # last, so outermost: it sees what the others refuse
    return ui.mount(site, bot, settings)


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
