"""A follow-up and what came before it → one question that stands alone, and its topic.

Comes in: what was typed, the earlier turns, the index they cited. Goes out: a `Query` whose text reads as a question,
because people see it. Works by the grammar of follow-ups, without a language model. Does not know: how anything is
found or answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.followup import SHORT, SWAP, continues, depends, determines, dummy, pointed
from bot.reply import Query, Turn
from bot.terms import content
from bot.topics import AUX, END, PEOPLE, SIDES, WH, Topic, bare, subjects, topic
from index.index import Index

Resolved = tuple[str, Topic | None, bool]  # the question, what it is about, and whether that comes from before

ALONE = {
    "why": "Why does {} happen?",
    "how": "How does {} work?",
    "when": "When does {} happen?",
    "where": "Where does {} happen?",
    "how long": "How long does {} take?",
    "how soon": "How soon does {} work?",
    "how often": "How often does {} happen?",
    "how much": "How much {}?",
    "who": "Who is {} for?",
}
COMES_ABOUT = {"", " happen", " work", " occur", " possible"}
JUDGED = re.compile(r"^(is|was|isn['’]t) (?:it|that|this) (?:really |very |so |a bit )?((?:an? )?[\w-]+)$", re.I)
SIDE = re.compile(rf"^(?:any |the |what |some )?(?:[\w-]+ )?(?:{SIDES})$", re.I)
OWNED = re.compile(r"\b(?:its|their)\b", re.I)
PLURAL = re.compile(r"they|them|these|those", re.I)


def rewrite(asked: str, history: Sequence[Turn], index: Index) -> Query:
    """Make a question stand alone. With no history, or a subject of its own, it is looked up as it was typed."""
    known: Topic | None = None
    for turn in history:
        _, found, _ = _resolve(turn.asked, known, index)
        if found or turn.cited or content(turn.asked):  # a greeting in between changes no subject
            known = found or _cited(turn, index)
    text, found, carried = _resolve(asked, known, index)
    unclear = not known and depends(asked) and not subjects(asked)
    return Query(text, asked, found.phrase if found else None, carried, unclear)


def _cited(turn: Turn, index: Index) -> Topic | None:
    """The heading of the passage an earlier answer cited; ids that do not exist are passed over."""
    for cited in turn.cited:
        passage = index.passage(cited)
        if passage and passage.headings:
            heading = passage.headings[-1]
            return topic(heading) or Topic(heading, heading, heading)
    return None


def _resolve(asked: str, known: Topic | None, index: Index) -> Resolved:
    """The question on its own; where there are two readings, what the documents speak of settles it."""
    if not known or not depends(asked):
        return asked, topic(asked), False
    return _moved(asked, known, index) or (_told(asked, known), known, True)


def _moved(asked: str, known: Topic, index: Index) -> Resolved | None:
    """ "What about X?": the last question again, asked of X; or X by itself, where the documents are nearer to that."""
    found = SWAP.match(END.sub("", asked.strip()))
    said = (found[1] or found[2]).strip() if found else ""
    if not subjects(said) or depends(said) or re.match(rf"(?:{WH}|{AUX})\b", said, re.I):
        return None
    plain = re.sub(r"^(?:the|a|an|in|for|with)\s+", "", said, flags=re.I)
    alone = f"What about {said}?"
    place = known.question.lower().find(known.subject.lower())
    both_people = PEOPLE.fullmatch(plain.split()[-1]) and PEOPLE.fullmatch(known.subject.split()[-1])
    if (known.clause and not both_people) or place < 0 or known.question.strip().lower() == known.subject.lower():
        return f"What about {said}? ({known.phrase})", Topic(plain, alone, plain), True
    again = _sentence(known.question[:place] + plain + known.question[place + len(known.subject) :])
    if not both_people and _nearest(alone, index) > _nearest(again, index):
        return alone, Topic(plain, alone, plain), True
    return again, topic(again) or Topic(plain, again, plain), True


def _nearest(text: str, index: Index) -> float:
    return max((hit.cosine for hit in index.search(text, 1)), default=0.0)


def _told(asked: str, known: Topic) -> str:
    """The follow-up with its topic put where the pronoun, or the gap, is."""
    text, low = bare(asked), END.sub("", asked.strip())
    if continues(asked):
        return f"What else is there to know about {known.phrase}?"
    short = SHORT.match(text) or SHORT.match(low)
    if short and (said := _again(short, known)):
        return said
    if known.clause and (judged := JUDGED.match(text)) and (stated := _statement(known)):
        return f"{judged[1].capitalize()} it {judged[2]} that {stated}?"
    side = re.sub(r"^(?:what|how) about (?=.)", "", text, flags=re.I)
    if SIDE.match(side):
        article = "" if re.match(r"(?:the|any|some)\b", side, re.I) else "the "
        return f"What about {article}{side} of {known.phrase}?"
    if not known.clause and (filled := _filled(text, known)):
        return _sentence(filled)
    return f"{_sentence(text)} ({known.phrase})"


def _filled(text: str, known: Topic) -> str:
    """The topic in the pronoun's place, or after "the side effects"; empty where neither is there."""
    phrase = known.phrase
    if OWNED.search(text):
        return OWNED.sub(f"{phrase}’" if phrase.endswith("s") else f"{phrase}’s", text, count=1)
    if (found := pointed(text)) and not re.match(r"does (?:that|this|it) mean\b", text, re.I):
        start, end = found
        if text[start:end].lower() not in ("it", "they", "them") and determines(text, end):
            return ""
        if PLURAL.fullmatch(text[start:end]) and known.side.split(" of ")[0].endswith("s"):
            phrase = f"the {known.side}"
        return text[:start] + phrase + text[end:]
    if re.search(rf"\b(?:{SIDES})$", text, re.I) and not dummy(text):
        return f"{text} of {phrase}"
    return ""


def _again(short: re.Match[str], known: Topic) -> str:
    """ "Why?" after "Can men produce milk?" → "Why can men produce milk?"; after a thing, "Why does it happen?"."""
    wh = "why" if short["wh"].lower() == "how come" else short["wh"].lower()
    first, verb = bare(known.question), (short["verb"] or "").lower()
    if verb in COMES_ABOUT and re.match(rf"(?:{AUX})\b", first, re.I) and known.subject != known.phrase:
        return f"{wh.capitalize()} {first[0].lower()}{first[1:]}?"
    if known.clause or verb:
        return ""
    if known.side:
        return f"{wh.capitalize()}? (the {known.side})"
    return ALONE[wh].format(known.phrase)


def _statement(known: Topic) -> str:
    """ "Can men produce milk?" → "men can produce milk"; empty where the question has another form."""
    found = re.match(rf"({AUX}) {re.escape(known.subject)} (.+)$", bare(known.question), re.I)
    if not found:
        return ""
    aux = "" if found[1].lower() in ("do", "does", "did") else f"{found[1].lower()} "
    return f"{known.subject} {aux}{found[2]}"


def _sentence(text: str) -> str:
    """A capital at the start and a question mark at the end."""
    text = END.sub("", text.strip())
    return f"{text[:1].upper()}{text[1:]}?"
