"""What the chat page shows, as strings: the welcome, the messages, the sources panel.

Comes in: replies, a conversation and the page's words. Goes out: Markdown and HTML in which every word from a document
or a person is escaped. Does not know: events, requests, or how an answer was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from bot import labels, render
from bot.faces.ui_talk import Talk
from bot.reply import Citation, Contact, Kind, Reply

Message = dict[str, Any]
Say = Callable[..., str]  # a phrase id and its values in, the phrase out


def welcome(say: Say) -> str:
    """The sentence an empty page starts with, and what the questions under it are."""
    return f'<h2>{render.markup(say("welcome"))}</h2><p class="lead">{render.markup(say("starters"))}</p>'


def below(say: Say) -> str:
    """What stands under the first questions: a way to all of them, and that nothing is kept."""
    questions, privacy = render.markup(say("all-questions")), render.markup(say("privacy"))
    return f'<div class="foot"><p><a href="../faq">{questions}</a></p><p>{privacy}</p></div>'


def messages(talk: Talk, saying: str = "") -> list[Message]:
    """The conversation as chat messages; `saying` is as much of the answer to the open question as is ready."""
    shown: list[Message] = []
    for exchange in talk.exchanges:
        shown += _pair(exchange.asked, exchange.said)
    if talk.asking is not None:
        shown += _pair(talk.asking, saying)
    elif talk.last and talk.last.options:
        shown[-1]["options"] = [{"value": option} for option in talk.last.options]
    return shown


def steps(reply: Reply, asked: str, serial: int, say: Say) -> list[str]:
    """The answer as it grows, claim by claim, in Markdown; the last one is the whole."""
    if reply.kind == Kind.URGENT:
        return [_signpost(reply, say)]
    blocks = [_aside(say("read-as", question=reply.query))] if labels.reworded(reply, asked) else []
    grown = []
    for part in render.parts(reply):
        if part.lead:
            blocks.append(_aside(part.lead))
        for claim in part.claims:
            number = _number(serial, claim.citation.number, say) if claim.citation else ""
            said = _by_model(claim.text) if claim.by_model else _class(reply.kind, _words(claim.text)) + number
            blocks.append(said)
            grown.append("\n\n".join(blocks))
    blocks += [_words(say("unanswered", question=question)) for question in reply.unanswered]
    blocks += [_contacts(reply.contacts, say)] if reply.contacts else []
    return [*grown[:-1], "\n\n".join(blocks)]


def sources(reply: Reply, serial: int, say: Say, months: int) -> str:
    """The cited passages of one answer, each once, with its quotes marked: HTML without a blank line.

    A review older than `months` is shown as overdue.
    """
    locale = reply.disclaimer.locale
    by_passage = sorted(reply.citations, key=lambda one: one.passage.id)
    cards = [tuple(found) for _, found in groupby(by_passage, key=lambda one: one.passage.id)]
    return "".join(_card(card, serial, say, months, locale) for card in sorted(cards, key=lambda card: card[0].number))


def panel(talk: Talk, say: Say) -> str:
    """The sources of the whole conversation, newest answer first; "" while there are none."""
    shown = [exchange for exchange in reversed(talk.exchanges) if exchange.sources]
    if not shown:
        return ""
    groups = "".join(f'<div class="group"><p class="for">{_flat(one.asked)}</p>{one.sources}</div>' for one in shown)
    return f"<h2>{render.markup(say('sources'))}</h2>{groups}"


def _pair(asked: str, said: str) -> list[Message]:
    return [
        {"role": "user", "content": render.markdown(asked)},
        *([{"role": "assistant", "content": said}] if said else []),
    ]


def _signpost(reply: Reply, say: Say) -> str:
    """A signpost fills the answer's place: the first sentence, the numbers, the rest, a quiet way back to asking."""
    first, stop, rest = " ".join(claim.text for claim in reply.claims).partition(". ")
    back = f'<a class="else" href="#question">{render.markup(say("ask-else"))}</a>'
    blocks = [f"**{_words(first + stop)}**", _contacts(reply.contacts, say), _words(rest), back]
    return '<div class="urgent">\n\n' + "\n\n".join(blocks) + "\n\n</div>"


