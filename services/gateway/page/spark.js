/** A sparkline: the values of a series as a line within the band of their intervals. */

import { svg } from "/static/dom.js";
import { runsOfValues } from "/static/series.js";

const WIDTH = 200, HEIGHT = 48, MARGIN = 4;

/** An SVG element with the line of a series, with gaps at rows without a value. It is empty if fewer than two rows have one. */
export function sparkline(rows) {
  const drawing = svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const valued = rows.filter((row) => row.value !== null);
  if (valued.length < 2) return drawing;
  const [low, high] = rangeOf(valued);
  const x = (index) => (index / (rows.length - 1)) * WIDTH;
  const y = (value) => HEIGHT - MARGIN - ((clamp(value, low, high) - low) / (high - low || 1)) * (HEIGHT - 2 * MARGIN);
  for (const run of runsOfValues(rows)) {
    const banded = run.filter(({ row }) => row.interval);
    if (banded.length > 1) {
      const top = banded.map(({ row, index }) => `${x(index)},${y(row.interval.high)}`);
      const bottom = banded.map(({ row, index }) => `${x(index)},${y(row.interval.low)}`).reverse();
      drawing.append(svg("path", { class: "band", d: `M${[...top, ...bottom].join("L")}Z` }));
    }
    drawing.append(svg("path", { class: "line", d: linePath(run.map(({ row, index }) => `${x(index)},${y(row.value)}`)) }));
  }
  return drawing;
}

/** The range of the y axis: the range of the values, extended to the intervals but by at most half on either side. Otherwise the wide
 * intervals of small samples would flatten the line. */
function rangeOf(rows) {
  const values = rows.map((row) => row.value);
  const min = Math.min(...values), max = Math.max(...values);
  const padding = (max - min || Math.abs(max) || 1) * 0.5;
  return [
    Math.max(min - padding, Math.min(min, ...rows.map((row) => row.interval?.low ?? row.value))),
    Math.min(max + padding, Math.max(max, ...rows.map((row) => row.interval?.high ?? row.value))),
  ];
}

/** The path of a line through points. A single point is drawn as a dot by the stroke's round ends. */
const linePath = (points) => `M${(points.length > 1 ? points : [...points, ...points]).join("L")}`;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
