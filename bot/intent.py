"""What a message means that no pattern names: a small trained model over the words of its sentences and clauses.

Comes in: a message through the encoder. Goes out: how likely it holds a red flag, and which meaning of
`rules/exemplars.txt` it is nearest to. Each sentence, and each clause of a long one, is judged: by the mean of its word
pieces' vectors, by what stands out in any one of them, by cues, and by its words themselves. A sentence passes through
the encoder by itself, so nothing said beside it can take a red flag away, and a question of one sentence passes once
for this and the search. The parameters are data with their provenance (`intent.toml`); the recipe is
`tests/bench/train_intent.py`. Does not know: rules, or what is said.
"""

from __future__ import annotations

import base64
import logging
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.spelling import slip
from index.contract import Encoder, FloatMatrix, IndexFault, Tokens

PARAMETERS = Path(__file__).parent / "intent.toml"
SHORTEST = 5  # letters; in shorter words one slip makes another word too easily
QUIET = "quiet"  # the meaning of everything that must not set off a signpost
LONG = 16  # words; a longer sentence is read clause by clause as well
SHORT = 3  # words; fewer make no clause
CHUNK = 700  # characters that surely fit the encoder's window; a longer sentence is read in parts
_END = re.compile(r"(?<=[.!?;:])\s+|\n+| - ")
_CUT = re.compile(r",\s*| (?=(?:and|but|also|because|so|then|though|when|while|or|since)\b)")
_PHRASE = re.compile(r"[\w']+")
_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")
_LOG = logging.getLogger("milkwise")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sense:
    """What one message means: the probability of a red flag in it, and the likeliest meaning of the place it is in."""

    flag: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Places:
    """What is known of n places of one chunk of t word pieces.

    `vectors` (t, dim) are the pieces', `inside` (n, t) tells which lie in a place; `means` (n, dim) are scaled to
    length 4, `cues` (n, c) are 1 or 0, and `words` (n, w) are 0, or 1 over the root of how many of them a place holds.
    """

    vectors: FloatMatrix
    inside: npt.NDArray[np.bool_]
    means: FloatMatrix
    cues: FloatMatrix
    words: FloatMatrix


@dataclass(frozen=True, slots=True)
class Net:
    """One net: what it looks for in a piece (dim, k), a hidden layer (dim + k + c, h), outputs (h, m), words (w, m)."""

    look: FloatMatrix
    least: FloatMatrix
    hidden: FloatMatrix
    bias: FloatMatrix
    out: FloatMatrix
    last: FloatMatrix
    words: FloatMatrix

    def judge(self, places: Places) -> FloatMatrix:
        """(n, m) probabilities: what stands out in any piece of a place beside its mean, then cues and words."""
        seen = places.vectors @ self.look + self.least
        peaks = np.where(places.inside[:, :, None], seen, 0).max(axis=1, initial=0)
        inner = np.maximum(np.hstack([places.means, peaks, places.cues]) @ self.hidden + self.bias, 0)
        raw = inner @ self.out + self.last + places.words @ self.words
        raw = np.exp(raw - raw.max(axis=1, keepdims=True))
        shares: FloatMatrix = (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)
        return shares


@dataclass(frozen=True, slots=True)
class Model:
    """What is learnt: `nets`, and what they read beside vectors.

    `cues` are regular expressions on a lower-case place, `phrases` words and runs of up to three of them; `meanings`
    name the outputs; `threshold` is the probability from which a message is flagged, `unsure` that from which a word of
    caution stands before the answer, `doubt` that below which what a pattern found is no more than such a word.
    `words` are those a slip of the finger is mended to, most frequent first.
    """

    encoder: str
    meanings: tuple[str, ...]
    cues: tuple[re.Pattern[str], ...]
    phrases: Mapping[str, int]
    nets: tuple[Net, ...]
    threshold: float
    unsure: float
    doubt: float
    words: tuple[str, ...]

    def judge(self, places: Places) -> FloatMatrix:
        """(n, m) probabilities of each meaning: the mean of what the nets say."""
        return np.mean([net.judge(places) for net in self.nets], axis=0, dtype=np.float32)  # type: ignore[no-any-return]


class Intent:
    """Reads messages with one encoder. Safe to share between threads."""

    def __init__(self, model: Model, encoder: Encoder) -> None:
        self.model, self._encoder = model, encoder

    def mend(self, text: str) -> str:
        """The text with each word the encoder has no whole piece for, one slip away from a known word, put right."""
        wrong: list[Span] = []
        for chunk in chunks(text):
            pieces = self._encoder.tokens([text[slice(*chunk)]])[0].spans
            starts = {start + chunk[0] for start, _ in pieces}
            ends = {end + chunk[0] for _, end in pieces}
            whole = {(start + chunk[0], end + chunk[0]) for start, end in pieces}
            for found in _WORD.finditer(text, *chunk):
                if found.span() not in whole and found.start() in starts and found.end() in ends:
                    wrong.append(found.span())
        for start, end in reversed(wrong):
            word = text[start:end].casefold()
            near = [] if word in self.model.words else [known for known in self.model.words if slip(word, known)]
            if near:
                text = text[:start] + near[0] + text[end:]
        return text

    def read(self, text: str, hidden: Sequence[Span] = ()) -> Sense:
        """What a message means. A sentence or clause in which a `hidden` place begins is passed over."""
        best = Sense(0.0, QUIET)
        quiet = self.model.meanings.index(QUIET)
        for chunk in chunks(text):
            places = [span for span in spans(text, chunk) if not any(span[0] <= at < span[1] for at, _ in hidden)]
            if not places:
                continue
            tokens = self._encoder.tokens([text[slice(*chunk)]])[0]
            judged = self.model.judge(figures(text, chunk, tokens, places, self.model))
            flags = 1 - judged[:, quiet]
            at = int(flags.argmax())
            if flags[at] > best.flag:
                likely = judged[at].copy()
                likely[quiet] = -1
                best = Sense(float(flags[at]), self.model.meanings[int(likely.argmax())])
        return best


