/** The definition of a KPI, from the catalogue. */

import { byId, h } from "/static/dom.js";

const DIRECTIONS = { higher: "higher is better", lower: "lower is better" };

/** Show a KPI's definition beside the element that opened it. */
export function showDefinition(kpi, anchor) {
  const card = byId("definition");
  const facts = [
    ["Formula", kpi.formula], ["Population", kpi.population], ["Unit", kpi.unit], ["Direction", DIRECTIONS[kpi.direction] ?? "neither"],
    ["Filed by", [kpi.filed_by].flat().filter(Boolean).join(", ")], ["Flagged below", kpi.min_n ? `n = ${kpi.min_n}` : ""], ["Version", String(kpi.version)],
  ];
  card.replaceChildren(h("h3", null, kpi.name), h("dl", null, ...facts.filter(([, text]) => text).map(([name, text]) => h("div", null, h("dt", null, name), h("dd", null, text)))));
  card.showPopover();
  const anchorBox = anchor.getBoundingClientRect(), cardBox = card.getBoundingClientRect();
  const fitsBelow = anchorBox.bottom + 8 + cardBox.height < innerHeight;
  card.style.left = `${Math.max(8, Math.min(anchorBox.left - 16, innerWidth - cardBox.width - 8))}px`;
  card.style.top = `${fitsBelow ? anchorBox.bottom + 8 : Math.max(8, anchorBox.top - cardBox.height - 8)}px`;
}
