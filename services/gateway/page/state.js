/** The view in the address's fragment, so that it can be shared as a link, and the API key, which is removed from the address. */

export const WINDOWS = { "24h": "24 h", "7d": "7 days", "30d": "30 days", "90d": "90 days" };

/** The buckets of each window, the default first. */
const GRAINS = {
  "24h": ["PT1H", "PT15M"],
  "7d": ["P1D", "PT1H"],
  "30d": ["P1D", "P1W"],
  "90d": ["P1W", "P1D"],
};
export const GRAIN_NAMES = { PT15M: "15 min", PT1H: "Hour", P1D: "Day", P1W: "Week", P1M: "Month" };

const LENGTH = /^([1-9]\d{0,6})([mhd])$/;
const MINUTES = { m: 1, h: 60, d: 1440 };
const UNIT_NAMES = { m: "minutes", h: "hours", d: "days" };
const MAX_MINUTES = 3660 * 1440;

/** The length of a window in minutes; null if `window` is not a number of minutes, hours or days that a query allows. */
function minutesOf(window) {
  const [, number, unit] = LENGTH.exec(window) ?? [];
  const minutes = unit ? number * MINUTES[unit] : Infinity;
  return minutes <= MAX_MINUTES ? minutes : null;
}

/** The buckets that a window can be divided into, the default first. */
export function grainsOf(window) {
  if (Object.hasOwn(GRAINS, window)) return GRAINS[window];
  const minutes = minutesOf(window);
  const [, grains] = [[360, ["PT15M", "PT1H"]], [4320, ["PT1H", "PT15M"]], [14_400, ["P1D", "PT1H"]], [86_400, ["P1D", "P1W"]], [576_000, ["P1W", "P1D"]]]
    .find(([longest]) => minutes <= longest) ?? [null, ["P1M", "P1W"]];
  return grains;
}

/** A window in words: "14 days". */
export function windowName(window) {
  if (Object.hasOwn(WINDOWS, window)) return WINDOWS[window];
  const [, number, unit] = LENGTH.exec(window);
  return `${number} ${number === "1" ? UNIT_NAMES[unit].slice(0, -1) : UNIT_NAMES[unit]}`;
}

/** The dimensions in the breakdown's menu; a link may name any other. */
export const DIMENSIONS = ["team", "product", "channel", "region", "agent"];

const KEY = "earshot.key";
const FILTER = /^filter\[([a-z_]+)\]$/;
const DEFAULTS = { window: "30d", kpi: "nps", by: null, grain: null, filters: {} };

/** @typedef {{window: string, kpi: string, by: string | null, grain: string | null, filters: Record<string, string>}} View */

/**
 * Read a fragment: the view, and the key or null. Invalid values are replaced by the defaults. Names from an address are looked up
 * among an object's own properties only, since every object inherits `constructor` and others.
 */
export function parseFragment(text) {
  const parameters = new URLSearchParams(text.replace(/^#/, ""));
  const view = { ...DEFAULTS, filters: {} };
  if (minutesOf(parameters.get("window") ?? "")) view.window = parameters.get("window");
  for (const name of ["kpi", "by"]) if (/^[a-z_]+$/.test(parameters.get(name) ?? "")) view[name] = parameters.get(name);
  if (grainsOf(view.window).includes(parameters.get("grain"))) view.grain = parameters.get("grain");
  const filters = [...parameters].map(([name, value]) => [FILTER.exec(name)?.[1], value]);
  view.filters = Object.fromEntries(filters.filter(([dimension, value]) => dimension && value));
  return { view, key: parameters.get("key") };
}

/** The fragment of a view, without the values that are defaults. */
export function toFragment(view) {
  const parameters = new URLSearchParams();
  for (const name of ["window", "kpi", "by", "grain"]) if (view[name] && view[name] !== DEFAULTS[name]) parameters.set(name, view[name]);
  for (const [dimension, value] of Object.entries(view.filters)) parameters.set(`filter[${dimension}]`, value);
  return parameters.toString();
}

/** Set the address to a view without a new history entry. This removes a key and unknown parameters. */
export function setAddress(view) {
  const fragment = toFragment(view);
  history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname);
}

/** The filter that a view has for a dimension, or undefined. */
export const filterOf = (view, dimension) => (Object.hasOwn(view.filters, dimension) ? view.filters[dimension] : undefined);

/** The bucket of a view: its own, else the default of its window. */
export const grainOf = (view) => view.grain ?? grainsOf(view.window)[0];

/** The parameters that a view adds to every query. */
export function queryOf(view, { without } = {}) {
  const query = { window: view.window };
  for (const [dimension, value] of Object.entries(view.filters)) if (dimension !== without) query[`filter[${dimension}]`] = value;
  return query;
}

/** How a filter names the group of records without a value for the dimension. */
const NULL = "null";

/** A group (null: the records without a value) as a filter names it, escaped as docs/queries.md says; null for the empty text. */
export function toFilter(group) {
  if (group === null) return NULL;
  if (group === "") return null;
  return group === NULL ? `\\${NULL}` : group.replace(/[\\,!]/g, "\\$&");
}

/** The groups that a filter names, for display: [{group, excluded}], where `group` is null for the records without a value. */
export function parseFilter(filter) {
  return [...filter.matchAll(/(?:^|,)((?:\\[\\,!]|[^,])*)/g)].map(([, item]) => {
    const excluded = item.startsWith("!"), escaped = excluded ? item.slice(1) : item;
    if (escaped === NULL) return { group: null, excluded };
    return { group: escaped === `\\${NULL}` ? NULL : escaped.replace(/\\([\\,!])/g, "$1"), excluded };
  });
}

let keyInMemory = null; // used while the browser's storage is disabled

/** The key saved in this browser, else the one in memory, else null. */
export function savedKey() {
  try {
    return localStorage.getItem(KEY) ?? keyInMemory;
  } catch {
    return keyInMemory;
  }
}

/** Save a key; null removes it. */
export function saveKey(key) {
  keyInMemory = key;
  try {
    if (key) localStorage.setItem(KEY, key);
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is disabled: the key stays in memory.
  }
}
