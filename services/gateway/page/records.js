/** The dialog with the records behind a KPI's value, page by page. */

import { RequestError } from "/static/api.js";
import { correctionControl } from "/static/correction.js";
import { byId, h, placeholder, setText } from "/static/dom.js";
import { formatDateTime, formatValue } from "/static/format.js";
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

  /** Open the dialog with a KPI's records. `scope`: the parameters of the query; `description`: the same as text. */
  async open(kpi, scope, description) {
    this.#stop.abort();
    this.#stop = new AbortController();
    setText(byId("records-title"), `Behind ${kpi.name}`);
    setText(byId("records-scope"), description);
    const rows = h("tbody");
    this.body.replaceChildren(placeholder("Loading…"));
    this.dialog.showModal();
    await this.#loadPage(kpi, scope, rows, null);
  }

  async #loadPage(kpi, scope, rows, cursor) {
    let page, correct;
    const { signal } = this.#stop;
    try {
      page = await this.api.records(kpi.id, { ...scope, limit: PAGE, cursor }, signal);
      correct = (await this.api.hasScope("ingest:write", signal)) && ((record, onSaved) => correctionControl(record, onSaved, (override, retrySignal) => this.api.override(override, retrySignal)));
    } catch (error) {
      if (error instanceof RequestError) this.body.replaceChildren(placeholder(error.status === 403 ? "This key may not read records (records:read)." : error.message));
      else if (!this.#stop.signal.aborted) throw error;
      return;
    }
    rows.append(...page.records.map((record) => recordRow(kpi, record, page.window.tz, correct)));
    if (!rows.children.length) {
      this.body.replaceChildren(placeholder("No records in this window."));
      return;
    }
    if (!rows.isConnected) this.body.replaceChildren(recordTable(kpi, rows));
    this.body.querySelector(".more")?.remove();
    if (page.next) this.body.append(h("button", { class: "more", type: "button", onclick: (event) => { event.target.disabled = true; void this.#loadPage(kpi, scope, rows, page.next); } }, "More"));
  }
}

const recordTable = (kpi, rows) => {
  const columns = kpi.unit === "count" ? ["When", "Record"] : ["When", "Value", "Record"];
  return h("table", null, h("thead", null, h("tr", null, ...columns.map((name) => h("th", { scope: "col" }, name)))), rows);
};

/** The row of a record. `correct` makes the control for a comment's label; false if the key may not correct it. */
function recordRow(kpi, record, zone, correct) {
  const dims = record.dims ?? {};
  const value = h("td", { class: "strong" }, valueOf(kpi, record));
  const row = h("tr", { "data-label": record.label ?? null },
    h("td", { class: "quiet" }, h("time", { datetime: record.at }, formatDateTime(record.at, zone))),
    kpi.unit === "count" ? null : value,
    h("td", null,
      record.text && h("p", { class: "comment-text" }, record.text),
      h("p", { class: "origin" }, h("code", { title: record.subject }, record.subject.replace(/^[^/]*\//, "")), ...DIMS.filter((name) => dims[name]).map((name) => h("span", null, nameOf(name, dims[name]))))));
  if (correct && record.text_hash && record.model) row.lastChild.append(correct(record, (label) => {
    row.dataset.label = label ?? "none";
    setText(value, label ?? "");
  }));
  return row;
}

function valueOf(kpi, record) {
  if (record.label) return record.label;
  if (record.value === null || record.value === undefined) return "";
  return kpi.unit === "seconds" ? formatValue("seconds", record.value) : String(record.value);
}
