"""A message → the questions in it: one or several, without what stands around them.

Comes in: a message as it was typed. Goes out: its questions in order, each with what it needs from the words before it;
the whole message where none is found. Knows the forms of English questions. Does not know: history, documents.
"""

from __future__ import annotations

import re

from bot.followup import depends
from bot.topics import AUX, WH, bare, subjects

LONG = 25  # words, from which what stands around a question only blurs it
MOST = 3  # questions of one message
ENDS = re.compile(r"(?<=[.?!…])\s+(?=\S)|\n+")
OPENS = re.compile(rf"^(?:{WH}|{AUX})\b", re.I)
# Where a second question begins inside a sentence: "… and what does it do", "… plus how long …", "… and is it safe".
SECOND = re.compile(
    rf",?\s+(?:and|plus|also|as well as)\s+(?:also\s+)?(?=(?:(?:{WH})(?: (?:many|much|long|often|soon|far|old|big))?\s+"
    rf"(?!to\b)[\w'’-]+\s+[\w'’-]+|(?:{AUX})\s+(?:it|they|there|this|that|these|those|i|you|we|the|my)\s+\w))",
    re.I,
)


def questions(message: str) -> tuple[str, ...]:
    """The questions of a message, at most MOST; the message itself where it holds one and little else."""
    sentences = [part for part in ENDS.split(message.strip()) if part]
    asked = [number for number, text in enumerate(sentences) if _asks(text, len(sentences) == 1)]
    found = [part for number in asked for part in _parted(sentences[number])]
    if not found or (len(found) == 1 and len(message.split()) < LONG):
        return (message,)
    if len(found) == 1:
        return (_with_context(found[0], sentences[: asked[0]]),)
    if len(message.split()) < LONG or asked[0] == 0:
        return tuple(found[:MOST])
    return (_with_context(found[0], sentences[: asked[0]]), *found[1:MOST])


def _asks(text: str, alone: bool) -> bool:
    """Whether a sentence is a question: by its mark, or by how it opens ("when I was …" only where it is `alone`)."""
    if not (subjects(text) or depends(text)):
        return False
    opens = OPENS.match(bare(text))
    return text.rstrip().endswith("?") or (opens is not None and (alone or opens.group().lower() != "when"))


def _parted(text: str) -> list[str]:
    """The questions of one sentence: two where both halves ask by themselves."""
    for cut in SECOND.finditer(text):
        left, right = text[: cut.start()], text[cut.end() :]
        if OPENS.match(bare(left)) and len(bare(left).split()) > 2 and subjects(left):
            return [left, *_parted(right)]
    return [text]


def _with_context(question: str, before: list[str]) -> str:
    """A question that points at the sentences before it, with the one of them that says most."""
    told = [bare(text) for text in before if len(subjects(text)) > 1]
    if not told or not (depends(question) or len(subjects(question)) < 2):
        return question
    return f"{question} ({max(told, key=lambda text: len(subjects(text)))})"
