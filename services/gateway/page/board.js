/** The board: one view of the figures, loaded whole when it changes and kept current by the live stream. */

import { Refused } from "/static/api.js";
import { breakdown } from "/static/breakdown.js";
import { Cards, HEADLINES } from "/static/cards.js";
import { NoCharts, clear } from "/static/charts.js";
import { define } from "/static/definition.js";
import { byId, h, segments, setText } from "/static/dom.js";
import { Feed } from "/static/feed.js";
import { filters } from "/static/filters.js";
import { between, clock, count, show } from "/static/format.js";
import { follow } from "/static/live.js";
import { Records } from "/static/records.js";
import { shape, shapeQueries } from "/static/shape.js";
import { DIMENSIONS, GRAINS, GRAIN_NAMES, WINDOWS, grainOf, scope, writeAddress } from "/static/state.js";
import { trend } from "/static/trend.js";

const COMMENTS = "sentiment";
const FEED_PAGE = 30;
const PACE = { panels: 4_000, comments: 600, poll: 60_000 };
const STATES = { live: "Live", connecting: "Connecting", waiting: "Reconnecting" };

export class Board {
  #closed = new AbortController();
  #round = new AbortController(); // everything asked for on behalf of the view that stands
  #answers = new Map(); // KPI → its latest single value
  #redraw = () => {};
  #dirty = new Set();
  #timers = new Map();
  #line = "connecting";

  /** @param {import("/static/api.js").Api} api @param {{kpis: any[]}} catalogue @param {import("/static/state.js").View} view */
  constructor(api, catalogue, view) {
    this.api = api;
    this.catalogue = new Map(catalogue.kpis.map((kpi) => [kpi.id, kpi]));
    this.view = this.catalogue.has(view.kpi) ? view : { ...view, kpi: catalogue.kpis[0].id };
    this.records = new Records(api);
    this.feed = new Feed({ older: (cursor) => this.#older(cursor) });
    this.cards = new Cards(this.catalogue, {
      choose: (kpi) => this.#change({ kpi }),
      define: (id, anchor) => define(this.catalogue.get(id), anchor),
      records: (id) => void this.records.open(this.catalogue.get(id), scope(this.view), this.#told()),
    });
    const poll = setInterval(() => this.#line !== "live" && this.#refresh(), PACE.poll);
    this.#closed.signal.addEventListener("abort", () => clearInterval(poll));
    this.#load();
  }

  /** Stop everything this board has under way. */
  close() {
    this.#closed.abort();
    this.#round.abort();
    this.feed.close();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.records.dialog.close();
  }

  /** Draw again what carries the theme's colours in itself. */
  repaint() {
    this.#redraw();
  }

  #change(part) {
    const view = { ...this.view, ...part };
    if (!GRAINS[view.window].includes(view.grain)) view.grain = null;
    const sameQuestion = ["kpi", "by", "grain"].some((name) => name in part);
    this.view = view;
    writeAddress(view);
    if (sameQuestion) this.#panels();
    else this.#load();
    this.#controls();
  }

  #filter(dimension, value) {
    const { [dimension]: before, ...others } = this.view.filters;
    this.#change({ filters: value === null || value === before ? others : { ...others, [dimension]: value } });
  }

  /** Ask everything anew: the window or the filters have changed. */
  #load() {
    this.#round.abort();
    this.#round = new AbortController();
    this.#answers.clear();
    this.#dirty.clear();
    this.cards.wait();
    this.#stale(true);
    this.#controls();
    for (const id of this.#headlines()) {
      void this.#guard(() => this.#value(id), (reason) => this.cards.fail(id, reason));
      void this.#guard(() => this.#spark(id));
    }
    this.#panels();
    void this.#guard(async () => this.feed.open(await this.#comments()), (reason) => this.feed.fail(reason));
    this.#follow();
  }

  /** Ask again for what may have changed, without a trace of it on the screen. */
  #refresh() {
    for (const id of this.#headlines()) {
      void this.#guard(() => this.#value(id));
      void this.#guard(() => this.#spark(id));
    }
    this.#panels();
    void this.#guard(async () => this.feed.add(await this.#comments()));
  }

