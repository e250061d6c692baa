// File names that every file system takes, and names as a person may safely see them (formats/bundle.md, Names).

import { utf8 } from "./binary_text.js";

const MAX_NAME_BYTES = 128;
const MAX_EXTENSION_BYTES = 16;
const FORBIDDEN = new Set('<>:"/\\|?*%');
// Controls, lone surrogates, and what is invisible or turns the reading direction of what follows.
const UNSAFE =
  /[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\ud800-\udfff]/u;
const RESERVED = new Set(["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]);
for (const port of ["com", "lpt"]) for (const digit of "0123456789¹²³") RESERVED.add(port + digit);

/** `name` as a single path segment that Windows, macOS, Linux, ZIP and BagIt all keep as it is. */
export function safeName(name) {
  let text = [...name].map((char) => (UNSAFE.test(char) || FORBIDDEN.has(char) ? "_" : char)).join("").normalize("NFC");
  text = shorten(text, MAX_NAME_BYTES - 1); // one byte is left for the mark below
  const kept = text.replace(/[. ]+$/, "");
  text = kept + "_".repeat(text.length - kept.length);
  if (text.startsWith(".") || text.startsWith(" ")) text = `_${text.slice(1)}`;
  if (RESERVED.has(text.split(".")[0].replace(/ +$/, "").toLowerCase())) text = `_${text}`;
  return text || "_";
}

function shorten(text, limit) {
  if (utf8(text).length <= limit) return text;
  const dot = text.lastIndexOf(".");
  let [stem, extension] = dot > 0 ? [text.slice(0, dot), text.slice(dot)] : [text, ""];
  if (utf8(extension).length - 1 > MAX_EXTENSION_BYTES) [stem, extension] = [text, ""];
  let room = limit - utf8(extension).length;
  let short = "";
  for (const char of stem) {
    room -= utf8(char).length;
    if (room < 0) break;
    short += char;
  }
  return short + extension;
}

/** `text` for a person: controls, line breaks and what is invisible are spelled out as \u{…}, so that a name can neither
 *  break the line it stands in nor turn its reading direction. */
export function shown(text) {
  return [...text].map((char) => (UNSAFE.test(char) ? `\\u{${char.codePointAt(0).toString(16)}}` : char)).join("");
}
