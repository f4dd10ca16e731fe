/** What a single number hides: the scores behind a rating, the labels behind a sentiment, the slow end behind a median, the flow behind a backlog. */

import { byId, h, placeholder, setText } from "/static/dom.js";
import { draw, palette } from "/static/charts.js";
import { count, share, show } from "/static/format.js";

const LADDER = [["p50", "half within"], ["p90", "nine in ten within"], ["p95", "all but one in twenty within"], ["mean", "the average"]];
const FLOW = ["tickets_opened", "tickets_solved", "tickets_reopened", "tickets_dropped", "backlog"];
const SENTIMENTS = ["net_sentiment", "sentiment_share"];
const LABELS = [["-1", "Negative", "bad"], ["0", "Neutral", "neutral"], ["1", "Positive", "good"]];

/** Which queries a KPI's panel is drawn from, beside its own answer: a list of [kpi, further parameters]. */
export function shapeQueries(kpi, catalogue) {
  if (kpi.unit === "seconds") return LADDER.filter(([agg]) => kpi.aggregations?.includes(agg)).map(([agg]) => [kpi.id, { agg }]);
  if (FLOW.includes(kpi.id)) return FLOW.filter((id) => catalogue.has(id)).map((id) => [id, {}]);
  return SENTIMENTS.includes(kpi.id) && catalogue.has("sentiment") ? [["sentiment", {}]] : [];
}

/** Draw the panel from a KPI's own answer and those of its `shapeQueries`. */
export async function shape(kpi, answer, others, catalogue) {
  const body = byId("shape-body"), title = byId("shape-title");
  const row = answer.rows[0];
  if (kpi.unit === "seconds") {
    setText(title, "How long it takes");
    body.replaceChildren(ladder(kpi, others));
  } else if (FLOW.includes(kpi.id)) {
    setText(title, "Flow of tickets");
    body.replaceChildren(flow(others, catalogue));
  } else if (!row.n) {
    setText(title, "Distribution");
    body.replaceChildren(placeholder("Nothing in this window."));
  } else if (!row.distribution) {
    setText(title, "What is divided");
    body.replaceChildren(figures([["Counted", count(row.numerator)], ["Out of", count(row.denominator)]]));
  } else if (kpi.id === "nps") {
    await npsShape(body, title, row);
  } else if (SENTIMENTS.includes(kpi.id)) {
    await labelShape(body, title, row, others);
  } else if (row.flags.includes("mixed_forms")) {
    setText(title, "Good and not, over several scales");
    body.replaceChildren(stack([["Not good", row.distribution[0] ?? 0, "bad"], ["Good", row.distribution[1] ?? 0, "good"]]));
  } else if (Object.keys(row.distribution).every((bin) => bin === "0" || bin === "1")) {
    setText(title, "Yes and no");
    body.replaceChildren(stack([["No", row.distribution[0] ?? 0, "neutral"], ["Yes", row.distribution[1] ?? 0, "accent"]]));
  } else {
    setText(title, "Distribution");
    const host = h("div", { class: "chart" });
    body.replaceChildren(host);
    await columns(host, kpi.id === "sentiment" ? scores(row) : ordered(row), kpi.id === "sentiment" ? moodOfScore : () => "accent");
  }
}

/** NPS: the three camps as shares, and the eleven scores. */
async function npsShape(body, title, row) {
  setText(title, "Promoters and detractors");
  const scores = Array.from({ length: 11 }, (_, score) => [String(score), row.distribution[score] ?? 0]);
  const camp = (from, to) => scores.slice(from, to + 1).reduce((sum, [, n]) => sum + n, 0);
  const host = h("div", { class: "chart" });
  body.replaceChildren(stack([["Detractors", camp(0, 6), "bad"], ["Passives", camp(7, 8), "neutral"], ["Promoters", camp(9, 10), "good"]]), host);
  await columns(host, scores, (score) => (score > 8 ? "good" : score > 6 ? "neutral" : "bad"));
}

