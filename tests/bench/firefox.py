"""The widget in a real Firefox: opened, asked, its source read, cut off, by pointer and keyboard; axe in each state.

`python -m tests.bench.firefox` serves the bundled documents and strict pages, one of them with hostile styles, that
embed the widget, drives the Firefox of this machine over Marionette, which it brings along, and prints what was found.
The tests drive Chromium; playwright's Firefox is a build of its own, and this is the one people have.
"""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.browser.chat import AXE, say
from tests.browser.widget import ASKED, UNKNOWN, URGENT, Trouble, embedded

FIREFOX = next(filter(None, map(shutil.which, ("firefox", "firefox-esr"))), None)
SCHEMES = {"dark": 0, "light": 1}  # as Firefox numbers them
PREFERENCES = {
    "ui.primaryPointerCapabilities": 6,  # a mouse, which a Firefox without a screen does not see
    "marionette.port": 0,  # a free one; Firefox writes down which
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "network.captive-portal-service.enabled": False,
    "network.disable-localhost-when-offline": True,  # else this machine's own servers are still reached
    "network.connectivity-service.enabled": False,
    "app.normandy.enabled": False,
    "extensions.update.enabled": False,
}
PATIENCE_S = 90.0
IDLE_S = 6.0  # the server closes what nobody used for 5 s; a connection that is open Firefox uses offline too
ELEMENT, SHADOW = "element-6066-11e4-a52e-4f735466cecf", "shadow-6066-11e4-a52e-4f735466cecf"
Found = TypeVar("Found")
ENTER, ESCAPE = "\ue007", "\ue00c"
VIOLATIONS = """
const done = arguments[arguments.length - 1];
axe.run().then(
  ({ violations }) => done(violations.map((one) => `${one.id}: ${one.nodes[0].html}`)),
  (fault) => done([`${fault}`]),
);
"""


