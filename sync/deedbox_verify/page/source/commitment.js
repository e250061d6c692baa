// Salted commitments and their openings (formats/log.md, Commitment).

import { concatBytes, fromHex, utf8 } from "./binary_text.js";
import { FormatError, ProofError } from "./errors.js";
import { sha256 } from "./sha256.js";

export const FIELDS = ["case", "content", "person", "record", "statement"];
export const SALT_LENGTH = 32;
const MAX_VALUE = 256; // bytes of an opened value
const LENGTH = { case: 16, content: 32, record: 32, statement: 32 };

/** The openings that an object has, in the order of FIELDS: {field, salt, value}, both hex. Others are refused. */
export function parseOpenings(fields, name) {
  const members = fields.object(name);
  const found = [];
  for (const field of FIELDS.filter((one) => members.has(one))) {
    const opening = members.object(field);
    const salt = opening.hex("salt", SALT_LENGTH);
    const length = Math.floor(opening.text("value").length / 2);
    if (length > MAX_VALUE) throw opening.fault("value", "is longer than allowed");
    found.push({ field, salt, value: opening.hex("value", length) });
    opening.done();
  }
  members.done();
  return found;
}

/** ProofError unless the opening hashes to the commitment (hex); FormatError if it is no opening. */
export function verifyOpening(opening, commitment) {
  const value = fromHex(opening.value);
  if (value.length !== (LENGTH[opening.field] ?? value.length)) {
    throw new FormatError("commitment", `value of ${opening.field} has the wrong length`);
  }
  const prefix = utf8(`deedbox/v1/${opening.field}\0`);
  if (sha256(concatBytes(prefix, fromHex(opening.salt), value)) !== commitment) {
    throw new ProofError(`the opening of ${opening.field} is not what the entry commits to`);
  }
}