/** Sentiment: the three labels as shares, and the scores behind them. */
async function labelShape(body, title, row, [score]) {
  setText(title, "Positive and negative");
  const host = h("div", { class: "chart" });
  body.replaceChildren(stack(LABELS.map(([bin, name, mood]) => [name, row.distribution[bin] ?? 0, mood])), host);
  if (score?.answer.rows[0]?.n) await columns(host, scores(score.answer.rows[0]), moodOfScore);
}

const ordered = (row) => Object.entries(row.distribution).sort(([a], [b]) => Number(a) - Number(b));

/** Scores −1 to 1 in steps of a tenth; they come as twentieths. */
function scores(row) {
  const tenths = Array.from({ length: 20 }, (_, index) => [((index - 10) / 10).toFixed(1), 0]);
  for (const [bin, n] of Object.entries(row.distribution ?? {})) tenths[Math.min(19, Math.max(0, Math.floor(Number(bin) / 2) + 10))][1] += n;
  return tenths;
}

const moodOfScore = (score) => (score >= 0.1 ? "good" : score < -0.1 ? "bad" : "neutral");

/** Shares of a whole as one bar with its legend. */
function stack(pieces) {
  const total = pieces.reduce((sum, [, n]) => sum + n, 0) || 1;
  return h("div", { class: "stack" },
    h("div", { class: "stack-bar", "aria-hidden": "true" }, ...pieces.map(([, n, mood]) => h("i", { class: mood, style: { "flex-grow": n } }))),
    h("dl", null, ...pieces.map(([name, n, mood]) => h("div", { class: mood }, h("dt", null, name), h("dd", null, share(n / total), h("small", null, count(n)))))));
}

async function columns(host, pairs, mood) {
  const colours = palette();
  const total = pairs.reduce((sum, [, n]) => sum + n, 0) || 1;
  const bars = {
    type: "bar", x: pairs.map(([bin]) => bin), y: pairs.map(([, n]) => n), marker: { color: pairs.map(([bin]) => colours[mood(Number(bin))]), cornerradius: 3 },
    hovertemplate: "%{text}<extra></extra>", text: pairs.map(([bin, n]) => `${bin}: ${count(n)} (${share(n / total)})`), textposition: "none",
  };
  host.setAttribute("role", "img");
  host.setAttribute("aria-label", `Answers by score: ${pairs.map(([bin, n]) => `${bin}: ${n}`).join(", ")}`);
  await draw(host, [bars], colours, { bargap: 0.18, xaxis: { type: "category", tickangle: 0, nticks: 12 }, yaxis: { nticks: 4, rangemode: "tozero" } });
}

/** The slow end of a span: quantiles as rungs of growing length. */
function ladder(kpi, answers) {
  const rungs = answers.map(({ agg, answer }) => ({ name: LADDER.find(([id]) => id === agg)[1], agg, row: answer.rows[0] })).filter(({ row }) => row && row.value !== null);
  if (!rungs.length) return placeholder("Nothing in this window.");
  const most = Math.max(...rungs.map(({ row }) => row.value)) || 1;
  return h("dl", { class: "rungs" }, ...rungs.map(({ name, agg, row }) =>
    h("div", null, h("dt", null, h("b", null, agg), ` ${name}`), h("dd", null, show(kpi.unit, row.value)),
      h("i", { class: agg === "mean" ? "rung mean" : "rung", style: { width: `${(100 * row.value) / most}%` } }))));
}

/** Tickets in, out, back, and what is left. */
function flow(answers, catalogue) {
  return figures(answers.map(({ answer }) => [catalogue.get(answer.kpi).name, count(answer.rows[0].value)]));
}

const figures = (pairs) => h("dl", { class: "flow" }, ...pairs.map(([name, number]) => h("div", null, h("dt", null, name), h("dd", null, number))));
