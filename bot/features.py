"""What speaks for a sentence: one row of figures for each sentence of a passage, given a question.

Comes in: a question and a passage, both through the encoder. Goes out: a matrix, one row a sentence, one column a
feature of NAMES. Does not know: how the figures are weighted, where the threshold is, or what is said.

A lone cosine cannot tell a near miss from an answer. So each word of the question is also looked for by itself, in
context: its token vectors against those of every word of the sentence, of its passage and of the headings above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.terms import KINDS, Term, content, offered, wanted, words
from corpus.document import Passage
from index.contract import Encoder, FloatMatrix, Tokens

NAMES = (
    "cosine_sentence",  # the question and the sentence, each by itself
    "cosine_in_context",  # the question and the sentence as it stands in its passage
    "cosine_passage",
    "match_sentence",  # the question's words, each with its closest word in the sentence, rare words counting more
    "match_around",  # the same with the sentences before and after, and the headings
    "match_passage",
    "weakest_sentence",  # the word met worst
    "weakest_passage",
    "rarest_sentence",  # the rarest word
    "rarest_passage",
    "apart_sentence",  # matches again, by what sets each word apart from the question as a whole
    "apart_passage",
    "apart_weakest_sentence",
    "apart_weakest_passage",
    "shared_sentence",  # words with the same stem
    "shared_passage",
    "shared_hits",  # the same over all passages found
    "rarest_shared",
    "unmet_sentence",  # how much of the question is met by nothing
    "unmet_passage",
    "opens",  # the question's words among the first of the sentence: it is what the sentence is about
    "opens_definition",
    "opens_passage",  # the first sentence of its passage
    "length",
    "terms",
    *(f"wants_{kind}" for kind, _, _ in KINDS),  # 1 where the sentence offers what is asked for, -1 where it does not
)
FIRST = 5  # words a sentence opens with
COMMON = 2000  # in a word-piece vocabulary the ids below this are marks, letters and the commonest words
RAREST = 30_000
DEFINITION = [kind for kind, _, _ in KINDS].index("definition")


@dataclass(frozen=True, slots=True)
class Scale:
    """The encoder's own scale: mean cosine of unrelated and of paraphrased pairs. It makes weights portable."""

    unrelated: float
    paraphrase: float

    def __call__(self, cosine: FloatMatrix) -> FloatMatrix:
        """Cosines so that 0 is unrelated and 1 a paraphrase."""
        return ((cosine - self.unrelated) / max(self.paraphrase - self.unrelated, 0.05)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question through the encoder. `vectors` is (t, d), a row for each of its t `terms`; `rarity` is (t,)."""

    text: str
    vector: FloatMatrix
    terms: tuple[Term, ...]
    vectors: FloatMatrix
    rarity: FloatMatrix


@dataclass(frozen=True, slots=True)
class Seen:
    """A passage through the encoder, under its title and headings.

    `vectors` is (w, d), a row for each of its w words, `stems` theirs; `owner` is (w,): the sentence a word is in,
    -1 for the title, the headings and whatever else may not be quoted.
    """

    passage: Passage
    vectors: FloatMatrix
    stems: tuple[str, ...]
    owner: FloatMatrix


def ask(text: str, encoder: Encoder) -> Asked:
    """Put a question through the encoder."""
    terms = content(text)
    tokens = encoder.tokens([text])[0]
    vectors, rarity = _pool(tokens, terms)
    return Asked(text, encoder.encode([text])[0], tuple(terms), vectors, rarity)


def context(title: str, passage: Passage) -> str:
    """What a passage is read as: its document's title and its headings above its text."""
    return "\n".join((*filter(None, (title, *passage.headings)), passage.text))


def see(title: str, passage: Passage, tokens: Tokens) -> Seen:
    """Lay the token vectors of `context(title, passage)` out by word and by sentence."""
    text = context(title, passage)
    offset = len(text) - len(passage.text)
    terms = words(text)
    vectors, _ = _pool(tokens, terms)
    owner = np.full(len(terms), -1, dtype=np.float32)
    starts = np.array([term.start - offset + passage.start for term in terms])
    for number, (start, end) in enumerate(passage.spans):
        owner[(starts >= start) & (starts < end)] = number
    return Seen(passage, vectors, tuple(term.stem for term in terms), owner)


def features(
    asked: Asked, seen: Seen, kept: FloatMatrix, scale: Scale, known: frozenset[str] = frozenset()
) -> FloatMatrix:
    """(n, len(NAMES)) for the n sentences of a passage.

    `kept` is (m, d): the vectors of its text, its sentences, then its keys. `known` are stems of all that was found.
    """
    sentences = seen.passage.sentences
    stems = np.array([[term.stem == stem for stem in seen.stems] for term in asked.terms], dtype=bool)
    same = stems.reshape(len(asked.terms), len(seen.stems))
    found = np.clip(scale(_inner(asked.vectors, seen.vectors)), 0.0, 1.2)  # (t, w)
    apart = np.clip(_inner(_without(asked.vectors, asked.vector), _without(seen.vectors, asked.vector)), 0.0, 1.0)
    apart = np.maximum(apart, same)
    weight = asked.rarity / max(float(asked.rarity.sum()), 1e-6)
    rarest = int(weight.argmax()) if len(weight) else 0
    met = np.array([term.stem in known for term in asked.terms], dtype=bool) | same.any(axis=1)
    wants = np.array(wanted(asked.text))
    define = bool(wants[DEFINITION])
    cosine = scale(kept[: 1 + len(sentences)] @ asked.vector)
    whole, whole_same, whole_apart = _best(found), same.any(axis=1), _best(apart)
    rows = np.zeros((len(sentences), len(NAMES)), dtype=np.float32)
    for number, sentence in enumerate(sentences):
        mine, near = seen.owner == number, np.abs(seen.owner - number) <= 1
        best, best_apart, shared = _best(found[:, mine]), _best(apart[:, mine]), same[:, mine].any(axis=1)
        opens = float(weight @ same[:, np.flatnonzero(mine)[:FIRST]].any(axis=1))
        middle = seen.vectors[mine].sum(axis=0)
        middle = middle / max(float(np.linalg.norm(middle)), 1e-6)
        rows[number] = [
            cosine[1 + number],
            scale(np.array([middle @ asked.vector], dtype=np.float32))[0],
            cosine[0],
            weight @ best,
            weight @ _best(found[:, near | (seen.owner < 0)]),
            weight @ whole,
            best.min(initial=1.2),
            whole.min(initial=1.2),
            best[rarest : rarest + 1].sum(),
            whole[rarest : rarest + 1].sum(),
            weight @ best_apart,
            weight @ whole_apart,
            best_apart.min(initial=1.0),
            whole_apart.min(initial=1.0),
            weight @ shared,
            weight @ whole_same,
            weight @ met,
            met[rarest : rarest + 1].sum(),
            weight @ np.clip(1 - best, 0, 1) ** 2,
            weight @ np.clip(1 - whole, 0, 1) ** 2,
            opens,
            opens * define,
            number == 0,
            np.log1p(len(sentence.text)) / 5,
            np.log1p(len(asked.terms)),
            *(np.where(offered(sentence.text), 1.0, -1.0) * wants),
        ]
    return rows


def _inner(left: FloatMatrix, right: FloatMatrix) -> FloatMatrix:
    product: FloatMatrix = left @ right.T
    return product


def _without(rows: FloatMatrix, common: FloatMatrix) -> FloatMatrix:
    """Unit rows of what is left of each when what all share with `common` is taken out."""
    rest = rows - np.outer(rows @ common, common)
    left: FloatMatrix = rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-6)
    return left


