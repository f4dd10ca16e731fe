/** The filters of the view, as chips that a click removes, and a small form that adds one. */

import { byId, h, placeholder } from "/static/dom.js";
import { count, groupName, groupNames } from "/static/format.js";
import { asFilter, groupsOf } from "/static/state.js";

/**
 * Draw the chips.
 * @param {Record<string, string>} inForce by dimension, the values as the query has them, escaped
 * @param {{dimensions: string[], groups: (dimension: string) => Promise<{value: string | null, n: number}[]>, set: (dimension: string, value: string | null) => void}} actions
 */
export function filters(inForce, { dimensions, groups, set }) {
  const chips = Object.entries(inForce).map(([dimension, value]) =>
    h("button", { class: "chip-button", type: "button", title: "Take this filter away", onclick: () => set(dimension, null) },
      h("small", null, dimension), groupNames(dimension, groupsOf(value)), h("i", { "aria-hidden": "true" }, "×")));
  const menu = h("div", { id: "filter-menu", class: "menu", popover: "auto" });
  const add = h("button", { class: "quiet-button", type: "button", popovertarget: "filter-menu" }, chips.length ? "+" : "+ Filter");
  if (chips.length) add.setAttribute("aria-label", "Add a filter");
  menu.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    const from = add.getBoundingClientRect();
    menu.style.top = `${from.bottom + 6}px`;
    menu.style.left = `${Math.max(8, Math.min(from.left, innerWidth - menuWidth(menu) - 8))}px`;
    fill(menu, dimensions, groups, set);
  });
  byId("filters").replaceChildren(...chips, add, menu);
}

const menuWidth = (menu) => parseFloat(getComputedStyle(menu).width) || 260;

function fill(menu, dimensions, groups, set) {
  const list = h("div", { class: "options" });
  const select = h("select", { "aria-label": "Dimension", onchange: () => offer() }, ...dimensions.map((name) => h("option", { value: name }, name)));
  async function offer() {
    const dimension = select.value;
    list.replaceChildren(placeholder("…"));
    const found = (await groups(dimension)).filter(({ value }) => asFilter(value) !== null);
    if (dimension !== select.value) return;
    list.replaceChildren(...(found.length ? found.map(({ value, n }) =>
      h("button", { type: "button", onclick: () => { menu.hidePopover(); set(dimension, asFilter(value)); } }, h("span", null, groupName(dimension, value)), h("small", null, count(n)))) : [placeholder("Nothing to choose from.")]));
  }
  menu.replaceChildren(select, list);
  void offer();
}
