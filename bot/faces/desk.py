"""The desk before the bot: how many answers are made at once, how many may wait, for how long, and which are at hand.

Comes in: questions, from one event loop. Goes out: the bot's replies, or `Busy`. An answer is never made from less
because many ask: it is the same answer, later, or none. Holds the latest replies in memory under a hash of what was
asked. Does not know: HTTP, or how an answer is made.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections import OrderedDict
from collections.abc import Sequence

import anyio
from anyio.to_thread import run_sync

from bot.bot import HISTORY, Bot
from bot.faces.tally import Tally
from bot.reply import Kind, Reply, Turn
from bot.settings import Settings

PERSONAL = (Kind.URGENT, Kind.REFER)  # what somebody in need wrote is not kept, not even in memory
IDLE = 8  # answers of which a core makes one, where a model is waited for most of the time
WEIGHT = 0.1  # of the latest answer in the running mean of how long one takes


class Busy(Exception):
    """Too many ask at once; `wait_s` is in how many seconds it should be better."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"busy for {wait_s} s")


class Desk:
    """Asks a bot for many at a time, from one event loop."""

    def __init__(self, bot: Bot, settings: Settings, tally: Tally | None = None) -> None:
        self.bot, self.settings, self.tally = bot, settings, tally or Tally()
        waits = IDLE if settings.composer.kind == "model" else 1  # who waits for a model takes no core meanwhile
        self._at_once = settings.answers_at_once or (os.cpu_count() or 1) * waits
        self._threads = anyio.CapacityLimiter(self._at_once)  # its own: no page's handler takes one away
        self._kept: OrderedDict[str, Reply] = OrderedDict()
        self._waiting, self._takes_s = 0, 0.05

    async def reply(self, asked: str, history: Sequence[Turn] = (), locale: str | None = None) -> Reply:
        """The bot's reply, from memory where this index has just been asked the same. Raises Busy.

        Cancelled while it waits, the question is never asked; once it is asked, the answer is made to its end.
        """
        start = time.perf_counter()
        asked = asked.strip()
        key = self._key(asked, history[-HISTORY:], locale)
        kept = self._kept.get(key)
        self.tally.looked_up(kept is not None)
        if kept:
            self._kept.move_to_end(key)
            again = kept.timed((time.perf_counter() - start) * 1000)
            for observer in self.bot.observers:
                observer.replied(again)
            return again
        if not self._threads.available_tokens and self._waiting >= self.settings.answers_waiting:
            self.tally.turned_away("full")
            raise Busy(self._wait_s())
        self._waiting += 1
        self.tally.waiting.inc()
        try:
            with self.tally.queued.time(), anyio.fail_after(self.settings.answer_seconds):
                await self._threads.acquire()
        except TimeoutError:
            self.tally.turned_away("late")
            raise Busy(self._wait_s()) from None
        finally:
            self._waiting -= 1
            self.tally.waiting.dec()
        try:
            began = time.perf_counter()
            # The thread's slot is the one just taken; the limiter given here only has to let it in.
            reply = await run_sync(self.bot.reply, asked, history, locale, limiter=anyio.CapacityLimiter(1))
            self._takes_s += WEIGHT * (time.perf_counter() - began - self._takes_s)
        finally:
            self._threads.release()
        self._keep(self._key(asked, history[-HISTORY:], locale), reply)
        return reply

    def _keep(self, key: str, reply: Reply) -> None:
        gone = reply.index != self.bot.index.generation  # made from what has been replaced meanwhile
        if reply.kind in PERSONAL or gone or not reply.lasting:
            return
        self._kept[key] = reply
        while len(self._kept) > self.settings.answers_kept:
            self._kept.popitem(last=False)
        self.tally.kept.set(len(self._kept))

    def _key(self, asked: str, history: Sequence[Turn], locale: str | None) -> str:
        turns = [(turn.asked, turn.cited) for turn in history]
        whole = json.dumps([self.bot.index.generation, locale, asked, turns])
        return hashlib.sha256(whole.encode()).hexdigest()

    def _wait_s(self) -> int:
        """In how many seconds those who wait now will have been answered."""
        return max(1, math.ceil((self._waiting + 1) * self._takes_s / self._at_once))
