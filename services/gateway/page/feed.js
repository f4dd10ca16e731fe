/** The feed: what customers say, newest first, each comment with its sentiment; new ones slide in, or are held back on demand. */

import { byId, calm, h, placeholder, setText } from "/static/dom.js";
import { ago, moment } from "/static/format.js";
import { nameOf } from "/static/names.js";

const SHOWN = 200;
const LABELS = { positive: ["Positive", "+"], neutral: ["Neutral", "○"], negative: ["Negative", "−"] };
const CHOICES = [["all", "All"], ["positive", "+"], ["neutral", "○"], ["negative", "−"]];

export class Feed {
  #comments = new Map(); // identity → {record, element}
  #held = [];
  #paused = false;
  #cursor = null;
  #zone;
  #label = "all";

  /** @param {{older: (cursor: string) => Promise<void>}} actions */
  constructor({ older }) {
    this.older = older;
    this.scroller = byId("feed-scroll");
    this.list = byId("feed-list");
    this.end = byId("feed-end");
    byId("pause").onclick = () => this.#pause(!this.#paused);
    byId("held").onclick = () => this.#release();
    this.#choices();
    this.ticking = setInterval(() => this.#tick(), 15_000);
  }

  close() {
    clearInterval(this.ticking);
  }

  /** Replace everything by the first page of a new view. */
  open(page) {
    this.#comments.clear();
    this.#held = [];
    this.#zone = page.window.tz;
    this.#cursor = page.next ?? null;
    for (const record of page.records) this.#keep(record);
    this.#draw();
    this.#count();
  }

  /** Add comments that came meanwhile. */
  add(page) {
    const fresh = page.records.filter((record) => !this.#comments.has(identity(record)) && !this.#held.some((held) => identity(held) === identity(record)));
    if (!fresh.length) return;
    if (this.#paused) {
      this.#held.push(...fresh);
      this.#count();
      return;
    }
    this.#insert(fresh);
  }

  /** Append an older page at the bottom. */
  append(page) {
    this.#cursor = page.next ?? null;
    for (const record of page.records) this.#keep(record);
    this.#draw();
  }

  /** Say in the feed's place why there is none. */
  fail(reason) {
    this.#comments.clear();
    this.#place([], [placeholder(reason)]);
  }

  #insert(records) {
    for (const record of records) this.#keep(record).element.classList.toggle("entering", !calm());
    this.#trim();
    this.#draw();
    const newest = records[0];
    setText(byId("feed-status"), `${records.length} new ${records.length === 1 ? "comment" : "comments"}, ${newest.label ?? "not scored"}: ${newest.text ?? ""}`);
  }

  #keep(record) {
    const known = this.#comments.get(identity(record));
    if (known) return known;
    const kept = { record, element: comment(record, this.#zone) };
    kept.element.addEventListener("animationend", () => kept.element.classList.remove("entering"));
    this.#comments.set(identity(record), kept);
    return kept;
  }

  /** A wall that runs for weeks keeps only the newest. */
  #trim() {
    if (this.#comments.size <= SHOWN) return;
    const oldest = this.#ordered().slice(SHOWN);
    for (const { record } of oldest) this.#comments.delete(identity(record));
  }

  #ordered() {
    return [...this.#comments.values()].sort((a, b) => Date.parse(b.record.at) - Date.parse(a.record.at));
  }

  #draw() {
    const visible = this.#ordered().filter(({ record }) => this.#label === "all" || record.label === this.#label).map(({ element }) => element);
    const more = this.#cursor ? h("button", { class: "more", type: "button", onclick: (event) => this.#more(event.target) }, "Older comments") : null;
    const scrolled = this.scroller.scrollTop;
    this.#place(visible, [visible.length ? null : placeholder("No comments in this window."), more].filter(Boolean));
    if (scrolled > 8) this.scroller.scrollTop = scrolled;
    this.#tick();
  }

  /** Put the comments in the list, which is a feed unless it is empty, and `after` below it. */
  #place(comments, after) {
    sync(this.list, comments);
    this.end.replaceChildren(...after);
    if (comments.length) this.list.setAttribute("role", "feed");
    else this.list.removeAttribute("role");
  }

  async #more(button) {
    button.disabled = true;
    await this.older(this.#cursor);
  }

  #pause(paused) {
    this.#paused = paused;
    const button = byId("pause");
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) this.#release();
  }

  #release() {
    const held = this.#held;
    this.#held = [];
    this.#count();
    if (held.length) this.#insert(held);
    this.scroller.scrollTop = 0;
  }

  #count() {
    const button = byId("held"), n = this.#held.length;
    button.hidden = n === 0;
    setText(button, `${n} new ${n === 1 ? "comment" : "comments"}`);
  }

  #choices() {
    byId("labels").replaceChildren(...CHOICES.map(([value, text]) =>
      h("label", { title: LABELS[value]?.[0] ?? "All comments" },
        h("input", { type: "radio", name: "label", value, checked: value === this.#label, "aria-label": LABELS[value]?.[0] ?? "All", onchange: () => { this.#label = value; this.#draw(); } }),
        h("span", { class: "mood", "data-label": value }, text))));
  }

  #tick() {
    const now = Date.now();
    for (const { record, element } of this.#comments.values()) setText(element.querySelector("time"), ago(record.at, now));
  }
}

/** What makes a comment itself: an edit of its text is another one, and takes the first one's place at the next load. */
const identity = (record) => `${record.subject} ${record.at} ${record.text}`;

function comment(record, zone) {
  const [label, sign] = LABELS[record.label] ?? ["Not scored", "?"];
  const score = typeof record.score === "number" ? ` ${record.score > 0 ? "+" : ""}${record.score.toFixed(2)}`.replace("-", "−") : "";
  const { dims = {} } = record;
  const from = ["source", "channel", "team", "product"].filter((name) => dims[name]).map((name) => nameOf(name, dims[name]));
  const urgency = (record.urgency ?? []).map((reason) => reason.replace("_", " "));
  return h("article", { class: "comment", "data-label": record.label ?? "none" },
    h("div", { class: "comment-inner" },
      h("p", { class: "chip" }, h("i", { "aria-hidden": "true" }, sign), label, h("small", null, score)),
      h("time", { datetime: record.at, title: moment(record.at, zone) }),
      h("p", { class: "said" }, record.text ?? ""),
      h("p", { class: "from" }, ...urgency.map((reason) => h("strong", { title: "Should not wait" }, reason)), ...from.map((name) => h("span", null, name)))));
}

/** Make `host` hold just these elements in this order, touching only what differs, so that what stays neither moves nor loses focus. */
function sync(host, wanted) {
  const keep = new Set(wanted);
  for (const child of [...host.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((element, index) => {
    if (host.children[index] !== element) host.insertBefore(element, host.children[index] ?? null);
  });
}
