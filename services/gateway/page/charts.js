/** The parts that all charts share: Plotly, which the gateway serves, the theme's colours, the layout and resizing. */

import { byId, h, placeholder } from "/static/dom.js";

/** The id of the style for maps, which Plotly 4.1 adds unless an element has this id. The Content-Security-Policy forbids the style. */
const MAP_STYLE = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";
const COLOURS = ["accent", "ink", "ink-2", "ink-3", "grid", "surface", "raised", "good", "bad", "neutral", "band", "previous"];

export const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false };

/** Plotly couldn't be loaded. The page works without charts. */
export class ChartsUnavailable extends Error {
  constructor() {
    super("The charts could not be loaded.");
  }
}

let loading = null;

/** Load Plotly, once, at the first chart: it is by far the largest file, and the numbers don't need it. */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    if (!byId(MAP_STYLE)) document.head.append(h("meta", { id: MAP_STYLE }));
    const script = h("script", { src: "/static/plotly.min.js" });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new ChartsUnavailable());
    };
    document.head.append(script);
  });
  return loading;
}

/** The pixels of a line of width 1. Lines grow with the font size, so that charts are readable on a wall display. */
export const lineScale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/** The theme's colours as Plotly takes them. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Draw traces in an element; `options` are merged into the page's layout. */
export async function drawChart(host, traces, colours, options) {
  const library = await loadPlotly();
  host.querySelector(":scope > .placeholder")?.remove();
  await library.react(host, traces, layout(colours, options), CONFIG);
  resizeWithPanel(host, library);
}

/** Remove a chart and show the reason in its place. */
export function clearChart(host, reason) {
  window.Plotly?.purge(host);
  host.replaceChildren(placeholder(reason));
}

function layout(colours, { xaxis, yaxis, ...rest }) {
  const size = 12 * lineScale();
  const tickfont = { color: colours["ink-3"], size };
  const axis = { gridcolor: colours.grid, zeroline: false, linecolor: colours.grid, tickfont, fixedrange: true, automargin: true };
  return {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true, showlegend: false, dragmode: false,
    font: { family: getComputedStyle(document.body).fontFamily, color: colours["ink-2"], size },
    margin: { l: 8, r: 12, t: 8, b: 8, pad: 4 },
    hoverlabel: { bgcolor: colours.raised, bordercolor: colours.grid, font: { color: colours.ink, size: size * 1.05 }, align: "left" },
    xaxis: { ...axis, showgrid: false, ...xaxis }, yaxis: { ...axis, ...yaxis }, ...rest,
  };
}

const observed = new WeakSet();

/** Resize a chart whenever its panel's size changes: Plotly itself only follows the window. */
function resizeWithPanel(host, library) {
  if (observed.has(host)) return;
  observed.add(host);
  new ResizeObserver(() => {
    if (host.classList.contains("js-plotly-plot") && host.offsetParent) library.Plots.resize(host);
  }).observe(host);
}
