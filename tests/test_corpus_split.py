"""Splitting: nothing is lost, nothing overlaps, and what is quoted is whole."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.assemble import assemble
from corpus.document import CorpusError, Document, Passage
from corpus.draft import Draft, Source
from corpus.read_faq import read_csv, read_jsonl
from corpus.read_html import read_html
from corpus.read_markdown import read_markdown
from corpus.read_plain import read_plain
from corpus.sentences import sentences
from corpus.split import split

LIMIT = 40


def count(text: str) -> int:
    """A stand-in for the encoder's count: words, and one more for each punctuation mark."""
    return len(text.split()) + sum(text.count(mark) for mark in string.punctuation)


def markdown(text: str, name: str = "soup.md") -> Document:
    """The document of some Markdown."""
    return assemble(read_markdown(text.encode(), name), name).document


def quoted(passages: list[Passage]) -> list[str]:
    """All quotable sentences, in order."""
    return [sentence.text for passage in passages for sentence in passage.sentences]


def holds(document: Document, limit: int = LIMIT) -> list[Passage]:
    """Split, and check everything that is always so."""
    passages = split(document, limit, count)
    assert "".join(passage.text for passage in passages) == document.text
    assert len({passage.id for passage in passages}) == len(passages)
    borders = {section.start for section in document.sections}
    for passage in passages:
        assert document.text[passage.start : passage.end] == passage.text
        assert passage.document == document.id
        assert not any(passage.start < border < passage.end for border in borders)
        path = count(" > ".join(passage.headings))
        assert count(passage.text) + (path if path <= limit / 2 else 0) <= limit
        end = passage.start
        for (start, stop), sentence in zip(passage.spans, passage.sentences, strict=True):
            assert end <= start < stop <= passage.end
            assert document.text[start:stop] == sentence.text == sentence.text.strip()
            end = stop
    headings = [
        (block.start, block.end) for section in document.sections for block in section.blocks if block.kind == "heading"
    ]
    for start, end in headings:
        assert not any(start < stop and begin < end for passage in passages for begin, stop in passage.spans)
    return passages


words = st.text(alphabet=st.sampled_from("ab é漢.:?!,-\u0301\u200b  "), min_size=1, max_size=60)
drafts = st.builds(
    Draft,
    kind=st.sampled_from(["heading", "paragraph", "paragraph", "item", "row"]),
    text=st.one_of(words, st.lists(words, max_size=12).map(". ".join)),
    level=st.integers(1, 4),
    page=st.none(),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(drafts, min_size=1, max_size=25), st.integers(8, 80))
def test_nothing_is_lost(found: list[Draft], limit: int) -> None:
    """Whatever the blocks, the passages are the text, in order, each within the limit, and so are the sentences."""
    try:
        document = assemble(Source(tuple(found)), "a.md").document
    except CorpusError:
        return
    holds(document, limit)


@settings(max_examples=60, deadline=None)
@given(st.lists(drafts, min_size=2, max_size=20), st.lists(st.booleans(), min_size=20, max_size=20))
def test_no_passage_crosses_a_page(found: list[Draft], turns: list[bool]) -> None:
    """A passage holds blocks of one page, and says which."""
    page, paged = 1, []
    for draft, turn in zip(found, turns, strict=False):
        page += turn
        paged.append(Draft(draft.kind, draft.text, draft.level, page))
    try:
        document = assemble(Source(tuple(paged)), "a.pdf").document
    except CorpusError:
        return
    blocks = [block for section in document.sections for block in section.blocks]
    for passage in holds(document):
        within = {block.page for block in blocks if block.start < passage.end and passage.start < block.end}
        assert within <= {passage.page}


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))),
    st.sampled_from([read_markdown, read_plain, read_html, read_csv, read_jsonl]),
    st.sampled_from([b"", b"---\n", b"question,answer\n", b"# a\n\n- b\n", b'{"question": ', b"<table><tr><td>"]),
)
def test_any_bytes(data: bytes, reader: object, start: bytes) -> None:
    """Whatever the bytes, a reader gives a document that splits, or a CorpusError."""
    assert callable(reader)
    try:
        document = assemble(reader(start + data, "a.md"), "a.md").document
    except CorpusError:
        return
    assert document.sha256
    holds(document)


section = st.tuples(st.sampled_from(["Stock", "Cold soups", "Is it hot?"]), st.lists(words, min_size=1, max_size=4))


@settings(max_examples=60, deadline=None)
@given(st.lists(section, min_size=1, max_size=5), st.lists(words, min_size=1, max_size=5), st.data())
def test_ids_survive_edits_elsewhere(found: list[tuple[str, list[str]]], edit: list[str], data: st.DataObject) -> None:
    """Editing one section, or adding one under a new heading, changes no id of another."""

    def ids(sections: list[tuple[str, list[str]]]) -> dict[int, list[str]]:
        blocks: list[Draft] = []
        for heading, texts in sections:
            blocks += [Draft("heading", heading, 2), *(Draft("paragraph", f"x {text}") for text in texts)]
        document = assemble(Source(tuple(blocks)), "a.md").document
        starts = [each.start for each in document.sections]
        passages = split(document, LIMIT, count)
        return {n: [p.id for p in passages if p.start >= start and (n + 1 == len(starts) or p.start < starts[n + 1])]
                for n, start in enumerate(starts)}  # fmt: skip

    before = ids(found)
    place = data.draw(st.integers(0, len(found) - 1))
    edited = ids([*found[:place], (found[place][0], edit), *found[place + 1 :]])
    assert {n: each for n, each in edited.items() if n != place} == {
        n: each for n, each in before.items() if n != place
    }
    added = ids([*found[:place], ("A new one", edit), *found[place:]])
    assert [each for n, each in added.items() if n != place] == list(before.values())


