/** The board: shows the KPIs of one view. Loads everything when the view changes; the live stream updates it. */

import { Refused } from "/static/api.js";
import { Cards, HEADLINES } from "/static/cards.js";
import { NoCharts } from "/static/charts.js";
import { controls } from "/static/controls.js";
import { define } from "/static/definition.js";
import { byId, setText } from "/static/dom.js";
import { Feed } from "/static/feed.js";
import { clock, groupNames } from "/static/format.js";
import { follow } from "/static/live.js";
import { Panels } from "/static/panels.js";
import { Records } from "/static/records.js";
import { filterOf, grainsOf, groupsOf, scope, windowName, writeAddress } from "/static/state.js";

const COMMENTS = "sentiment";
const FEED_PAGE = 30;
const STATES = { live: "Live", connecting: "Connecting", waiting: "Reconnecting", refused: "Not live" };

/** Milliseconds between two requests: for charts, for comments, and for everything while the live stream is down. */
const PACE = { charts: 6_000, comments: 600, poll: 60_000 };

export class Board {
  #round = new AbortController(); // aborts the requests of the current view
  #panelRound = new AbortController(); // aborts the requests of its panels
  #answers = new Map(); // KPI → its latest single value
  #changed = new Set(); // KPIs whose charts are older than their value
  #timers = new Map();
  #line = "connecting";

  /** @param {import("/static/api.js").Api} api @param {{kpis: any[], own_dimensions: string[]}} catalogue @param {import("/static/state.js").View} view */
  constructor(api, catalogue, view) {
    this.api = api;
    this.catalogue = new Map(catalogue.kpis.map((kpi) => [kpi.id, kpi]));
    this.ownDimensions = catalogue.own_dimensions ?? [];
    this.view = this.catalogue.has(view.kpi) ? view : { ...view, kpi: catalogue.kpis[0].id };
    this.headlines = HEADLINES.filter((id) => this.catalogue.has(id));
    this.records = new Records(api);
    this.feed = new Feed({ older: (cursor) => this.#guard(async () => this.feed.append(await this.#comments(cursor))) });
    this.panels = new Panels(api, this.catalogue, { by: (by) => this.#change({ by }), filter: (dimension, value) => this.#filter(dimension, value) });
    this.cards = new Cards(this.headlines.map((id) => this.catalogue.get(id)), {
      choose: (kpi) => this.#change({ kpi }),
      define: (id, anchor) => define(this.catalogue.get(id), anchor),
      records: (id) => void this.records.open(this.catalogue.get(id), scope(this.view), this.#describeView()),
    });
    this.polling = setInterval(() => this.#line !== "live" && this.#refresh(), PACE.poll);
    this.#load();
  }

  /** Abort all requests, timers and streams. */
  close() {
    this.#round.abort();
    this.#panelRound.abort();
    clearInterval(this.polling);
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.feed.close();
    this.records.dialog.close();
  }

  /** Draw the charts again in the colours of the theme. */
  repaint() {
    void this.#guard(() => this.panels.repaint());
  }

  // --- the view changes
  #change(part) {
    const view = { ...this.view, ...part };
    if (!grainsOf(view.window).includes(view.grain)) view.grain = null;
    this.view = view;
    writeAddress(view);
    if ("window" in part || "filters" in part) this.#load();
    else this.#show();
  }

  /** Filter by a value. null, or the current value, removes the filter. */
  #filter(dimension, value) {
    const { [dimension]: _, ...others } = this.view.filters;
    this.#change({ filters: value === null || value === filterOf(this.view, dimension) ? others : { ...others, [dimension]: value } });
  }

  /** Load everything: the results on the page are of the previous view. */
  #load() {
    this.#round.abort();
    this.#round = new AbortController();
    this.#answers.clear();
    this.#changed.clear();
    this.cards.wait();
    this.panels.stale(true);
    for (const id of this.headlines) {
      void this.#guard(() => this.#value(id), (reason) => this.cards.fail(id, reason));
      void this.#guard(() => this.#sparkline(id));
    }
    this.#show();
    void this.#guard(async () => this.feed.open(await this.#comments()), (reason) => this.feed.fail(reason));
    this.#follow();
  }

  /** Show the chosen figure: its card, its controls, its panels. */
  #show() {
    const { view } = this;
    this.cards.choose(view.kpi);
    this.panels.entitle(view);
    if (this.#answers.has(view.kpi)) this.panels.lead(view, this.#answers.get(view.kpi));
    controls(view, this.catalogue, this.ownDimensions, {
      change: (part) => this.#change(part),
      filter: (dimension, value) => this.#filter(dimension, value),
      groups: (dimension) => this.#groups(dimension),
    });
    this.#panels();
  }

  #panels() {
    this.#panelRound.abort();
    this.#panelRound = new AbortController();
    const signal = AbortSignal.any([this.#round.signal, this.#panelRound.signal]);
    void this.#guard(async () => {
      const { value, drawn } = await this.panels.load(this.view, signal);
      this.#showResult(value);
      await drawn;
    }, (reason) => this.panels.fail(reason));
  }

  // --- requests
  async #value(id) {
    this.#showResult(await this.api.kpi(id, { ...scope(this.view), compare: "previous" }, this.#round.signal));
  }

  async #sparkline(id) {
    this.cards.trend(await this.api.kpi(id, { ...scope(this.view), grain: grainsOf(this.view.window)[0] }, this.#round.signal));
  }

  #comments(cursor = null) {
    return this.api.records(COMMENTS, { ...scope(this.view), limit: FEED_PAGE, cursor }, this.#round.signal);
  }

  /** The values of a dimension, the most frequent first. */
  async #groups(dimension) {
    const answer = await this.api.kpi(this.view.kpi, { ...scope(this.view, { without: dimension }), group_by: dimension }, this.#round.signal);
    return answer.rows.map((row) => ({ value: row.dims[dimension], n: row.n })).sort((a, b) => b.n - a.n);
  }

  /** Load everything that may have changed, without showing that it loads. */
  #refresh() {
    for (const id of this.headlines) {
      void this.#guard(() => this.#value(id));
      void this.#guard(() => this.#sparkline(id));
    }
    this.#panels();
    void this.#guard(async () => this.feed.add(await this.#comments()));
  }

  // --- the live stream
  #follow() {
    const watched = [...new Set([...this.headlines, COMMENTS, this.view.kpi])].filter((id) => this.catalogue.has(id));
    const url = this.api.live({ kpis: watched.join(","), ...scope(this.view), compare: "previous" });
    void follow(this.api, url, { onEvent: (event, data) => this.#event(event, data), onState: (state, reason) => this.#connection(state, reason) }, this.#round.signal);
  }

  #event(event, data) {
    if (event === "snapshot") for (const answer of data.kpis) this.#receive(answer, false);
    if (event === "kpi") this.#receive(data, true);
  }

  /** Show a result of the live stream; charts and comments are loaded at their own pace. */
  #receive(answer, live) {
    const before = this.#answers.get(answer.kpi);
    this.#showResult(answer, live);
    if (!live && (!before || JSON.stringify(before.rows[0].distribution) === JSON.stringify(answer.rows[0].distribution))) return;
    this.#changed.add(answer.kpi);
    this.#soon("charts", () => this.#catchUp());
    if (answer.kpi === COMMENTS) this.#soon("comments", () => void this.#guard(async () => this.feed.add(await this.#comments())));
  }

