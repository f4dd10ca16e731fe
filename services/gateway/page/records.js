/** The drill-down: the records behind a number, page by page, in a panel at the side. */

import { Refused } from "/static/api.js";
import { correction } from "/static/correction.js";
import { byId, h, placeholder, setText } from "/static/dom.js";
import { moment, show } from "/static/format.js";
import { nameOf } from "/static/names.js";

const DIMS = ["source", "team", "channel", "product", "region", "agent"];
const PAGE = 50;

export class Records {
  #stop = new AbortController();

  /** @param {import("/static/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.dialog = byId("records");
    this.body = byId("records-body");
    this.dialog.querySelector("[data-close]").onclick = () => this.dialog.close();
    this.dialog.onclick = (event) => event.target === this.dialog && this.dialog.close();
    this.dialog.onclose = () => this.#stop.abort();
  }

  /** Open the panel on a KPI's records. `scope` are the query's parameters, `told` says them in words. */
  async open(kpi, scope, told) {
    this.#stop.abort();
    this.#stop = new AbortController();
    setText(byId("records-title"), `Behind ${kpi.name}`);
    setText(byId("records-scope"), told);
    const rows = h("tbody");
    this.body.replaceChildren(placeholder("Looking them up…"));
    this.dialog.showModal();
    await this.#page(kpi, scope, rows, null);
  }

  async #page(kpi, scope, rows, cursor) {
    let page, correct;
    const { signal } = this.#stop;
    try {
      page = await this.api.records(kpi.id, { ...scope, limit: PAGE, cursor }, signal);
      correct = (await this.api.may("ingest:write", signal)) && ((record, told) => correction(record, told, (judgement, own) => this.api.override(judgement, own)));
    } catch (error) {
      if (error instanceof Refused) this.body.replaceChildren(placeholder(error.status === 403 ? "This key may not read records (records:read)." : error.message));
      else if (!this.#stop.signal.aborted) throw error;
      return;
    }
    rows.append(...page.records.map((record) => line(kpi, record, page.window.tz, correct)));
    if (!rows.children.length) {
      this.body.replaceChildren(placeholder("No records in this window."));
      return;
    }
    if (!rows.isConnected) this.body.replaceChildren(table(kpi, rows));
    this.body.querySelector(".more")?.remove();
    if (page.next) this.body.append(h("button", { class: "more", type: "button", onclick: (event) => { event.target.disabled = true; void this.#page(kpi, scope, rows, page.next); } }, "More"));
  }
}

const table = (kpi, rows) => {
  const columns = kpi.unit === "count" ? ["When", "Record"] : ["When", "Value", "Record"];
  return h("table", null, h("thead", null, h("tr", null, ...columns.map((name) => h("th", { scope: "col" }, name)))), rows);
};

/** One record; `correct` makes the control for a comment's label, where the key may correct it. */
function line(kpi, record, zone, correct) {
  const dims = record.dims ?? {};
  const value = h("td", { class: "strong" }, valueOf(kpi, record));
  const row = h("tr", { "data-label": record.label ?? null },
    h("td", { class: "quiet" }, h("time", { datetime: record.at }, moment(record.at, zone))),
    kpi.unit === "count" ? null : value,
    h("td", null,
      record.text && h("p", { class: "said" }, record.text),
      h("p", { class: "from" }, h("code", { title: record.subject }, record.subject.replace(/^[^/]*\//, "")), ...DIMS.filter((name) => dims[name]).map((name) => h("span", null, nameOf(name, dims[name]))))));
  if (correct && record.text_hash && record.model) row.lastChild.append(correct(record, (label) => {
    row.dataset.label = label ?? "none";
    setText(value, label ?? "");
  }));
  return row;
}

function valueOf(kpi, record) {
  if (record.label) return record.label;
  if (record.value === null || record.value === undefined) return "";
  return kpi.unit === "seconds" ? show("seconds", record.value) : String(record.value);
}
