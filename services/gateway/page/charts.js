/** What all charts share: plotly, which the gateway serves itself, the theme's colours, and following the panel's size. */

import { byId, h, placeholder } from "/static/dom.js";

/** The id of the style for maps that plotly 4.1 adds unless it is there: maps aren't used, and the page's policy forbids it. */
const MAP_STYLE = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";
const COLOURS = ["accent", "ink", "ink-2", "ink-3", "grid", "surface", "raised", "good", "bad", "neutral", "band", "ghost"];

export const CONFIG = { displayModeBar: false, responsive: true, doubleClick: false, showTips: false };

/** The chart library couldn't be loaded; the figures stand without it. */
export class NoCharts extends Error {
  constructor() {
    super("The charts could not be loaded.");
  }
}

let loading = null;

/** Load Plotly once, at the first chart: it is by far the largest file, and the numbers should not wait for it. */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    if (!byId(MAP_STYLE)) document.head.append(h("meta", { id: MAP_STYLE }));
    const script = h("script", { src: "/static/plotly.min.js" });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new NoCharts());
    };
    document.head.append(script);
  });
  return loading;
}

/** The pixels of a line of width 1. Lines grow with the font size, so that charts are readable on a wall display. */
export const stroke = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/** The theme's colours as Plotly takes them. */
export function palette() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** Draw traces on a host in the page's own style; `more` adds to the layout. */
export async function draw(host, traces, colours, more) {
  const library = await plotly();
  host.querySelector(":scope > .placeholder")?.remove();
  await library.react(host, traces, layout(colours, more), CONFIG);
  watch(host, library);
}

/** Replace a chart by the reason why there is none. */
export function clear(host, reason) {
  window.Plotly?.purge(host);
  host.replaceChildren(placeholder(reason));
}

function layout(colours, { xaxis, yaxis, ...rest }) {
  const size = 12 * stroke();
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

const watched = new WeakSet();

/** Let a chart follow its panel's size, not only the window's. */
function watch(host, library) {
  if (watched.has(host)) return;
  watched.add(host);
  new ResizeObserver(() => {
    if (host.classList.contains("js-plotly-plot") && host.offsetParent) library.Plots.resize(host);
  }).observe(host);
}
