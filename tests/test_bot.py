"""The conversation as a whole, with the real index: what always holds, whatever is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.bot import Bot
from bot.reply import Kind, Reply, Turn

# Words a visitor might use, mixed with noise, so that every kind of reply comes up.
VOCABULARY = """
can men produce milk why does that happen how long induced lactation prolactin domperidone dose should i take hi thanks
baby not breathing what is it cost capital of France 10 mg <b> </script> {call} %s \u202e \u200b \\ ☃
"""
WORDS = st.sampled_from(VOCABULARY.split())
MESSAGES = st.one_of(st.lists(WORDS, min_size=1, max_size=12).map(" ".join), st.text(min_size=1, max_size=80))
TURNS = st.lists(
    st.builds(Turn, MESSAGES, st.lists(st.sampled_from(["human-lactation#intro", "no#such", "", "#"])).map(tuple)),
    max_size=3,
)


def same(one: Reply, other: Reply) -> bool:
    """Whether two replies are one, how long they took aside."""
    return replace(one, ms=0.0) == replace(other, ms=0.0)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=MESSAGES, history=TURNS, locale=st.sampled_from([None, "en", "en-GB", "en-US", "de-AT", "xx", "zz-ZZ"]))
def test_whatever_is_asked_the_contract_holds(bot: Bot, asked: str, history: list[Turn], locale: str | None) -> None:
    """A disclaimer, a source behind every claim, every quote in its document, and the same reply again."""
    reply = bot.reply(asked, history, locale)
    assert reply.disclaimer.text.strip()
    assert reply.ms >= 0
    for claim in reply.claims:
        if claim.citation:
            document = bot.index.document(claim.citation.document.id)
            assert document
            assert document.text[claim.citation.start : claim.citation.end] == claim.text
        else:
            assert claim.source.split(":")[0] in ("rule", "phrase", "elsewhere")
    assert same(reply, bot.reply(asked, history, locale))


def test_one_question_of_each_kind(bot: Bot) -> None:
    """The six kinds come up where a visitor would expect them."""
    asked = {
        Kind.ANSWER: "Can men produce milk?",
        Kind.ABSTAIN: "How do I treat cracked nipples?",
        Kind.CLARIFY: "Does it have side effects?",
        Kind.REFER: "How much domperidone should I take?",
        Kind.URGENT: "My baby has stopped breathing",
        Kind.SMALLTALK: "hi",
    }
    assert {kind: bot.reply(question).kind for kind, question in asked.items()} == {kind: kind for kind in asked}


def test_a_follow_up_is_resolved_and_shown(bot: Bot) -> None:
    """ "Why does that happen?" after a question is looked up as what it means; alone it is not understood."""
    first = bot.reply("Can men produce milk?")
    turn = Turn("Can men produce milk?", tuple(citation.passage.id for citation in first.citations))
    after = bot.reply("Why does that happen?", [turn])
    assert after.kind == Kind.ANSWER
    assert after.topic
    assert "men" in after.query
    assert "Can men produce milk?" not in after.suggestions
    assert bot.reply("Why does that happen?").kind == Kind.CLARIFY


def test_only_the_last_twenty_turns_count(bot: Bot) -> None:
    """Older turns change nothing."""
    old = [Turn("What is relactation?")] * 5
    recent = [Turn("Can men produce milk?")] + [Turn("thanks")] * 19
    assert same(bot.reply("Why does that happen?", old + recent), bot.reply("Why does that happen?", recent))


def test_suggestions_are_questions_the_bot_answers(bot: Bot) -> None:
    """A refusal offers questions, and asking them is worth it."""
    for asked in ("How do I treat cracked nipples?", "How much does induced lactation cost?"):
        suggestions = bot.reply(asked).suggestions
        assert suggestions
        for question in suggestions:
            assert bot.reply(question).kind == Kind.ANSWER, question


def test_starters_show_range(bot: Bot) -> None:
    """Four different questions, from different sections, each answered."""
    starters = bot.reply("hi").suggestions
    assert len(set(starters)) == 4
    cited = set()
    for question in starters:
        reply = bot.reply(question)
        assert reply.kind == Kind.ANSWER, question
        cited.add(reply.citations[0].passage.headings)
    assert len(cited) >= 3


def test_an_urgent_reply_shows_whom_to_call(bot: Bot) -> None:
    """The number of the visitor's country comes first; with no country known none is guessed."""
    known = bot.reply("My baby has stopped breathing", locale="en-GB")
    assert known.contacts[0].call == "999"
    assert "999" in known.claims[0].text[:120]
    unknown = bot.reply("My baby has stopped breathing", locale="en")
    assert "999" not in unknown.claims[0].text
    assert not any(contact.call in ("999", "911") for contact in unknown.contacts)


def test_a_referral_comes_before_any_quote(bot: Bot) -> None:
    """A dose question gets the referral first, and no figure that is not in a quote."""
    reply = bot.reply("How much domperidone should I take?")
    assert not reply.claims[0].citation
    assert not any(letter.isdigit() for claim in reply.claims if not claim.citation for letter in claim.text)


@pytest.mark.parametrize(
    "asked", ["What dose should I take?", "How much should I take?", "Should I stop taking it?", "Is it safe for me?"]
)
def test_a_decision_is_referred_though_it_names_nothing(bot: Bot, asked: str) -> None:
    """A personal decision about something no turn has named gets the referral, and no quote guessed at."""
    reply = bot.reply(asked)
    assert reply.kind == Kind.REFER
    assert reply.claims[0].source.startswith("rule:")
    assert not reply.citations
