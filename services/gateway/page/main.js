/** The page's start: a key, or the form that asks for one; then the board. */

import { Api, Refused } from "/static/api.js";
import { Board } from "/static/board.js";
import { byId, setText } from "/static/dom.js";
import { addDirectory } from "/static/names.js";
import { fragment, parse, saveKey, savedKey, writeAddress } from "/static/state.js";

const VISIBLE = 10; // characters of a key that tell it from others and open nothing

let board = null;

/** Take the key out of the address, where one is, and begin. A link never replaces a key unasked: whoever made it could otherwise
 * show a person figures of another tenant as their own. */
async function begin() {
  const { view, key } = parse(location.hash);
  const saved = savedKey();
  if (fragment(view) !== location.hash.slice(1)) writeAddress(view); // removes the key, and settings that don't exist
  if (key && (!saved || saved === key || (await mayReplace(saved, key)))) saveKey(key);
  const known = savedKey();
  if (known) void open(known, view);
  else signIn("");
}

/** Ask whether the key of a link may replace the one that is kept. Closing the question means no. */
function mayReplace(saved, key) {
  const dialog = byId("other-key");
  const shown = (text) => `${text.slice(0, VISIBLE)}…`;
  setText(byId("other-key-text"), `This link carries the key ${shown(key)}, and you are signed in with ${shown(saved)}. Figures may be another company's.`);
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.onclose = () => resolve(dialog.returnValue === "replace");
    byId("keep-key").onclick = () => dialog.close("keep");
    byId("replace-key").onclick = () => dialog.close("replace");
    if (!dialog.open) dialog.showModal(); // else the question about an earlier link, which is dropped
  });
}

/** Show the board for a key, if it opens anything. */
async function open(key, view) {
  close();
  const stop = new AbortController();
  board = { close: () => stop.abort() };
  const refused = () => {
    close();
    saveKey(null);
    signIn("That key is not valid, or no longer.");
  };
  const api = new Api(key, { onTrouble: banner, onKeyRefused: refused });
  show("app");
  try {
    const [catalogue, names] = await Promise.all([api.catalogue(stop.signal), api.names(stop.signal).catch(noNames)]);
    if (stop.signal.aborted) return;
    addDirectory(names);
    board = new Board(api, catalogue, view);
  } catch (error) {
    if (stop.signal.aborted || !(error instanceof Refused) || error.status === 401) return;
    close();
    signIn(error.status === 403 ? "That key may not read figures: it needs the scope metrics:read." : error.message);
  }
}

/** Without the directory, which an older metrics service does not have, the page shows ids. */
function noNames(error) {
  if (error instanceof Refused) return {};
  throw error;
}

function close() {
  board?.close();
  board = null;
  banner(null);
}

function signIn(reason) {
  show("sign-in");
  setText(byId("key-error"), reason);
  const field = byId("key");
  field.setAttribute("aria-invalid", String(Boolean(reason)));
  field.focus();
}

function show(id) {
  for (const part of ["sign-in", "app"]) byId(part).hidden = part !== id;
}

function banner(text) {
  byId("banner").hidden = !text;
  setText(byId("banner"), text ?? "");
}

byId("sign-in").querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  const field = byId("key"), key = field.value.trim();
  if (!key) {
    signIn("Please enter a key.");
    return;
  }
  field.value = "";
  saveKey(key);
  void open(key, parse(location.hash).view);
};

byId("sign-out").onclick = () => {
  close();
  saveKey(null);
  signIn("");
};

let themeChosen = false;

/** Switch to `theme`, and draw again the charts that have its colours. */
function paint(theme) {
  document.documentElement.dataset.theme = theme;
  board?.repaint?.();
}

byId("theme").onclick = () => {
  const theme = document.documentElement.dataset.theme === "light" ? "dark" : "light";
  themeChosen = true;
  try {
    localStorage.setItem("earshot.theme", theme);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
  paint(theme);
};

matchMedia("(prefers-color-scheme: light)").onchange = ({ matches }) => {
  let saved = null;
  try {
    saved = localStorage.getItem("earshot.theme");
  } catch {
    // Storage is switched off: `themeChosen` says whether there is a choice.
  }
  if (!saved && !themeChosen) paint(matches ? "light" : "dark");
};

addEventListener("hashchange", () => void begin());
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name === "AbortError") {
    event.preventDefault(); // a query that a newer view has overtaken
    return;
  }
  banner("Something on this page went wrong. Reloading it should help.");
});

void begin();