class Marionette:
    """Firefox's own protocol: WebDriver's commands as JSON, each with its length before it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._file = self._socket.makefile("rb")
        self._number = 0
        self._read()
        self("NewSession")

    def __call__(self, command: str, **given: object) -> Any:  # noqa: ANN401  # JSON
        """What the command gives; RuntimeError where Firefox refuses it."""
        self._number += 1
        text = json.dumps([0, self._number, command if ":" in command else f"WebDriver:{command}", given]).encode()
        self._socket.sendall(b"%d:%b" % (len(text), text))
        _, _, fault, result = self._read()
        if fault:
            raise RuntimeError(f"{command}: {fault['message']}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def _read(self) -> Any:  # noqa: ANN401  # JSON
        length = b""
        while not length.endswith(b":"):
            length += self._file.read(1)
        return json.loads(self._file.read(int(length[:-1])))


class Visit:
    """One visitor of the page with the widget. What is waited for comes within PATIENCE_S or is a TimeoutError."""

    def __init__(self, firefox: Marionette, address: str) -> None:
        self.firefox = firefox
        firefox("Navigate", url=address)
        host = self._until(lambda: firefox("FindElement", using="css selector", value="milkwise-chat"))
        self.shadow = firefox("GetShadowRoot", id=host[ELEMENT])[SHADOW]
        firefox("ExecuteScript", script=AXE, args=[], newSandbox=False)

    def find(self, selector: str) -> str:
        """The last element of the widget that matches, once there is one."""
        given = {"using": "css selector", "value": selector, "shadowRoot": self.shadow}
        found: list[dict[str, str]] = self._until(lambda: self.firefox("FindElementsFromShadowRoot", **given))
        return found[-1][ELEMENT]

    def click(self, selector: str) -> None:
        """As a pointer does: RuntimeError where something else lies over it."""
        self.firefox("ElementClick", id=self.find(selector))

    def type(self, selector: str, keys: str) -> None:
        """Give it the focus and press these keys."""
        self.firefox("ElementSendKeys", id=self.find(selector), text=keys)

    def text(self, selector: str) -> str:
        """What is shown there."""
        return str(self.firefox("GetElementText", id=self.find(selector)))

    def ask(self, question: str) -> str:
        """Ask; gives the answer once it is whole or given up."""
        self.type("textarea", question + ENTER)
        self._until(lambda: question in self.text(".asked"))
        return str(self._until(lambda: say("looking-one") not in (said := self.text(".reply")) and said))

    def focused(self) -> str:
        """Class of the element of the widget that has the focus."""
        script = "return document.querySelector('milkwise-chat').shadowRoot.activeElement?.className ?? ''"
        return str(self.firefox("ExecuteScript", script=script, args=[]))

    def check(self, state: str) -> None:
        """Exit with what axe-core finds, if anything."""
        found = self.firefox("ExecuteAsyncScript", script=VIOLATIONS, args=[], newSandbox=False)
        if found:
            sys.exit(f"axe-core, {state}: {found}")

    def _until(self, there: Callable[[], Found]) -> Found:
        patience = time.monotonic() + PATIENCE_S
        while not (found := there()):
            if time.monotonic() > patience:
                raise TimeoutError
            time.sleep(0.1)
        return found


@contextmanager
def started(scheme: str) -> Iterator[Marionette]:
    """A Firefox with a profile of its own, on light or dark pages."""
    if FIREFOX is None:
        sys.exit("no Firefox found; install it.")
    with tempfile.TemporaryDirectory() as folder:
        chosen = PREFERENCES | {"layout.css.prefers-color-scheme.content-override": SCHEMES[scheme]}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in chosen.items()]
        Path(folder, "user.js").write_text("\n".join(lines), encoding="utf-8")
        command = [FIREFOX, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote"]
        quiet = subprocess.DEVNULL
        with subprocess.Popen([*command, "--profile", folder], stdout=quiet, stderr=quiet) as firefox:
            try:
                port = Path(folder, "MarionetteActivePort")
                patience = time.monotonic() + PATIENCE_S
                while not (port.is_file() and port.read_text()):
                    if time.monotonic() > patience or firefox.poll() is not None:
                        sys.exit(f"{FIREFOX} did not start.")
                    time.sleep(0.2)
                yield Marionette(int(port.read_text()))
            finally:
                firefox.terminate()


@contextmanager
def offline(firefox: Marionette) -> Iterator[None]:
    """Without a network, as its own menu "Work Offline" does it."""

    def switch(off: str) -> None:
        firefox("Marionette:SetContext", value="chrome")
        firefox("ExecuteScript", script=f"Services.io.offline = {off}", args=[])
        firefox("Marionette:SetContext", value="content")

    switch("true")
    time.sleep(IDLE_S)
    yield
    switch("false")


def use(visit: Visit) -> list[str]:
    """What a visitor does, each step held to what must come of it; gives the steps."""
    visit.check("closed")
    visit.click(".launcher")
    assert "does not give medical advice" in visit.text(".note")
    assert visit.focused() == ""  # the box, which has no class
    visit.check("open")
    assert visit.ask(ASKED)
    visit.click(".cite")
    quote = visit.text("mark.chosen")
    assert quote
    assert quote in visit.text(".reply")
    assert say("label-not-reviewed") in visit.text(".sheet")
    assert visit.focused() == "sheet"
    visit.check("source")
    visit.type(".sheet", ESCAPE)
    assert visit.focused() == "cite"
    assert visit.ask(UNKNOWN).startswith(say("abstain"))
    visit.check("abstain")
    assert say("call", number="999") in visit.ask(URGENT)
    visit.check("urgent")
    for what, words in (("503", "unreachable"), ("cut", "cut-off"), ("429", "error-wait")):
        Trouble.what = what
        assert say(words, minutes=1) in visit.ask(ASKED)
        visit.check(what)
    Trouble.what = ""
    with offline(visit.firefox):
        assert say("offline") in visit.ask(ASKED)
        visit.check("offline")
    visit.type("textarea", ESCAPE)
    assert visit.focused() == "launcher"
    steps = ["opened", "asked", "source", "refused", "urgent", "unreachable", "cut off", "too many", "offline"]
    return [*steps, "closed by Escape"]


def withstand(visit: Visit) -> list[str]:
    """The same on a page whose styles hide and cover all they can: a click that something lies over is refused."""
    visit.click(".launcher")
    visit.ask(ASKED)
    visit.click(".cite")
    assert visit.text("mark.chosen")
    return ["asked under hostile styles"]


def main() -> None:
    """Serve, visit in light and dark, print."""
    from bot.bot import Bot
    from bot.settings import BUNDLED, hush, load
    from index.index import build

    hush()
    logging.disable()  # what is cut off on purpose
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        settings = load(index=index)
        build(BUNDLED, index, settings.encoder, limit=settings.passage_pieces)
        bot = Bot.open(index, settings)
        bot.reply(ASKED)  # the model is loaded before anyone asks
        with embedded(bot) as (host, _):
            for scheme in SCHEMES:
                with started(scheme) as firefox:
                    steps = use(Visit(firefox, host)) + withstand(Visit(firefox, f"{host}/?hostile"))
                    version = firefox("ExecuteScript", script="return navigator.userAgent", args=[]).split("/")[-1]
                sys.stdout.write(f"Firefox {version}, {scheme}: {', '.join(steps)}; axe-core 0 violations\n")


if __name__ == "__main__":
    main()
