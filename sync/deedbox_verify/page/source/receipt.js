// Receipts (formats/receipt.md) and the c2sp.org/tlog-proof@v1 inside them.

import { characters, parseBase64 } from "./binary_text.js";
import { Fields, parseObject } from "./canonical_json.js";
import { parseOpenings, verifyOpening } from "./commitment.js";
import { parseEntry } from "./entry.js";
import { FormatError, ProofError } from "./errors.js";
import { HASH_LENGTH, leafHash, MAX_PATH, MAX_SIZE, verifyInclusion } from "./merkle.js";
import { parseCheckpoint, parseNote, parseVkey, verifyNote } from "./note.js";

export const MAX_RECEIPT = 131_072; // an entry of any allowed size in base64, and 40 KiB for the rest
const HEADER = "c2sp.org/tlog-proof@v1";
const INDEX = /^index (0|[1-9][0-9]{0,18})$/;

/** {entry (bytes), openings, index (BigInt), path, note (text)}, none of it verified yet. */
export function parseReceipt(bytes) {
  const fields = new Fields(parseObject(bytes, MAX_RECEIPT, "receipt"), "receipt");
  fields.literal("v", 1);
  const entry = fields.base64("entry");
  const openings = parseOpenings(fields, "openings");
  const proof = parseProof(fields.text("proof"));
  fields.done();
  return { entry, openings, ...proof };
}

function parseProof(text) {
  if (characters(text) > MAX_RECEIPT) throw new FormatError("proof", `is longer than ${MAX_RECEIPT}`);
  const gap = text.indexOf("\n\n");
  const [header, ...rest] = (gap < 0 ? text : text.slice(0, gap)).split("\n");
  const found = rest.length ? INDEX.exec(rest[0]) : null;
  if (gap < 0 || header !== HEADER || !found) throw new FormatError("proof", `is not a ${HEADER} with its index`);
  const index = BigInt(found[1]);
  if (rest.length - 1 > MAX_PATH || index > MAX_SIZE) {
    throw new FormatError("proof", "has an index or a path beyond any tree");
  }
  const path = rest.slice(1).map((line) => parseBase64(line, "proof path"));
  if (path.some((node) => node.length !== HASH_LENGTH)) {
    throw new FormatError("proof path", `has a hash that is not ${HASH_LENGTH} bytes`);
  }
  return { index, path, note: text.slice(gap + 2) };
}

/** Checks a receipt against the log's key, in the order of the format page. FormatError or ProofError names the first step
 *  that fails. `statement` and `content` are the digests (hex) that it must be for. */
export function verifyReceipt(receipt, vkey, statement, content) {
  const entry = parseEntry(receipt.entry);
  const checkpoint = checkpointOf(receipt.note, vkey);
  verifyInclusion(receipt.index, checkpoint.size, leafHash(receipt.entry), receipt.path, checkpoint.root);
  if (BigInt(entry.seq) !== receipt.index) throw new ProofError("the entry's number is not its place in the log");
  for (const opening of receipt.openings) {
    const committed = entry.commitments.get(opening.field);
    if (committed === undefined) throw new ProofError(`the entry commits to no ${opening.field}`);
    verifyOpening(opening, committed);
  }
  for (const [field, expected] of [["statement", statement], ["content", content]]) {
    const opening = receipt.openings.find((one) => one.field === field);
    if (!opening) throw new ProofError(`the receipt does not open ${field}`);
    if (opening.value !== expected) throw new ProofError(`the receipt is for another ${field}`);
  }
}

let last = { note: null, vkey: null, checkpoint: null }; // a bundle's receipts share one: its signature is verified once

function checkpointOf(text, vkey) {
  if (last.note === text && last.vkey === vkey) return last.checkpoint;
  const note = parseNote(text);
  verifyNote(note, [vkey]);
  const checkpoint = parseCheckpoint(note.body);
  if (checkpoint.origin !== parseVkey(vkey).name) throw new ProofError("the checkpoint is another log's");
  last = { note: text, vkey, checkpoint };
  return checkpoint;
}
