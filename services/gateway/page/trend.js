/** The trend: a KPI's series with its intervals, and the previous period. */

import { clearChart, drawChart, lineScale, palette } from "/static/charts.js";
import { byId, h } from "/static/dom.js";
import { flagText, formatCount, formatDay, formatInterval, formatValue, wallClock } from "/static/format.js";
import { bucketLength, hasFlag, hasValues, runsOfValues } from "/static/series.js";

const DAY = 86_400_000;
const SPAN_TICKS = [60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000, 2592000];

/**
 * Draw a series.
 * @param {HTMLElement} host @param {any} kpi @param {any} series its rows compared with the previous period
 */
export async function drawTrend(host, kpi, series) {
  drawLegend(kpi, series);
  if (!hasValues(series)) {
    clearChart(host, "Nothing in this window.");
    return;
  }
  const colours = palette(), { rows } = series;
  const isCount = kpi.unit === "count", isFlow = isCount && kpi.id !== "backlog";
  const traces = [...intervalTraces(rows, colours), ...previousTraces(rows, colours), ...(isFlow ? [barTrace(kpi, rows, colours)] : lineTraces(kpi, rows, colours))];
  const labels = Math.max(3, Math.min(9, Math.round(host.clientWidth / 90)));
  await drawChart(host, traces, colours, {
    hovermode: "x unified",
    xaxis: { type: "date", range: rangeOf(rows), nticks: labels, tickangle: 0, ticklabelstandoff: 6, showspikes: false, ...timeAxis(rows, labels) },
    yaxis: { nticks: 6, ...(isCount ? { rangemode: "tozero" } : {}), ...valueAxis(kpi, rows) },
  });
  setDescription(host, kpi, rows);
}

const startOf = (row) => wallClock(row.from);
const startMilliseconds = (row) => Date.parse(`${startOf(row)}Z`);
const toAxisTime = (time) => new Date(time).toISOString().slice(0, 19);

/** The band of the intervals, one outline for each run without a gap. The band of a single bucket is as wide as a bar. */
function intervalTraces(rows, colours) {
  const halfWidth = bucketLength(rows) * 0.06;
  const x = [], y = [];
  for (const run of runsOfValues(rows.map((row) => (row.interval ? row : { ...row, value: null })))) {
    const edges = run.flatMap(({ row }) => (run.length > 1 ? [[startOf(row), row]] : [-1, 1].map((side) => [toAxisTime(startMilliseconds(row) + side * halfWidth), row])));
    x.push(...edges.map(([time]) => time), ...edges.map(([time]) => time).reverse(), null);
    y.push(...edges.map(([, row]) => row.interval.high), ...edges.map(([, row]) => row.interval.low).reverse(), null);
  }
  return x.length ? [{ x, y, mode: "lines", line: { width: 0 }, fill: "toself", fillcolor: colours.band, hoverinfo: "skip" }] : [];
}

/** The line of the previous period, bucket by bucket, without partial buckets. */
function previousTraces(rows, colours) {
  if (!rows.some(previousValue)) return [];
  return [{ x: rows.map(startOf), y: rows.map(previousValue), mode: "lines", line: { color: colours.previous, width: 1.75 * lineScale(), dash: "dash" }, hoverinfo: "skip" }];
}

const previousValue = (row) => (hasFlag(row, "partial") ? null : row.compare?.[0]?.value ?? null);

/** The line of the values. Partial buckets are joined by a dotted line; buckets with a small sample have hollow markers. */
function lineTraces(kpi, rows, colours) {
  const x = rows.map(startOf);
  const whole = { x, y: rows.map((row) => (hasFlag(row, "partial") ? null : row.value)), mode: "lines", line: { color: colours.accent, width: 2.5 * lineScale() }, hoverinfo: "skip" };
  const all = {
    x, y: rows.map((row) => row.value), mode: "lines+markers", line: { color: colours.accent, width: 1.75 * lineScale(), dash: "dot" },
    marker: { size: (rows.length > 60 ? 3 : 6.5) * lineScale(), color: rows.map((row) => colours[hasFlag(row, "low_n") ? "surface" : "accent"]), line: { color: colours.accent, width: 1.5 * lineScale() }, opacity: 1 },
    hovertemplate: "%{text}<extra></extra>", text: rows.map((row) => hoverText(kpi, row)),
  };
  return [whole, all];
}

