"""What was said on a page is gone from the server once the page is closed."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import gradio as gr
import pytest

from tests.browser.chat import Chat

pytestmark = pytest.mark.browser
Visit = Callable[..., Chat]
PATIENCE_S = 20


def conversations() -> set[str]:
    """The pages whose conversations the servers of this process hold."""
    return {page for one in gc.get_objects() if type(one) is gr.Blocks for page in one.state_holder.session_data}


def test_a_closed_page_is_forgotten(visit: Visit) -> None:
    """Closing a page drops all that the server held of it, the words on it included, within seconds."""
    before = conversations()  # of pages of other tests, which may be forgotten at any moment
    chat = visit()
    chat.ask("Can men produce milk?")
    mine = conversations() - before
    assert mine
    chat.page.close()
    end = time.monotonic() + PATIENCE_S
    while conversations() & mine and time.monotonic() < end:
        time.sleep(0.2)
    assert not conversations() & mine
    chat.page = chat.context.new_page()  # what the fixture looks at afterwards
    chat.page.goto(f"{chat.site}/faq")
