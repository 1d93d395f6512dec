"""The chat page: Gradio's blocks over one bot, mounted at /chat.

Comes in: an app, an open bot, settings. Goes out: the same app with the page on it. What is remembered of a visitor is
held in memory for their open page alone and dropped when it closes. Does not know: how an answer is found or worded.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware import Middleware

from bot.bot import Bot
from bot.faces import templating
from bot.faces import ui_parts as parts
from bot.faces.ui_guard import Sound
from bot.faces.ui_page import LONGEST, Page
from bot.faces.ui_talk import Talk
from bot.settings import Settings

AT_ONCE = 8  # answers being found at one time; the rest wait in line
IN_LINE = 64
IDLE = timedelta(hours=6)  # a conversation left open is forgotten after this long, once another page closes
OPEN = 1000  # conversations held at one time; the one idle longest makes room
WORDS = (  # the phrases the page's frame and its script show
    *("skip", "questions", "safety", "no-scripts", "copy", "copied", "retry", "helpful", "not-helpful", "sources"),
    *("remove-topic", "feedback-thanks", "suggestions", "they-do-answer"),
)
SHELL = Path(gr.__file__).parent / "templates" / "frontend" / "index.html"
_SCRIPT = re.compile(r'<script type="module"[^>]* src="\./([^"]+)"')
_STYLE = re.compile(r'<link rel="stylesheet"[^>]* href="\./([^"]+)"')


def mount(app: FastAPI, bot: Bot, settings: Settings) -> FastAPI:
    """Put the page on the app at /chat. `app.state.tally` counts its thumbs, `app.state.limits` its questions."""
    page = Page(bot, settings.locale, app.state.tally, app.state.limits)
    blocks = _blocks(page, settings)
    blocks.queue(default_concurrency_limit=AT_ONCE, max_size=IN_LINE, api_open=False)
    blocks.state_session_capacity = OPEN
    _frame(app, page, settings)
    inputs = {id: len(function.inputs) for id, function in blocks.fns.items()}
    app.user_middleware.append(Middleware(Sound, inputs=inputs))  # innermost: its answers get all others' headers
    gr.mount_gradio_app(
        app,
        blocks,
        path="/chat",
        theme=_theme(),
        footer_links=[],
        run_history=False,
        show_error=False,
        allowed_paths=[],
        max_file_size="1kb",
        enable_monitoring=False,
        pwa=False,
        ssr_mode=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
    )
    return app


def _frame(app: FastAPI, page: Page, settings: Settings) -> None:
    """Serve our own HTML around Gradio's script: the disclaimer stands in it before any script runs, and for ever.

    Gradio's own holds inline scripts, another project's name and pictures from another host.
    """
    shell = SHELL.read_text(encoding="utf-8")
    scripts, styles = _SCRIPT.findall(shell), _STYLE.findall(shell)
    if not scripts:
        raise RuntimeError(f"{SHELL}: no module script in it. Install the Gradio of constraints.txt.")
    disclaimer, words = page.bot.words.disclaimer(page.locale), {id: page.say(id) for id in WORDS}

    @app.get("/chat/", include_in_schema=False)
    def chat(request: Request) -> HTMLResponse:
        values = {"words": words, "scripts": scripts, "styles": styles, "notice": page.bot.words.notice(page.locale)}
        return HTMLResponse(templating.page("chat.html", request, settings.title, disclaimer, **values))

    @app.get("/chat", include_in_schema=False)
    def slash() -> RedirectResponse:
        return RedirectResponse("chat/", 307)


def _blocks(page: Page, settings: Settings) -> gr.Blocks:
    """The page's parts, and which event leads to which."""
    say, disclaimer = page.say, page.bot.words.disclaimer(page.locale)
    blocks = gr.Blocks(title=settings.title, analytics_enabled=False, fill_height=True, fill_width=True)
    with blocks:
        talk = gr.State(Talk())
        with gr.Row(elem_id="main"):
            with gr.Column(elem_id="talk"):
                with gr.Column(elem_id="welcome") as welcome:
                    gr.Markdown(parts.welcome(say), container=False, latex_delimiters=[])
                    chips = [gr.Button(elem_classes="chip", **each) for each in page.starters()]
                    gr.Markdown(parts.below(say), container=False, latex_delimiters=[])
                chat = gr.Chatbot(
                    elem_id="chat",
                    show_label=False,
                    label=say("answer"),
                    container=False,
                    height="100%",
                    autoscroll=False,
                    layout="panel",
                    buttons=["copy"],
                    watermark=disclaimer.text,
                    feedback_options=("Like", "Dislike", *page.reasons),
                    line_breaks=False,
                    latex_delimiters=[],
                    allow_tags=False,
                    allow_file_downloads=False,
                )
            with gr.Column(elem_id="side", visible=False) as side:
                gr.Button(say("close"), elem_id="close")
                panel = gr.Markdown("", elem_id="panel", container=False, latex_delimiters=[])
            with gr.Column(elem_id="question"):
                with gr.Row(elem_id="tools", visible=False) as tools:
                    topic = gr.Button("", elem_id="topic", visible=False)
                    clear = gr.Button(say("clear"), elem_id="clear")
                with gr.Row(elem_id="entry"):
                    box = gr.Textbox(
                        label=say("your-question"),
                        placeholder=say("placeholder"),
                        container=False,
                        max_lines=4,
                        max_length=LONGEST,
                    )
                    go = gr.Button(say("ask"), elem_id="ask")
                    stop = gr.Button(say("stop"), elem_id="stop", visible=False)
        changed = [talk, chat, panel, side, welcome, tools, topic, clear, go, stop]
        quick: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
        slow: dict[str, Any] = {
            "api_visibility": "private",
            "concurrency_limit": AT_ONCE,
            "concurrency_id": "answer",
            "show_progress": "hidden",
        }
        asked = [
            gr.on([box.submit, go.click], page.typed, [box, talk], [box, *changed], **slow),
            *(chip.click(page.ask, [chip, talk], changed, **slow) for chip in chips),
            chat.option_select(page.choose, [talk], changed, **slow),
            chat.retry(page.retry, [talk], changed, **slow),
        ]
        for event in asked:
            event.then(page.settle, [talk], changed, **quick)
        stop.click(None, None, None, cancels=asked, api_visibility="private", queue=False)
        topic.click(page.forget, [talk], changed, **quick)
        clear.click(page.clear, [talk], changed, **quick)
        chat.like(page.thumb, [talk], None, **quick)

        def leave(request: gr.Request) -> None:
            _drop(blocks, request.session_hash or "")

        def renew() -> list[Any]:
            return [gr.update(**each) for each in page.starters()]

        blocks.load(renew, None, chips, **quick)  # the documents may have changed since the start
        blocks.unload(leave)
    return blocks


