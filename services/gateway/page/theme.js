// Runs before the first paint, so that a light page doesn't flash dark. Sets the theme saved in this browser, else the system's.
let saved = null;
try {
  saved = localStorage.getItem("earshot.theme");
} catch {
  // Storage is disabled.
}
const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
document.documentElement.dataset.theme = saved === "light" || saved === "dark" ? saved : system;
