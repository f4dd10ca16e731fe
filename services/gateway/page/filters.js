/** The filters of the view: a chip for each, which a click removes, and a menu that adds one. */

import { byId, h, placeholder } from "/static/dom.js";
import { formatCount, formatFilter, formatGroup } from "/static/format.js";
import { parseFilter, toFilter } from "/static/state.js";

/**
 * Draw the chips.
 * @param {Record<string, string>} current dimension → value, escaped as in a query
 * @param {{dimensions: string[], loadGroups: (dimension: string) => Promise<{value: string | null, n: number}[]>, setFilter: (dimension: string, value: string | null) => void}} actions
 */
export function drawFilters(current, { dimensions, loadGroups, setFilter }) {
  const chips = Object.entries(current).map(([dimension, value]) =>
    h("button", { class: "chip-button", type: "button", title: "Remove this filter", onclick: () => setFilter(dimension, null) },
      h("small", null, dimension), formatFilter(dimension, parseFilter(value)), h("i", { "aria-hidden": "true" }, "×")));
  const menu = h("div", { id: "filter-menu", class: "menu", popover: "auto" });
  const add = h("button", { class: "quiet-button", type: "button", popovertarget: "filter-menu" }, chips.length ? "+" : "+ Filter");
  if (chips.length) add.setAttribute("aria-label", "Add a filter");
  menu.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    const from = add.getBoundingClientRect();
    menu.style.top = `${from.bottom + 6}px`;
    menu.style.left = `${Math.max(8, Math.min(from.left, innerWidth - menuWidth(menu) - 8))}px`;
    fillMenu(menu, dimensions, loadGroups, setFilter);
  });
  byId("filters").replaceChildren(...chips, add, menu);
}

const menuWidth = (menu) => parseFloat(getComputedStyle(menu).width) || 260;

function fillMenu(menu, dimensions, loadGroups, setFilter) {
  const list = h("div", { class: "options" });
  const select = h("select", { "aria-label": "Dimension", onchange: () => listGroups() }, ...dimensions.map((name) => h("option", { value: name }, name)));
  async function listGroups() {
    const dimension = select.value;
    list.replaceChildren(placeholder("…"));
    const rows = (await loadGroups(dimension)).filter(({ value }) => toFilter(value) !== null);
    if (dimension !== select.value) return;
    list.replaceChildren(...(rows.length ? rows.map(({ value, n }) =>
      h("button", { type: "button", onclick: () => { menu.hidePopover(); setFilter(dimension, toFilter(value)); } }, h("span", null, formatGroup(dimension, value)), h("small", null, formatCount(n)))) : [placeholder("No values in this window.")]));
  }
  menu.replaceChildren(select, list);
  void listGroups();
}
