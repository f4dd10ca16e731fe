/** The breakdown: a table with one row per group. A dot is the value, a bar around it the interval. A click on a group filters the page. */

import { byId, h, placeholder } from "/static/dom.js";
import { flagText, formatCount, formatGroup, formatInterval, valueParts } from "/static/format.js";
import { compareWithPrevious } from "/static/cards.js";
import { toFilter } from "/static/state.js";

let order = { by: "value", descending: true };

/**
 * Draw a result that is grouped by one dimension.
 * @param {{kpi: any, result: any, overall: any, dimension: string, selected: string | undefined, onSelect: (value: string) => void}} options
 */
export function drawBreakdown(options) {
  const body = byId("breakdown-body");
  if (body.matches(":active")) { // a button that is replaced while it is pressed gets no click
    addEventListener("pointerup", () => setTimeout(() => drawBreakdown(options)), { once: true });
    return;
  }
  const { kpi, result, dimension } = options;
  if (!result.rows.length) {
    body.replaceChildren(placeholder("Nothing in this window."));
    return;
  }
  const rows = sorted(result.rows, dimension);
  const scale = scaleOf(kpi, rows, options.overall);
  const focused = document.activeElement?.dataset?.group;
  body.replaceChildren(
    h("table", null,
      h("caption", { class: "hidden" }, `${kpi.name} by ${dimension}, with 95 % intervals`),
      h("thead", null, h("tr", null,
        heading(dimension, "name", options), h("th", { class: "plot", scope: "col" }, h("span", { class: "hidden" }, "Interval")),
        heading("value", "value", options), heading("n", "n", options), h("th", { scope: "col", class: "number" }, "change"))),
      h("tbody", null, ...rows.map((row) => groupRow(row, scale, options)))),
  );
  if (focused) [...body.querySelectorAll("button")].find((button) => button.dataset.group === focused)?.focus();
}

function heading(text, by, options) {
  const active = order.by === by;
  const sort = () => {
    order = { by, descending: active ? !order.descending : by !== "name" };
    drawBreakdown(options);
  };
  const direction = active ? (order.descending ? "descending" : "ascending") : null;
  return h("th", { scope: "col", class: by === "name" ? null : "number", "aria-sort": direction },
    h("button", { type: "button", class: "sort", "data-group": `:${by}`, onclick: sort }, text, h("i", { "aria-hidden": "true" }, active ? (order.descending ? " ↓" : " ↑") : "")));
}

function groupRow(row, scale, { kpi, dimension, selected, onSelect }) {
  const group = toFilter(row.dims[dimension]), name = formatGroup(dimension, row.dims[dimension]);
  const change = compareWithPrevious(kpi, row);
  const nameCell = group !== null
    ? h("button", { type: "button", class: row.dims[dimension] === null ? "group no-value" : "group", "data-group": name, "aria-pressed": String(group === selected), title: `Only ${name}`, onclick: () => onSelect(group) }, name)
    : h("span", { class: "group" }, name);
  return h("tr", { class: selected !== undefined && group !== selected ? "faded" : null },
    h("th", { scope: "row" }, nameCell),
    h("td", { class: "plot" }, plot(kpi, row, scale)),
    h("td", { class: "number strong" }, ...valueParts(kpi.unit, row.value).map(([number, unit]) => h("span", null, number, unit && h("small", null, unit)))),
    h("td", { class: "number quiet", title: row.flags?.includes("low_n") ? flagText("low_n") : null }, formatCount(row.n), row.flags?.includes("low_n") && h("sup", null, "low")),
    h("td", { class: "number change", "data-mood": change?.mood ?? "none", title: change?.noise ? "within noise" : null }, change ? `${change.noise ? "≈" : change.arrow} ${change.text}` : ""));
}

/** The plot of a row: a dot with its interval, or for a count a bar from zero. */
function plot(kpi, row, { toPercent, overall, isCount }) {
  const marks = [];
  if (overall !== null) marks.push(h("i", { class: "overall", style: { left: toPercent(overall) } }));
  if (row.value === null) return h("div", { class: "track" }, marks);
  if (isCount) marks.push(h("i", { class: "bar", style: { width: toPercent(row.value) } }));
  else {
    if (row.interval) marks.push(h("i", { class: "whisker", style: { left: toPercent(row.interval.low), right: `calc(100% - ${toPercent(row.interval.high)})` } }));
    marks.push(h("i", { class: "dot", style: { left: toPercent(row.value) } }));
  }
  const title = row.interval ? formatInterval(kpi.unit, row.interval) : null;
  return h("div", { class: "track", title }, marks);
}

function scaleOf(kpi, rows, overallRow) {
  const valued = rows.filter((row) => row.value !== null);
  const isCount = valued.every((row) => !row.interval);
  const overall = isCount ? null : overallRow?.value ?? null;
  const all = valued.flatMap((row) => [row.value, row.interval?.low ?? row.value, row.interval?.high ?? row.value]);
  const low = isCount || kpi.unit === "seconds" ? 0 : Math.min(...all, overall ?? Infinity);
  const high = Math.max(...all, overall ?? -Infinity);
  const padding = isCount ? 0 : (high - low || 1) * 0.04;
  const toPercent = (value) => `${(100 * (value - low + padding)) / (high - low + 2 * padding || 1)}%`;
  return { toPercent, overall, isCount };
}

function sorted(rows, dimension) {
  const key = {
    name: (row) => (row.dims[dimension] === null ? "\uffff" : formatGroup(dimension, row.dims[dimension])),
    value: (row) => row.value ?? -Infinity,
    n: (row) => row.n,
  }[order.by];
  const compare = (a, b) => (typeof key(a) === "string" ? key(a).localeCompare(key(b)) : key(a) - key(b));
  return [...rows].sort((a, b) => (order.descending ? -1 : 1) * compare(a, b));
}
