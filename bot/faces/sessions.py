"""Short-lived session tokens: a random number, signed for one site, that the next questions are counted under.

Comes in: a secret, minutes, the origin a browser names. Goes out: tokens, and the number in one that is genuine. Keeps
nothing, and a token says nothing of who holds it. Does not know: what is limited, or which sites may ask.
"""

from __future__ import annotations

import hashlib
import secrets

from itsdangerous import BadSignature, TimestampSigner

HEADER = "Milkwise-Session"


class Sessions:
    """Signs and checks. Without a secret of the operator's it makes one, which is gone with the process."""

    def __init__(self, secret: str, minutes: int) -> None:
        self._secret = secret or secrets.token_urlsafe(32)
        self.seconds = minutes * 60

    def issue(self, origin: str) -> str:
        """A new token for pages of `origin`; "" is this server's own pages, and programs."""
        return self._signer(origin).sign(secrets.token_urlsafe(12)).decode()

    def number(self, token: str, origin: str) -> str | None:
        """The number in the token; None where it is forged, too old, or another site's."""
        try:
            return self._signer(origin).unsign(token, max_age=self.seconds).decode()
        except BadSignature:
            return None

    def _signer(self, origin: str) -> TimestampSigner:
        return TimestampSigner(self._secret, salt=f"{HEADER} {origin}", digest_method=hashlib.sha256)
