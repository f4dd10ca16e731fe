/** Functions that build the page's elements. They set text as text: no function of the page parses markup. */

const SVG = "http://www.w3.org/2000/svg";

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element: `h("p", {class: "note"}, "text", child)`. `on…` functions become listeners, `style` an object of CSS
 * properties, true sets an attribute without a value, false and null leave it out. Null and false children are left out.
 */
export const h = (tag, attributes, ...children) => make(document.createElement(tag), attributes, children);

/** Make an SVG element; takes the same arguments as `h`. */
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

/** Change an element's text only if it differs, so that screen readers don't announce it again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Draw a group of radio buttons as a segmented control.
 * @param {HTMLElement} host @param {{value: string, label: string, title?: string}[]} options
 * @param {string} selected @param {(value: string) => void} onSelect
 */
export function drawSegments(host, options, selected, onSelect) {
  const name = `${host.id}-choice`;
  const focused = host.contains(document.activeElement);
  host.replaceChildren(
    ...options.map(({ value, label, title }) =>
      h("label", { title },
        h("input", { type: "radio", name, value, checked: value === selected, onchange: () => onSelect(value) }),
        h("span", null, label))),
  );
  if (focused) host.querySelector("input:checked")?.focus();
}

/** A line in place of a panel's content: loading, no data, or an error. */
export const placeholder = (text) => h("p", { class: "placeholder" }, text);

/** Whether the user prefers reduced motion. */
export const prefersReducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