def _best(found: FloatMatrix) -> FloatMatrix:
    """(t,): how well each term is met by its closest word; 0 where there is no word."""
    best: FloatMatrix = found.max(axis=1, initial=0.0)
    return best


def _pool(tokens: Tokens, terms: list[Term]) -> tuple[FloatMatrix, FloatMatrix]:
    """Word pieces to words: (t, d) unit rows and (t,) rarities; a word past the encoder's window is a row of zeros."""
    vectors = np.zeros((len(terms), tokens.vectors.shape[1]), dtype=np.float32)
    rarity = np.ones(len(terms), dtype=np.float32)
    piece = 0
    for row, term in enumerate(terms):
        while piece < len(tokens.spans) and tokens.spans[piece][1] <= term.start:
            piece += 1
        last = piece
        while last < len(tokens.spans) and tokens.spans[last][0] < term.end:
            last += 1
        if last == piece:
            continue
        pooled = tokens.vectors[piece:last].mean(axis=0)
        vectors[row] = pooled / max(float(np.linalg.norm(pooled)), 1e-6)
        rarity[row] = _rarity(tokens.ids[piece:last])
        piece = last
    return vectors, rarity


def _rarity(ids: tuple[int, ...]) -> float:
    """How rare a word is by its pieces' vocabulary ids; a word in several pieces is rarer than any whole one."""
    if len(ids) > 1:
        return float(np.log(RAREST / COMMON)) + 0.15 * min(len(ids) - 1, 4)
    return float(np.clip(np.log(max(ids[0], 1) / COMMON), 0.2, np.log(RAREST / COMMON)))
