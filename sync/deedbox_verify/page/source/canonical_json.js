// Canonical JSON: RFC 8785 (JCS) narrowed as formats/canonical-json.md says, and a strict reader of its objects.
// Bytes that `parse` accepts are exactly those that `encode` writes for the value.

import { byCodePoint, decodeUtf8, equalBytes, parseBase64, parseHex, utf8 } from "./binary_text.js";
import { FormatError } from "./errors.js";
import { parseTime } from "./timestamp.js";

export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;
const MAX_DEPTH = 32; // deep enough for any format here, shallow enough for any reader's stack
const MAX_WORD = 64;
const WORD = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const DECIMAL = /^(?:0|-?[1-9][0-9]{0,19})$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The one byte string of a value of ours. */
export function encode(value) {
  check(value, "JSON value", 0);
  return utf8(write(value));
}

/** The value of canonical bytes. Everything else is a FormatError: too long, too deep, not JSON, not canonical. */
export function parse(bytes, limit, where) {
  if (bytes.length > limit) throw new FormatError(where, `has ${bytes.length} bytes, at most ${limit} are allowed`);
  let text;
  try {
    text = decodeUtf8(bytes);
  } catch {
    throw new FormatError(where, "is not UTF-8");
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FormatError(where, "is not JSON");
  }
  check(value, where, 0);
  if (!equalBytes(utf8(write(value)), bytes)) throw new FormatError(where, "is not canonical");
  return value;
}

/** As `parse`, and the value is an object. */
export function parseObject(bytes, limit, where) {
  const value = parse(bytes, limit, where);
  if (!isObject(value)) throw new FormatError(where, "is not an object");
  return value;
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isWord(text) {
  return text.length <= MAX_WORD && WORD.test(text);
}

export function isUuid(text) {
  return UUID.test(text);
}

/** Depth, integers and surrogates; whatever JSON.parse made of fractions shows when the text is written again. */
function check(value, where, depth) {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new FormatError(where, "has a fraction or an integer beyond 2^53 - 1");
  } else if (typeof value === "string") {
    if (!value.isWellFormed()) throw new FormatError(where, "has a lone surrogate in a string");
  } else if (typeof value === "object" && value !== null) {
    if (depth === MAX_DEPTH) throw new FormatError(where, `is nested deeper than ${MAX_DEPTH}`);
    const items = Array.isArray(value) ? value : Object.values(value);
    for (const item of items) check(item, where, depth + 1);
    if (items !== value) for (const name of Object.keys(value)) check(name, where, depth + 1);
  }
}

/** JSON.stringify escapes as RFC 8785 asks; names are in the order of their UTF-16 units, which is sort()'s own. */
function write(value) {
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${write(value[name])}`).join(",")}}`;
}

/** Reads one object's members by name and type; `done()` refuses members that nobody asked for.
 *  A member of an `optional…` kind must be present and may be null. Errors name the path to the member. */
export class Fields {
  constructor(members, where) {
    this.where = where;
    this.members_ = members;
    this.unread = new Set(Object.keys(members));
  }

  has(name) {
    return Object.hasOwn(this.members_, name);
  }

  done() {
    if (this.unread.size) {
      const first = [...this.unread].sort(byCodePoint)[0];
      throw new FormatError(this.where, `has an unknown member '${first.slice(0, 40)}'`);
    }
  }

  fault(name, what) {
    return new FormatError(`${this.where}.${name}`, what);
  }

  value(name) {
    if (!this.has(name)) throw new FormatError(this.where, `has no member '${name}'`);
    this.unread.delete(name);
    return this.members_[name];
  }

  text(name) {
    const value = this.value(name);
    if (typeof value !== "string") throw this.fault(name, "is not a string");
    return value;
  }

  word(name) {
    const value = this.text(name);
    if (!isWord(value)) throw this.fault(name, "is not a lower-case word");
    return value;
  }

  literal(name, expected) {
    if (this.value(name) !== expected) throw this.fault(name, typeof expected === "string" ? `is not '${expected}'` : `is not ${expected}`);
  }

  boolean(name) {
    const value = this.value(name);
    if (typeof value !== "boolean") throw this.fault(name, "is not true or false");
    return value;
  }

  integer(name, low = 0, high = MAX_INTEGER) {
    const value = this.value(name);
    if (typeof value !== "number") throw this.fault(name, "is not an integer");
    if (value < low || value > high) throw this.fault(name, `is not within ${low} … ${high}`);
    return value;
  }

  /** A signed 64-bit integer written as decimal text, as a BigInt. */
  decimal(name) {
    const value = this.text(name);
    if (value.length > 20 || !DECIMAL.test(value) || BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
      throw this.fault(name, "is not a 64-bit integer in decimal");
    }
    return BigInt(value);
  }

  hex(name, length) {
    return parseHex(this.text(name), length, `${this.where}.${name}`);
  }

  base64(name) {
    return parseBase64(this.text(name), `${this.where}.${name}`);
  }

  uuid(name) {
    const value = this.text(name);
    if (!isUuid(value)) throw this.fault(name, "is not a UUID in its usual form");
    return value;
  }

  time(name) {
    return parseTime(this.text(name), `${this.where}.${name}`);
  }

  /** An object whose member names are data. */
  members(name) {
    const value = this.value(name);
    if (!isObject(value)) throw this.fault(name, "is not an object");
    return value;
  }

  object(name) {
    return new Fields(this.members(name), `${this.where}.${name}`);
  }

  array(name) {
    const value = this.value(name);
    if (!Array.isArray(value)) throw this.fault(name, "is not an array");
    return value;
  }

  objects(name) {
    return this.array(name).map((item, place) => {
      if (!isObject(item)) throw this.fault(`${name}[${place}]`, "is not an object");
      return new Fields(item, `${this.where}.${name}[${place}]`);
    });
  }

  texts(name) {
    return this.array(name).map((item, place) => {
      if (typeof item !== "string") throw this.fault(`${name}[${place}]`, "is not a string");
      return item;
    });
  }

  /** The member by `read`, one of the methods above by name, or null where it is null. */
  optional(read, name, ...more) {
    return this.value(name) === null ? null : this[read](name, ...more);
  }
}
