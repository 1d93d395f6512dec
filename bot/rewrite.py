"""A follow-up and what came before it → one question that stands alone, and its topic.

Comes in: what was typed, the earlier turns, the index they cited. Goes out: a `Query` whose text reads as a question,
because people see it. Works by the grammar of follow-ups, without a language model. Does not know: how anything is
found or answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.reply import Query, Turn
from bot.terms import content, words
from bot.topics import AUX, END, PEOPLE, SIDES, WH, Topic, bare, topic
from index.index import Index

# It, they, this, that: standing for something said before. Not "is it safe to …", nor "the hormone that makes …".
DUMMY = re.compile(
    r"\b(?:is|was|isn['’]t|would|will|does|how long does|can|could|might|may) (?:it|that|this) (?:be |take |cost |hurt |help )?(?:\w+ ){0,2}?"
    r"(?:to|for|that|if|when) \w+|\bit(?:['’]s| is) (?:\w+ ){1,2}(?:to|that)\b",
    re.I,
)
POINTER = re.compile(
    r"\b(?:it|itself|they|them|these|those|this)\b(?!['’])(?! (?:article|page|website|site|bot|chat|document|document|text|week|month|year|morning|time)\b)"
    rf"|\b(?:{AUX}|about|of|for|with|after|before|like|by|than|from|on|to|causes?d?|why['’]?s|what['’]?s) that\b(?! (?:is|are|can|cause)s? )|^that\b|\bthat(?=[\s?!.]*$)",
    re.I,
)
OWNED = re.compile(r"\b(?:its|their|theirs)\b(?! own)", re.I)
OTHER = re.compile(
    r"\b(?:the other|another|the same|(?:first|second|third|last|other|latter|former|which) ones?|what else|anything else|next)\b",
    re.I,
)
SWAP = re.compile(
    r"^(?:(?:and|but|or|so|ok|okay|then)\b[\s,]*)*(?:what|how) about (.+)$|^(?:and|or|but)\b[\s,]*(?:for |in |with )?(.+)$",
    re.I,
)
MORE = re.compile(
    r"^(?:(?:please )?(?:can you )?tell me more|(?:say |know )?more(?: please)?|go on|continue|and(?: then)?|what else|anything else|"
    r"(?:can you )?(?:explain|elaborate)(?: (?:more|that|it|this|please))*|more (?:info|information|details?)|details?|like what|such as(?: what)?)$",
    re.I,
)
WHY = re.compile(
    rf"^(?:but |and |so |ok |okay )*(?P<wh>why|how come|how|when|where|how long|how often|how much|how soon|who)(?P<how> exactly)?"
    rf"(?: (?P<aux>{AUX}|['’]s)(?: not)? (?:it|this|that|they|so)(?P<verb> \w+)?(?: (?:possible|the case|so|then|exactly))?| so| not| is that)?$",
    re.I,
)
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
JUDGED = re.compile(r"^(is|was|isn['’]t) (?:it|that|this) (?:really |very |so |a bit )?((?:an? )?[\w-]+)$", re.I)
# Words a follow-up is made of: alone they name no subject.
GENERIC = re.compile(
    rf"(?:{SIDES}|safe|safely|normal|common|rare|usual|unusual|possible|dangerous|bad|good|painful|hurt|help|last|start|stop|need|long|"
    r"often|soon|quick(?:ly)?|much|many|next|first|sure|true|known|involved|include[ds]?|happens?|begin|end|side|likely|"
    r"ways?|treated|prevent(?:ed)?|caused?|avoid(?:ed)?|work|people|everyone|permanent|serious|worr(?:y|ied)|strange|weird)",
    re.I,
)


def rewrite(asked: str, history: Sequence[Turn], index: Index) -> Query:
    """Make a question stand alone. With no history, or a subject of its own, it is looked up as it was typed."""
    known: Topic | None = None
    for turn in history:
        _, found, _ = _resolve(turn.asked, known)
        if found or content(turn.asked):  # a greeting in between changes no subject
            known = found or _cited(turn, index)
    text, found, carried = _resolve(asked, known)
    return Query(text, asked, found.phrase if found else None, carried)


def _cited(turn: Turn, index: Index) -> Topic | None:
    """The heading of the passage an earlier answer cited; ids that do not exist are passed over."""
    for cited in turn.cited:
        passage = index.passage(cited)
        if passage and passage.headings:
            heading = passage.headings[-1]
            return topic(heading) or Topic(heading, heading, heading)
    return None


def _resolve(asked: str, known: Topic | None) -> tuple[str, Topic | None, bool]:
    """The question on its own, its topic, and whether that was carried over from before."""
    text = bare(asked)
    if not known or not depends(asked):
        return asked, topic(asked), False
    return _moved(asked, known) or (_told(text, END.sub("", asked.strip()), known), known, True)


def depends(asked: str) -> bool:
    """Whether a question leans on what came before: a pronoun, a fragment, or nothing but words of asking."""
    text, low = bare(asked), END.sub("", asked.strip())
    if not words(text):
        return False
    if MORE.match(low) or MORE.match(text) or WHY.match(low) or OTHER.search(text) or OWNED.search(text):
        return True
    if POINTER.search(DUMMY.sub(" ", text)):
        return True
    if SWAP.match(low) and not re.match(rf"(?:{WH}|{AUX})\b", text, re.I):
        return True
    if re.match(r"(?:what|how) about\b", text, re.I):
        return True
    own = [term for term in content(text) if not GENERIC.fullmatch(term.word)]
    return not own and bool(re.match(rf"(?:{WH}|{AUX})\b", text, re.I) or SIDE_ONLY.search(text))


SIDE_ONLY = re.compile(rf"^(?:any |the |what |some )?(?:\w+ )?(?:{SIDES})$", re.I)


def _moved(asked: str, known: Topic) -> tuple[str, Topic | None, bool] | None:
    """ "What about X?", "and X?": the last question again, asked of X."""
    low = END.sub("", asked.strip())
    found = SWAP.match(low)
    if not found:
        return None
    said = (found[1] or found[2]).strip()
    if re.match(rf"(?:{WH}|{AUX})\b", said, re.I) or POINTER.search(said) or OTHER.search(said) or MORE.match(low):
        return None
    own = [term for term in content(said) if not GENERIC.fullmatch(term.word)]
    if not own:
        return None
    plain = re.sub(r"^(?:the|a|an|in|for|with)\s+", "", said, flags=re.I)
    alike = not known.clause or bool(
        PEOPLE.fullmatch(plain.split()[-1]) and PEOPLE.fullmatch(known.subject.split()[-1])
    )
    place = known.question.lower().find(known.subject.lower())
    if alike and place >= 0 and known.question.strip().lower() != known.subject.lower():
        text = known.question[:place] + plain + known.question[place + len(known.subject) :]
        return _sentence(text), topic(text) or Topic(plain, text, plain), True
    text = f"What about {said}? ({known.phrase})"
    return text, Topic(plain, f"What about {said}?", plain), True


def _told(text: str, low: str, known: Topic) -> str:
    """The follow-up with its topic put where the pronoun, or the gap, is."""
    phrase = known.phrase
    short = WHY.match(text) or WHY.match(low)
    if short:
        return _again(short, known)
    if MORE.match(text) or MORE.match(low):
        return f"What else is there to know about {phrase}?"
    if known.clause and (judged := JUDGED.match(text)) and (stated := _statement(known)):
        return f"{judged[1].capitalize()} it {judged[2]} that {stated}?"
    if SIDE_ONLY.match(side := re.sub(r"^(?:what|how) about (?=.)", "", text, flags=re.I)):
        return f"What about {_the(side)} of {phrase}?"
    if not known.clause:
        filled, count = OWNED.subn(_owner(phrase), text, count=1)
        if not count:
            filled, count = POINTER.subn(lambda found: _put(found.group(), phrase), text, count=1)
        if count and not re.search(
            rf"\b{re.escape(phrase)} (?:{re.escape(phrase)}|hormones?|drugs?|medic\w+|tablets?|pills?)\b", filled, re.I
        ):
            return _sentence(filled)
        if not count and re.search(rf"\b(?:{SIDES})$", text, re.I):
            return _sentence(f"{text} of {phrase}")
    return f"{_sentence(text)} ({phrase})"


def _again(short: re.Match[str], known: Topic) -> str:
    """ "Why?" after "Can men produce milk?" → "Why can men produce milk?"; after a thing, "Why does it happen?" of it."""
    wh = "why" if short["wh"].lower() == "how come" else short["wh"].lower()
    first = bare(known.question)
    if known.clause and re.match(rf"(?:{AUX})\b", first, re.I):
        return f"{wh.capitalize()} {first[0].lower()}{first[1:]}?"
    if short["verb"] and short["aux"]:
        return f"{wh.capitalize()} {short['aux'].lower()} {known.phrase}{short['verb']}?"
    return ALONE[wh].format(known.phrase)


def _statement(known: Topic) -> str:
    """ "Can men produce milk?" → "men can produce milk"; empty where the question has another form."""
    found = re.match(rf"({AUX}) {re.escape(known.subject)} (.+)$", bare(known.question), re.I)
    if not found:
        return ""
    aux = "" if found[1].lower() in ("do", "does", "did") else f"{found[1].lower()} "
    return f"{known.subject} {aux}{found[2]}"


def _put(pronoun: str, phrase: str) -> str:
    """The topic in a pronoun's place; the word before a "that" stays."""
    head = re.match(r"(.*\s)that$", pronoun, re.I)
    return f"{head[1]}{phrase}" if head else phrase


def _owner(phrase: str) -> str:
    return f"{phrase}’" if phrase.endswith("s") else f"{phrase}’s"


def _the(side: str) -> str:
    return side if re.match(r"(?:the|any|its|some)\b", side, re.I) else f"the {side}"


def _sentence(text: str) -> str:
    """A capital at the start and a question mark at the end."""
    text = END.sub("", text.strip())
    return f"{text[:1].upper()}{text[1:]}?"
