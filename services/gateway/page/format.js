/** Format numbers, durations and times. All rounding happens here. */

import { nameOf } from "/static/names.js";

const LOCALE = "en-GB";
const MINUTE = 60, HOUR = 3600, DAY = 86400;

const decimals = (digits) => {
  const format = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => format.format(Math.abs(Number(value.toFixed(digits))) === 0 ? 0 : value).replace("-", "−");
};
const whole = decimals(0), one = decimals(1), two = decimals(2);

/** Unit in the catalogue → function from a value to its [number, unit] pairs. */
const UNITS = {
  points: (value) => [[one(value), ""]],
  percent: (value) => [[one(value), "%"]],
  "percentage points": (value) => [[one(value), "pp"]],
  seconds: durationParts,
  score: (value) => [[two(value), ""]],
  rating: (value) => [[two(value), ""]],
  stars: (value) => [[two(value), ""]],
};

/** A value as [number, unit] pairs, so that the unit can have a smaller font. */
export function valueParts(unit, value) {
  if (value === null || value === undefined) return [["—", ""]];
  return (UNITS[unit] ?? numberParts)(value);
}

/** A value with its unit: "42.0 %". */
export const formatValue = (unit, value) => valueParts(unit, value).map(([number, suffix]) => (suffix ? `${number} ${suffix}` : number)).join(" ");

/** An interval with its unit, which is written once if both ends have the same. */
export function formatInterval(unit, { low, high }) {
  const from = valueParts(unit, low), to = valueParts(unit, high);
  const sameUnit = from.length === 1 && to.length === 1 && from[0][1] === to[0][1];
  return `${sameUnit ? from[0][0] : formatValue(unit, low)} to ${formatValue(unit, high)}`;
}

/** A difference with its sign and unit. */
export function formatDifference(unit, value) {
  const text = formatValue(unit === "percent" ? "percentage points" : unit, Math.abs(value));
  return /[1-9]/.test(text) ? `${value < 0 ? "−" : "+"}${text}` : `±${text}`;
}

/** A count, grouped by thousands. */
export const formatCount = (value) => whole(value ?? 0);

/** A share between 0 and 1 in whole percent. */
export const formatShare = (value) => `${whole(100 * value)} %`;

function numberParts(value) {
  return [[Number.isInteger(value) ? whole(value) : one(value), ""]];
}

/** The name of a group; null is the group of records without a value. */
export const formatGroup = (dimension, group) => (group === null ? "no value" : nameOf(dimension, group));

/** The groups of a filter on a dimension, as `parseFilter` returns them, as text. */
export const formatFilter = (dimension, groups) =>
  groups.map(({ group, excluded }) => (excluded ? `not ${formatGroup(dimension, group)}` : formatGroup(dimension, group))).join(", ");

/** Seconds in their two largest units. */
function durationParts(seconds) {
  const sign = seconds < 0 ? "−" : "", size = Math.abs(seconds);
  if (size < MINUTE) return [[sign + whole(size), "s"]];
  if (size < HOUR) return twoUnits(sign, Math.round(size), MINUTE, "m", 1, "s", size < 10 * MINUTE);
  if (size < DAY) return twoUnits(sign, Math.round(size / MINUTE), 60, "h", 1, "m", true);
  return twoUnits(sign, Math.round(size / HOUR), 24, "d", 1, "h", size < 10 * DAY);
}

function twoUnits(sign, size, large, largeUnit, small, smallUnit, both) {
  if (!both) return [[sign + whole(size / large), largeUnit]];
  const rest = Math.round((size % large) / small);
  const head = [sign + whole(Math.floor(size / large)), largeUnit];
  return rest ? [head, [whole(rest), smallUnit]] : [head];
}

const STEPS = [[60, 1, "s"], [HOUR, MINUTE, "min"], [DAY, HOUR, "h"], [Infinity, DAY, "d"]];

/** The time since `at`: "now", "40 s", "12 min", "3 h", "5 d". */
export function formatAge(at, now) {
  const seconds = Math.max(0, (now - Date.parse(at)) / 1000);
  if (seconds < 10) return "now";
  const [, size, unit] = STEPS.find(([below]) => seconds < below);
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** The time of day in a time zone, with seconds. */
export function formatTime(at, zone) {
  return new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));
}

/** The date and time in a time zone. */
export function formatDateTime(at, zone) {
  const style = { timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(LOCALE, style).format(new Date(at));
}

/** The day of an RFC 3339 time, at its own offset. */
export const formatDay = (at) => new Intl.DateTimeFormat(LOCALE, { timeZone: "UTC", day: "numeric", month: "short" }).format(new Date(`${wallClock(at)}Z`));

/** An RFC 3339 time without its offset: local time for an axis in the tenant's zone. */
export const wallClock = (at) => at.slice(0, 19);

const SHORT_NAMES = {
  nps: "NPS", csat: "CSAT", ces: "CES", first_reply_time: "First reply", net_sentiment: "Net sentiment",
};

/** The name of a KPI for a card: a short one where the catalogue's is too long. */
export const shortName = (kpi) => SHORT_NAMES[kpi.id] ?? kpi.name;

const FLAGS = {
  low_n: "small sample", partial: "still running", mixed_forms: "several scales", maturing: "still maturing", provisional: "provisional",
};

/** A result's flag as text. */
export const flagText = (flag) => FLAGS[flag] ?? flag.replaceAll("_", " ");

/** Why a row has no value. */
export function nullReason(row) {
  const flag = row.flags?.find((name) => name !== "low_n" && name !== "partial");
  return flag ? flagText(flag) : "nothing in this window";
}
