// The page /widget: builds the line to paste from what is chosen in its form, and shows the widget as that line makes it.
// Keeps nothing and sends nothing. Without it the page still holds the plain line.
"use strict";
(() => {
  const form = document.querySelector("form");
  const { server, fallback, height } = form.dataset;
  // The script of each language, the server's own first: a script speaks one.
  const scripts = JSON.parse(form.dataset.scripts);
  const ENOUGH = 4.5; // WCAG 2.2, success criterion 1.4.3
  const quoted = (text) => text.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);

  function luminance(colour) {
    const part = (at) => {
      const one = parseInt(colour.slice(at, at + 2), 16) / 255;
      return one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  }
  function contrast(one, other) {
    const [dim, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dim + 0.05);
  }
  const readable = (colour) => (contrast(colour, "#FFFFFF") >= contrast(colour, "#000000") ? "#FFFFFF" : "#000000");

  // The nearest colour on the way to black or white that can be read on all grounds.
  function mended(colour, grounds, end) {
    for (let step = 1; step <= 20; step++) {
      const mixed = [1, 3, 5].map((at) => {
        const [from, to] = [colour, end].map((one) => parseInt(one.slice(at, at + 2), 16));
        return Math.round(from + ((to - from) * step) / 20).toString(16).padStart(2, "0");
      });
      const found = `#${mixed.join("")}`.toUpperCase();
      if (grounds.every((ground) => contrast(found, ground) >= ENOUGH)) return found;
    }
    return end;
  }

  function judge(input) {
    const grounds = input.dataset.grounds.split(" ");
    const ratio = Math.min(...grounds.map((ground) => contrast(input.value, ground)));
    const said = document.getElementById(input.getAttribute("aria-describedby"));
    const fails = ratio < ENOUGH;
    said.classList.toggle("warning", fails);
    const shown = `Contrast ${(Math.floor(ratio * 10) / 10).toFixed(1)} to 1`;
    const text = fails
      ? `${shown}: too faint to read. Words need ${ENOUGH} to 1. The nearest that has it: ${mended(input.value, grounds, input.dataset.end)}`
      : `${shown}: can be read.`;
    if (said.textContent !== text) said.textContent = text; // said aloud only when it changes
  }

  // What is chosen, as data- attributes; what is as by default is left out.
  function choices() {
    const { locale, title, position, accent, dark, starters, open } = form.elements;
    const given = {};
    if (locale.value.trim()) given.locale = locale.value.trim();
    if (title.value.trim()) given.title = title.value.trim();
    if (position.value) given.position = position.value;
    const questions = starters.value.split("\n").map((one) => one.replaceAll("|", "/").trim()).filter(Boolean);
    if (starters.value !== starters.defaultValue) given.starters = questions.join("|");
    if ([accent, dark].some((one) => one.value !== one.defaultValue.toLowerCase())) {
      given.accent = [accent, dark].flatMap((one) => [one.value.toUpperCase(), readable(one.value)]).join(" ");
    }
    if (open.checked) given.open = "";
    return given;
  }

  function write(given) {
    const attributes = Object.entries(given).map(([name, value]) => ` data-${name}${value && `="${quoted(value)}"`}`).join("");
    const { open, position, ...framed } = given;
    const query = new URLSearchParams(framed).toString();
    const tag = (given.locale ?? "").toLowerCase();
    const { newest, pinned, integrity } = scripts[tag] ?? scripts[tag.split("-")[0]] ?? Object.values(scripts)[0];
    const lines = {
      line: `<script src="${server}/${newest}" defer${attributes}></script>\n<noscript><a href="${server}/faq">${quoted(fallback)}</a></noscript>`,
      pinned: `<script src="${server}/${pinned}" integrity="${integrity}" crossorigin="anonymous" defer${attributes}></script>`,
      frame: `<iframe src="${quoted(`${server}/frame${query && `?${query}`}`)}" title="${quoted(given.title ?? form.dataset.title)}" width="100%" height="${height}" loading="lazy"></iframe>`,
    };
    for (const [id, line] of Object.entries(lines)) document.getElementById(id).textContent = line;
  }

  // The widget itself, made anew with these choices; open where it was.
  function show(given, open) {
    const old = document.querySelector("milkwise-chat");
    const chat = document.createElement("milkwise-chat");
    Object.assign(chat.dataset, given);
    delete chat.dataset.open;
    if (open ?? !old.shadowRoot.querySelector(".panel").hidden) chat.dataset.open = "";
    old?.remove();
    document.body.append(chat);
    document.body.dataset.side = given.position ?? "right";
  }

  let due;
  function change() {
    form.querySelectorAll("[data-grounds]").forEach(judge);
    write(choices());
    clearTimeout(due);
    due = setTimeout(() => show(choices()), 250);
  }

  form.addEventListener("input", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(change));
  document.querySelectorAll("button[data-copy]").forEach((button) => { button.hidden = false; button.addEventListener("click", () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    const fill = (event) => { event.preventDefault(); event.clipboardData.setData("text/plain", text); };
    document.addEventListener("copy", fill, { once: true });
    const done = document.execCommand("copy"); // works on plain http too
    document.removeEventListener("copy", fill);
    if (!done) return;
    const said = button.textContent;
    button.textContent = "Copied";
    document.getElementById("status").textContent = "Copied";
    setTimeout(() => { button.textContent = said; }, 2000);
  }); });

  form.hidden = false;
  form.querySelectorAll("[data-grounds]").forEach(judge);
  write(choices());
  show(choices(), true);
})();
