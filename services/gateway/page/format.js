/** Numbers, spans and times as people read them. Rounding happens here and nowhere else. */

import { nameOf } from "/static/names.js";

const LOCALE = "en-GB";
const MINUTE = 60, HOUR = 3600, DAY = 86400;

const decimals = (digits) => {
  const format = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => format.format(Math.abs(Number(value.toFixed(digits))) === 0 ? 0 : value).replace("-", "−");
};
const whole = decimals(0), one = decimals(1), two = decimals(2);

/** A unit as the catalogue names it → how its values are written: a list of [number, unit] pairs. */
const UNITS = {
  points: (value) => [[one(value), ""]],
  percent: (value) => [[one(value), "%"]],
  "percentage points": (value) => [[one(value), "pp"]],
  seconds: span,
  score: (value) => [[two(value), ""]],
  rating: (value) => [[two(value), ""]],
  stars: (value) => [[two(value), ""]],
};

/** A value in its unit as [number, unit] pairs, so that the unit may be set smaller. */
export function parts(unit, value) {
  if (value === null || value === undefined) return [["—", ""]];
  return (UNITS[unit] ?? plain)(value);
}

/** A value in its unit as one text. */
export const show = (unit, value) => parts(unit, value).map(([number, suffix]) => (suffix ? `${number} ${suffix}` : number)).join(" ");

/** An interval in its unit; a unit that both ends share is written once. */
export function between(unit, { low, high }) {
  const from = parts(unit, low), to = parts(unit, high);
  const once = from.length === 1 && to.length === 1 && from[0][1] === to[0][1];
  return `${once ? from[0][0] : show(unit, low)} to ${show(unit, high)}`;
}

/** A difference in its unit, always with its sign. */
export function signed(unit, value) {
  const text = show(unit === "percent" ? "percentage points" : unit, Math.abs(value));
  return /[1-9]/.test(text) ? `${value < 0 ? "−" : "+"}${text}` : `±${text}`;
}

/** A count, grouped by thousands. */
export const count = (value) => whole(value ?? 0);

/** A share of 1 in whole percent. */
export const share = (value) => `${whole(100 * value)} %`;

function plain(value) {
  return [[Number.isInteger(value) ? whole(value) : one(value), ""]];
}

/** A group's name; many have a place for those that have none. */
export const groupName = (dimension, group) => (group === null ? "not said" : nameOf(dimension, group));

/** The groups of a filter on a dimension, as `groupsOf` returns them, in words. */
export const groupNames = (dimension, groups) =>
  groups.map(({ group, excluded }) => (excluded ? `not ${groupName(dimension, group)}` : groupName(dimension, group))).join(", ");

/** Seconds as their two largest units. */
function span(seconds) {
  const sign = seconds < 0 ? "−" : "", size = Math.abs(seconds);
  if (size < MINUTE) return [[sign + whole(size), "s"]];
  if (size < HOUR) return pair(sign, Math.round(size), MINUTE, "m", 1, "s", size < 10 * MINUTE);
  if (size < DAY) return pair(sign, Math.round(size / MINUTE), 60, "h", 1, "m", true);
  return pair(sign, Math.round(size / HOUR), 24, "d", 1, "h", size < 10 * DAY);
}

function pair(sign, size, large, largeUnit, small, smallUnit, both) {
  if (!both) return [[sign + whole(size / large), largeUnit]];
  const rest = Math.round((size % large) / small);
  const head = [sign + whole(Math.floor(size / large)), largeUnit];
  return rest ? [head, [whole(rest), smallUnit]] : [head];
}

const STEPS = [[60, 1, "s"], [HOUR, MINUTE, "min"], [DAY, HOUR, "h"], [Infinity, DAY, "d"]];

/** How long ago: "now", "40 s", "12 min", "3 h", "5 d". */
export function ago(at, now) {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  if (seconds < 10) return "now";
  const [, size, unit] = STEPS.find(([below]) => seconds < below);
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** An instant on the clock of a zone, to the second. */
export function clock(at, zone) {
  return new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));
}

/** An instant in a zone, with its day. */
export function moment(at, zone) {
  const style = { timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(LOCALE, style).format(new Date(at));
}

/** The day of an RFC 3339 time on its own clock. */
export const day = (at) => new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", day: "numeric", month: "short" }).format(new Date(`${wallClock(at)}Z`));

/** An RFC 3339 time without its offset: local time for an axis in the tenant's zone. */
export const wallClock = (at) => at.slice(0, 19);

const WORDS = {
  nps: "NPS", csat: "CSAT", ces: "CES", first_reply_time: "First reply", net_sentiment: "Net sentiment",
};

/** A short name for a KPI where the catalogue's would be too long. */
export const shortName = (kpi) => WORDS[kpi.id] ?? kpi.name;

/** The text of a flag: why there is no value, or what to consider. */
const FLAGS = {
  low_n: "small sample", partial: "still running", mixed_forms: "several scales", maturing: "still maturing", provisional: "provisional",
};
export const flagWord = (flag) => FLAGS[flag] ?? flag.replaceAll("_", " ");

/** Why a row has no value. */
export function whyNull(row) {
  const flag = row.flags?.find((name) => name !== "low_n" && name !== "partial");
  return flag ? flagWord(flag) : "nothing in this window";
}
