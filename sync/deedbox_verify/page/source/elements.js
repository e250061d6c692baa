// Elements made from values: everything from a bundle becomes text, never markup.

import { shown } from "./names.js";
import { inMilliseconds, moment } from "./timestamp.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element. `attributes`: null and false are left out, true is an empty one. Children are elements or text. */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false));
  return element;
}

/** A time in UTC, in the reader's own zone on hover. */
export function timeElement(time, words = moment(time)) {
  const local = new Date(inMilliseconds(time)).toLocaleString(undefined, { dateStyle: "long", timeStyle: "long" });
  return h("time", { datetime: time, title: local }, words);
}

/** A digest in groups of four, copied whole. */
export function digestElement(digest, label) {
  const groups = h("code", { class: "digest" }, ...digest.match(/.{1,4}/g).map((group) => h("span", {}, group)));
  const button = h("button", { type: "button", class: "copy", "aria-label": `Copy ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    const done = await copied(digest, groups);
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return h("div", { class: "digest-row" }, groups, button);
}

/** The clipboard is closed to pages in some places; then the digest is selected for the reader to copy. */
async function copied(text, element) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}

/** What people typed, with a bound on its length: the middle goes, since names differ at their ends. */
export function typed(text, limit = 300) {
  const chars = [...shown(text)];
  if (chars.length <= limit) return chars.join("");
  return `${chars.slice(0, limit / 2).join("")}…${chars.slice(-limit / 2).join("")}`;
}

/** The states of a thing, each with a shape and a word: colour never speaks alone. */
export const SHAPES = { verified: "✓", partly: "✓", refused: "✕", attention: "△", nothing: "○" };

export function shape(state) {
  return h("span", { class: `shape ${state}`, "aria-hidden": "true" }, SHAPES[state]);
}