function barTrace(kpi, rows, colours) {
  const marker = { color: colours.accent, opacity: rows.map((row) => (hasFlag(row, "partial") ? 0.45 : 0.9)), cornerradius: 3 };
  return {
    type: "bar", x: rows.map(startOf), y: rows.map((row) => row.value), width: 0.76 * bucketLength(rows), marker,
    hovertemplate: "%{text}<extra></extra>", text: rows.map((row) => hoverText(kpi, row)), textposition: "none",
  };
}

/** The hover text of a bucket. Plotly interprets some markup in it, so it holds only numbers and texts of the page itself. */
function hoverText(kpi, row) {
  if (row.value === null) return "";
  const interval = row.interval ? [`${formatInterval(kpi.unit, row.interval)}, n ${formatCount(row.n)}`] : [];
  const notes = (row.flags ?? []).map(flagText).join(", ");
  return [formatValue(kpi.unit, row.value), ...interval, ...(notes ? [notes] : [])].join("<br>");
}

/** The range of the time axis: from half a bucket before the first bucket to half a bucket after the last. */
const rangeOf = (rows) => [toAxisTime(startMilliseconds(rows[0]) - bucketLength(rows) / 2), toAxisTime(startMilliseconds(rows.at(-1)) + bucketLength(rows) / 2)];

/** The ticks and hover format of the time axis: days, or times of day for buckets shorter than a day. */
function timeAxis(rows, labels) {
  if (bucketLength(rows) > 0.9 * DAY) {
    const every = Math.ceil(rows.length / labels);
    const marked = rows.filter((row, index) => (rows.length - 1 - index) % every === 0 && row.from.slice(11, 16) === "00:00");
    return { hoverformat: "%a %-d %b %Y", tickmode: "array", tickvals: marked.map(startOf), ticktext: marked.map((row) => formatDay(row.from)) };
  }
  return {
    hoverformat: "%a %-d %b, %H:%M",
    tickformatstops: [{ dtickrange: [null, DAY - 1], value: "%H:%M\n%a %-d %b" }, { dtickrange: [DAY, null], value: "%-d %b" }],
  };
}

/** The ticks of the value axis. Durations have them at whole minutes, hours or days; Plotly chooses all others. */
function valueAxis(kpi, rows) {
  if (kpi.unit === "percent") return { ticksuffix: " %" };
  if (kpi.unit !== "seconds") return {};
  const max = Math.max(...rows.map((row) => row.interval?.high ?? row.value ?? 0));
  const step = SPAN_TICKS.find((size) => max / size <= 6) ?? max / 5;
  const values = Array.from({ length: Math.floor(max / step) + 2 }, (_, index) => index * step);
  return { tickmode: "array", tickvals: values, ticktext: values.map((value) => formatValue("seconds", value)), rangemode: "tozero" };
}

function drawLegend(kpi, series) {
  const entries = [
    [series.rows.some((row) => row.interval), "is-band", "95 % interval"],
    [hasValues(series) && series.rows.some(previousValue), "is-previous", "period before"],
    [series.rows.some((row) => hasFlag(row, "low_n")), "is-low", `fewer than ${kpi.min_n}`],
    [hasFlag(series.rows.at(-1), "partial"), "is-running", "still running"],
  ];
  byId("trend-note").replaceChildren(...entries.filter(([present]) => present).map(([, name, text]) => h("span", null, h("i", { class: name }), text)));
}

/** Describe the chart in a sentence for screen readers. */
function setDescription(host, kpi, rows) {
  const valued = rows.filter((row) => row.value !== null);
  const ends = [valued[0], valued.at(-1)].map((row) => `${formatValue(kpi.unit, row.value)} on ${startOf(row).slice(0, 10)}`);
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", `${kpi.name}, from ${ends.join(" to ")}, in ${valued.length} buckets.`);
}
