/** The headline cards: value, interval, number of answers, difference from the previous period, and a sparkline. */

import { byId, h, prefersReducedMotion, setText } from "/static/dom.js";
import { flagText, formatCount, formatDifference, formatInterval, nullReason, shortName, valueParts } from "/static/format.js";
import { sparkline } from "/static/spark.js";

export const HEADLINES = ["nps", "csat", "net_sentiment", "first_reply_time", "backlog", "tickets_opened"];

/** The noun of a KPI's n, singular and plural. */
const ANSWERS = ["answer", "answers"], COMMENTS = ["comment", "comments"], TICKETS = ["ticket", "tickets"];
const NOUNS = { points: ANSWERS, percent: ANSWERS, score: COMMENTS, seconds: TICKETS };
const NOUNS_BY_KPI = { net_sentiment: COMMENTS };

/**
 * A row's difference from the previous period: within noise or not, better or worse. null if the previous period has no data.
 * @returns {{text: string, mood: "better" | "worse" | "plain" | "noise", arrow: string, noise: boolean} | null}
 */
export function compareWithPrevious(kpi, row) {
  const previous = row.compare?.find(({ to }) => to === "previous");
  if (!previous?.n || previous.delta === null) return null; // without data, any value would look like a rise
  const { delta, significant } = previous;
  const arrow = delta > 0 ? "▲" : delta < 0 ? "▼" : "•";
  const text = formatDifference(kpi.unit, delta);
  if (significant === false) return { text, arrow, mood: "noise", noise: true };
  const better = { higher: 1, lower: -1 }[kpi.direction] ?? 0;
  if (!significant || !better || !delta) return { text, arrow, mood: "plain", noise: false };
  return { text, arrow, mood: Math.sign(delta) === better ? "better" : "worse", noise: false };
}

export class Cards {
  #cards = new Map();

  /**
   * @param {any[]} kpis entries of the catalogue
   * @param {{onSelect: (id: string) => void, showDefinition: (id: string, anchor: Element) => void, showRecords: (id: string) => void}} actions
   */
  constructor(kpis, actions) {
    byId("cards").replaceChildren(...kpis.map((kpi) => this.#build(kpi, actions)));
  }

  #build(kpi, { onSelect, showDefinition, showRecords }) {
    const title = h("button", { class: "card-title", type: "button", onclick: () => onSelect(kpi.id) }, shortName(kpi));
    const info = h("button", { class: "info", type: "button", "aria-label": `Definition of ${kpi.name}`, onclick: () => showDefinition(kpi.id, info) }, "i");
    const value = h("p", { class: "value" });
    const delta = h("p", { class: "delta" });
    const interval = h("span", { class: "interval" });
    const n = h("button", { class: "n", type: "button", onclick: () => showRecords(kpi.id) });
    const spark = h("div", { class: "spark-box" });
    const element = h("article", { class: "panel card", "data-kpi": kpi.id, "aria-busy": "true" },
      h("header", null, h("h2", null, title), info), value, delta, h("p", { class: "details" }, interval, n), spark);
    this.#cards.set(kpi.id, { kpi, element, title, value, delta, interval, n, spark });
    return element;
  }

  /** Mark the selected KPI's card. */
  select(id) {
    for (const [kpi, { element, title }] of this.#cards) {
      element.classList.toggle("selected", kpi === id);
      title.setAttribute("aria-pressed", String(kpi === id));
    }
  }

  /** Show a KPI's single value. `live`: it came from the live stream, so highlight a change. */
  showValue(result, live = false) {
    const card = this.#cards.get(result.kpi), row = result.rows[0];
    if (!card) return;
    const { kpi } = card;
    const previousText = card.value.textContent;
    card.element.removeAttribute("aria-busy");
    card.element.dataset.value = String(row.value);
    card.value.toggleAttribute("data-null", row.value === null);
    card.value.replaceChildren(...valueParts(kpi.unit, row.value).map(([number, unit]) => h("span", null, number, unit && h("small", null, unit))));
    this.#showDelta(card.delta, kpi, row);
    setText(card.interval, row.value === null ? nullReason(row) : row.interval ? formatInterval(kpi.unit, row.interval) : "");
    const nouns = NOUNS_BY_KPI[kpi.id] ?? NOUNS[kpi.unit];
    card.n.hidden = !row.n;
    setText(card.n, nouns ? `${formatCount(row.n)} ${nouns[row.n === 1 ? 0 : 1]}` : "Records");
    card.n.setAttribute("aria-label", `${card.n.textContent} behind ${kpi.name}`);
    if (live && previousText && previousText !== card.value.textContent && !prefersReducedMotion()) highlight(card.element);
  }

  #showDelta(host, kpi, row) {
    const change = compareWithPrevious(kpi, row);
    host.dataset.mood = change?.mood ?? "none";
    const low = row.flags?.includes("low_n") ? h("span", { class: "flag", title: `Fewer than ${kpi.min_n}` }, flagText("low_n")) : null;
    host.replaceChildren(
      ...(change ? [h("span", { class: "change" }, h("i", { "aria-hidden": "true" }, change.arrow), ` ${change.text}`), h("span", null, change.noise ? "within noise" : "vs before")] : []),
      ...(low ? [low] : []),
    );
  }

  /** Draw the sparkline of a series. */
  drawSparkline(result) {
    this.#cards.get(result.kpi)?.spark.replaceChildren(sparkline(result.rows));
  }

  /** Show the reason why a card has no value. */
  showError(id, reason) {
    const card = this.#cards.get(id);
    if (!card) return;
    card.element.removeAttribute("aria-busy");
    card.value.replaceChildren("—");
    card.delta.replaceChildren();
    setText(card.interval, reason);
    card.n.hidden = true;
  }

  /** Mark all cards as out of date, after a change of the window or the filters. */
  setBusy() {
    for (const { element } of this.#cards.values()) element.setAttribute("aria-busy", "true");
  }
}

function highlight(element) {
  element.classList.remove("updated");
  requestAnimationFrame(() => element.classList.add("updated"));
}