def test_ids_are_readable() -> None:
    """An id is the path of headings in words; further passages count on, and so do paths of the same name."""
    long = "Soup is warm and good for you. " * 12
    text = (
        f"# Soup\n\nWords.\n\n## L'été & soup\n\n{long}\n\n### Intro\n\nWords.\n\n## Intro\n\nOne.\n\n## Intro\n\nTwo."
    )
    found = [passage.id for passage in split(markdown(text), LIMIT, count)]
    assert found[:4] == ["soup#intro", "soup#lété-soup", "soup#lété-soup:2", "soup#lété-soup:3"]
    assert found[-3:] == ["soup#lété-soup/intro", "soup#intro~2", "soup#intro~3"]


def test_questions_are_keys_not_evidence() -> None:
    """A heading that asks is a key of its passages, and is not quoted."""
    (passage,) = split(markdown("## Is soup hot?\n\nIt is, as a rule."), LIMIT, count)
    assert (passage.id, passage.headings) == ("soup#is-soup-hot", ("Is soup hot?",))
    assert passage.keys == ("Is soup hot?",)
    assert quoted([passage]) == ["It is, as a rule."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Use e.g. salt. Dr. Cook says 2.5 mg. Fine!", ["Use e.g. salt.", "Dr. Cook says 2.5 mg.", "Fine!"]),
        ("Add approx. 2 spoons. Temp. 80 is right.", ["Add approx. 2 spoons.", "Temp. 80 is right."]),
        ("Is it hot? Yes. It is 80 °C. Max. 90!", ["Is it hot?", "Yes.", "It is 80 °C.", "Max. 90!"]),
        ("See fig. 2 and vol. 3.  Then eat.", ["See fig. 2 and vol. 3.", "Then eat."]),
        ("", []),
    ],
)
def test_sentences_know_abbreviations(text: str, expected: list[str]) -> None:
    """A stop after an abbreviation or in a number ends no sentence."""
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_a_short_list_is_quoted_with_its_lead() -> None:
    """A short list is one quote with the words that lead to it; other items are quotes without their bullets."""
    document = markdown("Soup is food. You need:\n\n- a pot\n- water\n\nThen cook.\n\n- Stir it.\n- Taste it.")
    assert quoted(holds(document)) == [
        *("Soup is food.", "You need:\n- a pot\n- water", "Then cook."),
        *("Stir it.", "Taste it."),
    ]


def test_a_long_list_is_quoted_by_item() -> None:
    """A list too long to quote whole is quoted item by item; its lead is kept apart, to be said with them."""
    items = [f"a good spoon of number {number}, clean and dry" for number in range(12)]
    passages = holds(markdown("You need:\n\n" + "\n".join(f"- {item}" for item in items)))
    assert len(passages) > 1
    assert passages[0].text.startswith(f"You need:\n- {items[0]}")
    assert quoted(passages) == ["You need:", *items]


def test_a_sentence_is_never_cut_in_two() -> None:
    """A sentence too long for a passage is cut to fit, and is not quoted at all."""
    endless = "soup and " * 60 + "bread."
    passages = holds(markdown(f"First comes this. {endless} Last comes that."))
    assert len(passages) > 2
    assert quoted(passages) == ["First comes this.", "Last comes that."]


def test_passages_of_few_paragraphs() -> None:
    """Short paragraphs share a passage, three at most."""
    passages = holds(markdown("\n\n".join(f"Soup {number}." for number in range(7))))
    assert [len(passage.sentences) for passage in passages] == [3, 3, 1]


def test_long_headings_leave_room_for_text() -> None:
    """Where the headings would fill a passage, only its text is counted."""
    title = "A very long heading about soup " * 5
    passages = holds(markdown(f"## {title}\n\n### {title}\n\n{'Soup is good. ' * 30}"))
    assert max(count(passage.text) for passage in passages) > LIMIT / 2


def test_an_endless_word_is_cut() -> None:
    """A word without end, which a tokenizer may count as one unknown piece, does not make an endless passage."""
    document = markdown("x" * 100_000)
    passages = split(document, 200, lambda text: len(text.split()))
    assert "".join(passage.text for passage in passages) == document.text
    assert max(len(passage.text) for passage in passages) < 3000
    assert not quoted(passages)


def test_counting_stays_linear() -> None:
    """A megabyte is split with a bounded number of counted characters: the count is a real tokenizer."""
    counted = 0

    def slow(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return len(text.split())

    text = "# T\n\n" + "".join(f"## S {n}\n\n{'Soup is warm and good. ' * 20}\n\n" for n in range(2000))
    document = markdown(text)
    assert len(split(document, 100, slow)) >= 2000
    assert counted < 6 * len(text)
