/** The breakdown: one row a group, its value as a dot within the whisker of its interval; a click filters the page. */

import { byId, h, placeholder } from "/static/dom.js";
import { between, count, flagWord, groupName, parts } from "/static/format.js";
import { difference } from "/static/cards.js";
import { asFilter } from "/static/state.js";

let order = { by: "value", descending: true };

/**
 * Show an answer that is grouped by one dimension.
 * @param {{kpi: any, answer: any, overall: any, dimension: string, chosen: string | undefined, choose: (value: string) => void}} options
 */
export function breakdown(options) {
  const body = byId("breakdown-body");
  const { kpi, answer, dimension } = options;
  if (!answer.rows.length) {
    body.replaceChildren(placeholder("Nothing in this window."));
    return;
  }
  const rows = sorted(answer.rows, dimension);
  const scale = scaleOf(kpi, rows, options.overall);
  const focused = document.activeElement?.dataset?.group;
  body.replaceChildren(
    h("table", null,
      h("caption", { class: "hidden" }, `${kpi.name} by ${dimension}, with 95 % intervals`),
      h("thead", null, h("tr", null,
        heading(dimension, "name", options), h("th", { class: "plot", scope: "col" }, h("span", { class: "hidden" }, "Interval")),
        heading("value", "value", options), heading("n", "n", options), h("th", { scope: "col", class: "number" }, "change"))),
      h("tbody", null, ...rows.map((row) => line(row, scale, options)))),
  );
  if (focused) [...body.querySelectorAll("button")].find((button) => button.dataset.group === focused)?.focus();
}

function heading(text, by, options) {
  const active = order.by === by;
  const sort = () => {
    order = { by, descending: active ? !order.descending : by !== "name" };
    breakdown(options);
  };
  const direction = active ? (order.descending ? "descending" : "ascending") : null;
  return h("th", { scope: "col", class: by === "name" ? null : "number", "aria-sort": direction },
    h("button", { type: "button", class: "sort", "data-group": `:${by}`, onclick: sort }, text, h("i", { "aria-hidden": "true" }, active ? (order.descending ? " ↓" : " ↑") : "")));
}

function line(row, scale, { kpi, dimension, chosen, choose }) {
  const group = asFilter(row.dims[dimension]), name = groupName(dimension, row.dims[dimension]);
  const change = difference(kpi, row);
  const pick = group !== null
    ? h("button", { type: "button", class: row.dims[dimension] === null ? "group nameless" : "group", "data-group": name, "aria-pressed": String(group === chosen), title: `Only ${name}`, onclick: () => choose(group) }, name)
    : h("span", { class: "group" }, name);
  return h("tr", { class: chosen !== undefined && group !== chosen ? "faded" : null },
    h("th", { scope: "row" }, pick),
    h("td", { class: "plot" }, plot(kpi, row, scale)),
    h("td", { class: "number strong" }, ...parts(kpi.unit, row.value).map(([number, unit]) => h("span", null, number, unit && h("small", null, unit)))),
    h("td", { class: "number quiet", title: row.flags?.includes("low_n") ? flagWord("low_n") : null }, count(row.n), row.flags?.includes("low_n") && h("sup", null, "low")),
    h("td", { class: "number change", "data-mood": change?.mood ?? "none", title: change?.noise ? "within noise" : null }, change ? `${change.noise ? "≈" : change.arrow} ${change.text}` : ""));
}

/** Dot and whisker, or for a plain count a bar from nought. */
function plot(kpi, row, { place, overall, isCount }) {
  const marks = [];
  if (overall !== null) marks.push(h("i", { class: "overall", style: { left: place(overall) } }));
  if (row.value === null) return h("div", { class: "track" }, marks);
  if (isCount) marks.push(h("i", { class: "bar", style: { width: place(row.value) } }));
  else {
    if (row.interval) marks.push(h("i", { class: "whisker", style: { left: place(row.interval.low), right: `calc(100% - ${place(row.interval.high)})` } }));
    marks.push(h("i", { class: "dot", style: { left: place(row.value) } }));
  }
  const title = row.interval ? between(kpi.unit, row.interval) : null;
  return h("div", { class: "track", title }, marks);
}

function scaleOf(kpi, rows, overallRow) {
  const known = rows.filter((row) => row.value !== null);
  const isCount = known.every((row) => !row.interval);
  const overall = isCount ? null : overallRow?.value ?? null;
  const all = known.flatMap((row) => [row.value, row.interval?.low ?? row.value, row.interval?.high ?? row.value]);
  const low = isCount || kpi.unit === "seconds" ? 0 : Math.min(...all, overall ?? Infinity);
  const high = Math.max(...all, overall ?? -Infinity);
  const room = isCount ? 0 : (high - low || 1) * 0.04;
  const place = (value) => `${(100 * (value - low + room)) / (high - low + 2 * room || 1)}%`;
  return { place, overall, isCount };
}

function sorted(rows, dimension) {
  const key = {
    name: (row) => (row.dims[dimension] === null ? "\uffff" : groupName(dimension, row.dims[dimension])),
    value: (row) => row.value ?? -Infinity,
    n: (row) => row.n,
  }[order.by];
  const compare = (a, b) => (typeof key(a) === "string" ? key(a).localeCompare(key(b)) : key(a) - key(b));
  return [...rows].sort((a, b) => (order.descending ? -1 : 1) * compare(a, b));
}
