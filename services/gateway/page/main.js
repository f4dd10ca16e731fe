/** Start the page: show the board for the saved key, or the sign-in form. */

import { Api, RequestError } from "/static/api.js";
import { Board } from "/static/board.js";
import { byId, setText } from "/static/dom.js";
import { addDirectory } from "/static/names.js";
import { parseFragment, saveKey, savedKey, setAddress, toFragment } from "/static/state.js";

const PREFIX_LENGTH = 10; // characters of a key that identify it and are not secret

let board = null;

/** Read the address: remove a key from it, save the key and show its view. A link replaces a saved key only after the user has
 * confirmed it: its author could otherwise present figures of another tenant as the user's own. */
async function start() {
  const { view, key } = parseFragment(location.hash);
  const saved = savedKey();
  if (toFragment(view) !== location.hash.slice(1)) setAddress(view); // removes the key, and parameters that don't exist
  if (key && (!saved || saved === key || (await confirmReplacement(saved, key)))) saveKey(key);
  const current = savedKey();
  if (current) void openBoard(current, view);
  else showSignIn("");
}

/** Ask the user whether the key of a link replaces the saved one. Closing the dialog means no. */
function confirmReplacement(saved, key) {
  const dialog = byId("other-key");
  const prefix = (text) => `${text.slice(0, PREFIX_LENGTH)}…`;
  setText(byId("other-key-text"), `This link carries the key ${prefix(key)}, and you are signed in with ${prefix(saved)}. Figures may be another company's.`);
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.onclose = () => resolve(dialog.returnValue === "replace");
    byId("keep-key").onclick = () => dialog.close("keep");
    byId("replace-key").onclick = () => dialog.close("replace");
    if (!dialog.open) dialog.showModal(); // else it is open for an earlier link, which is ignored
  });
}

/** Show the board for a key, or the sign-in form with the reason why the key can't be used. The page is empty while the board's
 * catalogue loads: figures and controls of an earlier key must be neither seen nor used. */
async function openBoard(key, view) {
  closeBoard();
  const loading = new AbortController();
  board = { close: () => loading.abort() };
  const onInvalidKey = () => {
    closeBoard();
    saveKey(null);
    showSignIn("That key is not valid, or no longer.");
  };
  const api = new Api(key, { onRetry: setBanner, onInvalidKey });
  showView(null);
  try {
    const [catalogue, names] = await Promise.all([api.catalogue(loading.signal), api.names(loading.signal).catch(emptyDirectory)]);
    if (loading.signal.aborted) return;
    addDirectory(names);
    showView("app"); // before the board draws: charts take the size of their elements
    board = new Board(api, catalogue, view);
  } catch (error) {
    if (loading.signal.aborted || !(error instanceof RequestError) || error.status === 401) return;
    closeBoard();
    showSignIn(error.status === 403 ? "That key may not read figures: it needs the scope metrics:read." : error.message);
  }
}

/** An empty directory if the metrics service is too old to have one: the page then shows ids. */
function emptyDirectory(error) {
  if (error instanceof RequestError) return {};
  throw error;
}

function closeBoard() {
  board?.close();
  board = null;
  setBanner(null);
}

function showSignIn(reason) {
  showView("sign-in");
  setText(byId("key-error"), reason);
  const field = byId("key");
  field.setAttribute("aria-invalid", String(Boolean(reason)));
  field.focus();
}

/** Show one part of the page, or none. */
function showView(id) {
  for (const part of ["sign-in", "app"]) byId(part).hidden = part !== id;
}

function setBanner(text) {
  byId("banner").hidden = !text;
  setText(byId("banner"), text ?? "");
}

byId("sign-in").querySelector("form").onsubmit = (event) => {
  event.preventDefault();
  const field = byId("key"), key = field.value.trim();
  if (!key) {
    showSignIn("Please enter a key.");
    return;
  }
  field.value = "";
  saveKey(key);
  void openBoard(key, parseFragment(location.hash).view);
};

byId("sign-out").onclick = () => {
  closeBoard();
  saveKey(null);
  showSignIn("");
};

let themeChosen = false;

/** Set the theme, and redraw the charts in its colours. */
function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  board?.repaint?.();
}

byId("theme").onclick = () => {
  const theme = document.documentElement.dataset.theme === "light" ? "dark" : "light";
  themeChosen = true;
  try {
    localStorage.setItem("earshot.theme", theme);
  } catch {
    // Storage is disabled: the choice lasts until the page is closed.
  }
  setTheme(theme);
};

matchMedia("(prefers-color-scheme: light)").onchange = ({ matches }) => {
  let saved = null;
  try {
    saved = localStorage.getItem("earshot.theme");
  } catch {
    // Storage is disabled: `themeChosen` holds whether the user has chosen.
  }
  if (!saved && !themeChosen) setTheme(matches ? "light" : "dark");
};

addEventListener("hashchange", () => void start());
addEventListener("unhandledrejection", (event) => {
  if (event.reason?.name === "AbortError") {
    event.preventDefault(); // the request of a view that is no longer on the page
    return;
  }
  setBanner("Something on this page went wrong. Reloading it should help.");
});

void start();
