/** What the page shows, as the address's fragment says it, so that a view can be sent around; the key never stays there. */

export const WINDOWS = { "24h": "24 h", "7d": "7 days", "30d": "30 days", "90d": "90 days" };

/** Buckets a window may be cut into, the first being the usual one. */
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

/** The buckets that a window may be cut into, the default first. */
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
/** The dimensions that are offered for a breakdown; a link may name any other. */
export const DIMENSIONS = ["team", "product", "channel", "region", "agent"];

const KEY = "earshot.key";
const FILTER = /^filter\[([a-z_]+)\]$/;
const DEFAULTS = { window: "30d", kpi: "nps", by: null, grain: null, filters: {} };

/** @typedef {{window: string, kpi: string, by: string | null, grain: string | null, filters: Record<string, string>}} View */

/**
 * Read a fragment: the view, and a key where one was given. What isn't understood falls back to the default. Every object has
 * `constructor` and the like, so a name from an address is looked up among an object's own names alone.
 */
export function parse(fragment) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const view = { ...DEFAULTS, filters: {} };
  if (minutesOf(given.get("window") ?? "")) view.window = given.get("window");
  for (const name of ["kpi", "by"]) if (/^[a-z_]+$/.test(given.get(name) ?? "")) view[name] = given.get(name);
  if (grainsOf(view.window).includes(given.get("grain"))) view.grain = given.get("grain");
  const filters = [...given].map(([name, value]) => [FILTER.exec(name)?.[1], value]);
  view.filters = Object.fromEntries(filters.filter(([dimension, value]) => dimension && value));
  return { view, key: given.get("key") };
}

/** The fragment of a view, only what differs from the usual. */
export function fragment(view) {
  const said = new URLSearchParams();
  for (const name of ["window", "kpi", "by", "grain"]) if (view[name] && view[name] !== DEFAULTS[name]) said.set(name, view[name]);
  for (const [dimension, value] of Object.entries(view.filters)) said.set(`filter[${dimension}]`, value);
  return said.toString();
}

/** Put a view in the address bar without a new entry in the history; a key and unknown settings are removed. */
export function writeAddress(view) {
  const said = fragment(view);
  history.replaceState(null, "", said ? `#${said}` : location.pathname);
}

/** The filter that a view has for a dimension, or undefined. */
export const filterOf = (view, dimension) => (Object.hasOwn(view.filters, dimension) ? view.filters[dimension] : undefined);

/** The bucket a view is drawn in. */
export const grainOf = (view) => view.grain ?? grainsOf(view.window)[0];

/** The parameters that a view adds to every query. */
export function scope(view, { without } = {}) {
  const query = { window: view.window };
  for (const [dimension, value] of Object.entries(view.filters)) if (dimension !== without) query[`filter[${dimension}]`] = value;
  return query;
}

/** How a filter names the group of records without a value for the dimension. */
const NULL = "null";

/** A group (null: the records without a value) as a filter names it, escaped as docs/queries.md says; null for the empty text. */
export function asFilter(group) {
  if (group === null) return NULL;
  if (group === "") return null;
  return group === NULL ? `\\${NULL}` : group.replace(/[\\,!]/g, "\\$&");
}

/** The groups that a filter names, for display: [{group, excluded}], where `group` is null for the records without a value. */
export function groupsOf(filter) {
  return [...filter.matchAll(/(?:^|,)((?:\\[\\,!]|[^,])*)/g)].map(([, item]) => {
    const excluded = item.startsWith("!"), written = excluded ? item.slice(1) : item;
    if (written === NULL) return { group: null, excluded };
    return { group: written === `\\${NULL}` ? NULL : written.replace(/\\([\\,!])/g, "$1"), excluded };
  });
}

/** The key kept in this browser; without storage it lives as long as the page. */
let unsaved = null;
export function savedKey() {
  try {
    return localStorage.getItem(KEY) ?? unsaved;
  } catch {
    return unsaved;
  }
}

/** Keep a key, or with null forget it. */
export function saveKey(key) {
  unsaved = key;
  try {
    if (key) localStorage.setItem(KEY, key);
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is switched off: `unsaved` will do.
  }
}
