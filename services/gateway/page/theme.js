// Runs before the first paint, so that a light page doesn't flash dark. The theme is the one chosen in this browser, else the system's.
let chosen = null;
try {
  chosen = localStorage.getItem("earshot.theme");
} catch {
  // Storage is switched off.
}
const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
document.documentElement.dataset.theme = chosen === "light" || chosen === "dark" ? chosen : system;
