"""An encoder that remembers what it has read, for as long as one reply takes.

Comes in: an encoder. Goes out: the same encoder, through which a text passes once where several steps of one reply ask
for it. Nothing is remembered outside `recalling()`, so no visitor's words outlive their reply. Does not know: what for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from index.contract import Encoder, FloatMatrix, Tokens


class Recalling:
    """Behaves as the encoder it is given. Safe to share between threads: each reply has a memory of its own."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._memory: ContextVar[tuple[dict[str, FloatMatrix], dict[str, Tokens]] | None] = ContextVar(
            "memory", default=None
        )

    @contextmanager
    def recalling(self) -> Iterator[None]:
        """Remember single texts while the block runs."""
        before = self._memory.set(({}, {}))
        try:
            yield
        finally:
            self._memory.reset(before)

    @property
    def name(self) -> str:
        """The encoder's name."""
        return self._encoder.name

    @property
    def window(self) -> int:
        """The encoder's window."""
        return self._encoder.window

    def count(self, text: str) -> int:
        """The encoder's count."""
        return self._encoder.count(text)

    def encode(self, texts: Sequence[str]) -> FloatMatrix:
        """Texts in, (n, dim) float32 with unit rows out."""
        memory = self._memory.get()
        if memory is None or len(texts) != 1:
            return self._encoder.encode(texts)
        if texts[0] not in memory[0]:
            memory[0][texts[0]] = self._encoder.encode(texts)
        return memory[0][texts[0]].copy()

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Texts in, their contextual token vectors out."""
        memory = self._memory.get()
        if memory is None or len(texts) != 1:
            return self._encoder.tokens(texts)
        if texts[0] not in memory[1]:
            memory[1][texts[0]] = self._encoder.tokens(texts)[0]
        return [memory[1][texts[0]]]
