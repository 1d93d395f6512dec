"""What the widget costs a host's visitors: bytes, time on a slow link, layout shifts, long tasks, in a real Chromium.

`python -m tests.bench.widget [VISITS]` serves the bundled documents and a page that embeds the widget, and prints a
table. The link is Chromium's own emulation of 1.6 Mbit/s with 150 ms to each answer; times are medians of as many fresh
profiles.

A task is long by the clock, which waiting for a processor counts in, or by the time its thread ran, which is the page's
own. Chromium's trace tells both, and what ran in the longest.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.chat import say
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.widget import ASKED, button, embedded

VISITS = 7
LONG_MS = 50
TRACED = ("toplevel", "devtools.timeline", "v8", "blink.user_timing")
LINK = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
WATCH = """
window.seen = [];
window.cost = { shifts: 0, tasks: [], launcher: 0, claim: 0 };
new PerformanceObserver((list) => { for (const one of list.getEntries()) cost.shifts += one.value; })
  .observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => cost.tasks.push(...list.getEntries().map((one) => one.duration)))
  .observe({ type: "longtask", buffered: true });
const drawn = () => { cost.launcher = performance.now(); };
customElements.whenDefined("milkwise-chat").then(() => requestAnimationFrame(drawn));
document.addEventListener("milkwise:open", (event) => {
  const log = event.target.shadowRoot.querySelector(".log");
  new MutationObserver(() => {
    if (!cost.claim && log.querySelector(".reply p:not(.soft)")) cost.claim = performance.now();
  }).observe(log, { childList: true, subtree: true });
});
"""


def visit(browser: Browser, host: str, server: str) -> dict[str, Any]:
    """One visitor on the slow link: the page, the launcher, one question, its answer."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    weights: dict[str, float] = {}
    names: dict[str, str] = {}
    wire.on("Network.requestWillBeSent", lambda sent: names.update({sent["requestId"]: sent["request"]["url"]}))
    wire.on("Network.loadingFinished", lambda done: weights.update({done["requestId"]: done["encodedDataLength"]}))
    wire.send("Network.enable")
    wire.send("Performance.enable", {"timeDomain": "threadTicks"})
    browser.start_tracing(page=page, categories=list(TRACED))
    wire.send("Network.emulateNetworkConditions", LINK)
    page.goto(host)
    button(page, "launch").click()
    page.wait_for_timeout(600)  # a visitor reads the disclaimer and types
    page.get_by_label(say("your-question")).fill(ASKED)
    asked = page.evaluate("performance.now()")
    page.keyboard.press("Enter")
    expect(page.locator("milkwise-chat .cite").first).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)  # the last bytes are counted a little after they are shown
    cost: dict[str, Any] = page.evaluate("cost")
    bare = _bare(page)
    cost["claim"] -= asked
    cost["after"] = cost["launcher"] - bare
    cost["bytes"] = {names[id].removeprefix(server): weight for id, weight in weights.items() if server in names[id]}
    metrics = {one["name"]: one["value"] for one in wire.send("Performance.getMetrics")["metrics"]}
    cost["script"] = metrics["ScriptDuration"] * 1000
    cost["traced"] = tasks(json.loads(browser.stop_tracing())["traceEvents"])
    context.close()
    return cost


def tasks(events: list[dict[str, Any]]) -> list[tuple[float, float, str]]:
    """Each task of the page's main threads: ms by the clock, ms its thread ran, and the longest steps within it."""
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"].get("name") == "CrRendererMain"
    }
    found = []
    timed = [one for one in events if one.get("ph") == "X" and (one["pid"], one["tid"]) in mains and one.get("dur")]
    for task in timed:
        if task["name"] not in ("RunTask", "ThreadControllerImpl::RunTask"):
            continue
        end = task["ts"] + task["dur"]
        within = [one for one in timed if one is not task and task["ts"] <= one["ts"] and one["ts"] + one["dur"] <= end]
        longest = sorted(within, key=lambda one: -one.get("tdur", 0))[:3] if task["dur"] > LONG_MS * 1000 else []
        steps = ", ".join(f"{one['name']} {one.get('tdur', 0) / 1000:.0f}" for one in longest)
        found.append((task["dur"] / 1000, task.get("tdur", 0) / 1000, steps))
    return found


def _bare(page: Page) -> float:
    """When the host's own page had come, in ms."""
    return float(page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd"))


def main() -> None:
    """Serve, visit, print."""
    from bot.bot import Bot
    from bot.settings import BUNDLED, hush, load
    from index.index import build

    hush()
    count = int(sys.argv[1]) if sys.argv[1:] else VISITS
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        settings = load(index=index)
        build(BUNDLED, index, settings.encoder, limit=settings.passage_pieces)
        bot = Bot.open(index, settings)
        bot.reply(ASKED)  # the model is loaded before anyone asks
        with embedded(bot) as (host, server), sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            visits = [visit(browser, host, server) for _ in range(count)]
            browser.close()
    traced = [task for one in visits for task in one["traced"]]
    long = [task for task in traced if task[0] > LONG_MS]
    lines = [
        f"launcher, after the host's own page: {_median(visits, 'after'):.0f} ms",
        f"launcher, from the start of navigation: {_median(visits, 'launcher'):.0f} ms",
        f"first claim, from Enter: {_median(visits, 'claim'):.0f} ms",
        f"layout shift, largest sum: {max(one['shifts'] for one in visits)}",
        f"all script of a visit, thread time: {statistics.median(one['script'] for one in visits):.0f} ms",
        f"long tasks by the clock: {[round(task) for one in visits for task in one['tasks']]} ms in {count} visits",
        *(f"  one of {clock:.0f} ms, its thread ran {ran:.0f} ms: {steps}" for clock, ran, steps in long),
        f"longest task by the time its thread ran: {max(ran for _, ran, _ in traced):.0f} ms of {len(traced)} tasks",
        *(f"bytes with headers, {path}: {weight:.0f}" for path, weight in visits[0]["bytes"].items()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _median(visits: list[dict[str, Any]], name: str) -> float:
    return float(statistics.median(one[name] for one in visits))


if __name__ == "__main__":
    main()
