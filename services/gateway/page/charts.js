/** The trend: a KPI's series within its intervals, the period before as a ghost; drawn by plotly, which the gateway serves itself. */

import { byId, h, placeholder } from "/static/dom.js";
import { count, flagWord, show, wallClock } from "/static/format.js";

let loading = null;

/** Plotly, loaded once and only when first wanted: it is by far the largest file, and the numbers shouldn't wait for it. */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = h("script", { src: "/static/plotly.min.js" });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error("The chart library could not be loaded"));
    };
    document.head.append(script);
  });
  return loading;
}

/** The theme's colours as plotly wants them. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  return Object.fromEntries(["accent", "ink", "ink-2", "ink-3", "grid", "surface", "raised", "good", "bad", "neutral", "band", "ghost"].map((name) => [name, colour(name)]));
}

/** The part of a layout that all charts share. */
export function layout(colours, more) {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75;
  const axis = { gridcolor: colours.grid, zeroline: false, linecolor: colours.grid, tickfont: { color: colours["ink-3"], size }, fixedrange: true, automargin: true };
  const { xaxis, yaxis, ...rest } = more;
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true, showlegend: false, dragmode: false,
    font: { family: getComputedStyle(document.body).fontFamily, color: colours["ink-2"], size },
    margin: { l: 8, r: 12, t: 8, b: 8, pad: 4 },
    hoverlabel: { bgcolor: colours.raised, bordercolor: colours.grid, font: { color: colours.ink, size: size * 1.05 }, align: "left" },
    xaxis: { ...axis, showgrid: false, ...xaxis }, yaxis: { ...axis, ...yaxis }, ...rest,
  };
}

export const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false };

/**
 * Draw a series.
 * @param {HTMLElement} host @param {any} kpi @param {any} series @param {any | null} before the same grain over the period before
 */
export async function trend(host, kpi, series, before) {
  if (!series.rows.some((row) => row.value !== null)) {
    clear(host, "Nothing in this window.");
    return;
  }
  const library = await plotly();
  const colours = palette();
  const isCount = kpi.unit !== "seconds" && series.rows.every((row) => !row.interval) && kpi.id !== "backlog";
  const traces = [...ghost(kpi, series, before, colours), ...ribbon(series.rows, colours), ...(isCount ? [bars(kpi, series.rows, colours)] : lines(kpi, series.rows, colours))];
  if (!host.classList.contains("js-plotly-plot")) host.replaceChildren();
  await library.react(host, traces, layout(colours, {
    hovermode: "x unified", bargap: 0.28,
    xaxis: { type: "date", ...dates(series.rows), nticks: 9, ticklabelstandoff: 6, showspikes: false },
    yaxis: { ...(isCount || kpi.id === "backlog" ? { rangemode: "tozero" } : {}), ...ticks(kpi, series.rows), nticks: 6 },
  }), CONFIG);
  describe(host, kpi, series);
  legend(kpi, series, before);
  watch(host, library);
}

/** Take a chart away and say why. */
export function clear(host, reason) {
  if (host.classList.contains("js-plotly-plot")) window.Plotly?.purge(host);
  byId("trend-note").replaceChildren();
  host.replaceChildren(placeholder(reason));
}

const at = (row) => wallClock(row.from);

function ribbon(rows, colours) {
  if (!rows.some((row) => row.interval)) return [];
  const edge = { x: rows.map(at), mode: "lines", line: { width: 0 }, hoverinfo: "skip", connectgaps: false };
  return [
    { ...edge, y: rows.map((row) => row.interval?.low ?? null) },
    { ...edge, y: rows.map((row) => row.interval?.high ?? null), fill: "tonexty", fillcolor: colours.band },
  ];
}

/** The line; a bucket that is still running hangs on by dots. */
function lines(kpi, rows, colours) {
  const running = rows.at(-1)?.flags?.includes("partial") ? rows.length - 1 : rows.length;
  const low = rows.map((row) => row.flags?.includes("low_n"));
  const own = {
    x: rows.map(at), y: rows.map((row, index) => (index < running ? row.value : null)), mode: "lines+markers", hoverinfo: "skip",
    line: { color: colours.accent, width: 2.5, shape: "linear" },
    marker: { size: rows.length > 60 ? 0 : 6, color: low.map((few) => (few ? colours.surface : colours.accent)), line: { color: colours.accent, width: 1.5 } },
  };
  const tail = running < rows.length && running > 0
    ? [{ x: rows.slice(-2).map(at), y: rows.slice(-2).map((row) => row.value), mode: "lines+markers", hoverinfo: "skip",
        line: { color: colours.accent, width: 2, dash: "dot" }, marker: { size: [0, 7], color: colours.surface, line: { color: colours.accent, width: 1.5 } } }]
    : [];
  const told = { x: rows.map(at), y: rows.map((row) => row.value), mode: "markers", marker: { opacity: 0 }, hovertemplate: "%{text}<extra></extra>", text: rows.map((row) => words(kpi, row)) };
  return [own, ...tail, told];
}

