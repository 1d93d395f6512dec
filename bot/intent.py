"""What a message means that no pattern names: a small trained model over the vectors of its sentences and clauses.

Comes in: a message through the encoder. Goes out: how likely it holds a red flag, and which meaning of
`rules/exemplars.txt` it is nearest to. Each sentence and clause of a sentence is judged: its vector is the
mean of its word pieces' vectors. A sentence passes through the encoder by itself, so nothing said beside it can take a
red flag away, and a question of one sentence passes once for this and the search. The parameters are data with their
provenance (`intent.toml`); the recipe is `tests/bench/train_intent.py`. Does not know: rules, or what is said.
"""

from __future__ import annotations

import base64
import logging
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bot.spelling import slip
from index.contract import Encoder, FloatMatrix, IndexFault, Tokens

PARAMETERS = Path(__file__).parent / "intent.toml"
SHORTEST = 5  # letters; in shorter words one slip makes another word too easily
QUIET = "quiet"  # the meaning of everything that must not set off a signpost
LONG = 8  # words; a longer sentence is read clause by clause as well
SHORT = 3  # words; fewer make no clause
CHUNK = 700  # characters that surely fit the encoder's window; a longer sentence is read in parts
_END = re.compile(r"(?<=[.!?;:])\s+|\n+| - ")
_CUT = re.compile(r",\s*| (?=(?:and|but|also|because|so|then|though|when|while|or|since)\b)")
_WORD = re.compile(rf"[^\W\d_]{{{SHORTEST},}}")
_LOG = logging.getLogger("milkwise")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sense:
    """What one message means: the probability of a red flag in it, and the likeliest meaning of the place it is in."""

    flag: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Model:
    """What is learnt. Each of `nets` holds (hidden (f, h), its bias (h,), out (h, m), its bias (m,)).

    `cues` are regular expressions on a lower-case span that stand beside its vector as one figure each; `meanings` name
    the m outputs; `threshold` is the probability from which a message is flagged, `sure` that for a message that a
    personal decision explains as well. `words` are those a slip of the finger is mended to, most frequent first.
    """

    encoder: str
    meanings: tuple[str, ...]
    cues: tuple[re.Pattern[str], ...]
    nets: tuple[tuple[FloatMatrix, FloatMatrix, FloatMatrix, FloatMatrix], ...]
    threshold: float
    sure: float
    words: tuple[str, ...]

    def judge(self, figures: FloatMatrix) -> FloatMatrix:
        """(n, f) figures in, (n, m) probabilities out: the mean of what the nets say."""
        total: FloatMatrix = np.zeros((len(figures), len(self.meanings)), dtype=np.float32)
        for hidden, bias, out, last in self.nets:
            raw = np.maximum(figures @ hidden + bias, 0) @ out + last
            raw = np.exp(raw - raw.max(axis=1, keepdims=True))
            total += raw / raw.sum(axis=1, keepdims=True)
        return (total / len(self.nets)).astype(np.float32)


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
            judged = self.model.judge(figures(text, chunk, tokens, places, self.model.cues))
            flags = 1 - judged[:, quiet]
            at = int(flags.argmax())
            if flags[at] > best.flag:
                likely = judged[at].copy()
                likely[quiet] = -1
                best = Sense(float(flags[at]), self.model.meanings[int(likely.argmax())])
        return best


def figures(
    text: str, chunk: Span, tokens: Tokens, places: Sequence[Span], cues: Sequence[re.Pattern[str]]
) -> FloatMatrix:
    """(n, dim + cues): each place's mean vector scaled to length 4, then 1 or 0 for each cue it holds.

    `tokens` are those of the chunk, `places` positions in the text.
    """
    starts = np.array([start + chunk[0] for start, _ in tokens.spans])
    rows = np.zeros((len(places), tokens.vectors.shape[1] + len(cues)), dtype=np.float32)
    for row, (start, end) in zip(rows, places, strict=True):
        inside = (starts >= start) & (starts < end)
        if inside.any():
            pooled = tokens.vectors[inside].mean(axis=0)
            row[: len(pooled)] = 4 * pooled / (np.linalg.norm(pooled) + 1e-9)
        said = text[start:end].casefold()
        row[len(row) - len(cues) :] = [bool(cue.search(said)) for cue in cues]
    return rows


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
        nets = tuple(
            (_matrix(net["hidden"]), _matrix(net["bias"])[0], _matrix(net["out"]), _matrix(net["last"])[0])
            for net in table["net"]
        )
        model = Model(
            table["made"]["encoder"],
            tuple(table["meanings"]),
            tuple(re.compile(cue) for cue in table["cues"]),
            nets,
            float(table["threshold"]),
            float(table["sure"]),
            tuple(table["words"]),
        )
        model.judge(np.zeros((1, len(nets[0][0])), dtype=np.float32))
        model.meanings.index(QUIET)
    except (OSError, ValueError, LookupError, TypeError, re.error) as fault:
        raise IndexFault(str(path), f"cannot be used ({fault}).", "Restore it, or train it again.") from None
    return model


def _matrix(given: dict[str, Any]) -> FloatMatrix:
    """One matrix: its shape, the value of one step, and base64 of its rows as signed bytes."""
    steps = np.frombuffer(base64.b64decode(given["bytes"], validate=True), dtype=np.int8)
    matrix: FloatMatrix = steps.astype(np.float32).reshape(given["shape"]) * np.float32(given["step"])
    return matrix
