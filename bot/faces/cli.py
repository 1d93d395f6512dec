"""The `milkwise` command: serve, build, ask, chat, mcp, check, doctor, measure.

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
from dataclasses import asdict
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
StoreAt = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="Database to keep it in instead: postgresql://…")
]
LocaleTag = Annotated[str | None, typer.Option("--locale", metavar="TAG", help="Language and country, such as en-GB.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Documents = Annotated[Path | None, typer.Argument(metavar="[DOCUMENTS]", help="File or folder of documents.")]


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
    with _one_line():
        settings = _settings(documents=documents, index=index, store=store, host=host, port=port)
        from bot.faces import server

        with server.bound(settings) as listener:  # before slow work: a taken port shows at once
            from bot.bot import Bot
            from bot.faces import logs, traces, upkeep

            logs.configure(settings.log_level, settings.log_format)
            if settings.traces:
                traces.configure(settings.traces)
            upkeep.refresh(settings)
            bot = Bot.open(settings=settings)
            with upkeep.followed(bot):
                server.run(compose(bot, settings), listener, settings)


@app.command()
def build(documents: Documents = None, index: IndexDir = None, store: StoreAt = None) -> None:
    """Build or update the index; exit code 1 where a file could not be read, though the others were indexed."""
    with _one_line():
        settings = _settings(documents=documents, index=index, store=store)
        from bot.faces import terminal, upkeep

        if upkeep.rebuild(settings, terminal.console()):
            raise typer.Exit(1)


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
    with _one_line():
        bot = _bot(index, store)
        reply = bot.reply(question, locale=locale)
        if as_json:
            from bot.render import as_dict

            _print_json(as_dict(reply))
            return
        from bot.faces import terminal

        terminal.show(reply, terminal.console(), bot.settings.review_months, question)


@app.command()
def chat(index: IndexDir = None, store: StoreAt = None, locale: LocaleTag = None) -> None:
    """Hold a conversation; an empty history is one `/new` away."""
    with _one_line():
        bot = _bot(index, store)
        from bot.faces import terminal

        terminal.chat(bot, locale, terminal.console())


@app.command()
def check(documents: Documents = None, index: IndexDir = None, store: StoreAt = None) -> None:
    """Vet documents, and verify every checksum of the index where there is one."""
    with _one_line():
        settings = _settings(documents=documents, index=index, store=store)
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
    with _one_line():
        settings = _settings(index=index, store=store)
        from bot.faces import terminal
        from bot.faces.doctor import examine, show

        if as_json:
            found = [asdict(one) for one in examine(settings)]
            _print_json({"findings": found})
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
    with _one_line():
        from bot import compare
        from bot import measure as scoring
        from bot.faces import terminal

        asked = scoring.load_cases(cases)  # before slow work: a broken case or report shows at once
        earlier = compare.load_report(against) if against else None
        gates = [compare.read_floor(text, asked) for text in floor or ()]
        report = scoring.measure(_bot(index, store), asked)
        if plot:
            from bot.plot import plot as draw

            try:
                draw(report, plot)
            except ValueError as fault:  # no such format, or nothing to draw
                _fail(f"{plot}: {fault}")
        change = compare.compare(report, earlier) if earlier is not None else None
        if as_json:
            _print_json(report.as_dict())
        else:
            terminal.measured(report, terminal.console(), change)
        below = [line for gate in gates if (line := gate.missed(report))]
        for line in below:
            typer.echo(line, err=True)
        if below:
            raise typer.Exit(1)


def compose(bot: Bot, settings: Settings) -> FastAPI:
    """Every route of the contract in one app."""
    from bot.faces import completions, mcp, pages, ui
    from bot.faces.api import create_app
    from bot.faces.embed import embed
    from bot.faces.logs import Requests

    site = create_app(bot, settings)
    site.include_router(pages.router(bot, settings))
    site.include_router(completions.router(bot, settings))
    site.include_router(mcp.router(bot, settings))
    embed(site, bot, settings)
    site.add_middleware(Requests, tally=site.state.tally)  # last, so outermost: it sees what the others refuse
    return ui.mount(site, bot, settings)


def _settings(**flags: Any) -> Settings:
    from bot.settings import hush, load

    hush()
    if flags.get("index") and flags.get("store"):
        raise typer.BadParameter("name a folder or a database, not both.", param_hint="--index, --store")
    if flags.get("index"):
        flags["store"] = ""  # whatever the environment or the file says
    return load(**flags)


def _bot(index: Path | None, store: str | None) -> Bot:
    settings = _settings(index=index, store=store)
    from bot.bot import Bot
    from bot.faces import upkeep

    if not upkeep.indexed(settings):
        upkeep.refresh(settings)
    return Bot.open(settings=settings)


@contextmanager
def _one_line() -> Iterator[None]:
    """Turn every fault an operator can mend into one line on stderr and exit code 1."""
    from bot.golden import GoldenError, ReportError
    from bot.settings import SettingsError
    from bot.words import WordsError
    from corpus.document import CorpusError
    from index.contract import IndexFault

    try:
        yield
    except (CorpusError, GoldenError, IndexFault, ReportError, SettingsError, WordsError) as fault:
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
