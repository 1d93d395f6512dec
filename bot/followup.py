"""Does a question lean on what came before it, and with which word?

Comes in: what was typed. Goes out: yes or no, and where the leaning word stands. Does not know: history, topics,
documents.
"""

from __future__ import annotations

import re

from bot.terms import SMALL, words
from bot.topics import AUX, END, PREDICATE, SIDES, VERBS, WH, bare, subjects

# "Is it safe to …", "how long does it take to …": this "it" stands for what follows.
DUMMY = re.compile(
    rf"\b(?:{AUX}|isn['’]t) (?:it|that|this) (?!(?:related|similar|compared|linked|due|(?:\w+ )?enough) )"
    r"(?:be |take |cost |hurt |help |make )?(?:[\w-]+ ){0,2}?"
    r"(?:to|for|that|if|when) \w+|\bit(?:['’]s| is) (?:[\w-]+ ){1,2}(?:to|that)\b",
    re.I,
)
# Words that stand for something said before; not "the hormone that makes …", nor "this page".
POINTER = re.compile(
    r"\b(?:it|itself|they|them|this|these|those|he|she|him)(?: one)?\b(?!['’])"
    r"(?! (?:article|page|website|site|bot|chat|document|text|week|month|year|morning|time)s?\b)"
    rf"|(?:\b(?:{AUX}|about|of|for|with|after|before|like|by|than|from|on|causes?)\s+|\b(?:why|what)['’]?s\s+|^)"
    r"that(?: one)?\b"
    r"|\bthat(?: one)?(?=[\s?!.]*$)|\b(?:is|are|was|do|does|of|for|about|have|get|need) one(?=[\s?!.]*$| \w+ed\b)",
    re.I,
)
OWNED = re.compile(r"\b(?:its|theirs?|his|her)\b", re.I)
PERSON = frozenset(("he", "she", "him", "his", "her"))  # these mean somebody, whatever else was spoken of since
OTHER = re.compile(
    r"\b(?:the other|another|the same|(?:first|second|third|last|other|latter|former|which) ones?|"
    r"the (?:latter|former)|what else|anything else|next)\b",
    re.I,
)
# One of several that were named: "the second one", "the latter", "the other hormone".
PICKED = re.compile(
    r"\b(?:the )?(?:(?P<place>first|second|third|last) one|(?:the )(?P<end>former|latter)(?: one)?|"
    r"the (?P<other>other)(?: (?:one|[a-z-]+?s?(?=$|[?!.,]| (?:is|are|do|does|can|have|has)\b)))?)(?=\W|$)",
    re.I,
)
ABOUT = re.compile(r"^(?:what|how) about\b", re.I)
SWAP = re.compile(
    r"^(?:(?:and|but|or|so|ok|okay|then)\b[\s,]*)*(?:what|how) about (.+)$|"
    r"^(?:and|or|but)\b[\s,]*(?:(?:for|in|of|with) )?(.+)$",
    re.I,
)
MORE = re.compile(
    r"^(?:(?:please )?(?:can you )?tell me more|(?:say |know )?more(?: please)?|go on|continue|and(?: then)?|what else|"
    r"anything else|(?:can you )?(?:explain|elaborate)(?: (?:more|that|it|this|please))*|"
    r"more (?:info|information|details?)|details?|such as(?: what)?)$",
    re.I,
)
SHORT = re.compile(
    r"^(?:(?:but|and|so|ok|okay)\b[\s,]*)*(?P<wh>why|how come|how long|how often|how much|how soon|how|when|where|who)"
    rf"(?: (?P<aux>{AUX}|['’]s)(?: not)? (?:it|this|that|they|so)(?P<verb> [a-z]+)?)?(?: (?:so|not|is that|exactly))?$",
    re.I,
)
LEAN = re.compile(r"^(?:(?:ok|okay|yes|right)\b[\s,]*)?(?:and|but|or|then|so)\b", re.I)
FRAGMENT = re.compile(r"^(?:even|only|in|for|with|without|after|before|during|because|from|until|not|also)\b", re.I)
WITHIN = re.compile(r",|\b(?:and|but|if|when|while|because|since|so)\b", re.I)


def depends(asked: str) -> bool:
    """Whether a question leans on what came before: a pronoun, a fragment, or nothing but words of asking."""
    text, low = bare(asked), END.sub("", asked.strip())
    if not words(text):
        return False
    if continues(asked) or SHORT.match(text) or SHORT.match(low):
        return True
    if OTHER.search(text) or OWNED.search(text) or pointed(text) or ABOUT.match(text):
        return True
    asks = re.match(rf"(?:{WH}|{AUX})\b", text, re.I)
    if not asks and (SWAP.match(low) or FRAGMENT.match(text)):
        return True
    about = subjects(text)
    return not about and bool(asks or re.search(rf"\b(?:{SIDES})$", text, re.I))


def continues(asked: str) -> bool:
    """Whether it only asks for more."""
    return bool(MORE.match(END.sub("", asked.strip())) or MORE.match(bare(asked)))


def repeats(asked: str) -> bool:
    """Whether it asks for more of the same, so that saying the same again would be no answer."""
    short = SHORT.match(bare(asked)) or SHORT.match(END.sub("", asked.strip()))
    return continues(asked) or bool(short and short["wh"].lower() in ("why", "how", "how come"))


def standing_for(asked: str) -> str:
    """The pronoun that a follow-up leans on, "its" as "it" and "his" as "he"; "" where it leans on none."""
    text = bare(asked)
    if owned := OWNED.search(text):
        return {"its": "it", "his": "he", "her": "she"}.get(owned.group().lower(), "they")
    found = pointed(text)
    return text[found[0] : found[1]].lower().removesuffix(" one") if found else ""


def dummy(text: str) -> bool:
    """Whether an "it" stands for what follows it."""
    return bool(DUMMY.search(text))


def pointed(text: str) -> tuple[int, int] | None:
    """Where a word stands for something said before; None where it is before its noun, or its noun before it."""
    hidden = DUMMY.sub(lambda found: " " * len(found.group()), text)
    for found in POINTER.finditer(hidden):
        word = re.search(r"(?:(?:that|this|these|those) )?\w+$", found.group())
        start, end = found.start() + (word.start() if word else 0), found.end()
        before = text[:start]
        if subjects(before) and WITHIN.search(before):
            continue
        return start, end
    return None


def determines(text: str, end: int) -> bool:
    """Whether the pointing word that ends there stands before a noun: "these hormones", not "are these safe"."""
    after = words(text[end:])[:1]
    if not after or after[0].word in ("kind", "type", "sort"):
        return bool(after)
    return not (
        after[0].word in SMALL
        or after[0].word in VERBS
        or PREDICATE.fullmatch(after[0].word)
        or after[0].word.endswith(("ed", "ly", "ful", "ous", "able", "ible", "al"))
    )
