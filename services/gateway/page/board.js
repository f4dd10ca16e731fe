/** The board: shows the KPIs of one view. Loads everything when the view changes; the live stream updates it. */

import { RequestError } from "/static/api.js";
import { Cards, HEADLINES } from "/static/cards.js";
import { ChartsUnavailable } from "/static/charts.js";
import { drawControls } from "/static/controls.js";
import { showDefinition } from "/static/definition.js";
import { byId, setText } from "/static/dom.js";
import { Feed } from "/static/feed.js";
import { formatFilter, formatTime } from "/static/format.js";
import { followStream } from "/static/live.js";
import { Panels } from "/static/panels.js";
import { Records } from "/static/records.js";
import { filterOf, grainsOf, parseFilter, queryOf, setAddress, windowName } from "/static/state.js";

const COMMENTS = "sentiment";
const FEED_PAGE = 30;
const MOST_PRESETS = 3; // of one query
const STATES = { live: "Live", connecting: "Connecting", waiting: "Reconnecting", refused: "Not live" };

/** Milliseconds between two requests: for charts, for comments, and for everything while the live stream is down. */
const INTERVALS = { charts: 6_000, comments: 600, poll: 60_000 };

export class Board {
  #viewAbort = new AbortController(); // aborts the requests of the current view
  #panelAbort = new AbortController(); // aborts the requests of its panels
  #results = new Map(); // KPI → its latest single value
  #changed = new Set(); // KPIs whose charts are older than their value
  #timers = new Map();
  #liveState = "connecting";

