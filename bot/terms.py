"""The words of a question: which of them carry meaning, their stems, and what kind of thing is asked for.

Comes in: text. Goes out: terms with offsets, and what a sentence has to hold to be of the kind asked for. Knows English
grammar's small words; knows no subject. Does not know: documents, vectors, or how an answer is chosen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

# Words of grammar and of asking. They say what kind of answer is wanted, never what it is about.
SMALL = frozenset(
    ["a", "about", "after", "again", "all", "also", "although", "am", "an", "and", "any", "anybody", "anyone", "anything", "are", "as", "at", "be", "because", "been", "before", "being", "but", "by", "can", "cannot", "could", "did", "do", "does", "doing", "done", "during", "each", "either", "else", "even", "ever", "every", "everyone", "few", "for", "from", "further", "get", "gets", "getting", "give", "given", "go", "goes", "going", "gonna", "got", "had", "has", "have", "having", "he", "her", "here", "hers", "him", "his", "how", "however", "i", "if", "in", "instead", "into", "is", "isn", "it", "its", "itself", "just", "kind", "know", "let", "like", "made", "make", "makes", "making", "many", "may", "maybe", "me", "mean", "means", "might", "mine", "more", "most", "much", "must", "my", "myself", "need", "needs", "no", "nor", "not", "of", "off", "ok", "okay", "on", "once", "one", "only", "or", "other", "others", "our", "out", "over", "own", "please", "possible", "possibly", "quite", "rather", "really", "said", "same", "say", "says", "shall", "she", "should", "so", "some", "somebody", "someone", "something", "sort", "still", "such", "take", "takes", "taking", "tell", "than", "thanks", "that", "the", "their", "them", "themselves", "then", "there", "these", "they", "thing", "things", "think", "this", "those", "though", "through", "to", "too", "try", "under", "until", "up", "upon", "us", "use", "used", "uses", "using", "usually", "very", "want", "wants", "was", "we", "well", "were", "what", "whatever", "when", "where", "whether", "which", "while", "who", "whom", "whose", "why", "will", "with", "within", "without", "would", "yes", "yet", "you", "your", "yours", "yourself", "wonder", "wondering", "explain", "describe", "question", "answer", "actually", "exactly", "happen", "happens", "happening", "happened", "work", "works", "working", "called", "call", "im", "ive", "id", "dont", "doesnt", "didnt", "cant", "wont", "isnt", "arent", "whats", "hows", "whos", "theres", "hi", "hello", "hey"]
)

# Small words that decide what is asked when little else is there: "how do I make milk" is not "how do I use milk".
LIGHT = frozenset(["make", "makes", "making", "made", "use", "used", "uses", "using", "take", "takes", "taking", "work", "works", "give", "gives"])

# What is asked for, how a question shows it, and what a sentence that says it holds.
KINDS: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (kind, re.compile(asked, re.I), re.compile(cue, re.I))
    for kind, asked, cue in (
        (
            "cost",
            r"\bhow expensive\b|\b(?:costs?|costly|prices?|priced|cheap|afford|pay|insurance|free of charge)\b",
            r"[$£€]|\b(?:costs?|prices?|pay|paid|expensive|cheap|insur\w*|free of charge|fund\w*)\b",
        ),
        (
            "duration",
            r"\bhow (?:long|soon|quick\w*|fast)\b|\bhow many (?:\w+ )?(?:minute|hour|day|night|week|month|year)s?\b|\bduration\b",
            r"\b(?:second|minute|hour|day|night|week|month|year|decade)s?\b|\b(?:lifelong|permanent|overnight|immediately)\b",
        ),
        (
            "amount",
            r"\bhow (?:much|many|often|big|old|high|low|likely|common)\b|\b(?:dose|dosage|percentage|number of)\b",
            r"\d|\b(?:percent|half|third|quarter|twice|once|one|two|three|four|five|six|several|few|many|most|rare\w*|"
            r"common\w*|enough|sufficient\w*|var(?:y|ies)|more|less|daily|weekly|every)\b",
        ),
        (
            "person",
            r"\bwho(?:m|se)?\b",
            r"\b(?:\w+(?:ers?|ors?|ists?|ians?)|people|person|parents?|wom[ae]n|m[ae]n|doctors?|nurses?|individuals?|someone)\b",
        ),
        (
            "cause",
            r"\bwhy\b|\bhow come\b|\bcaus(?:e[sd]?|ing)\b|\breasons?\b|\bdue to\b|\btriggers?\b|\bwhat makes\b",
            r"\b(?:because|caus\w*|due to|leads?|led|results?|trigger\w*|links?|linked|thanks to|owing|since|so that|why|"
            r"reasons?|comes? from|stems?|makes?|makin[g]|allows?|factors?|associated)\b",
        ),
        (
            "effects",
            r"\bside[- ]effects?\b|\brisks?\b|\b(?:un)?safe\b|\bsafety\b|\bdangers?\b|\bdangerous\b|\bharm\w*\b|\bcomplications?\b",
            r"\b(?:side[- ]effects?|effects?|risks?|safe\w*|danger\w*|harm\w*|adverse|complicat\w*|reactions?|toxic\w*)\b",
        ),
        (
            "cure",
            r"\b(?:treat\w*|cure[sd]?|curing|relie[fv]\w*|remed(?:y|ies)|heal\w*|get rid of|prevent\w*|avoid\w*|stop\w*|manag\w+)\b",
            r"\b(?:treat\w*|cure\w*|relie[fv]\w*|remed\w*|heal\w*|therap\w*|prevent\w*|avoid\w*|stop\w*|surg\w*|manag\w*|helps?|medic\w*)\b",
        ),
        (
            "sign",
            r"\bsymptoms?\b|\bsigns? of\b|\bhow (?:do|can|would) (?:i|you|we|they) (?:know|tell)\b|\bdiagnos\w*\b|\btest(?:s|ed)?\b",
            r"\b(?:symptoms?|signs?|diagnos\w*|tests?|feel\w*|includ\w*|experienc\w*|pain\w*)\b",
        ),
        (
            "time",
            r"\bwhen\b|\bwhat (?:time|age|year|date|stage)\b",
            r"\d|\b(?:when|during|after|before|until|while|once|soon|start\w*|birth|age|stage)\b",
        ),
        ("place", r"\bwhere\b", r"\b(?:in|at|from|near|inside|within|by)\b"),
        (
            "way",
            r"\bhow (?:do|does|can|could|should|would|to|is|are|did)\b|\bways? to\b|\bsteps?\b|\bprocess\b",
            r"\b(?:by|through|using|with|when|then|first|next|after|follow\w*|via|so)\b",
        ),
        (
            "definition",
            r"^\W*(?:so |and |ok |please )*(?:what(?:'s|’s| is| are| was| were)|whats|define|meaning of)\b|\bmeans?\b|\bdefinition\b|\bstands? for\b",
            r"\b(?:is|are|was|were|means?|called|known|termed|names?|named|refers?|defined)\b",
        ),
        (
            "whether",
            r"^\W*(?:so |and |but |ok |please )*(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|may|might)\b",
            r"\b(?:can|may|might|not|cannot|could|should|do|does|is|are|will|never|always|often|sometimes|rare\w*|usual\w*)\b",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a text that carries meaning: lower case, its stem, and where it stands."""

    word: str
    stem: str
    start: int
    end: int


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The stem of one lower-case word; British and American spellings share theirs."""
    plain = word.replace("’", "'").removesuffix("'s")
    for british, american in (
        ("oest", "est"),
        ("oed", "ed"),
        ("aem", "em"),
        ("isat", "izat"),
        ("ise", "ize"),
        ("our", "or"),
    ):
        plain = plain.replace(british, american) if len(plain) > 5 else plain
    return str(snowballstemmer.stemmer("english").stemWord(plain))


def words(text: str) -> list[Term]:
    """Every word of a text, small ones included, in order."""
    return [Term(low := found.group().lower(), stem(low), found.start(), found.end()) for found in WORD.finditer(text)]


def content(text: str) -> list[Term]:
    """The words that carry meaning; where a question has none but light verbs, those."""
    every = words(text)
    return [term for term in every if term.word.replace("’", "").replace("'", "") not in SMALL] or [
        term for term in every if term.word in LIGHT
    ]


def wanted(question: str) -> tuple[bool, ...]:
    """Which of KINDS a question asks for, in their order."""
    return tuple(bool(asked.search(question)) for _, asked, _ in KINDS)


def offered(sentence: str) -> tuple[bool, ...]:
    """Which of KINDS a sentence could answer, in their order."""
    return tuple(bool(cue.search(sentence)) for _, _, cue in KINDS)
