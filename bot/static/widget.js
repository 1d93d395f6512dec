// Milkwise on any site: <script src="https://…/widget.js" defer data-locale="en-GB"></script>
// Adds one element, <milkwise-chat>, that asks the server this script came from and shows the answer, each sentence with
// its source, always under the disclaimer. Remembers the conversation while the page is open: no cookie, no storage.
// What it takes and tells is listed in docs/widget.md; the server's page /widget builds the line.
"use strict";
(() => {
  // Filled in when served: words in one language with their disclaimer, reasons for a thumb down where the operator keeps
  // them, colours (each accent open to the host, as --milkwise-accent and so on). Shown even offline.
  const SERVED = null;

  const script = document.currentScript ?? document.querySelector('script[src*="/widget.js"], script[src*="/widget-"]');
  // Not as it is served, pasted twice, or a browser too old.
  if (!SERVED || customElements.get("milkwise-chat") || !("replaceSync" in CSSStyleSheet.prototype)) return;
  const base = new URL(".", script.src);
  const SMALL = "(max-width: 480px), (max-height: 480px)";
  const SLOW_MS = 6000, LATE_MS = 60000, TURNS = 20, BODY_BYTES = 60000;

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SERVED.tokens + `
:host {
  all: initial !important; display: block !important; position: fixed !important; inset: 0 auto auto 0 !important;
  width: 0 !important; height: 0 !important; z-index: 2147483647 !important;
  direction: ltr !important; unicode-bidi: isolate !important;
}
:host([inline]) { position: relative !important; z-index: 0 !important; width: 100% !important; height: var(--milkwise-height, 600px) !important; }
.all, .all * { box-sizing: border-box; margin: 0; }
.all { font: 400 16px/1.5 var(--milkwise-font, system-ui, sans-serif); color: var(--ink); text-align: start; overflow-wrap: anywhere; }
[hidden] { display: none !important; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
button, textarea, a { font: inherit; color: inherit; }
button { cursor: pointer; }
.way:disabled { opacity: .5; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h2, h3 { font-size: 1em; font-weight: 650; line-height: 1.4; }

.launcher {
  position: fixed; bottom: calc(var(--milkwise-bottom, 16px) + env(safe-area-inset-bottom)); min-height: 48px; padding: 0 20px;
  border: 1px solid var(--paper); border-radius: 24px; background: var(--accent); color: var(--on-accent);
  font-weight: 600; box-shadow: var(--shadow);
}
.panel {
  position: fixed; bottom: calc(var(--milkwise-bottom, 16px) + 60px + env(safe-area-inset-bottom)); display: flex; flex-direction: column;
  width: min(400px, 100vw - 32px); height: min(660px, 100dvh - 92px - var(--milkwise-bottom, 16px)); overflow: hidden;
  border: 1px solid var(--line); border-radius: var(--radius); background: var(--ground); box-shadow: var(--shadow);
}
.right > * { right: calc(16px + env(safe-area-inset-right)); }
.left > * { left: calc(16px + env(safe-area-inset-left)); }
:host([inline]) .panel { position: absolute; inset: 0; width: auto; height: auto; }
.panel:focus { outline: none; }

.head { display: flex; align-items: center; padding: 4px; padding-inline-start: 16px; }
.head h2, .head h3 { flex: 1; }
.head h2 { font-size: 17px; }
.quiet { min-height: 44px; min-width: 44px; padding: 0 12px; border: 0; background: none; color: var(--ink-soft); font-size: 14px; }
.quiet:hover { color: var(--accent); }
[aria-pressed="true"] { font-weight: 600; }
.close { font-size: 24px; line-height: 1; }
.note { flex: none; padding: 8px 16px; background: var(--note); border-block: 1px solid var(--line); font-size: 13px; line-height: 1.4; }
.middle { position: relative; flex: 1; min-height: 0; display: flex; flex-direction: column; background: var(--paper); }
.log { position: relative; flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; background: var(--ground); border-bottom: 1px solid var(--line); }
.log:focus-visible, .sheet:focus-visible { outline-offset: -2px; }
.welcome h3 { font-size: 18px; margin-bottom: 12px; }
.soft { color: var(--ink-soft); font-size: 14px; }
.welcome .soft, .next { margin-top: 12px; }
.chip {
  display: block; max-width: 100%; min-height: 44px; margin-top: 8px; padding: 8px 16px; border: 1px solid var(--line); border-radius: 24px;
  background: var(--paper); color: var(--accent); font-size: 15px; text-align: start;
}
.chip:hover { border-color: var(--accent); }

.asked { margin-bottom: 8px; }
.exchange + .exchange { margin-top: 24px; }
.reply { padding: 12px 16px; border: 1px solid var(--line); border-radius: var(--radius); background: var(--paper); }
.reply > * + * { margin-top: 8px; }
.cite {
  position: relative; min-width: 24px; height: 24px; padding: 0; border: 1px solid var(--accent); border-radius: 12px;
  background: none; color: var(--accent); font-size: 13px; font-weight: 600;
}
.held { white-space: nowrap; }
.cite::after, .note a::after { content: ""; position: absolute; inset: -12px; }
.cite:hover, .cite[aria-expanded="true"] { background: var(--accent); color: var(--on-accent); }
.row { display: flex; flex-wrap: wrap; margin-inline: -12px; margin-bottom: -8px; }
.contact { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
.contact + .contact { margin-top: 16px; }
.contact p { flex: 0 0 100%; }
.way, .go {
  display: flex; align-items: center; justify-content: center; min-height: 48px; min-width: 80px; padding: 0 16px; border: 1px solid var(--accent);
  border-radius: var(--radius); background: none; color: var(--accent); font-weight: 600; text-decoration: none;
}
.urgent { padding: 20px 16px; border: 2px solid var(--urgent); background: var(--urgent-ground); }
.urgent > p:first-child { color: var(--urgent); font-size: 18px; font-weight: 600; }
.urgent .way { border-color: var(--urgent); color: var(--urgent); }
.urgent .contact:first-of-type .way:first-of-type {
  flex: 0 0 100%; min-height: 60px; background: var(--urgent); color: var(--urgent-ground); font-size: 20px;
}
.urgent .quiet { padding: 0; text-decoration: underline; }

.sheet {
  position: absolute; inset: auto 0 0; max-height: 75%; padding: 0 16px 16px; overflow-y: auto; overscroll-behavior: contain;
  background: var(--paper); border-block: 2px solid var(--accent); font-size: 15px;
}
.top { position: sticky; top: 0; padding-bottom: 8px; background: var(--paper); border-bottom: 1px solid var(--line); }
.top .head { padding: 0; margin-inline-end: -12px; }
.passage { margin-block: 12px; white-space: pre-line; }
.chosen { outline: 1px solid var(--accent); }
mark { padding: 1px 2px; border-radius: 2px; background: var(--mark); color: inherit; }
.open { display: inline-flex; align-items: center; min-height: 44px; color: var(--accent); }
.note a { position: relative; z-index: 1; display: inline; }

.foot { display: flex; align-items: flex-end; gap: 8px; padding: 8px 12px 12px; background: var(--paper); }
.topic { flex: none; align-self: start; max-width: calc(100% - 24px); margin: 8px 12px 0; padding: 4px 16px; font-size: 14px; }
textarea {
  flex: 1; min-width: 0; min-height: 48px; max-height: 120px; padding: 11px 12px; border: 1px solid var(--ink-soft); border-radius: var(--radius);
  background: var(--paper); font-size: 16px; resize: none; field-sizing: content;
}
textarea::placeholder { color: var(--ink-soft); opacity: 1; }
.go:not(.stop) { background: var(--accent); color: var(--on-accent); }

@media ${SMALL} {
  :host(:not([inline])) .panel {
    inset: var(--top, 0) 0 auto; width: auto; height: var(--room, 100dvh); border: 0; border-radius: 0; font-size: 17px;
    padding: env(safe-area-inset-top) env(safe-area-inset-right) env(safe-area-inset-bottom) env(safe-area-inset-left);
  }
  .launcher[aria-expanded="true"] { display: none; }
}
@media print { :host(:not([inline])) { display: none !important; } }
`);

  // "p.lead" is a tag and its classes; functions become listeners; null is left out. Text stays text.
  function make(name, attributes = {}, ...children) {
    const [tag, ...classes] = name.split(".");
    const node = document.createElement(tag);
    if (classes.length) node.className = classes.join(" ");
    if (tag === "button") node.type = "button";
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") node.addEventListener(key, value);
      else if (value !== null) node.setAttribute(key, value);
    }
    node.append(...children.filter(Boolean));
    return node;
  }

  // To the server, without cookies and without saying which page is asking beyond its origin.
  const send = (path, options) => fetch(link(path), { credentials: "omit", referrerPolicy: "same-origin", ...options });

  // "./documents/…" stays on this server whatever the path.
  const link = (path) => new URL(`.${path}`, base).href;
  const fold = (text) => text.trim().replace(/\s+/g, " ").toLowerCase();

  class Chat extends HTMLElement {
    #root = this.attachShadow({ mode: "open" });
    // Made by this script: comes back when a framework draws the page's body anew.
    #keep = false;
    // What the next question is asked with: [{asked, cited}].
    #turns = [];
    // The AbortController of the question on its way.
    #asking = null;
    // What the server counts the questions under. Says nothing of who asks.
    #token;
    // The number whose source is open.
    #chosen = null;
    #locale; #launcher; #panel; #log; #welcome; #starters; #sheet; #status; #topic; #box; #go;

    static launch() {
      // The page may have placed its own.
      if (document.querySelector("milkwise-chat")) return;
      const chat = new Chat();
      chat.#keep = true;
      document.body.append(chat);
    }

    connectedCallback() {
      if (!this.#panel) this.#build();
      if (this.#inline) return;
      // The top layer: above every z-index.
      this.setAttribute("popover", "manual");
      this.showPopover?.();
    }

    disconnectedCallback() {
      setTimeout(() => this.#keep && !this.isConnected && (document.body ?? document.documentElement).append(this), 50);
    }

    remove() {
      this.#keep = false;
      super.remove();
    }

    open() {
      if (this.#inline || !this.#panel.hidden) return;
      this.#show(true);
      this.#rest();
    }

    close() {
      if (this.#inline || this.#panel.hidden) return;
      this.#show(false);
      this.#launcher.focus({ preventScroll: true });
    }

    ask(text) {
      this.open();
      return this.#ask(String(text).trim());
    }

    get #inline() {
      return this.hasAttribute("inline");
    }

    #option(name) {
      return this.dataset[name] ?? script.dataset[name];
    }

    #say(id, values = {}) {
      return SERVED.words[id].replace(/{(\w+)}/g, (whole, name) => values[name] ?? whole);
    }

    #tell(name, detail) {
      this.dispatchEvent(new CustomEvent(`milkwise:${name}`, { bubbles: true, detail }));
    }

    #show(open) {
      this.#panel.hidden = !open;
      this.#launcher.setAttribute("aria-expanded", open);
      if (!open) return;
      this.#tell("open");
      this.#start().catch(() => {});
    }

    // Where the focus goes when what had it is gone. On touch not into the box: that would raise the keyboard.
    #rest() {
      const fine = matchMedia("(hover: hover) and (pointer: fine)").matches;
      (fine ? this.#box : this.#panel).focus({ preventScroll: true });
    }

    #build() {
      const inline = this.#inline, say = (id) => this.#say(id), dir = this.#option("dir") ?? say("dir");
      try {
        [this.#locale] = Intl.getCanonicalLocales(this.#option("locale") || SERVED.locale);
      } catch {
        console.error("Milkwise: data-locale is no language tag such as en-GB.");
      }
      // The colour, that of the words on it, and the same two on dark pages.
      this.#option("accent")?.split(" ").forEach((colour, no) =>
        this.style.setProperty(`--milkwise-${["accent", "on-accent", "accent-dark", "on-accent-dark"][no]}`, colour));
      const side = this.#option("position") ?? (dir === "rtl" ? "left" : "right");

      this.#launcher = make("button.launcher", {
        part: "launcher", "aria-expanded": false, "aria-controls": "panel",
        click: () => (this.#panel.hidden ? this.open() : this.close()),
      }, say("launch"));
      this.#welcome = make("div.welcome", {},
        make("h3", {}, say("welcome")),
        make("p.soft", {}, say("privacy")),
        this.#link("/faq", "all-questions"),
        this.#starters = make("div"));
      this.#log = make("div.log", { role: "log", "aria-live": "off", "aria-labelledby": "title", tabindex: 0 }, this.#welcome);
      this.#sheet = make("div.sheet", { id: "sheet", role: "region", tabindex: -1, hidden: "" });
      this.#status = make("p.unseen", { role: "status" });
      this.#topic = make("button.chip.topic", { hidden: "", click: () => { this.#turns = []; this.#about(null); this.#rest(); } });
      this.#box = make("textarea", {
        rows: 1, maxlength: 2000, "aria-label": say("your-question"), placeholder: say("placeholder"), dir: "auto",
        enterkeyhint: "send", keydown: (event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          this.#submit();
        },
      });
      this.#go = make("button.go", {
        click: (event) => {
          // A double click on Ask is no Stop.
          if (!this.#asking) this.#submit();
          else if (event.detail < 2) this.#asking.abort("stopped");
        },
      }, say("ask"));
      this.#panel = make("div.panel", {
        id: "panel", role: inline ? "region" : "dialog", "aria-labelledby": "title",
        "aria-describedby": "note", tabindex: -1, hidden: inline ? null : "",
      },
        make("div.head", {},
          make("h2", { id: "title" }, this.#option("title") || SERVED.title),
          make("button.quiet", { click: () => this.#clear() }, say("start-again")),
          !inline && this.#cross(() => this.close())),
        make("p.note", { id: "note" }, say("disclaimer"), " ", this.#link("/safety", "safety")),
        make("div.middle", {}, this.#log, this.#topic, this.#sheet),
        this.#status,
        make("div.foot", {}, this.#box, this.#go));
      this.#root.adoptedStyleSheets = [sheet];
      this.#root.append(make(`div.all.${side}`, { lang: SERVED.locale, dir }, !inline && this.#launcher, this.#panel));

      // What is typed here is nobody else's shortcut.
      for (const type of ["keydown", "keypress", "keyup"]) this.#root.addEventListener(type, (event) => event.stopPropagation());
      this.#panel.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || event.isComposing) return;
        if (this.#sheet.hidden) this.close();
        else this.#shut();
      });
      // Above a phone's keyboard, so that the disclaimer stays in view; not while zoomed in.
      const view = window.visualViewport;
      view?.addEventListener("resize", () => {
        if (view.scale > 1.01) return;
        this.#panel.style.setProperty("--room", `${view.height}px`);
        this.#panel.style.setProperty("--top", `${view.offsetTop}px`);
      });
      if (inline) this.#start().catch(() => {});
      else if (this.#option("open") !== undefined && !matchMedia(SMALL).matches) this.#show(true);
    }

    #chip(question) {
      return make("button.chip", { dir: "auto", click: () => { this.#rest(); this.#ask(question); } }, question);
    }

    #link(path, words) {
      return make("a.open", { href: link(path), target: "_blank", rel: "noopener" }, this.#say(words));
    }

    #cross(click) {
      return make("button.quiet.close", { "aria-label": this.#say("close"), click }, "×");
    }

    #submit() {
      const asked = this.#box.value.trim();
      if (!asked || this.#asking) return;
      this.#box.value = "";
      this.#ask(asked);
    }

    #clear() {
      this.#asking?.abort("cleared");
      this.#turns = [];
      this.#about(null);
      this.#shut();
      this.#log.replaceChildren(this.#welcome);
      this.#rest();
    }

    #about(topic) {
      this.#topic.hidden = !topic;
      this.#topic.replaceChildren(this.#say("about", { topic }), "\xa0×", make("span.unseen", {}, ` ${this.#say("remove-topic")}`));
    }

    async #ask(asked, answer) {
      if (!asked || this.#asking) return;
      this.#shut();
      this.#log.querySelectorAll(".next").forEach((node) => node.remove());
      if (!answer) {
        answer = make("div.reply");
        this.#welcome.remove();
        this.#log.append(make("div.exchange", {},
          make("h3.asked", { dir: "auto" }, make("span.unseen", { dir: "auto" }, `${this.#say("you-asked")}: `), asked), answer));
        this.#log.scrollTop = answer.parentNode.offsetTop - 16;
      }
      const control = new AbortController();
      const waiting = make("p.soft", {}, this.#say("looking"));
      answer.className = "reply";
      answer.replaceChildren(waiting);
      this.#busy(control);
      const slow = setTimeout(() => { waiting.textContent = this.#status.textContent = this.#say("slow"); }, SLOW_MS);
      const late = setTimeout(() => control.abort("cut-off"), LATE_MS);
      let [state, reply] = await this.#stream(asked, control.signal, (claim) =>
        answer.append(make("p", { dir: "auto" }, claim.text))).catch(() => []);
      if (control.signal.aborted) state = control.signal.reason;
      else if (!state && !reply) state = await this.#why();
      clearTimeout(slow);
      clearTimeout(late);
      if (this.#asking === control) this.#busy(null);
      if (state === "cleared") return;
      if (state) this.#fail(state, asked, answer, waiting, reply);
      else this.#draw(reply, asked, answer);
      this.#log.scrollTop = answer.parentNode.offsetTop - 16;
    }

    #busy(control) {
      this.#asking = control;
      this.#go.textContent = this.#say(control ? "stop" : "ask");
      this.#go.classList.toggle("stop", control);
    }

    // Ask for a token where there is none; gives the response that refuses one. With it come questions to start with: as
    // the documents are now, and last in the welcome, so that nothing moves.
    async #start() {
      if (this.#token) return;
      const got = await send("/v1/session");
      if (!got.ok) return got;
      const { token, starters } = await got.json();
      this.#token = token;
      const questions = this.#option("starters")?.split("|").filter((one) => one.trim()) ?? starters;
      if (questions[0]) this.#starters.replaceChildren(make("p.soft", {}, this.#say("starters")), ...questions.map((one) => this.#chip(one)));
    }

    // With a token, and with a new one where that has grown too old.
    async #post(path, body, signal, again) {
      const refused = await this.#start();
      if (refused) return refused;
      const headers = { "Content-Type": "application/json", Accept: "text/event-stream", "Milkwise-Session": this.#token };
      const response = await send(path, { method: "POST", body, signal, headers });
      if (response.status !== 401 || again) return response;
      this.#token = "";
      return this.#post(path, body, signal, true);
    }

    // An event a claim, then the whole reply. Gives [state, reply]: one of them, or neither where nothing came at all.
    async #stream(asked, signal, claimed) {
      const response = await this.#post("/v1/ask", this.#body(asked), signal), wait = response.headers.get("Retry-After");
      const states = { 403: "refused", 413: "error-long", 422: "error-long", 429: "error-wait", 503: "unreachable" };
      if (!response.ok) return [states[response.status] ?? "error", wait];
      try {
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let text = "", part; !(part = await reader.read()).done;) {
          const events = (text + part.value).split(/\r?\n\r?\n/);
          text = events.pop();
          for (const event of events) {
            const [, name, data] = event.match(/^event: (.*)\s+data: ([^\r\n]*)/m) ?? [];
            if (name === "claim") claimed(JSON.parse(data));
            if (name === "reply") return [null, JSON.parse(data)];
          }
        }
      // Cut off.
      } catch {}
      return ["cut-off"];
    }

    #body(asked) {
      const history = this.#turns.slice(-TURNS), body = () => JSON.stringify({ question: asked, history, locale: this.#locale });
      while (history.length && new Blob([body()]).size > BODY_BYTES) history.shift();
      return body();
    }

    // Nothing came back, and a browser does not say why: ask again, in a way that needs no leave to be sent.
    async #why() {
      if (!navigator.onLine) return "offline";
      try {
        await send("/healthz", { mode: "no-cors", cache: "no-store" });
      } catch {
        console.error(`Milkwise: ${base} is down, or not in this page's connect-src.`);
        return "unreachable";
      }
      console.error(`Milkwise: ${location.origin} is not in \`origins\` in the milkwise.toml of ${base}.`);
      return "refused";
    }

    #fail(state, asked, answer, waiting, wait = 0) {
      const said = this.#say(state, { minutes: Math.ceil(wait / 60) });
      const retry = make("button.way", { click: () => { this.#rest(); this.#ask(asked, answer); } }, this.#say("retry"));
      retry.disabled = wait;
      setTimeout(() => { retry.disabled = false; }, wait * 1000);
      waiting.remove();
      answer.append(make("p", {}, said), state === "refused" ? this.#link("/faq", "all-questions") : retry);
      this.#status.textContent = said;
      this.#tell("error", { state });
    }

    #draw(reply, asked, answer) {
      const urgent = reply.kind === "urgent", parts = [], say = (text) => make("p", { dir: "auto" }, text);
      const open = reply.unanswered.map((question) => this.#say("unanswered", { question }));
      let title, rest;
      if (!urgent && fold(reply.query) !== fold(asked)) parts.push(make("p.soft", {}, this.#say("read-as", { question: reply.query })));
      for (const claim of reply.claims) {
        const cited = reply.citations.find((one) => one.number === claim.citation);
        if (cited && cited.title !== title) parts.push(make("p.soft", {}, this.#say("lead-in", cited)));
        title = cited?.title;
        // Whom to call stands right under the first sentence of a signpost.
        const [said, more] = urgent ? claim.text.split(/(?<=\.) (.*)/s) : [claim.text];
        // A number stays with the last word.
        const [start, end] = cited ? said.split(/(\S{0,24})$/u) : [said];
        parts.push(make(claim.introduces.length ? "p.soft" : "p", { dir: "auto" },
          start, cited && make("span.held", {}, end, " ", this.#number(cited, reply))));
        rest = more;
      }
      parts.push(...open.map(say), ...reply.contacts.map((contact) => this.#contact(contact)), rest && say(rest));
      if (urgent) parts.push(make("button.quiet", { click: () => this.#box.focus() }, this.#say("ask-else")));
      else if (reply.kind !== "smalltalk") parts.push(this.#row(reply, asked));
      answer.classList.toggle("urgent", urgent);
      answer.replaceChildren(...parts.filter(Boolean));
      if (reply.suggestions.length && !urgent) {
        const label = reply.kind === "abstain" ? "they-do-answer" : reply.kind !== "clarify" && "suggestions";
        answer.after(make("div.next", {}, label && make("p.soft", {}, this.#say(label)), ...reply.suggestions.map((one) => this.#chip(one))));
      }
      this.#turns.push({ asked, cited: [...new Set(reply.citations.map((one) => one.passage))] });
      if (reply.kind !== "smalltalk") this.#about(reply.topic);
      // Read aloud once, whole.
      this.#status.textContent = [...reply.claims.map((claim) => claim.text), ...open].join(" ");
      this.#tell("reply", { kind: reply.kind });
    }

    #contact({ label, call, text, url, hours }) {
      const way = (href, words) => make("a.way", { href, dir: "auto" }, words), dial = (number) => number.replace(/[^\d+*#]/g, "");
      return make("div.contact", {},
        make("p", {}, make("b", { dir: "auto" }, label), hours && ` ${this.#say("hours", { hours })}`),
        call && way(`tel:${dial(call)}`, this.#say("call", { number: call })),
        text && way(`sms:${dial(text)}`, this.#say("text-to", { number: text })),
        /^https?:/.test(url) && way(url, this.#say("visit", { site: new URL(url).host })));
    }

    // A thumb says of what kind the reply was. Why, and of which question, only where the operator keeps that.
    #row(reply, asked) {
      const votes = [this.#say("helpful"), this.#say("not-helpful"), ...SERVED.reasons].map((said, no) => make("button.quiet", {
        "aria-pressed": false, click: async () => {
          const kept = SERVED.reasons[0] && { question: asked, reason: SERVED.reasons[no - 2] };
          const sent = await this.#post("/v1/feedback", JSON.stringify({ vote: no ? "down" : "up", kind: reply.kind, ...kept })).catch(() => null);
          if (!sent?.ok) return void (this.#status.textContent = this.#say("error"));
          votes[no].setAttribute("aria-pressed", true);
          votes.forEach((button) => { button.disabled = true; });
          this.#status.textContent = this.#say("feedback-thanks");
        },
      }, said));
      return make("div.row", {}, make("button.quiet", { click: (event) => this.#copy(reply, event.target) }, this.#say("copy")), ...votes);
    }

    // Works without the clipboard permission, and on plain http too.
    #copy(reply, button) {
      const text = [
        ...reply.claims.map((claim) => claim.text + (claim.citation ? ` [${claim.citation}]` : "")),
        ...reply.contacts.map((one) => [one.label, one.call, one.text, one.url].filter(Boolean).join(", ")),
        ...reply.citations.map((one) => `[${one.number}] ${[one.title, ...one.labels].join(". ")}\n${link(one.url)}`),
        reply.disclaimer.text,
      ].join("\n\n");
      addEventListener("copy", (event) => {
        event.stopImmediatePropagation();
        event.preventDefault();
        event.clipboardData.setData("text/plain", text);
      }, { once: true, capture: true });
      if (!document.execCommand("copy")) return;
      button.textContent = this.#status.textContent = this.#say("copied");
      setTimeout(() => { button.textContent = this.#say("copy"); }, 2000);
    }

    #number(cited, reply) {
      return make("button.cite", {
        "aria-label": this.#say("source-number", cited), "aria-expanded": false, "aria-controls": "sheet",
        click: (event) => this.#source(cited, reply, event.target),
      }, `${cited.number}`);
    }

    // The quote at once; its whole passage, marked, as soon as it is here and still says the same.
    async #source(cited, reply, number) {
      this.#shut();
      this.#chosen = number;
      number.setAttribute("aria-expanded", true);
      const passage = make("p.passage", { dir: "auto" }, make("mark", {}, cited.quote));
      this.#sheet.setAttribute("aria-label", this.#say("source-number", cited));
      this.#sheet.replaceChildren(
        make("div.top", {},
          make("div.head", {}, make("h3", {}, `${cited.number} · ${cited.title}`), this.#cross(() => this.#shut())),
          ...cited.labels.map((line) => make("p.soft", {}, line))),
        passage,
        this.#link(cited.url, "open-document"));
      this.#sheet.hidden = false;
      this.#sheet.scrollTop = 0;
      this.#sheet.focus({ preventScroll: true });
      try {
        const got = await send(`/v1/passages/${encodeURIComponent(cited.passage)}`);
        const whole = marked(await got.json(), cited, reply.citations);
        if (whole) passage.replaceChildren(...whole);
        const mark = passage.querySelector(".chosen");
        if (mark) this.#sheet.scrollTop = mark.offsetTop - this.#sheet.firstChild.offsetHeight - 40;
      // The quote stands.
      } catch {}
    }

    #shut() {
      if (this.#sheet.hidden) return;
      this.#sheet.hidden = true;
      this.#chosen.setAttribute("aria-expanded", false);
      this.#chosen.focus({ preventScroll: true });
    }
  }

  // A passage with its quotes marked, or null where it no longer says them. Offsets count characters, as Python does.
  function marked(passage, chosen, citations) {
    const signs = [...passage.text], nodes = [], heading = passage.headings.at(-1);
    let at = heading && passage.text.startsWith(`${heading}\n`) ? [...heading].length : 0;
    const run = (from, to) => signs.slice(from, to).join("");
    for (const one of citations.filter((other) => other.passage === passage.id).sort((a, b) => a.start - b.start)) {
      const from = one.start - passage.start, to = one.end - passage.start;
      if (run(from, to) !== one.quote) return null;
      nodes.push(run(at, from), make(one === chosen ? "mark.chosen" : "mark", {}, one.quote));
      at = to;
    }
    nodes[0] = nodes[0].trimStart();
    return [...nodes, run(at).trimEnd()];
  }

  customElements.define("milkwise-chat", Chat);
  if (document.body) Chat.launch();
  else addEventListener("DOMContentLoaded", Chat.launch);
})();