  /** Load the charts of the KPIs that have changed since the last call. */
  #catchUp() {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const id of changed) if (this.headlines.includes(id)) void this.#guard(() => this.#sparkline(id));
    if (changed.includes(this.view.kpi)) this.#panels();
  }

  /** Run `work` once per interval of PACE, however often this is called. */
  #soon(name, work) {
    if (this.#timers.has(name)) return;
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, PACE[name]));
  }

  #showResult(answer, live = false) {
    this.#answers.set(answer.kpi, answer);
    this.cards.show(answer, live);
    if (answer.kpi === this.view.kpi) this.panels.lead(this.view, answer);
    if (answer.watermark) setText(byId("as-of"), `As of ${clock(answer.watermark, answer.window.tz)}, ${answer.window.tz}`);
  }

  #connection(state, reason) {
    this.#line = state;
    const dot = byId("connection");
    dot.dataset.state = state;
    setText(dot.querySelector("span"), reason ? `${STATES[state]}: ${reason}` : STATES[state]);
  }

  /** The view's window and filters in words. */
  #describeView() {
    const filters = Object.entries(this.view.filters).map(([dimension, value]) => `${dimension} ${groupNames(dimension, groupsOf(value))}`);
    return [`Last ${windowName(this.view.window)}`, ...filters].join(", ");
  }

  /** Run requests of the current round. Errors of an aborted round are ignored; `fail` gets the message of a refused request. */
  async #guard(work, fail = () => {}) {
    const { signal } = this.#round;
    try {
      await work();
    } catch (error) {
      if (signal.aborted || error.name === "AbortError") return;
      if (!(error instanceof Refused || error instanceof NoCharts)) throw error;
      fail(error.status === 403 ? "This key may not read that." : error.message);
    }
  }
}
