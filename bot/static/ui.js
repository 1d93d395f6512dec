// What Gradio cannot do by itself: open a citation, copy an answer with its sources, say once that an answer is ready.
// Keeps nothing, asks nothing of any server. Gradio draws and redraws the page, so every listener is on the document.
"use strict";
(() => {
  const page = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const status = one("#status");
  const words = JSON.parse(status.dataset.words);
  const tidy = (text) => text.replace(/\s+/g, " ").trim();

  // Sources
  function openSource(link) {
    const quote = document.getElementById(link.hash.slice(1));
    if (!quote) return;
    page.dataset.sheet = "";
    document.querySelectorAll(".chosen").forEach((node) => node.classList.remove("chosen"));
    link.classList.add("chosen");
    const card = quote.closest(".card");
    card.classList.add("chosen");
    card.scrollIntoView({ block: "nearest" });
    quote.scrollIntoView({ block: "nearest" });
    quote.focus({ preventScroll: true });
  }

  function closeSheet() {
    if (!("sheet" in page.dataset)) return;
    delete page.dataset.sheet;
    one("#chat .cite.chosen")?.focus();
  }

  // Copy: the answer as plain text, its sources and the disclaimer
  function written(row) {
    const said = [...row.querySelectorAll(".message-content :is(p, .way)")].map((node) => {
      const twin = node.cloneNode(true);
      twin.querySelectorAll(".cite").forEach((link) => link.replaceWith(`[${link.textContent}]`));
      return tidy(twin.textContent);
    });
    const cited = [...row.querySelectorAll(".cite")].map((link) => {
      const card = document.getElementById(link.hash.slice(1))?.closest(".card");
      if (!card) return "";
      const part = (name) => tidy(one(name, card)?.textContent ?? "");
      const title = part(".title"), place = part(".place");
      return `[${link.textContent}] ${title}${place && `: ${place}`} (${part(".origin")})\n    ${one(".open a:last-of-type", card).href}`;
    }).filter(Boolean);
    const sources = cited.length ? [`${words["sources"]}\n${cited.join("\n")}`] : [];
    return [...said, ...sources, tidy(one(".note").textContent)].join("\n\n") + "\n";
  }

  function put(text) {
    // Works without the clipboard permission and on plain http too.
    const fill = (event) => { event.preventDefault(); event.clipboardData.setData("text/plain", text); };
    document.addEventListener("copy", fill, { once: true });
    const done = document.execCommand("copy");
    document.removeEventListener("copy", fill);
    return done;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#chat .bot-row .message-buttons button");
    if (button?.dataset.act?.endsWith("helpful")) status.textContent = words["feedback-thanks"];
    if (button?.dataset.act !== "copy") return;
    event.preventDefault();
    event.stopPropagation();
    if (put(written(button.closest(".bot-row")))) {
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 2000);
      status.textContent = words["copied"];
    }
  }, true);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link?.matches("#chat .cite")) {
      event.preventDefault();
      openSource(link);
    } else if (link?.getAttribute("href") === "#question") {
      event.preventDefault();
      one("#question textarea").focus();
    } else if (event.target.closest("#close")) {
      closeSheet();
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeSheet();
  });

  // Names, and one announcement an answer: Gradio's log would read every step of it again.
  const names = { "Copy message": "copy", Retry: "retry", Like: "helpful", Dislike: "not-helpful" };
  let asked = 0, answered = 0;
  function mend() {
    one("#chat [role=log]")?.setAttribute("aria-live", "off");
    document.querySelectorAll("#chat .message-content").forEach((node) => node.parentElement.removeAttribute("aria-label"));
    document.querySelectorAll("#chat .cite").forEach((link) => link.setAttribute("aria-label", link.title));
    document.querySelectorAll("#chat .message-buttons button").forEach((button) => {
      const act = names[button.title];
      if (!act) return;
      button.dataset.act = act;
      button.title = words[act];
      button.setAttribute("aria-label", words[act]);
    });
    const topic = one("#topic");
    if (topic) topic.title = words["remove-topic"];
    const questions = document.querySelectorAll("#chat .user-row");
    const rows = document.querySelectorAll("#chat .bot-row");
    const ready = rows.length > answered && Boolean(one("#ask"));
    if (questions.length > asked) delete page.dataset.sheet;
    if (questions.length > asked || ready) questions[questions.length - 1].scrollIntoView({ block: "start" });
    asked = questions.length;
    answered = Math.min(answered, rows.length);
    if (ready) {
      answered = rows.length;
      status.textContent = tidy(one(".message-content", rows[rows.length - 1]).textContent);
    }
    if (!questions.length) delete page.dataset.sheet;
  }

  let due = false;
  function later() {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; mend(); });
  }

  for (const id of ["suggestions", "they-do-answer"]) page.style.setProperty(`--say-${id}`, JSON.stringify(words[id]));
  let waiting = matchMedia("(hover: hover) and (pointer: fine)").matches;
  new MutationObserver(() => {
    const box = waiting && one("#question textarea");
    if (box) { waiting = false; box.focus(); }
    later();
  }).observe(one("gradio-app"), { childList: true, subtree: true });
})();
