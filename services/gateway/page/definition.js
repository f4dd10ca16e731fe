/** The definition of a KPI, from the catalogue, how its present value comes about, from its explanation, and its value under presets. */

import { RequestError } from "/static/api.js";
import { byId, h, placeholder } from "/static/dom.js";
import { formatCount, formatDifference, formatValue, nullReason } from "/static/format.js";

const DIRECTIONS = { higher: "higher is better", lower: "lower is better" };

/**
 * Show a KPI's definition beside the element that opened it, and the explanation of its value and its values under presets once they are loaded.
 * @param {any} kpi @param {HTMLElement} anchor
 * @param {{loadExplanation: (signal: AbortSignal) => Promise<any>, loadPresets: (signal: AbortSignal) => Promise<any>}} loaders
 * aborted when the definition is closed; `loadPresets` returns null if there is no preset
 */
export function showDefinition(kpi, anchor, { loadExplanation, loadPresets }) {
  const card = byId("definition"), explanation = h("section", { class: "explanation", "aria-live": "polite" }, placeholder("Recomputing the value…"));
  const presets = h("section", { class: "explanation", "aria-live": "polite" });
  const closed = new AbortController();
  card.replaceChildren(h("h3", null, kpi.name), factList([
    ["Formula", kpi.formula], ["Population", kpi.population], ["Unit", kpi.unit], ["Direction", DIRECTIONS[kpi.direction] ?? "neither"],
    ["Filed by", [kpi.filed_by].flat().filter(Boolean).join(", ")], ["Flagged below", kpi.min_n ? `n = ${kpi.min_n}` : ""], ["Version", String(kpi.version)],
  ]), explanation, presets);
  card.showPopover();
  placeBeside(card, anchor);
  card.addEventListener("toggle", ({ newState }) => newState === "closed" && closed.abort(), { signal: closed.signal });
  const place = () => explanation.isConnected && placeBeside(card, anchor);
  void showFacts(explanation, async () => explanationFacts(kpi, await loadExplanation(closed.signal))).then(place);
  void showFacts(presets, async () => presetFacts(kpi, await loadPresets(closed.signal))).then(place);
}

/** Load facts and show them, or the reason why there are none. */
async function showFacts(section, load) {
  try {
    section.replaceChildren(factList(await load()));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof RequestError)) throw error;
    section.replaceChildren(placeholder(error.message));
  }
}

/** The facts of an explanation: a list of [name, text or list of texts]. */
function explanationFacts(kpi, result) {
  const value = result.value === null ? nullReason(result) : formatValue(kpi.unit, result.value);
  const recomputed = result.recomputed === null ? "no value" : formatValue(kpi.unit, result.recomputed);
  return [
    ["This value", result.filled_in ? `${result.filled_in} = ${value}` : value],
    ["Recomputed", `${recomputed}, from ${recomputationSource(result)}: ${result.equal ? "equal" : "different"}`],
    ["Left out", result.left_out.map(({ n, of, description }) => `${formatCount(n)} ${of}: ${description}`)],
    ["Made with", [`terms ${result.terms.revision}`, result.model && `model ${result.model}`].filter(Boolean).join(", ")],
    ["Note", result.outdated ? "The stored counts are being computed again under a new version of the definitions." : ""],
  ];
}

/** The value of a result under each of its presets, what differs, and how many tickets do. */
function presetFacts(kpi, result) {
  if (!result) return [];
  return result.compare_presets.map(({ preset, name, difference, tickets, different_tickets: different }) => {
    const row = result.rows[0].presets.find((one) => one.preset === preset);
    const value = row.value === null ? nullReason(row) : formatValue(kpi.unit, row.value);
    const delta = row.delta === null ? "" : ` (${formatDifference(kpi.unit, row.delta)})`;
    return [`Under ${name}`, [`${value}${delta}, n ${formatCount(row.n)}`, `${formatCount(different)} of ${formatCount(tickets)} tickets differ`, difference].filter(Boolean)];
  });
}

/** The records that a value was recomputed from. */
const recomputationSource = ({ sample, recomputed_from }) => sample
  ? `all contributions, and the statements of a sample of ${formatCount(sample.subjects)} responses, reviews and tickets`
  : `${formatCount(recomputed_from)} responses, reviews and tickets`;

/** A list of facts; those without a text are left out, and a list of texts has a line for each. */
const factList = (facts) => h("dl", null, ...facts.filter(([, text]) => text?.length).map(([name, text]) =>
  h("div", null, h("dt", null, name), ...[text].flat().map((line) => h("dd", null, line)))));

/** Move the card below its anchor, or above where there is more room. */
function placeBeside(card, anchor) {
  const anchorBox = anchor.getBoundingClientRect(), cardBox = card.getBoundingClientRect();
  const fitsBelow = anchorBox.bottom + 8 + cardBox.height < innerHeight;
  card.style.left = `${Math.max(8, Math.min(anchorBox.left - 16, innerWidth - cardBox.width - 8))}px`;
  card.style.top = `${fitsBelow ? anchorBox.bottom + 8 : Math.max(8, anchorBox.top - cardBox.height - 8)}px`;
}
