"""How a follow-up is put as a question that stands alone, once it is known what it is about.

Comes in: the follow-up and its topic. Goes out: a question. Does not know: history, the index, or how the topic was
found.
"""

from __future__ import annotations

import re

from bot.followup import PERSON, SHORT, continues, determines, dummy, pointed, standing_for
from bot.topics import ACTIVE, AUX, END, PEOPLE, SIDES, Topic, bare

ALONE = {
    "why": "Why does {} happen?",
    "how": "How does {} work?",
    "when": "When does {} happen?",
    "where": "Where does {} happen?",
    "how long": "How long does {} take?",
    "how soon": "How soon does {} work?",
    "how often": "How often does {} happen?",
    "how much": "How much {}?",
}
COMES_ABOUT = {"", " happen", " work", " occur", " possible"}
JUDGED = re.compile(r"^(is|was|isn['’]t) (?:it|that|this) (?:really |very |so |a bit )?((?:an? )?[\w-]+)$", re.I)
SIDE = re.compile(rf"^(?:any |the |what |some )?(?:[\w-]+ )?(?:{SIDES})$", re.I)
OWNED = re.compile(r"\b(?:its|their|his|her(?= \w))\b", re.I)
PLURAL = re.compile(r"they|them|these|those", re.I)


def told(asked: str, known: Topic) -> str:
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
        return sentence(filled)
    return f"{sentence(text)} ({known.phrase})"


def _filled(text: str, known: Topic) -> str:
    """The topic in the pronoun's place, or after "the side effects"; empty where neither is there."""
    phrase = known.phrase
    if standing_for(text) in PERSON and not known.somebody:
        return ""
    if OWNED.search(text):
        owner = f"{phrase}’" if phrase.endswith("s") else f"{phrase}’s"
        return OWNED.sub(lambda _: owner, text, count=1)  # as it is: a visitor's backslash is no group
    if (found := pointed(text)) and not re.match(r"does (?:that|this|it) mean\b", text, re.I):
        start, end = found
        if text[start:end].lower() not in ("it", "they", "them", "he", "she", "him") and determines(text, end):
            return ""
        if PLURAL.fullmatch(text[start:end]) and known.side.split(" of ")[0].endswith("s"):
            phrase = f"the {known.side}"
        start -= 3 if re.search(r"\bhow (?:many|much) of $", text[:start], re.I) else 0
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
    if known.clause or verb or (wh == "who" and short["aux"]):
        return ""
    if known.side or wh not in ALONE:
        return f"{wh.capitalize()}? ({f'the {known.side}' if known.side else known.phrase})"
    return ALONE[wh].format(known.phrase)


def _statement(known: Topic) -> str:
    """ "Can men produce milk?" → "men can produce milk"; empty where the question has another form."""
    found = re.match(rf"({AUX}) {re.escape(known.subject)} (.+)$", bare(known.question), re.I)
    if not found:
        return ""
    aux = "" if found[1].lower() in ("do", "does", "did") else f"{found[1].lower()} "
    return f"{known.subject} {aux}{found[2]}"


def swapped(known: Topic, said: str, plain: str) -> str:
    """The last question asked of something else; "" where its subject cannot be put another word for.

    `plain` is what was `said` without its article.
    """
    place = known.question.lower().find(known.subject.lower()) if known.subject else -1
    if place < 0 or known.question.strip().lower() == known.subject.lower():
        return ""
    before, after = known.question[:place], known.question[place + len(known.subject) :]
    acts = re.match(rf"\s*(?:{'|'.join(ACTIVE)})\b", after, re.I)
    both_people = PEOPLE.fullmatch(plain.split()[-1]) and PEOPLE.fullmatch(known.subject.split()[-1])
    if known.clause and not (acts or both_people):
        return ""
    return sentence(_agreed(before, plain) + (said if acts else plain) + after)


def _agreed(before: str, subject: str) -> str:
    """ "Do antipsychotics …" asked of one thing: "Does …"."""
    many = bool(re.search(r"(?<!s)s$", subject)) or " and " in subject or PEOPLE.fullmatch(subject.split()[-1])
    pair = {"do": "does", "does": "do"}
    found = re.search(r"\b(do|does)\s+(?:an? |the )?$", before, re.I)
    if not found or (found[1].lower() == "do") == bool(many):
        return before
    return f"{before[: found.start(1)]}{pair[found[1].lower()]} "


def sentence(text: str) -> str:
    """A capital at the start and a question mark at the end."""
    text = END.sub("", text.strip())
    return f"{text[:1].upper()}{text[1:]}?"
