/** The three panels of the selected KPI: trend, breakdown and detail. */

import { drawBreakdown } from "/static/breakdown.js";
import { clearChart } from "/static/charts.js";
import { drawDimensions } from "/static/controls.js";
import { byId, setText } from "/static/dom.js";
import { formatCount, formatInterval, formatValue, nullReason } from "/static/format.js";
import { detailQueries, drawDetail } from "/static/detail.js";
import { DIMENSIONS, filterOf, grainOf, queryOf, windowName } from "/static/state.js";
import { drawTrend } from "/static/trend.js";

export class Panels {
  #draw = async () => {};

  /** @param {import("/static/api.js").Api} api @param {Map<string, any>} catalogue @param {{by: (d: string) => void, filter: (d: string, v: string) => void}} actions */
  constructor(api, catalogue, actions) {
    this.api = api;
    this.catalogue = catalogue;
    this.actions = actions;
  }

  /** Load the results of a view's panels and start to draw them. Returns the KPI's single value, and a promise of the drawing. */
  async load(view, signal) {
    const kpi = this.catalogue.get(view.kpi);
    const query = (id, more) => this.api.kpi(id, { ...queryOf(view), ...more }, signal);
    const [value, series, groups, ...others] = await Promise.all([
      query(kpi.id, { compare: "previous" }),
      query(kpi.id, { grain: grainOf(view), compare: "previous" }),
      this.#loadGroups(kpi, view, signal),
      ...detailQueries(kpi, this.catalogue).map(async ([id, more]) => ({ ...more, result: await query(id, more) })),
    ]);
    signal.throwIfAborted();
    const selected = filterOf(view, groups.by), onSelect = (group) => this.actions.filter(groups.by, group);
    this.#draw = async () => {
      drawBreakdown({ kpi, result: groups.result, overall: value.rows[0], dimension: groups.by, selected, onSelect });
      await Promise.all([drawTrend(byId("trend-chart"), kpi, series), drawDetail(kpi, value, others, this.catalogue)]);
    };
    setText(byId("breakdown-title"), `${kpi.name} by ${groups.by}`);
    drawDimensions(groups.by, (by) => this.actions.by(by));
    this.setStale(false);
    return { value, drawn: this.#draw() };
  }

  /** Draw the panels again, in the colours of the theme. */
  repaint() {
    return this.#draw();
  }

  /** Set the line below the KPI's name: value, interval, window and n. */
  setSummary(view, result) {
    const kpi = this.catalogue.get(result.kpi), row = result.rows[0];
    const interval = row.interval ? ` (${formatInterval(kpi.unit, row.interval)})` : "";
    const value = row.value === null ? nullReason(row) : `${formatValue(kpi.unit, row.value)}${interval}`;
    const n = kpi.unit === "count" ? "" : `, n ${formatCount(row.n)}`;
    setText(byId("trend-summary"), `${value}, last ${windowName(view.window)}${n}`);
  }

  /** Set the title of the trend. */
  setTitle(view) {
    setText(byId("trend-title"), this.catalogue.get(view.kpi).name);
  }

  /** Mark the panels as showing the result of an earlier view, or remove the mark. */
  setStale(stale) {
    byId("trend").parentElement.toggleAttribute("data-stale", stale);
  }

  /** Show the reason why the panels have no data. */
  showError(reason) {
    this.setStale(false);
    this.clear(reason);
  }

  /** Remove the results, and show `text` in place of the trend. */
  clear(text) {
    this.#draw = async () => {};
    clearChart(byId("trend-chart"), text);
    for (const id of ["trend-note", "trend-summary", "breakdown-body", "detail-body"]) byId(id).replaceChildren();
  }

  /** Load the breakdown of a view, without the filter on its dimension, so that the other groups are in it. If the view has no
   * dimension, use the first default one that has a value. */
  async #loadGroups(kpi, view, signal) {
    const query = async (by) => ({ by, result: await this.api.kpi(kpi.id, { ...queryOf(view, { without: by }), group_by: by, compare: "previous" }, signal) });
    if (view.by) return query(view.by);
    for (const by of DIMENSIONS) {
      const groups = await query(by);
      if (groups.result.rows.some((row) => row.dims[by] !== null)) return groups;
    }
    return query(DIMENSIONS[0]);
  }
}
