// What the desk saw of a file beside its bytes (formats/statement.md, `file`).

import { equalBytes, parseBase64, utf8 } from "./binary_text.js";

const MODE = /^[0-7]{4}$/;
const MAX_NAME_BYTES = 765; // the longest name of any common file system: 255 UTF-16 units of three bytes each
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });

/** {name, path, size, …}, each member checked; the name is where people look for it. */
export function readFileFacts(fields) {
  const file = {
    name: fields.text("name"),
    path: fields.texts("path"),
    size: fields.integer("size"),
    modified: fields.optional("decimal", "modified_ns"),
    created: fields.optional("decimal", "created_ns"),
    mode: fields.optional("text", "mode"),
    streams: fields.texts("streams"),
  };
  if (file.mode !== null && !MODE.test(file.mode)) throw fields.fault("mode", "is not four octal digits");
  for (const [name, value] of Object.entries(fields.members("attributes"))) {
    if (typeof value !== "string") throw fields.fault("attributes", `'${name.slice(0, 40)}' is not a string`);
    parseBase64(value, `${fields.where}.attributes`);
  }
  const nameBytes = fields.has("name_bytes") ? fields.base64("name_bytes") : null;
  const pathBytes = fields.has("path_bytes")
    ? fields.texts("path_bytes").map((segment) => parseBase64(segment, `${fields.where}.path_bytes`))
    : null;
  fields.done();
  for (const segment of [file.name, ...file.path]) {
    if (["", ".", ".."].includes(segment) || segment.includes("/") || segment.includes("\0")) {
      throw fields.fault("path", "or name has a segment that names no file or folder");
    }
    if (utf8(segment).length > MAX_NAME_BYTES) {
      throw fields.fault("path", `or name has a segment of more than ${MAX_NAME_BYTES} bytes`);
    }
  }
  checkRawNames(fields, file, nameBytes, pathBytes);
  return file;
}

function checkRawNames(fields, file, nameBytes, pathBytes) {
  if (nameBytes === null && pathBytes === null) return;
  if (nameBytes === null || pathBytes === null) {
    throw fields.fault("name_bytes", "and path_bytes stand together or not at all");
  }
  const raw = [nameBytes, ...pathBytes];
  const named = [file.name, ...file.path];
  const readable = raw.map((segment) => LENIENT.decode(segment)); // U+FFFD for each maximal part that is not UTF-8
  if (readable.length !== named.length || readable.some((segment, place) => segment !== named[place])) {
    throw fields.fault("name_bytes", "and path_bytes do not read as name and path");
  }
  if (readable.every((segment, place) => equalBytes(utf8(segment), raw[place]))) {
    throw fields.fault("name_bytes", "and path_bytes are UTF-8 throughout, so name and path say it all");
  }
}
