"""How many requests an address and a session may send, and how long to wait for the next.

Comes in: limits such as "20/minute, 200/hour", then who asks. Goes out: nothing, or how long to wait. Holds the times
of past requests in memory, for at most as long as the longest limit. Does not know: what was asked.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from math import ceil

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

# Counted apart, and the others more freely: what a conversation needs beside questions costs next to nothing, and the
# chat page sends two such requests with each.
QUESTION, OTHER = "question", "other"
FREELY = 5


@dataclass(frozen=True, slots=True)
class Full:
    """A limit that is used up: whose, "address" or "session", and the seconds until there is room."""

    whose: str
    seconds: int


class Limits:
    """Counts; one for all faces, so that a question counts the same wherever it is asked. "" is no limit."""

    def __init__(self, address: str, session: str) -> None:
        self._limits = {
            (whose, kind): [type(item)(item.amount * times, item.multiples) for item in _parsed(limit)]
            for whose, limit in (("address", address), ("session", session))
            for kind, times in ((QUESTION, 1), (OTHER, FREELY))
        }
        self._counted = MovingWindowRateLimiter(MemoryStorage())

    def full(self, kind: str, host: str, session: str | None = None) -> Full | None:
        """Count one request, or say which limit it is over. An address of this machine itself is not counted."""
        for whose, key in (("address", network(host)), ("session", session)):
            for item in self._limits[whose, kind] if key else ():
                if not self._counted.hit(item, whose, kind, str(key)):
                    free = self._counted.get_window_stats(item, whose, kind, str(key)).reset_time
                    return Full(whose, max(1, ceil(free - time.time())))
        return None


def network(host: str) -> str:
    """What is counted as one address: an IPv4 address, or the 64 bits one IPv6 customer has; "" for this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)


def _parsed(limit: str) -> list[RateLimitItem]:
    return parse_many(limit) if limit else []
