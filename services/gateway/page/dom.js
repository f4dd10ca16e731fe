/** Building the page's elements. Text only ever enters as text: nothing here, or anywhere, parses markup. */

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element: `h("p", {class: "note"}, "text", child)`. `on…` functions become listeners, `style` an object of CSS
 * properties, true and false set or leave out an attribute. Null children are left out.
 */
export const h = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);

/** The same for SVG. */
export const svg = (tag, attributes, ...children) => make(document.createElementNS(SVG, tag), attributes, children);

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Change an element's text only if it differs, so that nothing is announced or repainted in vain. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A row of radio buttons that look like one switch.
 * @param {HTMLElement} host @param {{value: string, label: string, title?: string}[]} options
 * @param {string} chosen @param {(value: string) => void} choose
 */
export function segments(host, options, chosen, choose) {
  const name = `${host.id}-choice`;
  const focused = host.contains(document.activeElement);
  host.replaceChildren(
    ...options.map(({ value, label, title }) =>
      h("label", { title },
        h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }),
        h("span", null, label))),
  );
  if (focused) host.querySelector("input:checked")?.focus();
}

/** A line in place of a panel's content: loading, no data, or an error. */
export const placeholder = (text) => h("p", { class: "placeholder" }, text);

/** Whether the user prefers reduced motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
