"""What a question is about, as a short phrase, by the grammar of questions alone.

Comes in: one question that stands alone. Goes out: its topic, or None. Knows English question forms; knows no subject.
Does not know: history, documents, or how a follow-up is resolved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.terms import ENGLISH, LIGHT, Term, content

AUX = "am|is|are|was|were|do|does|did|can|could|will|would|should|shall|may|might|must|has|have|had"
WH = "what|which|who|whom|whose|when|where|why|how"
VERBS, ACTIVE = (frozenset(ENGLISH[name].split()) for name in ("verbs", "active"))


def listed(name: str) -> str:
    """One of the lists of `english.toml`, whose entries are patterns, as one pattern."""
    return "|".join(entry.strip() for entry in ENGLISH[name].replace("\n", " ").split(","))


SIDES = listed("sides")
GENERIC = re.compile(f"{listed('generic')}|{SIDES}", re.I)
PEOPLE = re.compile(listed("people"), re.I)
PREDICATE = re.compile(listed("predicates"), re.I)
SELF = re.compile(r"i|you|we|he|she|one|someone|anyone|somebody|anybody", re.I)
LEAD = re.compile(
    r"^(?:(?:so|and|but|or|ok|okay|well|also|then|please|hi|hello|hey|hiya|thanks|thank you|oh|right|now|yes|no)\b"
    r"[\s,.!–-]*)+(?=\S)",
    re.I,
)
OPENING = re.compile(
    r"^(?:(?:can|could|would|will) (?:you|u|someone) (?:please )?(?:tell me|explain|describe)(?: to me)?|"
    r"(?:please )?tell me|i(?:['’]d| would)? (?:want|like|need|am trying) to (?:know|learn|understand|find out)|"
    r"i(?:['’]m| am| was) (?:just )?(?:wondering|curious|interested)(?: in)?|do you (?:know|have)|"
    r"any(?:thing| information| info)|what do you know|explain|describe|define)\b"
    r"(?: (?:a bit|a little|something|more|all))?(?: (?:about|on|if|whether))?\s*",
    re.I,
)
END = re.compile(r"[\s?!.,;:…]+$")
NAMED = re.compile(
    r"(?:what|who)(?:['’]?s| is| are| was| were) (?:meant by )?(.+?)"
    r"(?: (?:for|like|about|called|made of|used for|supposed to do))?$",
    re.I,
)
NAME = re.compile(r"(?:[A-Z][\w.’'-]*\s?){2,4}")  # words with capitals, as somebody is called
BE = re.compile(r"(?:am|is|are|was|were)\b", re.I)  # no bare verb follows: "why are birth control pills used"
OF = re.compile(r"of|with|to|at|on|than|and|or", re.I)
LONGEST = 8  # words; a longer topic is no topic


@dataclass(frozen=True, slots=True)
class Topic:
    """What is being talked about. `phrase` reads as a noun ("induced lactation", "men producing milk").

    `question` is the question it comes from; `subject` is the stretch of it that "what about …?" may put another word
    for. `clause` is true where the phrase is somebody doing something; `side` is what was asked of it, if anything.
    """

    phrase: str
    question: str
    subject: str
    clause: bool = False
    side: str = ""

    @property
    def somebody(self) -> bool:
        """Whether it is a person: "he" and "she" can mean it."""
        return bool(PEOPLE.fullmatch((self.subject or self.phrase).split()[-1]) or NAME.fullmatch(self.phrase))


def bare(question: str) -> str:
    """A question without its courtesies and closing marks; first letter as it was."""
    text = END.sub("", question.strip())
    for pattern in (LEAD, OPENING):
        text = pattern.sub("", text) or text
    return text


def subjects(text: str) -> list[Term]:
    """The words of a question that can name its subject."""
    return [term for term in content(text) if term.word not in LIGHT and not GENERIC.fullmatch(term.word)]


def topic(question: str) -> Topic | None:
    """What a stand-alone question is about; None where no short phrase says it."""
    text = bare(question)
    for read in (_side, _purpose, _thing, _done, _clause, _fragment):
        found = read(text, question)
        if found:
            return found if len(found.phrase.split()) <= LONGEST and subjects(found.phrase) else None
    return None


def _side(text: str, question: str) -> Topic | None:
    """ "What are the side effects of X": X, of which the side effects were asked."""
    found = re.match(
        rf"(?:{WH})(?:['’]?s| is| are| was| were)? (?:the |any |some )?"
        rf"((?:[\w-]+ )?(?:{SIDES})) (of|for|to|from|with) (.+)$",
        text,
        re.I,
    )
    if not found:
        return None
    said = found[3].split()
    for place, word in enumerate(said[1:], 1):  # "what kinds of medicine cause X": of X
        if re.fullmatch(AUX, word, re.I):
            break
        if word.lower() in VERBS and not BE.search(text[: found.start(3)]):
            return _noun(re.sub(r"^(?:on|to|in|up|about)\s+", "", " ".join(said[place + 1 :])), question)
    named = _noun(found[3], question)
    if not named:
        return None
    return Topic(named.phrase, question, named.subject, side=f"{found[1]} {found[2]} {named.phrase}")


def _purpose(text: str, question: str) -> Topic | None:
    """ "Is it possible to restart milk", "how long does it take to build a supply": the doing."""
    found = re.search(r"\bit (?:be )?[\w-]+ (?:for [\w-]+ )?to (\w+) (.+)$", text, re.I)
    if not found or found[1].lower() not in VERBS:
        return None
    phrase = f"{_gerund(found[1].lower())} {found[2]}"
    return Topic(phrase, question, f"{found[1]} {found[2]}")


def _thing(text: str, question: str) -> Topic | None:
    """ "What is X for", "what does X do", "how long does X take": X."""
    if name := NAMED.match(text):
        return _clause(f"is {name[1]}", question)
    does = re.match(rf"(?:{WH})\b(?: (?!{AUX})\w+){{0,3}} ({AUX}) (.+)$", text, re.I)
    if not does or (does[2].split()[0].lower() in VERBS and not BE.match(does[1])):
        return None  # "which hormone can start …", "who can help with …": what is asked for is the subject
    return _clause(f"{does[1]} {does[2]}", question)


def _done(text: str, question: str) -> Topic | None:
    """ "What causes X", "who makes X": the thing after the verb."""
    found = re.match(r"(?:what|who|which)(?: [\w-]+)? (\w+?)(s|es|ed) (.+)$", text, re.I)
    if found and {found[1].lower(), f"{found[1].lower()}e"} & VERBS:
        return _noun(found[3], question)
    return None


def _clause(text: str, question: str) -> Topic | None:
    """ "Can men produce milk" → men producing milk; "does X have side effects" → X."""
    found = re.match(rf"({AUX})\s+(?:there\s+(?:be\s+)?(?:an?y?\s+)?)?(.+)$", text, re.I)
    if not found:
        return None
    said = found[2].split()
    if SELF.fullmatch(said[0]) and not (len(said) > 1 and said[1].lower() in VERBS):
        return None
    for place, word in enumerate(said):
        low = word.lower().strip(",")
        who, rest = said[:place], said[place + 1 :]
        if place and low in VERBS and not BE.match(found[1]):
            if SELF.fullmatch(who[-1]):
                return Topic(" ".join([_gerund(low), *rest]), question, " ".join([word, *rest]))
            if PEOPLE.fullmatch(who[-1]) or (low in ACTIVE and rest):
                return Topic(" ".join([*who, _gerund(low), *rest]), question, " ".join(who), clause=True)
            return _noun(" ".join(who), question)
        if place and (PREDICATE.fullmatch(low) or low.endswith("ed")) and not OF.fullmatch(said[place - 1]):
            return _noun(" ".join(who), question)
    return _noun(" ".join(said), question)


def _fragment(text: str, question: str) -> Topic | None:
    """A few words with no question form about them are their own topic."""
    text = re.sub(r"^(?:what|how) about ", "", text, flags=re.I)
    if re.match(rf"(?:{WH}|{AUX})\b", text, re.I) or len(text.split()) > 5:
        return None
    return _noun(text, question)


def _noun(phrase: str, question: str) -> Topic | None:
    """A phrase without its article and trailing detail, as a topic."""
    text = re.sub(
        r"^(?:(?:some|one|any) of|of|on|with|in|to|at|from|by)\s+", "", END.sub("", phrase.strip()), flags=re.I
    )
    text = re.sub(r"^(?:a|an|any|some|about|my|your|our)\s+", "", text, flags=re.I)
    text = re.sub(r"\s+(?:exactly|really|actually|please|then|too|anyway|again|for)$", "", text, flags=re.I)
    text = re.sub(rf"\s+(?:{AUX}) (?:{SELF.pattern})\b.*$", "", text, flags=re.I)  # "… should I take"
    text = re.sub(r"\s+to (?:take|use|do|work|happen)$", "", text, flags=re.I)
    if not text or not subjects(text) or re.fullmatch(SIDES, text, re.I):
        return None
    return Topic(text, question, text)


def _gerund(verb: str) -> str:
    if verb in ("get", "stop", "begin", "let", "run", "drop"):
        return f"{verb}{verb[-1]}ing"
    return f"{verb[:-1]}ing" if verb.endswith("e") and verb != "see" else f"{verb}ing"