def figures(text: str, chunk: Span, tokens: Tokens, places: Sequence[Span], model: Model) -> Places:
    """What the nets read of each place. `tokens` are those of the chunk, `places` positions in the text."""
    starts = np.array([start + chunk[0] for start, _ in tokens.spans], dtype=np.intp)
    inside = np.array([(starts >= start) & (starts < end) for start, end in places]).reshape(len(places), len(starts))
    sums = inside.astype(np.float32) @ tokens.vectors
    means = 4 * sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9)
    said = [text[start:end].casefold() for start, end in places]
    cues = np.array([[bool(cue.search(one)) for cue in model.cues] for one in said], dtype=np.float32)
    words = np.zeros((len(places), len(model.phrases)), dtype=np.float32)
    for row, one in zip(words, said, strict=True):
        known = [model.phrases[phrase] for phrase in phrases(one) if phrase in model.phrases]
        row[known] = 1 / np.sqrt(max(len(known), 1))
    return Places(tokens.vectors, inside, means, cues.reshape(len(places), len(model.cues)), words)


def phrases(said: str) -> set[str]:
    """The words of a text and each two and three that follow one another."""
    words = _PHRASE.findall(said)
    return {" ".join(words[at : at + size]) for size in (1, 2, 3) for at in range(len(words) - size + 1)}


def chunks(text: str) -> Iterator[Span]:
    """The sentences of a text; one too long for the encoder's window is cut between words."""
    for start, end in _parts(text, (0, len(text)), _END):
        while end - start > CHUNK:
            cut = text.rfind(" ", start + 1, start + CHUNK) + 1 or start + CHUNK
            yield start, cut
            start = cut
        yield start, end


def spans(text: str, within: Span) -> list[Span]:
    """Each sentence, and of long ones each clause and each two neighbouring clauses, as (start, end) in the text."""
    found: dict[Span, None] = {}
    for start, end in _parts(text, within, _END):
        found[start, end] = None
        if len(text[start:end].split()) > LONG:
            clauses = list(_parts(text, (start, end), _CUT))
            pairs = [(one[0], two[1]) for one, two in pairwise(clauses)]
            found |= dict.fromkeys(clause for clause in clauses + pairs if len(text[slice(*clause)].split()) >= SHORT)
    return list(found)


def _parts(text: str, within: Span, cut: re.Pattern[str]) -> Iterator[Span]:
    """What lies between the matches of `cut`, without the spaces around it; nothing empty."""
    at = within[0]
    ends = [*(match.span() for match in cut.finditer(text, *within)), (within[1], within[1])]
    for end, after in ends:
        part = text[at:end]
        if part.strip():
            yield at + len(part) - len(part.lstrip()), at + len(part.rstrip())
        at = after


def load_intent(encoder: Encoder) -> Intent | None:
    """The model for an encoder; None, with a warning, for one it was not trained on. Raises IndexFault."""
    model = load_model()
    if encoder.name.partition("@")[0] != model.encoder:
        _LOG.warning(
            "red flags are told by patterns alone: the model for them was trained on %s, not on %s",
            model.encoder,
            encoder.name,
        )
        return None
    return Intent(model, encoder)


@lru_cache(maxsize=1)
def load_model(path: Path = PARAMETERS) -> Model:
    """The trained parameters. Raises IndexFault where the file is missing or does not fit."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        model = Model(
            table["made"]["encoder"],
            tuple(table["meanings"]),
            tuple(re.compile(cue) for cue in table["cues"]),
            {phrase: number for number, phrase in enumerate(table["phrases"])},
            tuple(Net(**{one.name: _matrix(net[one.name]) for one in fields(Net)}) for net in table["net"]),
            float(table["threshold"]),
            float(table["unsure"]),
            float(table["doubt"]),
            tuple(table["words"]),
        )
        model.judge(
            figures(
                "", (0, 0), Tokens(np.zeros((0, len(model.nets[0].look)), dtype=np.float32), (), ()), [(0, 0)], model
            )
        )
        model.meanings.index(QUIET)
    except (OSError, ValueError, LookupError, TypeError, re.error) as fault:
        raise IndexFault(str(path), f"cannot be used ({fault}).", "Restore it, or train it again.") from None
    return model


def _matrix(given: dict[str, Any]) -> FloatMatrix:
    """One matrix: its shape, the value of one step, and base64 of its rows as signed bytes."""
    steps = np.frombuffer(base64.b64decode(given["bytes"], validate=True), dtype=np.int8)
    matrix: FloatMatrix = steps.astype(np.float32).reshape(given["shape"]) * np.float32(given["step"])
    return matrix
