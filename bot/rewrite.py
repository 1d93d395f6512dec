"""A message and what came before it → questions that stand alone, each with its topic.

Comes in: what was typed, the earlier turns, the index they cited, and a way to see what an earlier question was
answered with. Goes out: a `Query` a question, whose text reads as one, because people see it. Works by the grammar of
follow-ups, without a language model. Does not know: how anything is found or answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.asking import questions
from bot.followup import LEAN, PERSON, PICKED, SWAP, depends, repeats, standing_for
from bot.lay import plain
from bot.named import asked_for, lists, named, plural
from bot.phrasing import sentence, swapped, told
from bot.reply import Query, Turn
from bot.spelling import mend
from bot.terms import content
from bot.topics import AUX, END, NAMED, PEOPLE, WH, Topic, bare, subjects, topic
from corpus.document import Sentence
from index.index import Index

Answered = Callable[[Query], Sequence[Sentence]]
PLACES = {"first": 0, "former": 0, "second": 1, "third": 2, "last": -1, "latter": -1}
LONGEST = 16  # words of a question that serves as its own topic


@dataclass(frozen=True, slots=True)
class Before:
    """What a follow-up can lean on: the last question as it was looked up, what it was about, what answered it.

    `person` is the last topic that was somebody: "he" means that one, whatever was spoken of since.
    """

    query: Query
    topic: Topic
    answered: Answered
    person: Topic | None = None

    @property
    def quoted(self) -> tuple[str, ...]:
        """The sentences that answered."""
        return tuple(one.text for one in self.answered(self.query))


def unanswered(_: Query) -> Sequence[Sentence]:
    """Nothing is known of what was answered."""
    return ()


def rewrite(asked: str, history: Sequence[Turn], index: Index, answered: Answered = unanswered) -> tuple[Query, ...]:
    """Make each question of a message stand alone. One with a subject of its own is only mended in its spelling.

    `answered` gives the sentences that answered an earlier query; it is called only where a follow-up leans on them.
    """
    before: Before | None = None
    for turn in history:
        for question in questions(plain(mend(turn.asked, index), index)):
            query, found = _resolve(question, before, index)
            about = found or _cited(turn, index)
            if about and (found or turn.cited or content(question)):  # a greeting in between changes no subject
                before = _after(before, query, about, answered)
    queries = []
    parts = questions(plain(mend(asked, index), index))
    for question in parts:
        query, found = _resolve(sentence(bare(question)) if len(parts) > 1 else question, before, index)
        before = _after(before, query, found, answered) if found else before
        queries.append(replace(query, asked=asked))
    return tuple(queries)


def _after(before: Before | None, query: Query, about: Topic, answered: Answered) -> Before:
    return Before(query, about, answered, about if about.somebody else before.person if before else None)


def _cited(turn: Turn, index: Index) -> Topic | None:
    """The heading of the passage an earlier answer cited; ids that do not exist are passed over."""
    for cited in turn.cited:
        passage = index.passage(cited)
        if passage and passage.headings:
            heading = passage.headings[-1]
            return topic(heading) or Topic(heading, heading, heading)
    return None


def _resolve(asked: str, before: Before | None, index: Index) -> tuple[Query, Topic | None]:
    """The question on its own, and what it is about; two readings are settled by what the documents speak of."""
    if not before or not (depends(asked) or _leans(asked, before, index)):
        found = topic(asked) or _itself(asked)
        unclear = not before and depends(asked) and not subjects(asked)
        return Query(asked, asked, found.phrase if found else None, unclear=unclear), found
    if picked := PICKED.search(asked):
        return _picked(asked, picked, before, index)
    about = _meant(asked, before)
    text, found = _moved(asked, about, index) or (told(asked, about), about)
    said = (*before.query.said, *before.answered(before.query)) if repeats(asked) else ()
    return Query(text, asked, found.phrase, carried=True, said=said), found


def _itself(asked: str) -> Topic | None:
    """A question that names no one thing is its own topic: "which hormones rise in pregnancy"."""
    text = bare(asked)
    if not re.match(rf"(?:{WH}|{AUX})\b", text, re.I) or len(text.split()) > LONGEST or depends(asked):
        return None
    return Topic(f"{text[0].lower()}{text[1:]}", asked, "", clause=True) if subjects(text) else None


def _leans(asked: str, before: Before, index: Index) -> bool:
    """ "And will there be enough milk?": whether the documents are nearer to it with the topic than without."""
    text = bare(asked)
    if not LEAN.match(asked.strip()) or not re.match(rf"(?:{WH}|{AUX})\b", text, re.I):
        return False
    if NAMED.match(text) and topic(asked):
        return False  # "and what is oxytocin?" names a subject of its own
    return _nearest(told(asked, before.topic), index) >= _nearest(sentence(text), index)


def _meant(asked: str, before: Before) -> Topic:
    """What a pronoun means: what the last question was about or, where that asked for a name, what was named."""
    noun = asked_for(before.query.text)
    pronoun = standing_for(asked)
    if pronoun in PERSON and before.person:
        return before.person
    if noun is None or not pronoun or plural(noun) != (pronoun in ("they", "them", "these", "those")):
        return before.topic
    name = named(before.query.text, before.quoted)
    return Topic(name, f"What about {name}?", name) if name else before.topic


def _picked(asked: str, picked: re.Match[str], before: Before, index: Index) -> tuple[Query, Topic | None]:
    """ "The second one", "the other hormone": that one of the things named last; where it can be several, each."""
    known = before.topic
    if picked["other"]:
        choices = _others(known, before, index)
    else:
        items = next((items for text in before.quoted for items in lists(text)), ())
        place = PLACES[(picked["place"] or picked["end"]).lower()]
        choices = items[place : place + 1] if place >= 0 else items[place:]
    readings = [_put(asked, picked, choice, known, index) for choice in choices]
    if len(readings) == 1:
        text, found = readings[0]
        return Query(text, asked, found.phrase, carried=True), found
    query = Query(told(asked, known), asked, known.phrase, carried=True, unclear=len(readings) > 1)
    return replace(query, readings=tuple(text for text, _ in readings)), known


def _others(known: Topic, before: Before, index: Index) -> tuple[str, ...]:
    """What is named in one breath with the topic, in the answer or else around it."""
    passages = [index.passage(id) for id in dict.fromkeys(one.passage for one in before.answered(before.query))]
    around = [sentence.text for passage in passages if passage for sentence in passage.sentences]
    mine = {term.stem for term in subjects(known.subject or known.phrase)}
    for text in (*before.quoted, *around):
        for items in lists(text):
            others = tuple(item for item in items if mine != {term.stem for term in subjects(item)})
            if 0 < len(others) < len(items):
                return others
    return ()


def _put(asked: str, picked: re.Match[str], choice: str, known: Topic, index: Index) -> tuple[str, Topic]:
    """The follow-up with one thing in the place of the words that pick it."""
    text = asked[: picked.start()] + choice + asked[picked.end() :]
    about = Topic(choice, f"What about {choice}?", choice)
    if shift := _moved(text, known, index):
        return shift
    return (f"What about {choice}?" if bare(text).lower() == choice.lower() else sentence(bare(text))), about


def _moved(asked: str, known: Topic, index: Index) -> tuple[str, Topic] | None:
    """ "What about X?": the last question again, asked of X; or X by itself, where the documents are nearer to that."""
    found = SWAP.match(END.sub("", asked.strip()))
    said = (found[1] or found[2]).strip() if found else ""
    if not subjects(said) or depends(said) or re.match(rf"(?:{WH}|{AUX})\b", said, re.I):
        return None
    plain = re.sub(r"^(?:the|a|an|in|for|with)\s+", "", said, flags=re.I)
    alone = Topic(plain, f"What about {said}?", plain)
    again = swapped(known, said, plain)
    if not again:
        return f"What about {said}? ({known.phrase})", Topic(plain, alone.question, plain)
    both_people = PEOPLE.fullmatch(plain.split()[-1]) and PEOPLE.fullmatch(known.subject.split()[-1])
    if not both_people and _nearest(alone.question, index) > _nearest(again, index):
        return alone.question, alone
    return again, topic(again) or Topic(plain, again, plain)


def _nearest(text: str, index: Index) -> float:
    return max((hit.cosine for hit in index.search(text, 1)), default=0.0)
