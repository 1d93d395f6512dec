"""What is wrong with an installation, and how to mend it: from the words and the model to a question asked of itself.

Comes in: settings. Goes out: findings, in the order in which things depend on each other, and lines for Rich to print.
Changes nothing. Does not know: arguments or exit codes.
"""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bot.bot import Bot
from bot.compose import Speaker
from bot.endpoint import EndpointFault
from bot.faces import upkeep
from bot.render import plain
from bot.reply import Kind
from bot.settings import FILE, Settings, SettingsError
from bot.triage import load_rules
from bot.words import ROLES, Words, WordsError, read_toml
from corpus.check import check
from corpus.document import CorpusError
from index.contract import IndexFault
from index.encode import BUNDLED, fingerprint
from index.home import named, verify

CPU = Path("/proc/cpuinfo")  # Linux alone has it; elsewhere nothing is said of the processor
LOCAL = ("127.0.0.1", "localhost", "::1")


class State(StrEnum):
    """How grave a finding is: nothing to do, something to know, something that keeps it from working."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `remedy` says what to do, and is empty where there is nothing."""

    subject: str
    state: State
    what: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, the slow last; what raises is a finding, and the rest is looked at all the same."""
    for subject, look in _LOOKS.items():
        try:
            yield from (Finding(subject, *found) for found in look(settings))
        except (CorpusError, IndexFault, SettingsError, WordsError, OSError, ValueError) as fault:
            yield Finding(subject, State.WRONG, " ".join(str(fault).split()))


def show(findings: Iterable[Finding], to: Console) -> bool:
    """Print a line for each as it is found, then how many there are; whether something is wrong."""
    states = []
    for one in findings:
        states.append(one.state)
        to.print(
            Text(plain(f"{one.state:6}{one.subject:10} {one.what} {one.remedy}".rstrip()), style=_STYLES[one.state])
        )
    to.print(f"{states.count(State.WRONG)} wrong, {states.count(State.NOTE)} to know")
    return State.WRONG in states


def without_avx2() -> bool:
    """Whether this is an x86 processor that has no AVX2 or hides it, as far as can be seen: reading is slow there."""
    flags = CPU.read_text(encoding="utf-8", errors="replace").split() if CPU.exists() else []
    return "sse2" in flags and "avx2" not in flags


_STYLES = {State.OK: "dim", State.NOTE: "", State.WRONG: "bold red"}
_Found = Iterator[tuple[State, str] | tuple[State, str, str]]


def _program(_: Settings) -> _Found:
    where = f" ({Path(FILE).resolve()})" if Path(FILE).is_file() else f", no {FILE} in {Path.cwd()}"
    yield State.OK, f"Milkwise {version('milkwise')} on Python {platform.python_version()}{where}"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield State.NOTE, "it runs as root.", "Give it a user of its own; docs/operate.md shows how."
    if without_avx2():
        what = "the processor has no AVX2, or hides it: an answer takes some four times as long."
        yield State.NOTE, what, "Let the virtual machine have its host's processor, or take a newer one."


def _words(settings: Settings) -> _Found:
    words = Words.load()
    rules = load_rules(words)
    said = ", ".join(f"{name} (version {words.disclaimer(name).version})" for name in words.locales)
    yield State.OK, f"{len(rules)} rules; a disclaimer in {said}"
    language = settings.locale.partition("-")[0].lower()
    if language not in words.locales:
        yield State.NOTE, f"there are no phrases for {settings.locale}: English is spoken.", "Set another locale."
    if words.contacts(settings.locale, ROLES) == words.contacts(language, ROLES):
        what = f"the locale {settings.locale} names no country with contacts of its own: signposts are international."
        yield State.NOTE, what, 'Set one that does, such as locale = "en-GB", or send it with each request.'
    for path in sorted((words.folder / "rules").glob("*.toml")):
        head = read_toml(path)
        if not head.get("reviewed", "-"):
            yield State.NOTE, f"no clinician has reviewed {path.name}.", f"Have it done, and say when in {path}."
        if not head.get("checked_by", "-"):
            yield State.NOTE, f"nobody has rung the numbers in {path.name}.", f"Have it done, and say who in {path}."


def _documents(settings: Settings) -> _Found:
    path = upkeep.documents(settings)
    if not path.exists():
        yield State.WRONG, f"{path} is not there.", "Set documents to a file or folder, or put it back."
        return
    findings = check(path, date.today(), settings.review_months)
    errors = sum(finding.error for finding in findings)
    remedy = f"Run: milkwise check {path}" if findings else ""
    said = f"{path}: {errors} to mend, {len(findings) - errors} to note"
    yield State.NOTE if findings else State.OK, said, remedy


def _folder(settings: Settings) -> _Found:
    if settings.store:
        return
    at = settings.index if settings.index.exists() else settings.index.absolute().parent
    if os.access(at, os.W_OK | os.X_OK):
        yield State.OK, f"{at.resolve()} can be written"
    else:
        remedy = "That is right for serving an index built elsewhere; to build here, make it the server's own."
        yield State.NOTE, f"{at.resolve()} cannot be written by this user.", remedy


def _address(settings: Settings) -> _Found:
    kind = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
            yield State.OK, f"{settings.host}:{settings.port} is free"
        except OSError as fault:
            what = f"{settings.host}:{settings.port} cannot be served on ({fault.strerror})."
            yield State.NOTE, what, "If Milkwise runs there, all is well; else stop what does, or set another port."
    if settings.host not in LOCAL:
        what = f"{settings.host} is reached from other machines, and without TLS."
        yield State.NOTE, what, "Put a reverse proxy before it; docs/operate.md shows how."
    if settings.host not in LOCAL and not settings.hosts:
        yield State.NOTE, "/mcp answers under no public name.", 'Name it, if programs use it: hosts = ["…"].'


def _origins(settings: Settings) -> _Found:
    yield State.OK, f"the widget may be used on {', '.join(settings.origins) or 'no other site'}"
    for site in settings.origins:
        if site.startswith("http:") and not site.startswith(("http://localhost", "http://127.0.0.1")):
            yield State.NOTE, f"{site} has no TLS: what visitors ask there can be read on the way.", "Use https."


def _model(settings: Settings) -> _Found:
    yield State.OK, f"{fingerprint(settings.encoder)}: its files are there"
    if settings.encoder != BUNDLED:
        what = f"the model for words of danger knows {BUNDLED} alone: with this encoder only its patterns are left."
        yield State.NOTE, what, "Weigh that; docs/languages.md says what another encoder costs."


def _index(settings: Settings) -> _Found:
    build = "Run: milkwise build"
    if not upkeep.indexed(settings):
        yield State.NOTE, f"there is none in {settings.index} yet.", f"{build}, or serve, which builds it."
        return
    kept = verify(settings.home)
    what = "documents" if settings.store else "files"
    yield State.OK, f"{named(settings.home)}: {len(kept)} {what}, every checksum right"
    if not settings.store and upkeep.behind(settings):
        yield State.NOTE, "it is behind the documents or the settings.", f"{build}, or serve, which updates it."


def _composer(settings: Settings) -> _Found:
    chosen = settings.composer
    if chosen.kind != "model":
        yield State.OK, "quotes alone: no question is sent to a model"
        return
    if chosen.url.startswith("http:") and chosen.plain_http:
        yield State.NOTE, f"{chosen.url} has no TLS: questions can be read on the way.", "Use https."
    if chosen.seconds > settings.answer_seconds:
        what = f"composer.seconds is {chosen.seconds:g}, but {settings.answer_seconds:g} s is all it gets."
        yield State.NOTE, what, "Raise answer_seconds, or lower composer.seconds."
    if not upkeep.indexed(settings):
        yield State.NOTE, "the model was not asked: there is no index yet.", "Run: milkwise build"
        return
    bot = Bot.open(settings=settings)
    try:
        reply = bot.reply(Speaker(bot.index, bot.words, settings.locale).starters()[0], plain=True)
        if reply.kind == Kind.ANSWER and bot.voice:
            start = time.perf_counter()
            words = sum(claim.by_model for claim in bot.voice.arrange(reply).claims)
            said = f"{words} of its lines kept" if words else "no line of it kept, so answers stay plain quotes"
            took = (time.perf_counter() - start) * 1000
            yield State.OK, f"{chosen.model} at {chosen.url} answered in {took:.0f} ms; {said}"
    except EndpointFault as fault:
        what = f"{chosen.model} at {chosen.url}: {fault}. Answers are given without it."
        yield State.WRONG, what, "See composer.url, composer.model and composer.key_from; docs/model.md has examples."
    finally:
        bot.index.close()


def _question(settings: Settings) -> _Found:
    if not upkeep.indexed(settings):
        return
    bot = Bot.open(settings=settings)
    try:
        asked = Speaker(bot.index, bot.words, settings.locale).starters()[0]
        reply = bot.reply(asked, plain=True)
        tongues = {document.language.partition("-")[0].casefold() for document in bot.index.documents()} - {"en"}
    finally:
        bot.index.close()
    if tongues:
        what = (
            f"documents are in {', '.join(sorted(tongues))}: words of danger, and what answers, are judged in English."
        )
        yield State.NOTE, what, "Do not rely on either; docs/languages.md has what was measured."
    said = f"asked “{asked}”, it replied in {reply.ms:.0f} ms ({reply.kind.value}), with a disclaimer"
    if reply.kind == Kind.ANSWER:
        yield State.OK, said
    else:
        remedy = "The documents' own questions should be answered: see what `milkwise measure` says."
        yield State.NOTE, f"{said}, but no answer.", remedy


_LOOKS: dict[str, Callable[[Settings], _Found]] = {
    "program": _program,
    "words": _words,
    "documents": _documents,
    "folder": _folder,
    "address": _address,
    "origins": _origins,
    "model": _model,
    "index": _index,
    "composer": _composer,
    "question": _question,
}
