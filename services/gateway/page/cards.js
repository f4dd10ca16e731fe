/** The headline cards: value, interval, how many answers, the difference to the period before, and a sparkline. */

import { byId, calm, h, setText } from "/static/dom.js";
import { between, count, flagWord, parts, shortName, signed, whyNull } from "/static/format.js";
import { sparkline } from "/static/spark.js";

export const HEADLINES = ["nps", "csat", "net_sentiment", "first_reply_time", "backlog", "tickets_opened"];

/** The noun of a KPI's n, one and many, for the line below its value. */
const ANSWERS = ["answer", "answers"], COMMENTS = ["comment", "comments"], TICKETS = ["ticket", "tickets"];
const COUNTED = { points: ANSWERS, percent: ANSWERS, score: COMMENTS, seconds: TICKETS };
const COUNTED_BY_KPI = { net_sentiment: COMMENTS };

/**
 * How a difference is to be told: whether chance explains it, and whether it is for the better.
 * @returns {{text: string, mood: "better" | "worse" | "plain" | "noise", arrow: string, noise: boolean} | null}
 */
export function difference(kpi, row) {
  const against = row.compare?.find(({ to }) => to === "previous");
  if (!against?.n || against.delta === null) return null; // nothing before: whatever is now would look like a rise
  const { delta, significant } = against;
  const arrow = delta > 0 ? "▲" : delta < 0 ? "▼" : "•";
  const text = signed(kpi.unit, delta);
  if (significant === false) return { text, arrow, mood: "noise", noise: true };
  const rising = { higher: 1, lower: -1 }[kpi.direction] ?? 0;
  if (!significant || !rising || !delta) return { text, arrow, mood: "plain", noise: false };
  return { text, arrow, mood: Math.sign(delta) === rising ? "better" : "worse", noise: false };
}

export class Cards {
  #cards = new Map();

  /**
   * @param {any[]} kpis their entries in the catalogue
   * @param {{choose: (id: string) => void, define: (id: string, anchor: Element) => void, records: (id: string) => void}} actions
   */
  constructor(kpis, actions) {
    byId("cards").replaceChildren(...kpis.map((kpi) => this.#build(kpi, actions)));
  }

  #build(kpi, { choose, define, records }) {
    const title = h("button", { class: "card-title", type: "button", onclick: () => choose(kpi.id) }, shortName(kpi));
    const info = h("button", { class: "info", type: "button", "aria-label": `Definition of ${kpi.name}`, onclick: () => define(kpi.id, info) }, "i");
    const value = h("p", { class: "value" });
    const delta = h("p", { class: "delta" });
    const interval = h("span", { class: "interval" });
    const n = h("button", { class: "n", type: "button", onclick: () => records(kpi.id) });
    const spark = h("div", { class: "spark-box" });
    const element = h("article", { class: "panel card", "data-kpi": kpi.id, "aria-busy": "true" },
      h("header", null, h("h2", null, title), info), value, delta, h("p", { class: "fine" }, interval, n), spark);
    this.#cards.set(kpi.id, { kpi, element, title, value, delta, interval, n, spark });
    return element;
  }

  /** Mark the chosen KPI's card. */
  choose(id) {
    for (const [kpi, { element, title }] of this.#cards) {
      element.classList.toggle("chosen", kpi === id);
      title.setAttribute("aria-pressed", String(kpi === id));
    }
  }

  /** Show an answer of one row. `live`: it came by itself, so let the eye find it. */
  show(answer, live = false) {
    const card = this.#cards.get(answer.kpi), row = answer.rows[0];
    if (!card) return;
    const { kpi } = card;
    const before = card.value.textContent;
    card.element.removeAttribute("aria-busy");
    card.element.dataset.value = String(row.value);
    card.value.toggleAttribute("data-null", row.value === null);
    card.value.replaceChildren(...parts(kpi.unit, row.value).map(([number, unit]) => h("span", null, number, unit && h("small", null, unit))));
    this.#delta(card.delta, kpi, row);
    setText(card.interval, row.value === null ? whyNull(row) : row.interval ? between(kpi.unit, row.interval) : "");
    const counted = COUNTED_BY_KPI[kpi.id] ?? COUNTED[kpi.unit];
    card.n.hidden = !row.n;
    setText(card.n, counted ? `${count(row.n)} ${counted[row.n === 1 ? 0 : 1]}` : "Records");
    card.n.setAttribute("aria-label", `${card.n.textContent} behind ${kpi.name}`);
    if (live && before && before !== card.value.textContent && !calm()) pulse(card.element);
  }

  #delta(host, kpi, row) {
    const told = difference(kpi, row);
    host.dataset.mood = told?.mood ?? "none";
    const low = row.flags?.includes("low_n") ? h("span", { class: "flag", title: `Fewer than ${kpi.min_n}` }, flagWord("low_n")) : null;
    host.replaceChildren(
      ...(told ? [h("span", { class: "change" }, h("i", { "aria-hidden": "true" }, told.arrow), ` ${told.text}`), h("span", null, told.noise ? "within noise" : "vs before")] : []),
      ...(low ? [low] : []),
    );
  }

  /** Draw the sparkline of a series. */
  trend(answer) {
    this.#cards.get(answer.kpi)?.spark.replaceChildren(sparkline(answer.rows));
  }

  /** Say in a card's place why it has no number. */
  fail(id, reason) {
    const card = this.#cards.get(id);
    if (!card) return;
    card.element.removeAttribute("aria-busy");
    card.value.replaceChildren("—");
    card.delta.replaceChildren();
    setText(card.interval, reason);
    card.n.hidden = true;
  }

  /** Before a new window or filter: what stands is no longer the answer. */
  wait() {
    for (const { element } of this.#cards.values()) element.setAttribute("aria-busy", "true");
  }
}

function pulse(element) {
  element.classList.remove("fresh");
  requestAnimationFrame(() => element.classList.add("fresh"));
}