  #headlines() {
    return HEADLINES.filter((id) => this.catalogue.has(id));
  }

  async #value(id) {
    const answer = await this.api.kpi(id, { ...scope(this.view), compare: "previous" }, this.#round.signal);
    this.#heard(answer);
  }

  async #spark(id) {
    this.cards.trend(await this.api.kpi(id, { ...scope(this.view), grain: GRAINS[this.view.window][0] }, this.#round.signal));
  }

  #comments(cursor = null) {
    return this.api.records(COMMENTS, { ...scope(this.view), limit: FEED_PAGE, cursor }, this.#round.signal);
  }

  async #older(cursor) {
    await this.#guard(async () => this.feed.append(await this.#comments(cursor)));
  }

  /** Take in a single value, asked for or sent. */
  #heard(answer, live = false) {
    this.#answers.set(answer.kpi, answer);
    this.cards.show(answer, live);
    if (answer.kpi === this.view.kpi) this.#lead(answer);
    setText(byId("as-of"), `As of ${clock(answer.watermark, answer.window.tz)}, ${answer.window.tz}`);
  }

  /** The line above the trend: the chosen KPI's value as a sentence. */
  #lead(answer) {
    const kpi = this.catalogue.get(answer.kpi), row = answer.rows[0];
    if (!row) return;
    const interval = row.interval ? ` (${between(kpi.unit, row.interval)})` : "";
    setText(byId("trend-summary"), `${show(kpi.unit, row.value)}${interval} over ${WINDOWS[this.view.window]}, n ${count(row.n)}`);
  }

  /** The three panels of the chosen KPI: trend, breakdown, shape. */
  #panels() {
    const { view } = this, kpi = this.catalogue.get(view.kpi);
    this.cards.choose(kpi.id);
    setText(byId("trend-title"), kpi.name);
    setText(byId("breakdown-title"), `${kpi.name} by ${view.by}`);
    if (this.#answers.has(kpi.id)) this.#lead(this.#answers.get(kpi.id));
    void this.#guard(() => this.#paint(kpi, view), (reason) => this.#fail(reason));
  }

  /** Say in the place of the panels why there is nothing to see. */
  #fail(reason) {
    this.#stale(false);
    clear(byId("trend-chart"), reason);
    for (const id of ["trend-note", "trend-summary", "breakdown-body", "shape-body"]) byId(id).replaceChildren();
  }

  /** Whether what the panels show is still the answer to a question before. */
  #stale(so) {
    byId("trend").parentElement.toggleAttribute("data-stale", so);
  }

  async #paint(kpi, view) {
    const { signal } = this.#round, query = scope(view), grain = grainOf(view);
    const ask = (id, more) => this.api.kpi(id, { ...query, ...more }, signal);
    const extra = shapeQueries(kpi, this.catalogue);
    const [value, series, groups, ...others] = await Promise.all([
      ask(kpi.id, { compare: "previous" }),
      ask(kpi.id, { grain }),
      this.api.kpi(kpi.id, { ...scope(view, { without: view.by }), group_by: view.by, compare: "previous" }, signal),
      ...extra.map(async ([id, more]) => ({ ...more, answer: await ask(id, more) })),
    ]);
    const before = await this.#before(kpi, view, series, grain, signal);
    if (this.view !== view) return;
    this.#stale(false);
    this.#heard(value);
    this.#redraw = () => {
      void this.#guard(() => trend(byId("trend-chart"), kpi, series, before), (reason) => clear(byId("trend-chart"), reason));
      void this.#guard(() => shape(kpi, value, others, this.catalogue));
      breakdown({ kpi, answer: groups, overall: value.rows[0], dimension: view.by, chosen: view.filters[view.by], choose: (group) => this.#filter(view.by, group) });
    };
    this.#redraw();
  }

  /** The same series over the stretch of time just before. */
  #before(kpi, view, series, grain, signal) {
    const from = Date.parse(series.window.from), to = Date.parse(series.window.to);
    const { window: _, ...query } = scope(view);
    return this.api.kpi(kpi.id, { ...query, grain, from: new Date(2 * from - to).toISOString(), to: new Date(from).toISOString() }, signal);
  }

  /** Open the live stream for the view that stands. */
  #follow() {
    const watched = [...new Set([...this.#headlines(), COMMENTS, this.view.kpi])].filter((id) => this.catalogue.has(id));
    const url = this.api.live({ kpis: watched.join(","), ...scope(this.view), compare: "previous" });
    void follow(this.api, url, { onEvent: (event, data) => this.#event(event, data), onState: (state) => this.#connection(state) }, this.#round.signal);
  }

  #event(event, data) {
    if (event === "snapshot") for (const answer of Object.values(data.kpis)) this.#heard(answer);
    if (event !== "kpi") return;
    this.#heard(data, true);
    this.#dirty.add(data.kpi);
    this.#soon("panels", () => this.#catchUp());
    if (data.kpi === COMMENTS) this.#soon("comments", () => void this.#guard(async () => this.feed.add(await this.#comments())));
  }

  /** Draw anew what hangs on the KPIs that have changed since the last time. */
  #catchUp() {
    const changed = [...this.#dirty];
    this.#dirty.clear();
    for (const id of changed) if (HEADLINES.includes(id)) void this.#guard(() => this.#spark(id));
    if (changed.includes(this.view.kpi)) this.#panels();
  }

  /** Do `work` once within its pace, however often it is asked for. */
  #soon(name, work) {
    if (this.#timers.has(name)) return;
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, PACE[name]));
  }

  #connection(state) {
    this.#line = state;
    const dot = byId("connection");
    dot.dataset.state = state;
    setText(dot.querySelector("span"), STATES[state]);
  }

  #told() {
    const said = Object.entries(this.view.filters).map(([dimension, value]) => `${dimension} ${value}`);
    return [`Last ${WINDOWS[this.view.window]}`, ...said].join(", ");
  }

  #controls() {
    const { view } = this;
    segments(byId("windows"), Object.entries(WINDOWS).map(([value, label]) => ({ value, label })), view.window, (window) => this.#change({ window }));
    segments(byId("grains"), GRAINS[view.window].map((value) => ({ value, label: GRAIN_NAMES[value] })), grainOf(view), (grain) => this.#change({ grain }));
    const known = this.catalogue.get(view.kpi).dimensions ?? DIMENSIONS;
    const dimensions = [...new Set([...DIMENSIONS.filter((name) => known.includes(name)), view.by])];
    segments(byId("dimensions"), dimensions.map((value) => ({ value, label: value })), view.by, (by) => this.#change({ by }));
    filters(view.filters, { dimensions: known, groups: (dimension) => this.#groups(dimension), set: (dimension, value) => this.#filter(dimension, value) });
    const select = byId("kpi");
    select.replaceChildren(...[...this.catalogue.values()].map((kpi) => h("option", { value: kpi.id, selected: kpi.id === view.kpi }, kpi.name)));
    select.onchange = () => this.#change({ kpi: select.value });
  }

  /** The values of a dimension, the most frequent first. */
  async #groups(dimension) {
    const answer = await this.api.kpi(this.view.kpi, { ...scope(this.view, { without: dimension }), group_by: dimension }, this.#round.signal);
    return answer.rows.map((row) => ({ value: row.dims[dimension], n: row.n })).sort((a, b) => b.n - a.n);
  }

  /** Run work of this round: what a newer round overtakes is silent, what the gateway refuses is told to `fail`. */
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
