// Bytes as text, one text per byte string: lower-case hex, and standard base64 with padding (RFC 4648 section 4).
// Digests and keys travel through this program as lower-case hex, so that === compares them.

import { FormatError } from "./errors.js";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const PIECE = 0x8000; // String.fromCharCode takes its arguments on the stack

export function toHex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of lower-case hex that was checked before. */
export function fromHex(text) {
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** Exactly `length` bytes as lower-case hex without separators; given back as that text. */
export function parseHex(text, length, where) {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) {
    throw new FormatError(where, `is not ${length} bytes in lower-case hex`);
  }
  return text;
}

export function encodeBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += PIECE) text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}

/** Refuses other alphabets, missing padding, and padding bits that are not zero. */
export function parseBase64(text, where) {
  const body = text.endsWith("==") ? text.slice(0, -2) : text.endsWith("=") ? text.slice(0, -1) : text;
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(body)) throw new FormatError(where, "is not base64");
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  const last = bytes.subarray(bytes.length - (bytes.length % 3 || 3)); // only there can bits be unused
  if (encodeBase64(last) !== text.slice(-4)) throw new FormatError(where, "is not the canonical base64 of its bytes");
  return bytes;
}

export function utf8(text) {
  return ENCODER.encode(text);
}

/** The text of UTF-8 bytes; a TypeError where they are none. A byte order mark stays. */
export function decodeUtf8(bytes) {
  return DECODER.decode(bytes);
}

export function equalBytes(one, other) {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

export function concatBytes(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Sorts as Python does: by code point, not by UTF-16 unit. */
export function byCodePoint(one, other) {
  const [a, b] = [one[Symbol.iterator](), other[Symbol.iterator]()];
  for (;;) {
    const [x, y] = [a.next(), b.next()];
    if (x.done || y.done) return x.done === y.done ? 0 : x.done ? -1 : 1;
    if (x.value !== y.value) return x.value.codePointAt(0) - y.value.codePointAt(0);
  }
}

/** How many code points a text has, which is what every limit on characters counts. */
export function characters(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