def _contacts(contacts: Sequence[Contact], say: Say) -> str:
    return '<div class="contacts">' + "".join(_contact(one, say) for one in contacts) + "</div>"


def _contact(contact: Contact, say: Say) -> str:
    """A contact's name, then each way to reach them as a link a thumb can hit."""
    ways = []
    if contact.call:
        ways.append(_way(f"tel:{_dial(contact.call)}", say("call", number=contact.call)))
    if contact.text:
        ways.append(_way(f"sms:{_dial(contact.text)}", say("text-to", number=contact.text)))
    if contact.url:
        ways.append(_way(contact.url, say("visit", site=contact.url.split("//")[-1].strip("/"))))
    hours = f' <span class="hours">{_flat(say("hours", hours=contact.hours))}</span>' if contact.hours else ""
    return f'<div class="contact"><p><strong>{_flat(contact.label)}</strong>{hours}</p>{"".join(ways)}</div>'


def _way(address: str, text: str) -> str:
    return f'<a class="way" href="{render.markup(address)}">{_flat(text)}</a>'


def _dial(number: str) -> str:
    """The digits a telephone dials."""
    return "".join(sign for sign in number if sign.isdigit() or sign in "+*#")


def _number(serial: int, number: int, say: Say) -> str:
    """The chip after a quote; its title is what a screen reader says."""
    label = render.markup(say("source-number", number=number))
    return f'\u00a0<a class="cite" href="#q{serial}-{number}" title="{label}">{number}</a>'


def _card(citations: Sequence[Citation], serial: int, say: Say, months: int, locale: str) -> str:
    first = citations[0]
    numbers = "".join(f'<span class="number">{one.number}</span>' for one in citations)
    place = f'<p class="place">{_flat(labels.place(first, locale))}</p>' if labels.place(first, locale) else ""
    return (
        f'<div class="card"><h3>{numbers} <span class="title">{_flat(first.document.title)}</span></h3>{place}'
        f'<p class="origin">{_flat(labels.origin(first.document, months, locale))}</p>{_hard(citations, say)}'
        f'<div class="passage">{_marked(citations, serial)}</div>'
        f'<p class="open"><a href="{render.markup(".." + first.section)}">{_flat(say("more"))}</a> '
        f'<a href="{render.markup(".." + first.url)}">{_flat(say("open-document"))}</a></p></div>'
    )


def _hard(citations: Sequence[Citation], say: Say) -> str:
    """A mark where a quote asks much schooling of its reader; "" where none does."""
    school = labels.hard(citations)
    return f'<p class="hard">{_flat(say("hard-to-read", grade=school))}</p>' if school else ""


def _marked(citations: Sequence[Citation], serial: int) -> str:
    """A passage with each quote marked; a heading it starts with is left to the line above it."""
    ordered = sorted(citations, key=lambda one: one.start)
    passage, text = ordered[0].passage, ordered[0].document.text
    at = passage.start
    heading = passage.headings[-1] if passage.headings else ""
    if heading and passage.text.startswith(heading + "\n"):
        at = min(at + len(heading), ordered[0].start)
    pieces = []
    for one in ordered:
        quote = render.markup(text[max(at, one.start) : one.end])
        before = render.markup(text[at : one.start])
        pieces.append(f'{before}<mark id="q{serial}-{one.number}" tabindex="-1">{quote}</mark>')
        at = max(at, one.end)
    # Line ends as entities: a blank line would end the block of HTML they stand in.
    return "".join([*pieces, render.markup(text[at : passage.end])]).strip().replace("\n", "&#10;")


def _class(kind: Kind, text: str) -> str:
    """Only a refusal looks different: the questions after it are those the documents do answer."""
    return f'<span class="refusal">{text}</span>' if kind == Kind.ABSTAIN else text


def _by_model(text: str) -> str:
    """A machine's line stands apart from what the documents say by more than its own words: by its edge."""
    return f'<div class="by-model">\n\n{_aside(text)}\n\n</div>'


def _flat(text: str) -> str:
    return render.markup(" ".join(text.split()))


def _words(text: str) -> str:
    return render.markdown(" ".join(text.split()))


def _aside(text: str) -> str:
    return f"*{_words(text)}*"
