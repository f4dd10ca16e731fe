/** The three panels of the chosen figure: its trend, its breakdown, and the shape behind the number. */

import { breakdown } from "/static/breakdown.js";
import { clear } from "/static/charts.js";
import { dimensions } from "/static/controls.js";
import { byId, setText } from "/static/dom.js";
import { between, count, show, whyNull } from "/static/format.js";
import { shape, shapeQueries } from "/static/shape.js";
import { DIMENSIONS, filterOf, grainOf, scope, windowName } from "/static/state.js";
import { trend } from "/static/trend.js";

export class Panels {
  #draw = async () => {};

  /** @param {import("/static/api.js").Api} api @param {Map<string, any>} catalogue @param {{by: (d: string) => void, filter: (d: string, v: string) => void}} actions */
  constructor(api, catalogue, actions) {
    this.api = api;
    this.catalogue = catalogue;
    this.actions = actions;
  }

  /** Ask what the panels of a view need, and draw them. Resolves to the KPI's single value. */
  async load(view, signal) {
    const kpi = this.catalogue.get(view.kpi);
    const ask = (id, more) => this.api.kpi(id, { ...scope(view), ...more }, signal);
    const [value, series, groups, ...others] = await Promise.all([
      ask(kpi.id, { compare: "previous" }),
      ask(kpi.id, { grain: grainOf(view), compare: "previous" }),
      this.#groups(kpi, view, signal),
      ...shapeQueries(kpi, this.catalogue).map(async ([id, more]) => ({ ...more, answer: await ask(id, more) })),
    ]);
    signal.throwIfAborted();
    const chosen = filterOf(view, groups.by), choose = (group) => this.actions.filter(groups.by, group);
    this.#draw = async () => {
      breakdown({ kpi, answer: groups.answer, overall: value.rows[0], dimension: groups.by, chosen, choose });
      await Promise.all([trend(byId("trend-chart"), kpi, series), shape(kpi, value, others, this.catalogue)]);
    };
    setText(byId("breakdown-title"), `${kpi.name} by ${groups.by}`);
    dimensions(groups.by, (by) => this.actions.by(by));
    this.stale(false);
    return { value, drawn: this.#draw() };
  }

  /** Draw again what carries the theme's colours in itself. */
  repaint() {
    return this.#draw();
  }

  /** The line below the chosen figure's name: its value, told in full. */
  lead(view, answer) {
    const kpi = this.catalogue.get(answer.kpi), row = answer.rows[0];
    const interval = row.interval ? ` (${between(kpi.unit, row.interval)})` : "";
    const value = row.value === null ? whyNull(row) : `${show(kpi.unit, row.value)}${interval}`;
    const n = kpi.unit === "count" ? "" : `, n ${count(row.n)}`;
    setText(byId("trend-summary"), `${value}, last ${windowName(view.window)}${n}`);
  }

  /** Put the chosen figure's name where it belongs. */
  entitle(view) {
    setText(byId("trend-title"), this.catalogue.get(view.kpi).name);
  }

  /** Whether what the panels show is still the answer to a question before. */
  stale(so) {
    byId("trend").parentElement.toggleAttribute("data-stale", so);
  }

  /** Say in the place of the panels why there is nothing to see. */
  fail(reason) {
    this.stale(false);
    this.#draw = async () => {};
    clear(byId("trend-chart"), reason);
    for (const id of ["trend-note", "trend-summary", "breakdown-body", "shape-body"]) byId(id).replaceChildren();
  }

  /** The breakdown of a view, its own dimension's filter left out, so that groups can be compared and changed between. Where the
   * view names no dimension, it is the first of the usual ones that tells anything of this KPI. */
  async #groups(kpi, view, signal) {
    const ask = async (by) => ({ by, answer: await this.api.kpi(kpi.id, { ...scope(view, { without: by }), group_by: by, compare: "previous" }, signal) });
    if (view.by) return ask(view.by);
    for (const by of DIMENSIONS) {
      const found = await ask(by);
      if (found.answer.rows.some((row) => row.dims[by] !== null)) return found;
    }
    return ask(DIMENSIONS[0]);
  }
}
