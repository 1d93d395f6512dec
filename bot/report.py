"""What the journal tells an editor: what visitors ask that the documents do not answer, and what to write next.

Comes in: a journal and a bot as it answers today. Goes out: a `Report` of plain values. Questions are put together by
meaning: each two of a cluster are at least as near as paraphrases are to the encoder in use (complete linkage, cut at
the mean less one standard deviation of the index's own calibration). Does not know: how a report is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from bot.bot import Bot
from bot.journal import Asked, Journal
from bot.reply import Kind, Reply

REFUSED = (Kind.ABSTAIN, Kind.CLARIFY)
LOOKED_UP = (Kind.ANSWER, *REFUSED)  # kinds that say whether the documents cover a question
MOST = 15  # clusters of each list; each costs a reply of today
DISTINCT = 2000  # different questions that are clustered at most, the latest; comparing takes their square
WHY = {  # what weighing said → what it means to an editor
    "near-miss": "The subject is there, but no sentence answers this.",
    "term-not-in-documents": "The documents never use the word it turns on.",
    "nothing-found": "Nothing near it was found.",
    "other-language": "The question is in a language that the documents are not in.",
    "unclear": "The question does not say what it is about.",
    "unhelpful": "It was answered from here, and readers said that this did not help.",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Questions of one meaning. `example` is the one nearest to all others, `asked` each wording with its count.

    `passage` is the nearest passage today and `place` its title and headings, "" where there is none; `why` says why it
    was not enough. `now` is the kind of reply that the example gets today. `reasons` are visitors' own, with counts.
    """

    count: int
    example: str
    asked: tuple[tuple[str, int], ...]
    reason: str
    why: str
    passage: str
    place: str
    now: Kind
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """How many questions were looked up in the documents on a day, and how many of them were answered."""

    day: date
    answered: int
    asked: int


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of kinds, refusals by reason, red flags by rule, votes by kind; days; three lists of clusters."""

    total: int
    kinds: dict[str, int]
    refusals: dict[str, int]
    flags: dict[str, int]
    votes: dict[str, dict[str, int]]
    days: tuple[Day, ...]
    unanswered: tuple[Cluster, ...]
    unhelpful: tuple[Cluster, ...]
    most: tuple[Cluster, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return asdict(self) | {"days": [asdict(one) | {"day": one.day.isoformat()} for one in self.days]}

    def rows(self) -> list[list[str | int]]:
        """The clusters as a table, header first, for CSV."""
        head: list[str | int] = ["list", "count", "example", "why", "nearest passage", "answers now", "wordings"]
        lists = {"unanswered": self.unanswered, "unhelpful": self.unhelpful, "most asked": self.most}
        found: list[list[str | int]] = [
            [name, one.count, *map(_cell, (one.example, one.why, one.passage)), str(one.now), len(one.asked)]
            for name, clusters in lists.items()
            for one in clusters
        ]
        return [head, *found]


def report(journal: Journal, bot: Bot) -> Report:
    """Read the journal and say what it holds, with the nearest passages and the replies of today."""
    asked, votes = list(journal.asked()), list(journal.votes())
    judge = _judge(bot, bot.index.generation)
    kinds = Counter(one.kind.value for one in asked)
    flagged = Counter(one.reason for one in asked if one.kind == Kind.URGENT)
    refused = [one for one in asked if one.kind in REFUSED]
    thumbs: dict[str, dict[str, int]] = {}
    for vote in votes:
        row = thumbs.setdefault(vote.kind.value, {"up": 0, "down": 0})
        row[vote.vote] += 1
    made = Report(
        total=len(asked),
        kinds=dict(kinds.most_common()),
        refusals=dict(Counter(one.reason for one in refused).most_common()),
        flags=dict(flagged.most_common()),
        votes=thumbs,
        days=_days(asked),
        unanswered=judge.clusters([(one.text, one.reason, None) for one in refused]),
        unhelpful=judge.clusters([(one.text, "unhelpful", one.reason) for one in votes if one.vote == "down"]),
        most=judge.clusters([(one.text, one.reason, None) for one in asked]),
    )
    judge.settle()
    return made


class _Judge:
    """Clusters questions, and says how each stands to the documents of today.

    The replies of one report are kept for the next, and no longer: what was erased is forgotten with it.
    """

    def __init__(self, bot: Bot) -> None:
        self.bot = Bot(bot.index, bot.settings, bot.rules, bot.words)  # unobserved: a report asks nothing
        self.before: dict[str, Reply] = {}
        self.used: dict[str, Reply] = {}
        scale = bot.index.manifest.calibration
        self.distance = 1 - (scale["paraphrase"] - scale["paraphrase_sd"])

    def clusters(self, told: Iterable[tuple[str | None, str, str | None]]) -> tuple[Cluster, ...]:
        """The largest clusters of (question, why it was refused, a visitor's reason); wordless ones are left out."""
        known = [(text, reason, said) for text, reason, said in told if text]
        counts: Counter[str] = Counter(text for text, _, _ in known)
        texts = list(counts)[-DISTINCT:]
        if not texts:
            return ()
        vectors = self.bot.index.encoder.encode(texts)
        groups: dict[int, list[int]] = {}
        for place, label in enumerate(_labels(vectors, self.distance)):
            groups.setdefault(label, []).append(place)
        found = []
        for places in groups.values():
            middle = (vectors[places] @ vectors[places].T) @ np.array([counts[texts[place]] for place in places])
            wordings = {texts[place]: counts[texts[place]] for place in places}
            found.append((sum(wordings.values()), texts[places[int(middle.argmax())]], wordings))
        found.sort(key=lambda each: (-each[0], each[1]))
        return tuple(self._cluster(*each, [one for one in known if one[0] in each[2]]) for each in found[:MOST])

    def _cluster(
        self, count: int, example: str, wordings: dict[str, int], told: Sequence[tuple[str, str, str | None]]
    ) -> Cluster:
        reply = self.used.get(example) or self.before.get(example) or self.bot.reply(example, plain=True)
        self.used[example] = reply
        near = reply.citations[0].passage if reply.citations else next((hit.passage for hit in reply.hits), None)
        document = self.bot.index.document(near.document) if near else None
        (reason, _), *_ = Counter(why for _, why, _ in told).most_common()
        return Cluster(
            count,
            example,
            tuple(sorted(wordings.items(), key=lambda pair: (-pair[1], pair[0]))),
            reason,
            WHY.get(reason, ""),
            near.id if near else "",
            " › ".join([document.title, *near.headings]) if near and document else "",
            reply.kind,
            tuple(Counter(said for _, _, said in told if said).most_common()),
        )

    def settle(self) -> None:
        """Forget the replies that this report did not use."""
        self.before, self.used = self.used, {}


@lru_cache(maxsize=1)
def _judge(bot: Bot, generation: str) -> _Judge:
    """The judge of a bot while it answers from that index."""
    return _Judge(bot)


def _labels(vectors: np.ndarray[Any, np.dtype[np.float32]], distance: float) -> list[int]:
    """(n, dim) unit rows in, a cluster's number for each out."""
    if len(vectors) < 2:
        return [0] * len(vectors)
    from sklearn.cluster import AgglomerativeClustering  # type: ignore[import-untyped]  # here: it takes a second

    found = AgglomerativeClustering(None, metric="cosine", linkage="complete", distance_threshold=distance)
    return [int(label) for label in found.fit_predict(vectors)]


def _days(asked: Sequence[Asked]) -> tuple[Day, ...]:
    looked: Counter[date] = Counter(one.day for one in asked if one.kind in LOOKED_UP)
    answered: Counter[date] = Counter(one.day for one in asked if one.kind == Kind.ANSWER)
    return tuple(Day(day, answered[day], looked[day]) for day in sorted(looked))


def _cell(text: str) -> str:
    """A spreadsheet must not take a visitor's words for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
