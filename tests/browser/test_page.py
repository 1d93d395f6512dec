"""A conversation on the chat page: answers with their sources, follow-ups, refusals, greetings, signposts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from bot.bot import Bot
from tests.browser.chat import Chat, say

pytestmark = pytest.mark.browser
Visit = Callable[..., Chat]


def test_an_empty_page_offers_four_questions_and_all_of_them(visit: Visit) -> None:
    """The first page holds four starters, a way to every question, and nothing of a conversation."""
    chat = visit()
    starters = chat.page.locator("#welcome .chip")
    assert starters.count() == 4
    expect(chat.page.locator("#welcome a")).to_have_attribute("href", re.compile(r"\.\./faq$"))
    for hidden in ("#chat", "#tools", "#side"):
        expect(chat.page.locator(hidden)).not_to_be_visible()
    question = starters.nth(1).inner_text()
    starters.nth(1).click()
    chat.settled(1)
    assert chat.questions.inner_text() == question
    assert chat.citations.count() > 0, f"the starter {question!r} is not answered"


def test_an_answer_quotes_and_its_citation_opens_the_quote_inside_its_passage(visit: Visit, bot: Bot) -> None:
    """Each sentence ends in a number; clicking it marks and focuses those very words in the passage beside it."""
    chat = visit()
    chat.ask("Can men produce milk?")
    assert "says:" in chat.answer.inner_text()
    numbers = chat.citations.all_inner_texts()
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)] and numbers
    for number, citation in enumerate(chat.citations.all(), start=1):
        expect(citation).to_have_accessible_name(say("source-number", number=number))
        citation.click()
        marked = chat.page.locator("#panel mark:focus")
        expect(marked).to_be_visible()
        paragraph = citation.locator("xpath=..").inner_text()
        assert " ".join(marked.inner_text().split()) == " ".join(paragraph.rsplit("\xa0", 1)[0].split())
        card = chat.page.locator("#panel .card.chosen")
        expect(card).to_have_count(1)
        passage = " ".join(card.locator(".passage").inner_text().split())
        assert any(
            passage in " ".join(one.text.split()) for doc in bot.index.documents() for one in bot.index.passages(doc.id)
        )
        assert len(passage) > len(marked.inner_text()), "a passage is more than its quote"
        expect(card).to_contain_text("not yet reviewed by a clinician")
        expect(card.locator(".place")).not_to_be_empty()


def test_open_document_shows_the_same_quote_marked(visit: Visit) -> None:
    """The source's link leads to the document page, in a new tab, with the quote marked there too."""
    chat = visit()
    chat.ask("Can men produce milk?")
    chat.citations.first.click()
    quote = chat.page.locator("#panel mark:focus").inner_text()
    with chat.context.expect_page() as opening:
        chat.page.locator("#panel .card.chosen").get_by_role("link", name=say("open-document")).click()
    document = opening.value
    marked = " ".join(document.locator("mark").all_inner_texts())
    assert " ".join(quote.split()) in " ".join(marked.split())
    assert "/documents/" in document.url


def test_a_follow_up_is_resolved_and_its_topic_can_be_removed(visit: Visit) -> None:
    """ "Why does that happen?" is read with its topic, which stands over the box; without it, nothing is carried."""
    chat = visit()
    chat.ask("Can men produce milk?")
    chat.ask("Why does that happen?")
    expect(chat.answer).to_contain_text(say("read-as", question="Why"))
    assert chat.citations.count() > 0
    expect(chat.topic).to_be_visible()
    assert chat.topic.inner_text().startswith(say("about", topic=""))
    chat.topic.click()
    expect(chat.topic).not_to_be_visible()
    chat.ask("Why does that happen?")
    expect(chat.answer).not_to_contain_text(say("read-as", question=""))
    assert chat.citations.count() == 0


def test_a_refusal_says_so_and_offers_what_is_answered(visit: Visit) -> None:
    """What the documents do not say is said to be so, and each question offered instead is answered."""
    chat = visit()
    chat.ask("How do I treat cracked nipples?")
    expect(chat.answer).to_contain_text(say("abstain"))
    assert chat.citations.count() == 0
    label = chat.page.locator("#chat .options").evaluate("node => getComputedStyle(node, '::before').content")
    assert label == f'"{say("they-do-answer")}"'
    offered = chat.suggestions.first.inner_text()
    chat.suggestions.first.click()
    chat.settled(2)
    assert chat.questions.last.inner_text() == offered
    assert chat.citations.count() > 0


def test_a_greeting_is_answered_with_a_greeting(visit: Visit) -> None:
    """Small talk quotes nothing, and offers questions to begin with."""
    chat = visit()
    chat.ask("hi")
    expect(chat.answer).to_contain_text(say("greeting"))
    assert chat.citations.count() == 0
    assert chat.suggestions.count() > 0


@pytest.mark.parametrize("size", [(1280, 800), (320, 568)])
def test_a_signpost_fills_the_answers_place(visit: Visit, size: tuple[int, int]) -> None:
    """Words that can mean an emergency give one sentence and a number to tap, in view, and nothing beside it."""
    chat = visit(*size)
    chat.ask("Can men produce milk?")
    chat.ask("My baby is not breathing")
    expect(chat.answer.locator(".urgent strong").first).to_be_in_viewport()
    call = chat.answer.get_by_role("link", name=re.compile("^Call 999")).first
    expect(call).to_have_attribute("href", "tel:999")
    box = call.bounding_box()
    assert box and box["height"] >= 48
    assert chat.suggestions.count() == 0
    for other in ("#side", "#topic"):
        expect(chat.page.locator(other)).not_to_be_visible()
    chat.answer.get_by_role("link", name=say("ask-else")).click()
    expect(chat.box).to_be_focused()


def test_what_people_and_documents_write_stays_text(visit: Visit) -> None:
    """Markup in a question is shown as typed: no element, image, link or script comes of it."""
    chat = visit()
    typed = (
        '<img src=x onerror="window.hit=1"> <b>b</b> **s** [l](http://evil.example) ![i](http://evil.example/i.png) $x$'
    )
    chat.ask(typed)
    assert chat.questions.inner_text() == typed
    assert chat.questions.locator("img, b, strong, a").count() == 0
    assert chat.page.evaluate("window.hit") is None
