/** A sparkline: the values of a series as a line within the band of their intervals. */

import { svg } from "/static/dom.js";
import { stretches } from "/static/series.js";

const WIDTH = 200, HEIGHT = 48, MARGIN = 4;

/** Draw rows of a series; what has no value is a gap. Returns an SVG element, empty below two values. */
export function sparkline(rows) {
  const drawing = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const known = rows.filter((row) => row.value !== null);
  if (known.length < 2) return drawing;
  const [low, high] = extent(known);
  const x = (index) => (index / (rows.length - 1)) * WIDTH;
  const y = (value) => HEIGHT - MARGIN - ((clamp(value, low, high) - low) / (high - low || 1)) * (HEIGHT - 2 * MARGIN);
  for (const stretch of stretches(rows)) {
    const banded = stretch.filter(({ row }) => row.interval);
    if (banded.length > 1) {
      const top = banded.map(({ row, index }) => `${x(index)},${y(row.interval.high)}`);
      const bottom = banded.map(({ row, index }) => `${x(index)},${y(row.interval.low)}`).reverse();
      drawing.append(svg("path", { class: "band", d: `M${[...top, ...bottom].join("L")}Z` }));
    }
    drawing.append(svg("path", { class: "line", d: path(stretch.map(({ row, index }) => `${x(index)},${y(row.value)}`)) }));
  }
  return drawing;
}

/** The span to draw: the values' own, widened by half on both sides, so that wide intervals of few answers don't flatten the line. */
function extent(rows) {
  const values = rows.map((row) => row.value);
  const least = Math.min(...values), most = Math.max(...values);
  const room = (most - least || Math.abs(most) || 1) * 0.5;
  return [
    Math.max(least - room, Math.min(least, ...rows.map((row) => row.interval?.low ?? row.value))),
    Math.min(most + room, Math.max(most, ...rows.map((row) => row.interval?.high ?? row.value))),
  ];
}

/** A line through points; a lone one becomes a dot, by the round ends of its stroke. */
const path = (points) => `M${(points.length > 1 ? points : [...points, ...points]).join("L")}`;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
