/** The feed: comments with their sentiment, newest first. New ones are inserted at the top, or wait while the feed is paused. */

import { byId, h, placeholder, prefersReducedMotion, setText } from "/static/dom.js";
import { formatAge, formatDateTime } from "/static/format.js";
import { nameOf } from "/static/names.js";

const MAX_COMMENTS = 200;
const LABELS = { positive: ["Positive", "+"], neutral: ["Neutral", "○"], negative: ["Negative", "−"] };
const CHOICES = [["all", "All"], ["positive", "+"], ["neutral", "○"], ["negative", "−"]];

export class Feed {
  #comments = new Map(); // key → {record, element}
  #pending = [];
  #paused = false;
  #cursor = null;
  #zone;
  #label = "all";

  /** @param {{loadPage: (cursor: string) => Promise<void>}} actions */
  constructor({ loadPage }) {
    this.loadPage = loadPage;
    this.scroller = byId("feed-scroll");
    this.list = byId("feed-list");
    this.end = byId("feed-end");
    byId("pause").onclick = () => this.#setPaused(!this.#paused);
    byId("new-comments").onclick = () => this.#showPending();
    this.#drawLabels();
    this.timer = setInterval(() => this.#updateAges(), 15_000);
  }

  /** Stop the timer and remove the comments. */
  close() {
    clearInterval(this.timer);
    this.#comments.clear();
    this.#pending = [];
    this.#replace([], []);
    this.#showPendingCount();
  }

  /** Show the first page of a new view. */
  open(page) {
    this.#comments.clear();
    this.#pending = [];
    this.#zone = page.window.tz;
    this.#cursor = page.next ?? null;
    for (const record of page.records) this.#entryOf(record);
    this.#draw();
    this.#showPendingCount();
  }

  /** Add the comments of a page that are new. */
  add(page) {
    const added = page.records.filter((record) => !this.#comments.has(commentKey(record)) && !this.#pending.some((pending) => commentKey(pending) === commentKey(record)));
    if (!added.length) return;
    if (this.#paused) {
      this.#pending.push(...added);
      this.#showPendingCount();
      return;
    }
    this.#insert(added);
  }

  /** Append an older page at the bottom. */
  append(page) {
    this.#cursor = page.next ?? null;
    for (const record of page.records) this.#entryOf(record);
    this.#draw();
  }

  /** Show the reason why there are no comments. */
  showError(reason) {
    this.#comments.clear();
    this.#replace([], [placeholder(reason)]);
  }

  #insert(records) {
    for (const record of records) this.#entryOf(record).element.classList.toggle("entering", !prefersReducedMotion());
    this.#trim();
    this.#draw();
    const newest = records[0];
    setText(byId("feed-status"), `${records.length} new ${records.length === 1 ? "comment" : "comments"}, ${newest.label ?? "not scored"}: ${newest.text ?? ""}`);
  }

  /** The entry of a record, created if there is none. */
  #entryOf(record) {
    const existing = this.#comments.get(commentKey(record));
    if (existing) return existing;
    const entry = { record, element: commentElement(record, this.#zone) };
    entry.element.addEventListener("animationend", () => entry.element.classList.remove("entering"));
    this.#comments.set(commentKey(record), entry);
    return entry;
  }

  /** Remove all but the newest comments: a page may stay open for weeks. */
  #trim() {
    if (this.#comments.size <= MAX_COMMENTS) return;
    const oldest = this.#newestFirst().slice(MAX_COMMENTS);
    for (const { record } of oldest) this.#comments.delete(commentKey(record));
  }

  #newestFirst() {
    return [...this.#comments.values()].sort((a, b) => Date.parse(b.record.at) - Date.parse(a.record.at));
  }

  #draw() {
    const visible = this.#newestFirst().filter(({ record }) => this.#label === "all" || record.label === this.#label).map(({ element }) => element);
    const more = this.#cursor ? h("button", { class: "more", type: "button", onclick: (event) => this.#loadOlder(event.target) }, "Older comments") : null;
    const scrolled = this.scroller.scrollTop;
    this.#replace(visible, [visible.length ? null : placeholder("No comments in this window."), more].filter(Boolean));
    if (scrolled > 8) this.scroller.scrollTop = scrolled;
    this.#updateAges();
  }

  /** Put the comments in the list, which is a feed unless it is empty, and `after` below it. */
  #replace(comments, after) {
    syncChildren(this.list, comments);
    this.end.replaceChildren(...after);
    if (comments.length) this.list.setAttribute("role", "feed");
    else this.list.removeAttribute("role");
  }

  async #loadOlder(button) {
    button.disabled = true;
    await this.loadPage(this.#cursor);
  }

  #setPaused(paused) {
    this.#paused = paused;
    const button = byId("pause");
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) this.#showPending();
  }

  #showPending() {
    const pending = this.#pending;
    this.#pending = [];
    this.#showPendingCount();
    if (pending.length) this.#insert(pending);
    this.scroller.scrollTop = 0;
  }

  #showPendingCount() {
    const button = byId("new-comments"), n = this.#pending.length;
    button.hidden = n === 0;
    setText(button, `${n} new ${n === 1 ? "comment" : "comments"}`);
  }

  #drawLabels() {
    byId("labels").replaceChildren(...CHOICES.map(([value, text]) =>
      h("label", { title: LABELS[value]?.[0] ?? "All comments" },
        h("input", { type: "radio", name: "label", value, checked: value === this.#label, "aria-label": LABELS[value]?.[0] ?? "All", onchange: () => { this.#label = value; this.#draw(); } }),
        h("span", { class: "mood", "data-label": value }, text))));
  }

  #updateAges() {
    const now = Date.now();
    for (const { record, element } of this.#comments.values()) setText(element.querySelector("time"), formatAge(record.at, now));
  }
}

/** The key of a comment. An edited text has a new key; the old comment stays on the page until the next load. */
const commentKey = (record) => `${record.subject} ${record.at} ${record.text}`;

function commentElement(record, zone) {
  const [label, sign] = LABELS[record.label] ?? ["Not scored", "?"];
  const score = typeof record.score === "number" ? ` ${record.score > 0 ? "+" : ""}${record.score.toFixed(2)}`.replace("-", "−") : "";
  const { dims = {} } = record;
  const origin = ["source", "channel", "team", "product"].filter((name) => dims[name]).map((name) => nameOf(name, dims[name]));
  const urgency = (record.urgency ?? []).map((reason) => reason.replace("_", " "));
  return h("article", { class: "comment", "data-label": record.label ?? "none" },
    h("div", { class: "comment-inner" },
      h("p", { class: "chip" }, h("i", { "aria-hidden": "true" }, sign), label, h("small", null, score)),
      h("time", { datetime: record.at, title: formatDateTime(record.at, zone) }),
      h("p", { class: "comment-text" }, record.text ?? ""),
      h("p", { class: "origin" }, ...urgency.map((reason) => h("strong", { title: "Urgent" }, reason)), ...origin.map((name) => h("span", null, name)))));
}

/** Set the children of `host`. Children that remain are not moved, so that they keep their focus and animation. */
function syncChildren(host, elements) {
  const keep = new Set(elements);
  for (const child of [...host.children]) if (!keep.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (host.children[index] !== element) host.insertBefore(element, host.children[index] ?? null);
  });
}
