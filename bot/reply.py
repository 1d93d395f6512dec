"""What is said, as values: a turn, a rule, a claim with its source, a reply with its disclaimer.

Comes in: documents and passages. Goes out: frozen values that cannot be built wrong: no claim without a source, no
quote that is not in its document, no reply without a disclaimer. Does not know: how an answer is found or shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal
from urllib.parse import quote as percent

from corpus.document import Document, Passage, Sentence
from index.contract import Hit

MODEL = "model:"  # starts the source of what a model wrote


class Kind(StrEnum):
    """The six kinds of reply; CONTRACT says when each is given."""

    ANSWER = "answer"
    ABSTAIN = "abstain"
    CLARIFY = "clarify"
    REFER = "refer"
    URGENT = "urgent"
    SMALLTALK = "smalltalk"


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier question and the passage ids its answer cited; the caller holds the history."""

    asked: str
    cited: tuple[str, ...] = ()


UNSURE = "unsure"  # the meaning of what may be a red flag, for the one rule that says so before an answer


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of a rules file: when any pattern matches and no `unless` does, say that phrase.

    `kind` is the kind of reply it leads to. `stops` means nothing is looked up; otherwise its phrase is a note beside
    the answer. `say` is a phrase id, `contacts` the roles of the contacts to show ("emergency", "crisis", …). `meaning`
    is set for the one rule that speaks for what the trained model finds under that name.
    """

    id: str
    kind: Kind
    stops: bool
    say: str
    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...] = ()
    contacts: tuple[str, ...] = ()
    source: str = ""
    meaning: str = ""

    @property
    def now(self) -> bool:
        """Whether it tells that someone is in danger now, not that care is due today."""
        return self.kind == Kind.URGENT and not self.say.startswith("same-day")


@dataclass(frozen=True, slots=True)
class Query:
    """A question that stands alone. `text` is what is looked up, `asked` what was typed, `topic` what it is about.

    `carried` means the topic comes from an earlier turn; `unclear` that it points at something no turn has named, or
    at one of several things: `readings` are the questions it can be then. `said` are sentences just quoted, for a
    question that asks for more than those.
    """

    text: str
    asked: str
    topic: str | None = None
    carried: bool = False
    unclear: bool = False
    readings: tuple[str, ...] = ()
    said: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What weighing decided: sentences in the order they are said, none meaning the documents do not answer.

    `confidence` in [0, 1] is the estimated probability that they answer; `reason` is a short code for why or why not.
    """

    sentences: tuple[Sentence, ...]
    confidence: float
    reason: str

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.sentences)


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands. The quote is read from the document, so it cannot differ from it.

    Raises ValueError when the offsets are not inside the passage, or the passage is not in the document.
    """

    number: int
    document: Document = field(repr=False)
    passage: Passage = field(repr=False)
    start: int
    end: int

    def __post_init__(self) -> None:
        passage = self.passage
        if passage.document != self.document.id or self.document.text[passage.start : passage.end] != passage.text:
            raise ValueError(f"passage {passage.id!r} is not in document {self.document.id!r}: rebuild the index")
        if not passage.start <= self.start < self.end <= passage.end:
            raise ValueError(f"a quote [{self.start}:{self.end}] lies outside its passage {passage.id!r}")
        if self.number < 1:
            raise ValueError(f"citations are numbered from 1, not {self.number}")

    @property
    def quote(self) -> str:
        """The quoted words, exactly as the document has them."""
        return self.document.text[self.start : self.end]

    @property
    def url(self) -> str:
        """Address of the document page with the quote marked, relative to the server's root."""
        return f"/documents/{percent(self.document.id)}?from={self.start}&to={self.end}#quote"

    @property
    def section(self) -> str:
        """Address of the section the quote stands in, on the document page."""
        name = self.passage.id.partition("#")[2].partition(":")[0]  # the section's first passage
        return f"/documents/{percent(self.document.id)}#p-{percent(name)}"


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing said and the id of what backs it: a passage, a rule, a phrase, or the model whose words they are.

    `introduces` are the numbers of the citations that a model's words were checked against; they follow it. Raises
    ValueError for an empty text or source, and where a citation is given that says something else.
    """

    text: str
    source: str
    citation: Citation | None = None
    introduces: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("a claim has no words: give it a text")
        if not self.source.strip():
            raise ValueError(f"nothing backs the claim {self.text!r}: give it a source id")
        if self.citation and (self.text != self.citation.quote or self.source != self.citation.passage.id):
            raise ValueError(f"the claim of {self.source!r} is not the quote it cites")
        if "#" in self.source and not self.citation:
            raise ValueError(f"the claim of passage {self.source!r} has no citation: quote it")
        if self.by_model != bool(self.introduces):
            raise ValueError(
                f"the claim of {self.source!r}: a model's words introduce citations, and nothing else does"
            )

    @property
    def by_model(self) -> bool:
        """Whether a model wrote it; its text says so itself."""
        return self.source.startswith(MODEL)


@dataclass(frozen=True, slots=True)
class Disclaimer:
    """The medical disclaimer of one locale; its text is never empty (ValueError)."""

    id: str
    version: str
    locale: str
    text: str

    def __post_init__(self) -> None:
        if not (self.text.strip() and self.id.strip() and self.version.strip() and self.locale.strip()):
            raise ValueError(f"the disclaimer for {self.locale!r} is incomplete: give it id, version, locale, text")


@dataclass(frozen=True, slots=True)
class Contact:
    """Someone to turn to. `role` is what for ("emergency", "crisis", …); at least one way to reach them is given.

    `source` is the body that runs the line, `reviewed` the date (ISO) someone checked it with them, "" for never.
    """

    role: str
    label: str
    call: str | None = None
    text: str | None = None
    url: str | None = None
    hours: str | None = None
    source: str = ""
    reviewed: str = ""

    def __post_init__(self) -> None:
        if not (self.call or self.text or self.url):
            raise ValueError(f"contact {self.label!r} cannot be reached: give it a call, text or url")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot says. Every kind carries a disclaimer, and every claim what backs it.

    `unanswered` are those questions of a message with several that the documents do not answer. Raises ValueError when
    an invariant of the contract does not hold. `voiced` is what became of it where a model was to introduce it:
    "arranged", left "plain", or "missed" because the model did not answer. `ms` is how long it took.
    """

    kind: Kind
    claims: tuple[Claim, ...]
    disclaimer: Disclaimer
    query: str
    reason: str
    index: str
    topic: str | None = None
    contacts: tuple[Contact, ...] = ()
    suggestions: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    confidence: float | None = None
    hits: tuple[Hit, ...] = ()
    voiced: Literal["", "arranged", "plain", "missed"] = ""
    ms: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.disclaimer, Disclaimer):
            raise ValueError("a reply needs a disclaimer")
        if not self.claims:
            raise ValueError(f"a reply of kind {self.kind} says nothing: give it a claim")
        numbers = [claim.citation.number for claim in self.claims if claim.citation]
        if list(dict.fromkeys(numbers)) != list(range(1, len(set(numbers)) + 1)):
            raise ValueError(f"citations are numbered in the order they are said, not {numbers}")
        problem = _misfit(self.kind, self.claims, self.contacts)
        if problem:
            raise ValueError(problem)

    @property
    def lasting(self) -> bool:
        """Whether it would be the same a moment later."""
        return self.voiced != "missed"

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The distinct citations, in the order of their numbers."""
        return tuple({claim.citation.number: claim.citation for claim in self.claims if claim.citation}.values())

    def timed(self, ms: float) -> Reply:
        """The same reply with how long it took, in milliseconds."""
        return replace(self, ms=round(ms, 1))

    def _repr_html_(self) -> str:
        """How a notebook shows it: quotes, sources, disclaimer; no links, since no server is behind it."""
        from bot.render import as_html  # not above: rendering is built on these types

        return as_html(self, root=None)

    def _repr_markdown_(self) -> str:
        """The same, where only Markdown is shown."""
        from bot.render import as_markdown

        return as_markdown(self)


def _misfit(kind: Kind, claims: tuple[Claim, ...], contacts: tuple[Contact, ...]) -> str | None:
    """Why these claims may not be said in a reply of this kind, or None."""
    quoted = any(claim.citation for claim in claims)
    if kind != Kind.ANSWER and any(claim.by_model for claim in claims):
        return f"a reply of kind {kind} holds a model's words: they introduce answers alone"
    for place, claim in enumerate(claims):
        after = [each.citation.number for each in claims[place + 1 :] if each.citation]
        if claim.by_model and claim.introduces != tuple(after[: len(claim.introduces)]):
            return "a model's words do not stand before the quotes they introduce"
    match kind:
        case Kind.ANSWER if not quoted or not all(claim.citation or claim.by_model for claim in claims):
            return "an answer says something it does not quote: every claim needs a citation"
        case Kind.REFER if claims[0].citation:
            return "a referral starts with the referral, not with a quote"
        case Kind.REFER if any(re.search(r"\d", claim.text) for claim in claims if not claim.citation):
            return "a referral names a figure outside a quote"
        case Kind.URGENT if quoted or not contacts:
            return "a signpost quotes nothing and shows at least one contact"
        case Kind.ABSTAIN | Kind.CLARIFY | Kind.SMALLTALK if quoted:
            return f"a reply of kind {kind} quotes nothing"
    return None
