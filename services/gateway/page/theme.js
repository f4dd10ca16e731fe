// Runs before the first paint, so that a light wall doesn't flash dark: the theme is dark unless this browser was told otherwise.
try {
  document.documentElement.dataset.theme = localStorage.getItem("earshot.theme") === "light" ? "light" : "dark";
} catch {
  // Storage is switched off: dark it is.
}
