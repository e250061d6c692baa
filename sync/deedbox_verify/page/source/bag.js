// The tag files of a BagIt 1.0 bag (RFC 8493), in the one form that a Deedbox bundle uses.

import { byCodePoint, decodeUtf8 } from "./binary_text.js";
import { isUuid } from "./canonical_json.js";
import { FormatError } from "./errors.js";
import { MAX_FILES, MAX_MANIFEST, MAX_TAG_FILE } from "./layout.js";
import { isDate } from "./timestamp.js";

export const BAGIT_TEXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const LINE = /^([0-9a-f]{64})  ([^ \t\n\r\f\v][^\r\n]*)$/;
const INFO = new RegExp(
  "^Bag-Software-Agent: [ -~]{1,200}\\n" +
    "Bagging-Date: (([0-9]{4})-([0-9]{2})-([0-9]{2}))\\n" +
    "External-Identifier: urn:uuid:([0-9a-f-]{36})\\n" +
    "Payload-Oxum: ((?:0|[1-9][0-9]{0,18})\\.[1-9][0-9]{0,9})\\n$",
);

/** {made (a date), bundle, oxum}: exactly the four elements of ours, in their order. */
export function parseBagInfo(bytes) {
  const where = "bag-info.txt";
  if (bytes.length > MAX_TAG_FILE) throw new FormatError(where, "longer than allowed");
  const found = INFO.exec(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  if (!found) throw new FormatError(where, "not the four elements of a Deedbox bundle");
  const [, made, year, month, day, bundle, oxum] = found;
  if (!isDate(Number(year), Number(month), Number(day)) || !isUuid(bundle)) {
    throw new FormatError(where, "not in the form it is written");
  }
  return { made, bundle, oxum };
}

/** Map of path → SHA-256 (hex). Lower-case hex, two spaces, one relative path a line, none twice. */
export function parseManifest(bytes, where) {
  if (bytes.length > MAX_MANIFEST) throw new FormatError(where, "longer than allowed");
  let text;
  try {
    text = decodeUtf8(bytes);
  } catch {
    throw new FormatError(where, "not UTF-8");
  }
  if (!text.endsWith("\n")) throw new FormatError(where, "does not end with a line break");
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > MAX_FILES) throw new FormatError(where, `more than ${MAX_FILES} files`);
  const digests = new Map();
  lines.forEach((line, place) => {
    const here = `${where} line ${place + 1}`;
    const found = LINE.exec(line);
    if (!found) throw new FormatError(here, "not a digest, two spaces and a path");
    const fault = pathProblem(found[2]);
    if (fault) throw new FormatError(here, fault);
    if (digests.has(found[2])) throw new FormatError(here, `${found[2]} is listed twice`);
    digests.set(found[2], found[1]);
  });
  return digests;
}

/** Why `path` is no relative path inside a bag, in words; null where it is one. */
export function pathProblem(path) {
  if (/[\\:%]/.test(path)) return "a path has a backslash, colon or percent sign";
  if (/[\x00-\x1f\x7f]/.test(path)) return "a path has a control character";
  if (path.normalize("NFC") !== path) return "a path is not in Unicode normal form C";
  if (path.split("/").some((part) => ["", ".", ".."].includes(part))) {
    return "a path is absolute, has an empty part, or leads out of the bundle";
  }
  return null;
}

/** The paths below `data/`, sorted. */
export function payload(paths) {
  return [...paths].filter((path) => path.startsWith("data/")).sort(byCodePoint);
}
