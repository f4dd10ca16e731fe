/** The detail behind a KPI's value: the distribution of its answers or labels, the quantiles of a duration, the flow of tickets. */

import { byId, h, placeholder, setText } from "/static/dom.js";
import { drawChart, palette } from "/static/charts.js";
import { formatCount, formatShare, formatValue } from "/static/format.js";

const DURATION_STATISTICS = [["p50", "half within"], ["p90", "nine in ten within"], ["p95", "all but one in twenty within"], ["mean", "the average"]];
const FLOW = ["tickets_opened", "tickets_solved", "tickets_reopened", "tickets_dropped", "backlog"];
const SENTIMENTS = ["net_sentiment", "sentiment_share"];
const LABELS = [["-1", "Negative", "bad"], ["0", "Neutral", "neutral"], ["1", "Positive", "good"]];

/** The queries that a KPI's panel needs in addition to its own result: a list of [kpi, further parameters]. */
export function detailQueries(kpi, catalogue) {
  if (kpi.unit === "seconds") return DURATION_STATISTICS.filter(([agg]) => kpi.aggregations?.includes(agg)).map(([agg]) => [kpi.id, { agg }]);
  if (FLOW.includes(kpi.id)) return FLOW.filter((id) => catalogue.has(id)).map((id) => [id, {}]);
  return SENTIMENTS.includes(kpi.id) && catalogue.has("sentiment") ? [["sentiment", {}]] : [];
}

/** Draw the panel from a KPI's own result and those of its `detailQueries`. */
export async function drawDetail(kpi, result, others, catalogue) {
  const body = byId("detail-body"), title = byId("detail-title");
  const row = result.rows[0];
  if (kpi.unit === "seconds") {
    setText(title, "How long it takes");
    body.replaceChildren(durationBars(kpi, others));
  } else if (FLOW.includes(kpi.id)) {
    setText(title, "Flow of tickets");
    body.replaceChildren(ticketFlow(others, catalogue));
  } else if (!row.n) {
    setText(title, "Distribution");
    body.replaceChildren(placeholder("Nothing in this window."));
  } else if (!row.distribution) {
    setText(title, "Counts");
    body.replaceChildren(figureList([["Counted", formatCount(row.numerator)], ["Out of", formatCount(row.denominator)]]));
  } else if (kpi.id === "nps") {
    await drawNps(body, title, row);
  } else if (SENTIMENTS.includes(kpi.id)) {
    await drawSentiment(body, title, row, others);
  } else if (row.flags.includes("mixed_forms")) {
    setText(title, "Good and not good, over several scales");
    body.replaceChildren(shareBar([["Not good", row.distribution[0] ?? 0, "bad"], ["Good", row.distribution[1] ?? 0, "good"]]));
  } else if (Object.keys(row.distribution).every((bin) => bin === "0" || bin === "1")) {
    setText(title, "Yes and no");
    body.replaceChildren(shareBar([["No", row.distribution[0] ?? 0, "neutral"], ["Yes", row.distribution[1] ?? 0, "accent"]]));
  } else {
    setText(title, "Distribution");
    const host = h("div", { class: "chart" });
    body.replaceChildren(host);
    await drawColumns(host, kpi.id === "sentiment" ? scoreBins(row) : sortedBins(row), kpi.id === "sentiment" ? moodOfScore : () => "accent");
  }
}

/** NPS: the shares of detractors, passives and promoters, and the distribution of the eleven scores. */
async function drawNps(body, title, row) {
  setText(title, "Promoters and detractors");
  const bins = Array.from({ length: 11 }, (_, score) => [String(score), row.distribution[score] ?? 0]);
  const countOf = (from, to) => bins.slice(from, to + 1).reduce((sum, [, n]) => sum + n, 0);
  const host = h("div", { class: "chart" });
  body.replaceChildren(shareBar([["Detractors", countOf(0, 6), "bad"], ["Passives", countOf(7, 8), "neutral"], ["Promoters", countOf(9, 10), "good"]]), host);
  await drawColumns(host, bins, (score) => (score > 8 ? "good" : score > 6 ? "neutral" : "bad"));
}