def _drop(blocks: gr.Blocks, left: str) -> None:
    """Drop all that is held of a closed page, and of any idle too long.

    Gradio by itself keeps a closed page's state for an hour, and what its parts showed until 10,000 newer pages came.
    """
    holder, now = blocks.state_holder, datetime.now()
    idle = [session for session, used in list(holder.time_last_used.items()) if now - used > IDLE]
    for session in [left, *idle]:
        with holder.lock:
            holder.session_data.pop(session, None)
            holder.time_last_used.pop(session, None)


def _theme() -> gr.themes.Base:
    """Gradio's theme made of the tokens: each value is a custom property, so light and dark follow them alone."""
    fonts = ["system-ui", "sans-serif"]
    values = {
        "body_background_fill": "var(--ground)",
        "body_text_color": "var(--ink)",
        "body_text_color_subdued": "var(--ink-soft)",
        "background_fill_primary": "var(--paper)",
        "background_fill_secondary": "var(--ground)",
        "border_color_primary": "var(--line)",
        "border_color_accent": "var(--accent)",
        "color_accent_soft": "var(--note)",
        "link_text_color": "var(--accent)",
        "link_text_color_hover": "var(--accent)",
        "link_text_color_active": "var(--accent)",
        "link_text_color_visited": "var(--accent)",
        "block_background_fill": "transparent",
        "input_background_fill": "var(--paper)",
        "input_border_color": "var(--line)",
        "input_placeholder_color": "var(--ink-soft)",
        "button_primary_background_fill": "var(--accent)",
        "button_primary_background_fill_hover": "var(--accent)",
        "button_primary_text_color": "var(--on-accent)",
        "button_secondary_background_fill": "var(--paper)",
        "button_secondary_background_fill_hover": "var(--note)",
        "button_secondary_text_color": "var(--accent)",
        "button_secondary_border_color": "var(--line)",
    }
    dark = {f"{name}_dark": value for name, value in values.items()}
    theme = gr.themes.Base(font=fonts, font_mono=["monospace"])
    return theme.set(**values, **dark, color_accent="var(--accent)", block_border_width="0px")