  /** @param {import("/static/api.js").Api} api @param {{kpis: any[], own_dimensions: string[]}} catalogue @param {import("/static/state.js").View} view */
  constructor(api, catalogue, view) {
    this.api = api;
    this.catalogue = new Map(catalogue.kpis.map((kpi) => [kpi.id, kpi]));
    this.ownDimensions = catalogue.own_dimensions ?? [];
    this.view = this.catalogue.has(view.kpi) ? view : { ...view, kpi: catalogue.kpis[0].id };
    this.headlines = HEADLINES.filter((id) => this.catalogue.has(id));
    this.records = new Records(api);
    this.feed = new Feed({ loadPage: (cursor) => this.#run(async () => this.feed.append(await this.#loadComments(cursor))) });
    this.panels = new Panels(api, this.catalogue, { by: (by) => this.#changeView({ by }), filter: (dimension, value) => this.#toggleFilter(dimension, value) });
    this.cards = new Cards(this.headlines.map((id) => this.catalogue.get(id)), {
      onSelect: (kpi) => this.#changeView({ kpi }),
      showDefinition: (id, anchor) => showDefinition(this.catalogue.get(id), anchor, {
        loadExplanation: (signal) => this.api.explain(id, queryOf(this.view), AbortSignal.any([signal, this.#viewAbort.signal])),
        loadPresets: (signal) => this.#comparePresets(this.catalogue.get(id), AbortSignal.any([signal, this.#viewAbort.signal])),
      }),
      showRecords: (id) => void this.records.open(this.catalogue.get(id), queryOf(this.view), this.#describeView()),
    });
    this.polling = setInterval(() => this.#liveState !== "live" && this.#refresh(), INTERVALS.poll);
    this.#load();
  }

  /** A KPI's value under the presets that are on; null if none of them defines it. */
  async #comparePresets(kpi, signal) {
    if (!kpi.presets.length) return null;
    const { presets } = await this.api.presets(signal);
    const ids = presets.filter(({ id, enabled }) => enabled && kpi.presets.includes(id)).map(({ id }) => id).slice(0, MOST_PRESETS);
    return ids.length ? this.api.kpi(kpi.id, { ...queryOf(this.view), compare_presets: ids.join(",") }, signal) : null;
  }

  /** Abort all requests, timers and streams, and remove the figures and comments. */
  close() {
    this.#viewAbort.abort();
    this.#panelAbort.abort();
    clearInterval(this.polling);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.feed.close();
    this.panels.clear("");
    this.records.dialog.close();
  }

  /** Draw the charts again in the colours of the theme. */
  repaint() {
    void this.#run(() => this.panels.repaint());
  }

  // --- the view changes
  #changeView(part) {
    const view = { ...this.view, ...part };
    if (!grainsOf(view.window).includes(view.grain)) view.grain = null;
    this.view = view;
    setAddress(view);
    if ("window" in part || "filters" in part) this.#load();
    else this.#showKpi();
  }

  /** Filter by a value. null, or the current value, removes the filter. */
  #toggleFilter(dimension, value) {
    const { [dimension]: _, ...others } = this.view.filters;
    this.#changeView({ filters: value === null || value === filterOf(this.view, dimension) ? others : { ...others, [dimension]: value } });
  }

  /** Load everything for the current view. */
  #load() {
    this.#viewAbort.abort();
    this.#viewAbort = new AbortController();
    this.#results.clear();
    this.#changed.clear();
    this.cards.setBusy();
    this.panels.setStale(true);
    for (const id of this.headlines) {
      void this.#run(() => this.#loadValue(id), (reason) => this.cards.showError(id, reason));
      void this.#run(() => this.#loadSparkline(id));
    }
    this.#showKpi();
    void this.#run(async () => this.feed.open(await this.#loadComments()), (reason) => this.feed.showError(reason));
    this.#openLiveStream();
  }

  /** Show the selected KPI: its card, its controls, its panels. */
  #showKpi() {
    const { view } = this;
    this.cards.select(view.kpi);
    this.panels.setTitle(view);
    if (this.#results.has(view.kpi)) this.panels.setSummary(view, this.#results.get(view.kpi));
    drawControls(view, this.catalogue, this.ownDimensions, {
      change: (part) => this.#changeView(part),
      filter: (dimension, value) => this.#toggleFilter(dimension, value),
      loadGroups: (dimension) => this.#loadGroups(dimension),
    });
    this.#loadPanels();
  }

  #loadPanels() {
    this.#panelAbort.abort();
    this.#panelAbort = new AbortController();
    const signal = AbortSignal.any([this.#viewAbort.signal, this.#panelAbort.signal]);
    void this.#run(async () => {
      const { value, drawn } = await this.panels.load(this.view, signal);
      this.#showResult(value);
      await drawn;
    }, (reason) => this.panels.showError(reason));
  }

  // --- requests
  async #loadValue(id) {
    this.#showResult(await this.api.kpi(id, { ...queryOf(this.view), compare: "previous" }, this.#viewAbort.signal));
  }

  async #loadSparkline(id) {
    this.cards.drawSparkline(await this.api.kpi(id, { ...queryOf(this.view), grain: grainsOf(this.view.window)[0] }, this.#viewAbort.signal));
  }

  #loadComments(cursor = null) {
    return this.api.records(COMMENTS, { ...queryOf(this.view), limit: FEED_PAGE, cursor }, this.#viewAbort.signal);
  }

  /** The values of a dimension, the most frequent first. */
  async #loadGroups(dimension) {
    const result = await this.api.kpi(this.view.kpi, { ...queryOf(this.view, { without: dimension }), group_by: dimension }, this.#viewAbort.signal);
    return result.rows.map((row) => ({ value: row.dims[dimension], n: row.n })).sort((a, b) => b.n - a.n);
  }

  /** Load everything that may have changed, without showing that it loads. */
  #refresh() {
    for (const id of this.headlines) {
      void this.#run(() => this.#loadValue(id));
      void this.#run(() => this.#loadSparkline(id));
    }
    this.#loadPanels();
    void this.#run(async () => this.feed.add(await this.#loadComments()));
  }

  // --- the live stream
  #openLiveStream() {
    const watched = [...new Set([...this.headlines, COMMENTS, this.view.kpi])].filter((id) => this.catalogue.has(id));
    const url = this.api.liveUrl({ kpis: watched.join(","), ...queryOf(this.view), compare: "previous" });
    void followStream(this.api, url, { onEvent: (event, data) => this.#onEvent(event, data), onState: (state, reason) => this.#showLiveState(state, reason) }, this.#viewAbort.signal);
  }

  #onEvent(event, data) {
    if (event === "snapshot") for (const result of data.kpis) this.#onResult(result, false);
    if (event === "kpi") this.#onResult(data, true);
  }

  /** Show a result of the live stream; charts and comments are loaded at their own pace. */
  #onResult(result, live) {
    const previous = this.#results.get(result.kpi);
    this.#showResult(result, live);
    if (!live && (!previous || JSON.stringify(previous.rows[0].distribution) === JSON.stringify(result.rows[0].distribution))) return;
    this.#changed.add(result.kpi);
    this.#schedule("charts", () => this.#reloadChanged());
    if (result.kpi === COMMENTS) this.#schedule("comments", () => void this.#run(async () => this.feed.add(await this.#loadComments())));
  }

  /** Load the charts of the KPIs that have changed since the last call. */
  #reloadChanged() {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const id of changed) if (this.headlines.includes(id)) void this.#run(() => this.#loadSparkline(id));
    if (changed.includes(this.view.kpi)) this.#loadPanels();
  }

  /** Run `work` once per interval of INTERVALS, however often this is called. */
  #schedule(name, work) {
    if (this.#timers.has(name)) return;
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, INTERVALS[name]));
  }

  #showResult(result, live = false) {
    this.#results.set(result.kpi, result);
    this.cards.showValue(result, live);
    if (result.kpi === this.view.kpi) this.panels.setSummary(this.view, result);
    if (result.watermark) setText(byId("as-of"), `As of ${formatTime(result.watermark, result.window.tz)}, ${result.window.tz}`);
  }

  #showLiveState(state, reason) {
    this.#liveState = state;
    const dot = byId("connection");
    dot.dataset.state = state;
    setText(dot.querySelector("span"), reason ? `${STATES[state]}: ${reason}` : STATES[state]);
  }

  /** The view's window and filters as text. */
  #describeView() {
    const filters = Object.entries(this.view.filters).map(([dimension, value]) => `${dimension} ${formatFilter(dimension, parseFilter(value))}`);
    return [`Last ${windowName(this.view.window)}`, ...filters].join(", ");
  }

  /** Run requests of the current view. Errors after the view has changed are ignored; `onError` gets the message of a RequestError. */
  async #run(work, onError = () => {}) {
    const { signal } = this.#viewAbort;
    try {
      await work();
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      if (!(error instanceof RequestError || error instanceof ChartsUnavailable)) throw error;
      onError(error.status === 403 ? "This key may not read this data." : error.message);
    }
  }
}
