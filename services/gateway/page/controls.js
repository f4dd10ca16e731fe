/** The controls of the page: window, bucket, dimension, KPI and filters. */

import { byId, drawSegments, h } from "/static/dom.js";
import { drawFilters } from "/static/filters.js";
import { DIMENSIONS, GRAIN_NAMES, WINDOWS, grainOf, grainsOf } from "/static/state.js";

/**
 * Draw the controls of a view.
 * @param {import("/static/state.js").View} view @param {Map<string, any>} catalogue @param {string[]} ownDimensions the tenant's own
 * @param {{change: (part: object) => void, filter: (dimension: string, value: string | null) => void,
 *   loadGroups: (dimension: string) => Promise<{value: string | null, n: number}[]>}} actions
 */
export function drawControls(view, catalogue, ownDimensions, { change, filter, loadGroups }) {
  const windows = Object.entries(WINDOWS).map(([value, label]) => ({ value, label }));
  drawSegments(byId("windows"), windows, view.window, (window) => change({ window }));
  const grains = grainsOf(view.window).map((value) => ({ value, label: GRAIN_NAMES[value] }));
  drawSegments(byId("grains"), grains, grainOf(view), (grain) => change({ grain }));
  const select = byId("kpi");
  select.replaceChildren(...[...catalogue.values()].map((kpi) => h("option", { value: kpi.id, selected: kpi.id === view.kpi }, kpi.name)));
  select.onchange = () => change({ kpi: select.value });
  drawFilters(view.filters, { dimensions: [...catalogue.get(view.kpi).dimensions, ...ownDimensions], loadGroups, setFilter: filter });
}

/** Draw the menu of the breakdown's dimension: the default ones, and `by` if it is another. */
export function drawDimensions(by, onSelect) {
  const options = [...new Set([...DIMENSIONS, by])].map((value) => ({ value, label: value }));
  drawSegments(byId("dimensions"), options, by, onSelect);
}
