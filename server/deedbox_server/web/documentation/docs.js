"use strict";
// RapiDoc in the box's colours, light and dark; nothing is fetched but from the box.

const COLOURS = {
  light: { bg: "#faf8f4", text: "#1c1f23", nav: "#ffffff", navText: "#1c1f23", hover: "#e4dfd5", brass: "#8a6420" },
  dark: { bg: "#15171a", text: "#ece8e1", nav: "#1d2024", navText: "#ece8e1", hover: "#30343a", brass: "#d9b36a" },
};
const FIXED = {
  "render-style": "focused", "schema-style": "table", "schema-description-expanded": "true", "default-schema-tab": "schema",
  "show-header": "false", "show-info": "true", "show-components": "false", "show-method-in-nav-bar": "as-colored-text",
  "use-path-in-nav-bar": "true", "allow-spec-url-load": "false", "allow-spec-file-load": "false", "allow-spec-file-download": "false",
  "allow-server-selection": "false", "allow-authentication": "true", "allow-try": "true", "allow-advanced-search": "false",
  "persist-auth": "false", "load-fonts": "false", "update-route": "false", "sort-tags": "true", "sort-endpoints-by": "path",
  "font-size": "default", "nav-item-spacing": "compact", "fill-request-fields-with-example": "true",
  "regular-font": 'Inter, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  "mono-font": 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const page = document.createElement("rapi-doc");

function colour() {
  const name = dark.matches ? "dark" : "light";
  const of = COLOURS[name];
  const set = {
    theme: name, "bg-color": of.bg, "text-color": of.text, "header-color": of.nav, "primary-color": of.brass,
    "nav-bg-color": of.nav, "nav-text-color": of.navText, "nav-hover-bg-color": of.hover, "nav-hover-text-color": of.text,
    "nav-accent-color": of.brass, "nav-accent-text-color": of.nav,
  };
  for (const [key, value] of Object.entries(set)) page.setAttribute(key, value);
}

function choose() {
  const links = [...document.querySelectorAll("nav a[data-spec]")];
  const chosen = links.find((link) => link.hash === location.hash) || links[0];
  for (const link of links) link.toggleAttribute("aria-current", link === chosen);
  chosen.setAttribute("aria-current", "page");
  const file = document.querySelector("nav a.file");
  file.href = chosen.dataset.spec;
  file.setAttribute("download", chosen.dataset.spec.slice(1));
  if (page.getAttribute("spec-url") !== chosen.dataset.spec) page.setAttribute("spec-url", chosen.dataset.spec);
}

for (const [key, value] of Object.entries(FIXED)) page.setAttribute(key, value);
colour();
choose();
dark.addEventListener("change", colour);
addEventListener("hashchange", () => {
  if (location.hash === "#people" || location.hash === "#device") choose();
});
document.body.append(page);
