"""Which language a question is in, where that is sure: so that one the documents are not in is told so in its own.

Comes in: a question; an index. Goes out: a language code, "" where it cannot be told, as from a drug's name alone;
those of the documents. The only import of py3langid. Does not know: what is then said.
"""

from __future__ import annotations

from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # it ships no types

from index.index import Index

KNOWN = ("en", "es", "pt", "fr", "it", "de", "ar")  # told apart from each other; more would make short questions unsure
SURE = 0.85  # of 852 English golden questions not one is taken for another language from here on


def spoken(text: str) -> str:
    """The language of a text among those known, "" below `SURE`."""
    language, probability = _identifier().classify(text)
    return str(language) if float(probability) >= SURE else ""


@lru_cache(maxsize=4)
def tongues(index: Index) -> tuple[str, ...]:
    """The languages that the documents of an index are in, each once; looked up once."""
    return tuple(dict.fromkeys(document.language.partition("-")[0].casefold() for document in index.documents()))


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    made = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    made.set_languages(list(KNOWN))
    return made
