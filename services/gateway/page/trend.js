/** The trend: a figure's series within its intervals, and the period before as a ghost. */

import { clear, draw, palette, stroke } from "/static/charts.js";
import { byId, h } from "/static/dom.js";
import { between, count, day, flagWord, show, wallClock } from "/static/format.js";
import { bucketLength, has, known, stretches } from "/static/series.js";

const DAY = 86_400_000;
const SPAN_TICKS = [60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000, 2592000];

/**
 * Draw a series.
 * @param {HTMLElement} host @param {any} kpi @param {any} series its rows compared with the previous period
 */
export async function trend(host, kpi, series) {
  legend(kpi, series);
  if (!known(series)) {
    clear(host, "Nothing in this window.");
    return;
  }
  const colours = palette(), { rows } = series;
  const isCount = kpi.unit === "count", isFlow = isCount && kpi.id !== "backlog";
  const traces = [...ribbon(rows, colours), ...ghost(rows, colours), ...(isFlow ? [bars(kpi, rows, colours)] : lines(kpi, rows, colours))];
  const labels = Math.max(3, Math.min(9, Math.round(host.clientWidth / 90)));
  await draw(host, traces, colours, {
    hovermode: "x unified",
    xaxis: { type: "date", range: reach(rows), nticks: labels, tickangle: 0, ticklabelstandoff: 6, showspikes: false, ...dates(rows, labels) },
    yaxis: { nticks: 6, ...(isCount ? { rangemode: "tozero" } : {}), ...ticks(kpi, rows) },
  });
  describe(host, kpi, rows);
}

const at = (row) => wallClock(row.from);
const asUtc = (row) => Date.parse(`${at(row)}Z`);
const fromUtc = (time) => new Date(time).toISOString().slice(0, 19);

/** The band of intervals, one outline for each stretch without a gap; a lone bucket's is as wide as a bar. */
function ribbon(rows, colours) {
  const reachOfOne = bucketLength(rows) * 0.06;
  const x = [], y = [];
  for (const stretch of stretches(rows.map((row) => (row.interval ? row : { ...row, value: null })))) {
    const edges = stretch.flatMap(({ row }) => (stretch.length > 1 ? [[at(row), row]] : [-1, 1].map((side) => [fromUtc(asUtc(row) + side * reachOfOne), row])));
    x.push(...edges.map(([time]) => time), ...edges.map(([time]) => time).reverse(), null);
    y.push(...edges.map(([, row]) => row.interval.high), ...edges.map(([, row]) => row.interval.low).reverse(), null);
  }
  return x.length ? [{ x, y, mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: colours.band, hoverinfo: "skip" }] : [];
}

/** The period before, bucket under bucket; those that an end cuts off are left out. */
function ghost(rows, colours) {
  if (!rows.some(before)) return [];
  return [{ x: rows.map(at), y: rows.map(before), mode: "lines", line: { color: colours.ghost, width: 1.75 * stroke(), dash: "dash" }, hoverinfo: "skip" }];
}

const before = (row) => (has(row, "partial") ? null : row.compare?.[0]?.value ?? null);

/** The line; a bucket that is cut off, by the window's start or by now, hangs on by dots, and one of few answers is hollow. */
function lines(kpi, rows, colours) {
  const x = rows.map(at);
  const whole = { x, y: rows.map((row) => (has(row, "partial") ? null : row.value)), mode: "lines", line: { color: colours.accent, width: 2.5 * stroke() }, hoverinfo: "skip" };
  const all = {
    x, y: rows.map((row) => row.value), mode: "lines+markers", line: { color: colours.accent, width: 1.75 * stroke(), dash: "dot" },
    marker: { size: (rows.length > 60 ? 3 : 6.5) * stroke(), color: rows.map((row) => colours[has(row, "low_n") ? "surface" : "accent"]), line: { color: colours.accent, width: 1.5 * stroke() }, opacity: 1 },
    hovertemplate: "%{text}<extra></extra>", text: rows.map((row) => words(kpi, row)),
  };
  return [whole, all];
}

function bars(kpi, rows, colours) {
  const marker = { color: colours.accent, opacity: rows.map((row) => (has(row, "partial") ? 0.45 : 0.9)), cornerradius: 3 };
  return {
    type: "bar", x: rows.map(at), y: rows.map((row) => row.value), width: 0.76 * bucketLength(rows), marker,
    hovertemplate: "%{text}<extra></extra>", text: rows.map((row) => words(kpi, row)), textposition: "none",
  };
}

/** What the pointer is told of a bucket. Plotly reads a little markup in such texts, so: numbers and our own words only. */
function words(kpi, row) {
  if (row.value === null) return "";
  const interval = row.interval ? [`${between(kpi.unit, row.interval)}, n ${count(row.n)}`] : [];
  const notes = (row.flags ?? []).map(flagWord).join(", ");
  return [show(kpi.unit, row.value), ...interval, ...(notes ? [notes] : [])].join("<br>");
}

/** From half a bucket before the first to half a bucket after the last. */
const reach = (rows) => [fromUtc(asUtc(rows[0]) - bucketLength(rows) / 2), fromUtc(asUtc(rows.at(-1)) + bucketLength(rows) / 2)];

/** How an axis and its pointer name a bucket: by its day, or within a day by its hour. */
function dates(rows, labels) {
  if (bucketLength(rows) > 0.9 * DAY) {
    const every = Math.ceil(rows.length / labels);
    const marked = rows.filter((row, index) => (rows.length - 1 - index) % every === 0 && row.from.slice(11, 16) === "00:00");
    return { hoverformat: "%a %-d %b %Y", tickmode: "array", tickvals: marked.map(at), ticktext: marked.map((row) => day(row.from)) };
  }
  return {
    hoverformat: "%a %-d %b, %H:%M",
    tickformatstops: [{ dtickrange: [null, DAY - 1], value: "%H:%M\n%a %-d %b" }, { dtickrange: [DAY, null], value: "%-d %b" }],
  };
}

/** Spans want ticks at whole minutes, hours or days; the rest is plotly's to choose. */
function ticks(kpi, rows) {
  if (kpi.unit === "percent") return { ticksuffix: " %" };
  if (kpi.unit !== "seconds") return {};
  const most = Math.max(...rows.map((row) => row.interval?.high ?? row.value ?? 0));
  const step = SPAN_TICKS.find((size) => most / size <= 6) ?? most / 5;
  const values = Array.from({ length: Math.floor(most / step) + 2 }, (_, index) => index * step);
  return { tickmode: "array", tickvals: values, ticktext: values.map((value) => show("seconds", value)), rangemode: "tozero" };
}

function legend(kpi, series) {
  const entries = [
    [series.rows.some((row) => row.interval), "is-band", "95 % interval"],
    [known(series) && series.rows.some(before), "is-ghost", "period before"],
    [series.rows.some((row) => has(row, "low_n")), "is-low", `fewer than ${kpi.min_n}`],
    [has(series.rows.at(-1), "partial"), "is-running", "still running"],
  ];
  byId("trend-note").replaceChildren(...entries.filter(([there]) => there).map(([, sign, text]) => h("span", null, h("i", { class: sign }), text)));
}

/** The picture as a sentence, for those who hear the page. */
function describe(host, kpi, rows) {
  const valued = rows.filter((row) => row.value !== null);
  const told = [valued[0], valued.at(-1)].map((row) => `${show(kpi.unit, row.value)} on ${at(row).slice(0, 10)}`);
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", `${kpi.name}, from ${told.join(" to ")}, in ${valued.length} buckets.`);
}
