/** What steers the page: window, bucket, dimension, figure, filters. */

import { byId, h, segments } from "/static/dom.js";
import { filters } from "/static/filters.js";
import { DIMENSIONS, GRAIN_NAMES, WINDOWS, grainOf, grainsOf } from "/static/state.js";

/**
 * Draw the controls as a view has them.
 * @param {import("/static/state.js").View} view @param {Map<string, any>} catalogue @param {string[]} ownDimensions the tenant's
 * @param {{change: (part: object) => void, filter: (dimension: string, value: string | null) => void,
 *   groups: (dimension: string) => Promise<{value: string | null, n: number}[]>}} actions
 */
export function controls(view, catalogue, ownDimensions, { change, filter, groups }) {
  const windows = Object.entries(WINDOWS).map(([value, label]) => ({ value, label }));
  segments(byId("windows"), windows, view.window, (window) => change({ window }));
  const grains = grainsOf(view.window).map((value) => ({ value, label: GRAIN_NAMES[value] }));
  segments(byId("grains"), grains, grainOf(view), (grain) => change({ grain }));
  const select = byId("kpi");
  select.replaceChildren(...[...catalogue.values()].map((kpi) => h("option", { value: kpi.id, selected: kpi.id === view.kpi }, kpi.name)));
  select.onchange = () => change({ kpi: select.value });
  filters(view.filters, { dimensions: [...catalogue.get(view.kpi).dimensions, ...ownDimensions], groups, set: filter });
}

/** Draw the choice of the breakdown's dimension: the usual ones, and `by` where it is another. */
export function dimensions(by, choose) {
  const offered = [...new Set([...DIMENSIONS, by])].map((value) => ({ value, label: value }));
  segments(byId("dimensions"), offered, by, choose);
}