function bars(kpi, rows, colours) {
  const opacity = rows.map((row) => (row.flags?.includes("partial") ? 0.45 : 0.9));
  return { type: "bar", x: rows.map(at), y: rows.map((row) => row.value), marker: { color: colours.accent, opacity, cornerradius: 3 }, hovertemplate: "%{text}<extra></extra>", text: rows.map((row) => words(kpi, row)), textposition: "none" };
}

/** The period before, moved forward by the window's own length on the clock of the zone. */
function ghost(kpi, series, before, colours) {
  if (!before?.rows.some((row) => row.value !== null)) return [];
  const shift = Math.round((Date.parse(series.window.from) - Date.parse(before.window.from)) / 3_600_000) * 3_600_000;
  const moved = (row) => new Date(Date.parse(`${at(row)}Z`) + shift).toISOString().slice(0, 19);
  return [{ x: before.rows.map(moved), y: before.rows.map((row) => row.value), mode: "lines", line: { color: colours.ghost, width: 1.75, dash: "4px,4px" }, hoverinfo: "skip" }];
}

/** What the pointer is told of a bucket. Plotly reads a little markup in such texts: numbers and our own words only. */
function words(kpi, row) {
  if (row.value === null) return "";
  const lines = [`<b>${show(kpi.unit, row.value)}</b>`];
  if (row.interval) lines.push(`${show(kpi.unit, row.interval.low)} to ${show(kpi.unit, row.interval.high)}, n ${count(row.n)}`);
  const notes = (row.flags ?? []).map(flagWord);
  return [...lines, ...(notes.length ? [notes.join(", ")] : [])].join("<br>");
}

/** How an axis and its pointer name a bucket: by its day, or within a day by its hour. */
function dates(rows) {
  const bucket = rows.length > 1 ? Date.parse(rows.at(-1).from) - Date.parse(rows.at(-2).from) : Infinity;
  return bucket < 20 * 3_600_000
    ? { hoverformat: "%a %-d %b, %H:%M", tickformatstops: [{ dtickrange: [null, 86_399_999], value: "%H:%M\n%a %-d %b" }, { dtickrange: [86_400_000, null], value: "%-d %b" }] }
    : { hoverformat: "%a %-d %b %Y", tickformat: "%-d %b" };
}

/** Spans want ticks at whole minutes, hours or days; the rest is plotly's to choose. */
function ticks(kpi, rows) {
  if (kpi.unit === "percent") return { ticksuffix: " %" };
  if (kpi.unit !== "seconds") return {};
  const most = Math.max(...rows.map((row) => row.interval?.high ?? row.value ?? 0));
  const step = [60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 432000, 864000, 2592000].find((size) => most / size <= 6) ?? most / 5;
  const values = Array.from({ length: Math.floor(most / step) + 2 }, (_, index) => index * step);
  return { tickmode: "array", tickvals: values, ticktext: values.map((value) => show("seconds", value)), rangemode: "tozero" };
}

/** The same for those who hear the page: a sentence for the picture, and the series as a table. */
function describe(host, kpi, series) {
  const known = series.rows.filter((row) => row.value !== null);
  const first = known[0], last = known.at(-1);
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", `${kpi.name} from ${show(kpi.unit, first.value)} on ${at(first).slice(0, 10)} to ${show(kpi.unit, last.value)} on ${at(last).slice(0, 10)}, ${known.length} buckets.`);
}

function legend(kpi, series, before) {
  const known = (rows) => rows?.some((row) => row.value !== null);
  byId("trend-note").replaceChildren(
    ...(series.rows.some((row) => row.interval) ? [h("span", null, h("i", { class: "is-band" }), "95 % interval")] : []),
    ...(known(before?.rows) ? [h("span", null, h("i", { class: "is-ghost" }), "period before")] : []),
    ...(series.rows.some((row) => row.flags?.includes("low_n")) ? [h("span", null, h("i", { class: "is-low" }), `fewer than ${kpi.min_n}`)] : []),
    ...(series.rows.at(-1)?.flags?.includes("partial") ? [h("span", null, h("i", { class: "is-running" }), "still running")] : []));
}

const watched = new WeakSet();

/** Let a chart follow its panel's size, not only the window's. */
export function watch(host, library) {
  if (watched.has(host)) return;
  watched.add(host);
  new ResizeObserver(() => {
    if (host.classList.contains("js-plotly-plot") && host.offsetParent) library.Plots.resize(host);
  }).observe(host);
}
