"""What a question is about, as a short phrase, by the grammar of questions alone.

Comes in: one question that stands alone. Goes out: its topic, or None. Knows English question forms; knows no subject.
Does not know: history, documents, or how a follow-up is resolved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.terms import content

AUX = "am|is|are|was|were|do|does|did|can|could|will|would|should|shall|may|might|must|has|have|had"
WH = "what|which|who|whom|whose|when|where|why|how"
LEAD = re.compile(
    r"^(?:(?:so|and|but|or|ok|okay|well|also|then|please|hi|hello|hey|hiya|thanks|thank you|oh|right|now|yes|no)\b[\s,.!–-]*)+"
    r"(?=\S)",
    re.I,
)
OPENING = re.compile(
    r"^(?:(?:can|could|would|will) (?:you|u|someone) (?:please )?(?:tell me|explain|describe)(?: to me)?|(?:please )?tell me|"
    r"i(?:['’]d| would)? (?:want|like|need|am trying) to (?:know|learn|understand|find out)|i(?:['’]m| am| was) (?:just )?"
    r"(?:wondering|curious|interested)(?: in)?|do you (?:know|have)|any(?:thing| information| info)|what do you know|"
    r"explain|describe|define)\b(?: (?:a bit|a little|something|more|all))?(?: (?:about|on|if|whether))?\s*",
    re.I,
)
# Nouns that name a side of a subject, never the subject itself.
SIDES = (
    "side effects?|effects?|causes?|reasons?|symptoms?|signs?|risks?|dangers?|benefits?|treatments?|cures?|remed(?:y|ies)|"
    "costs?|prices?|dos(?:e|es|age)|amounts?|stages?|steps?|process|types?|kinds?|meaning|definition|purpose|point|role|"
    "function|difference|tests?|complications?|chances?|odds|outlook|diagnosis|prevention|examples?|rules?|protocol|"
    "details?|downsides?|drawbacks?|advantages?|disadvantages?|problems?|alternatives?|options?|results?|evidence|"
    "likelihood|timeline|duration|length|volume|quantity|supply"
)
SIDE = re.compile(rf"(?:{SIDES})", re.I)
PEOPLE = re.compile(
    r"(?:i|you|we|one|people|persons?|someone|anyone|somebody|anybody|everyone|m[ae]n|males?|wom[ae]n|females?|mothers?|mums?|"
    r"moms?|fathers?|dads?|parents?|bab(?:y|ies)|infants?|newborns?|child(?:ren)?|kids?|toddlers?|boys?|girls?|teenagers?|"
    r"adults?|partners?|couples?|patients?|doctors?|nurses?|husbands?|wi(?:fe|ves)|transgender|trans|grandmothers?)",
    re.I,
)
VERBS = frozenset(
    ["produce", "make", "lactate", "breastfeed", "feed", "nurse", "express", "pump", "get", "have", "take", "give", "use", "need", "want", "start", "stop", "restart", "begin", "end", "induce", "cause", "trigger", "affect", "increase", "decrease", "reduce", "raise", "lower", "lead", "help", "hurt", "work", "happen", "occur", "mean", "do", "come", "go", "last", "cost", "feel", "look", "become", "grow", "change", "develop", "release", "store", "contain", "include", "involve", "require", "depend", "vary", "differ", "prevent", "treat", "cure", "leak", "flow", "dry", "drink", "eat", "sleep", "run", "try", "keep", "know", "see", "tell", "find", "bring", "turn", "pass", "buy", "order", "sell", "return", "continue", "suckle", "stimulate", "prepare", "support", "suppress", "respond", "react", "drop", "rise", "fall", "disappear", "spread", "transfer", "share", "adopt", "choose", "expect", "experience", "notice", "avoid", "act", "play", "interact", "matter", "vary", "let", "carry", "form", "build", "control", "eject", "push", "squeeze", "contract"]
)
ACTIVE = frozenset(["cause", "trigger", "affect", "prevent", "increase", "decrease", "reduce", "stop", "lead", "stimulate", "suppress", "treat"])
PREDICATE = re.compile(
    r"^(?:safe|unsafe|normal|common|uncommon|rare|usual|unusual|dangerous|possible|impossible|painful|available|harmful|bad|"
    r"good|ok|okay|effective|permanent|reversible|addictive|legal|true|real|enough|necessary|needed|hereditary|contagious|"
    r"serious|likely|used|made|sold|caused|called|produced|released|stored|given|taken|done|known|found|linked|related|"
    r"different|similar|the same|free|expensive|for|in|by|from|a|an|the|dangerous|healthy|worth)$",
    re.I,
)
END = re.compile(r"[\s?!.,;:…]+$")


@dataclass(frozen=True, slots=True)
class Topic:
    """What is being talked about. `phrase` reads as a noun ("induced lactation", "men producing milk").

    `question` is the question it comes from; `subject` is the stretch of it that "what about …?" may put another word
    for. `clause` is true where the topic is something that happens, not a thing.
    """

    phrase: str
    question: str
    subject: str
    clause: bool = False


def bare(question: str) -> str:
    """A question without its courtesies and closing marks; first letter as it was."""
    text = END.sub("", question.strip())
    for pattern in (LEAD, OPENING):
        text = pattern.sub("", text) or text
    return text


def topic(question: str) -> Topic | None:
    """What a stand-alone question is about; None where no short phrase says it."""
    text = bare(question)
    for read in (_thing, _done, _clause, _fragment):
        found = read(text, question)
        if found:
            return found if len(found.phrase.split()) <= 8 and content(found.phrase) else None
    return None


def _thing(text: str, question: str) -> Topic | None:
    """ "What are the side effects of X", "what is X for", "what does X do", "how long does X take"."""
    side = re.match(
        rf"(?:(?:{WH})\b.*?\b)?(?:the |any |some |its )?(?:\w+ )?(?:{SIDES}) (?:of|for|to|from|with|in|about|after) (.+)$",
        text,
        re.I,
    )
    if side and not re.search(rf"\b(?:{AUX})\b.*\b(?:{SIDES})\b", text[: side.start(1)].split(" ", 2)[-1], re.I):
        return _noun(side[1], question)
    name = re.match(
        r"(?:what|who)(?:['’]?s| is| are| was| were) (?:meant by )?(.+?)(?: (?:for|like|about|called|made of|used for|supposed to do))?$",
        text,
        re.I,
    )
    if name:
        return _noun(name[1], question)
    does = re.match(rf"(?:{WH})\b(?: (?!{AUX})\w+){{0,3}} (?:{AUX}) (.+)$", text, re.I)
    return _clause(f"does {does[1]}", question) if does else None


def _done(text: str, question: str) -> Topic | None:
    """ "What causes X", "who makes X": the thing after the verb."""
    found = re.match(r"(?:what|who|which)(?: \w+)? (\w+?)(?:s|es|ed) (.+)$", text, re.I)
    if found and (found[1].lower() in VERBS or found[1].lower() + "e" in VERBS):
        return _noun(found[2], question)
    return None


def _clause(text: str, question: str) -> Topic | None:
    """ "Can men produce milk" → men producing milk; "does X have side effects" → X."""
    found = re.match(rf"(?:{AUX})\s+(?:there\s+(?:an?y?\s+)?)?(.+)$", text, re.I)
    if not found:
        return None
    said = found[1].split()
    for place, word in enumerate(said):
        low = word.lower().strip(",")
        if place and low in VERBS:
            who, rest = said[:place], said[place + 1 :]
            if PEOPLE.fullmatch(who[-1]) or (low in ACTIVE and rest):
                pronoun = PEOPLE.fullmatch(who[-1]) and who[-1].lower() in (
                    "i",
                    "you",
                    "we",
                    "one",
                    "someone",
                    "anyone",
                )
                phrase = [*([] if pronoun else who), _gerund(low), *rest]
                return Topic(" ".join(phrase), question, " ".join(who), clause=True)
            return _noun(" ".join(who), question)
        if place and (PREDICATE.match(low) or low.endswith("ed")):
            return _noun(" ".join(said[:place]), question)
    return _noun(" ".join(said), question)


def _fragment(text: str, question: str) -> Topic | None:
    """A few words with no question form about them are their own topic."""
    if re.match(rf"(?:{WH}|{AUX})\b", text, re.I) or len(text.split()) > 5:
        return None
    return _noun(text, question)


def _noun(phrase: str, question: str) -> Topic | None:
    """A phrase without its article and trailing detail, as a topic."""
    text = re.sub(r"^(?:a|an|any|some|about|my|your|our)\s+", "", END.sub("", phrase.strip()), flags=re.I)
    text = re.sub(r"^the\s+(?=(?:\w+\s+)?\w+$)", "", text, flags=re.I)
    text = re.sub(
        r"\s+(?:exactly|really|actually|please|then|too|anyway|again|to (?:take|use|do|work|happen))$",
        "",
        text,
        flags=re.I,
    )
    if not text or not content(text) or SIDE.fullmatch(text):
        return None
    return Topic(text, question, text)


def _gerund(verb: str) -> str:
    if verb.endswith("e") and not verb.endswith("ee"):
        return f"{verb[:-1]}ing"
    if verb in ("get", "stop", "begin", "let", "run", "drop", "control"):
        return f"{verb}{verb[-1]}ing" if verb != "control" else "controlling"
    return f"{verb}ing"
