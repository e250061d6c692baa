// A small strict reader of DER (X.690): definite lengths in their shortest form, tags of one byte, nothing after the end.
// An element is {tag, body, raw}; `raw` has tag and length, as signatures and comparisons of names need it.

import { toHex } from "./binary_text.js";
import { FormatError } from "./errors.js";
import { parseTime } from "./timestamp.js";

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const NULL = 0x05;
export const OID = 0x06;
export const ENUMERATED = 0x0a;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;
const CONSTRUCTED = 0x20;
const MAX_DEPTH = 24; // a certificate within a token has twelve

/** [n], constructed unless told. */
export const context = (number, constructed = true) => 0x80 | (constructed ? CONSTRUCTED : 0) | number;

const fault = (what) => new FormatError("DER", what);

/** The one element that these bytes are. Everything constructed in it is read too, so that what follows finds no damage. */
export function readDer(bytes, depth = 0) {
  const [element, end] = readAt(bytes, 0, depth);
  if (end !== bytes.length) throw fault("has bytes after its end");
  return element;
}

function readAt(bytes, at, depth) {
  if (depth > MAX_DEPTH) throw fault("is nested too deep");
  if (at + 2 > bytes.length) throw fault("is cut short");
  const tag = bytes[at];
  if ((tag & 0x1f) === 0x1f) throw fault("has a tag of several bytes");
  let [length, start] = [bytes[at + 1], at + 2];
  if (length & 0x80) {
    const count = length & 0x7f;
    if (count < 1 || count > 4 || start + count > bytes.length) throw fault("has a length in no form that DER knows");
    length = bytes.subarray(start, start + count).reduce((sum, byte) => sum * 256 + byte, 0);
    start += count;
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) throw fault("has a length that is not in its shortest form");
  }
  const end = start + length;
  if (end > bytes.length) throw fault("is cut short");
  const element = { tag, body: bytes.subarray(start, end), raw: bytes.subarray(at, end) };
  if (tag & CONSTRUCTED) element.children = readSeveral(element.body, depth + 1);
  return [element, end];
}

function readSeveral(bytes, depth) {
  const children = [];
  for (let at = 0; at < bytes.length; ) {
    const [child, end] = readAt(bytes, at, depth);
    children.push(child);
    at = end;
  }
  return children;
}

/** Takes a constructed element's children one after another. */
export class Members {
  constructor(element, tag, what) {
    if (element?.tag !== tag || !element.children) throw fault(`has no ${what} where one belongs`);
    this.left = [...element.children];
    this.what = what;
  }

  take(tag) {
    const child = this.left.shift();
    if (child?.tag !== tag) throw fault(`has a ${this.what} that is not in its form`);
    return child;
  }

  /** The next child where it has this tag, else null. */
  takeOptional(tag) {
    return this.left[0]?.tag === tag ? this.left.shift() : null;
  }

  takeSequence(what) {
    return new Members(this.take(SEQUENCE), SEQUENCE, what);
  }

  done() {
    if (this.left.length) throw fault(`has a ${this.what} with more in it than belongs`);
  }
}

/** Dotted, as standards write them. */
export function oidText(element) {
  const bytes = element.body;
  if (!bytes.length || bytes[bytes.length - 1] & 0x80) throw fault("has an object identifier that is cut short");
  const arcs = [];
  let [value, begun] = [0n, false];
  for (const byte of bytes) {
    if (!begun && byte === 0x80) throw fault("has an object identifier not in its shortest form");
    value = (value << 7n) | BigInt(byte & 0x7f);
    begun = true;
    if (byte & 0x80) continue;
    if (!arcs.length) arcs.push(value < 80n ? value / 40n : 2n, value < 80n ? value % 40n : value - 80n);
    else arcs.push(value);
    [value, begun] = [0n, false];
  }
  return arcs.join(".");
}

/** An INTEGER's value. */
export function integer(element) {
  const bytes = element.body;
  const padded = bytes.length > 1 && ((bytes[0] === 0 && !(bytes[1] & 0x80)) || (bytes[0] === 0xff && bytes[1] & 0x80));
  if (!bytes.length || padded) throw fault("has an integer that is not in its shortest form");
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${toHex(bytes)}`));
}

export function boolean(element) {
  if (element.body.length !== 1 || ![0, 0xff].includes(element.body[0])) throw fault("has a truth value that is none");
  return element.body[0] === 0xff;
}

/** The whole bytes of a BIT STRING. */
export function bitBytes(element) {
  if (element.body[0] !== 0) throw fault("has a bit string that is not whole bytes");
  return element.body.subarray(1);
}

/** A UTCTime or GeneralizedTime in UTC as text of timestamp.js; what is finer than a second is cut off. */
export function time(element) {
  const text = String.fromCharCode(...element.body);
  const short = element.tag === UTC_TIME ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text) : null;
  const long = element.tag === GENERALIZED_TIME ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d*[1-9])?Z$/.exec(text) : null;
  const found = short ?? long;
  if (!found) throw fault("has a time that is none");
  const [, year, month, day, hour, minute, second] = found;
  const full = short ? (Number(year) < 50 ? `20${year}` : `19${year}`) : year; // RFC 5280 4.1.2.5.1
  return parseTime(`${full}-${month}-${day}T${hour}:${minute}:${second}.000000Z`);
}

/** Whether the children of a SET OF stand in DER's order. */
export function isOrdered(children) {
  return children.every((child, place) => place === 0 || toHex(children[place - 1].raw) <= toHex(child.raw));
}