/** Sentiment: the shares of the three labels, and the distribution of the scores. */
async function drawSentiment(body, title, row, [score]) {
  setText(title, "Positive and negative");
  const host = h("div", { class: "chart" });
  body.replaceChildren(shareBar(LABELS.map(([bin, name, mood]) => [name, row.distribution[bin] ?? 0, mood])), host);
  if (score?.result.rows[0]?.n) await drawColumns(host, scoreBins(score.result.rows[0]), moodOfScore);
}

const sortedBins = (row) => Object.entries(row.distribution).sort(([a], [b]) => Number(a) - Number(b));

/** Counts of the scores −1 to 1 in steps of 0.1; the bins of the result have steps of 0.05. */
function scoreBins(row) {
  const tenths = Array.from({ length: 20 }, (_, index) => [((index - 10) / 10).toFixed(1), 0]);
  for (const [bin, n] of Object.entries(row.distribution ?? {})) tenths[Math.min(19, Math.max(0, Math.floor(Number(bin) / 2) + 10))][1] += n;
  return tenths;
}

const moodOfScore = (score) => (score >= 0.1 ? "good" : score < -0.1 ? "bad" : "neutral");

/** The shares of a whole as one bar with a legend. */
function shareBar(shares) {
  const total = shares.reduce((sum, [, n]) => sum + n, 0) || 1;
  return h("div", { class: "share-bar" },
    h("div", { class: "share-bar-track", "aria-hidden": "true" }, ...shares.map(([, n, mood]) => h("i", { class: mood, style: { "flex-grow": n } }))),
    h("dl", null, ...shares.map(([name, n, mood]) => h("div", { class: mood }, h("dt", null, name), h("dd", null, formatShare(n / total), h("small", null, formatCount(n)))))));
}

async function drawColumns(host, pairs, mood) {
  const colours = palette();
  const total = pairs.reduce((sum, [, n]) => sum + n, 0) || 1;
  const bars = {
    type: "bar", x: pairs.map(([bin]) => bin), y: pairs.map(([, n]) => n), marker: { color: pairs.map(([bin]) => colours[mood(Number(bin))]), cornerradius: 3 },
    hovertemplate: "%{text}<extra></extra>", text: pairs.map(([bin, n]) => `${bin}: ${formatCount(n)} (${formatShare(n / total)})`), textposition: "none",
  };
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", `Answers by score: ${pairs.map(([bin, n]) => `${bin}: ${n}`).join(", ")}`);
  await drawChart(host, [bars], colours, { bargap: 0.18, xaxis: { type: "category", tickangle: 0, nticks: 12 }, yaxis: { nticks: 4, rangemode: "tozero" } });
}

/** The quantiles of a duration and its mean, each with a bar of proportional length. */
function durationBars(kpi, results) {
  const statistics = results.map(({ agg, result }) => ({ name: DURATION_STATISTICS.find(([id]) => id === agg)[1], agg, row: result.rows[0] })).filter(({ row }) => row && row.value !== null);
  if (!statistics.length) return placeholder("Nothing in this window.");
  const max = Math.max(...statistics.map(({ row }) => row.value)) || 1;
  return h("dl", { class: "statistics" }, ...statistics.map(({ name, agg, row }) =>
    h("div", null, h("dt", null, h("b", null, agg), ` ${name}`), h("dd", null, formatValue(kpi.unit, row.value)),
      h("i", { class: agg === "mean" ? "statistic-bar mean" : "statistic-bar", style: { width: `${(100 * row.value) / max}%` } }))));
}

/** The numbers of tickets opened, solved, reopened and dropped, and the backlog. */
function ticketFlow(results, catalogue) {
  return figureList(results.map(({ result }) => [catalogue.get(result.kpi).name, formatCount(result.rows[0].value)]));
}

const figureList = (pairs) => h("dl", { class: "flow" }, ...pairs.map(([name, number]) => h("div", null, h("dt", null, name), h("dd", null, number))));
