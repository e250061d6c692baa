// Checks 2 and 3: the checkpoint and its signatures, and each entry's place under it.

import { decodeUtf8, equalBytes } from "./binary_text.js";
import { verifyOpening } from "./commitment.js";
import { parseEntry } from "./entry.js";
import { FormatError, ProofError, SyncError } from "./errors.js";
import { counted } from "./findings.js";
import * as layout from "./layout.js";
import { leafHash, verifyInclusion } from "./merkle.js";
import { boxOfOrigin, ED25519, parseCheckpoint, parseNote, parseVkey, verifyNote } from "./note.js";
import { parseEntries } from "./proven.js";
import { sha256 } from "./sha256.js";
import { encodePem } from "./sigstore.js";

const [LOG, ENTRIES] = [2, 3];

/** The bundle's checkpoint: {checkpoint, note, text, vkey, signed (by the key the bundle names), pinned (the reader trusts
 *  that key)}. Null where there is no readable one, and so nothing to hold entries against. */
export async function checkLog(contents, index, trust, findings) {
  const bytes = await contents.read(LOG, layout.CHECKPOINT, layout.MAX_NOTE);
  if (!bytes) return null;
  let text, note, checkpoint;
  try {
    text = decodeUtf8(bytes);
    note = parseNote(text);
    checkpoint = parseCheckpoint(note.body);
  } catch (error) {
    if (!(error instanceof SyncError || error instanceof TypeError)) throw error;
    findings.fault(LOG, "log.checkpoint", layout.CHECKPOINT, `cannot be read as a checkpoint: ${error.message}`);
    return null;
  }
  if (checkpoint.origin !== index.origin) {
    findings.fault(LOG, "log.origin", layout.CHECKPOINT, `is of the log ${checkpoint.origin}, the bundle's is ${index.origin}`);
  }
  if (checkpoint.size !== BigInt(index.checkpointSize)) {
    const what = `is of a tree of ${checkpoint.size} entries, the bundle's has ${index.checkpointSize}`;
    findings.fault(LOG, "log.size", layout.CHECKPOINT, what);
  }
  const signed = await checkKey(contents, index, note, findings);
  const pinned = trust.logs.includes(index.vkey);
  if (trust.logs.length && !pinned) {
    findings.fault(LOG, "log.unpinned", layout.INDEX, "names a log key that is not among those you trust");
  }
  const words = `${checkpoint.origin}, ${counted(Number(checkpoint.size), "entry", "entries")}`;
  findings.counted.set(LOG, `${words}, checkpoint signed`);
  return { checkpoint, note, text, vkey: index.vkey, signed, pinned };
}

async function checkKey(contents, index, note, findings) {
  let verifier, box;
  try {
    verifier = parseVkey(index.vkey);
    box = boxOfOrigin(index.origin);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(LOG, "log.key", layout.INDEX, `${error.where} ${error.what}`);
    return false;
  }
  if (verifier.algorithm !== ED25519 || verifier.name !== index.origin) {
    findings.fault(LOG, "log.key", layout.INDEX, "names a key that is not this log's");
    return false;
  }
  if (box !== index.box) findings.fault(LOG, "log.origin", layout.INDEX, "names another box than the log's origin does");
  const pem = await contents.read(LOG, layout.LOG_KEY, layout.MAX_PEM);
  if (pem && !equalBytes(pem, encodePem(verifier.publicKey))) {
    findings.fault(LOG, "log.key", layout.LOG_KEY, "is not the log key that data/bundle.json names");
  }
  try {
    verifyNote(note, [index.vkey]);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    findings.fault(LOG, "log.signature", layout.CHECKPOINT, `is not signed by the log's key: ${error.message}`);
    return false;
  }
  return true;
}

/** The entries that hold, Map of index → {entry, encoded}. Those with a fault are left out, and told. */
export async function checkEntries(contents, log, findings) {
  const bytes = await contents.read(ENTRIES, layout.ENTRIES, layout.MAX_ENTRIES);
  if (!bytes || !log) {
    if (bytes) findings.fault(ENTRIES, "entry.proof", layout.ENTRIES, "cannot be checked without a checkpoint");
    return new Map();
  }
  const items = findings.catchingInPlace(ENTRIES, "entry.form", () => parseEntries(bytes));
  if (!items) return new Map();
  const held = new Map();
  for (const item of items) {
    const found = checkEntry(item, log, findings);
    if (found) held.set(item.index, found);
  }
  checkNeighbours(items, held, findings);
  const words = counted(items.length, "entry", "entries");
  findings.counted.set(ENTRIES, `${words}, each proven to be in the log, in order`);
  return held;
}

function checkEntry(item, log, findings) {
  const where = `log entry ${item.index}`;
  let entry;
  try {
    entry = parseEntry(item.entry);
    if (entry.seq !== item.index) {
      findings.fault(ENTRIES, "entry.index", where, `calls itself entry ${entry.seq}`);
      return null;
    }
    verifyInclusion(BigInt(item.index), log.checkpoint.size, leafHash(item.entry), item.path, log.checkpoint.root);
  } catch (error) {
    if (error instanceof FormatError) findings.fault(ENTRIES, "entry.form", where, `${error.where} ${error.what}`);
    else if (error instanceof ProofError) findings.fault(ENTRIES, "entry.proof", where, error.message);
    else throw error;
    return null;
  }
  const { kind, data } = entry;
  if (item.index === 0 && !(kind === "log.opened" && data.origin === log.checkpoint.origin && data.vkey === log.vkey)) {
    findings.fault(ENTRIES, "entry.opened", where, "does not open this log under this key");
  }
  return { entry, encoded: item.entry };
}

function checkNeighbours(items, held, findings) {
  for (const [place, after] of items.entries()) {
    const before = items[place - 1];
    const [one, other] = [before && held.get(before.index), held.get(after.index)];
    if (!one || !other) continue;
    const where = `log entry ${after.index}`;
    if (after.index === before.index + 1 && other.entry.prev !== sha256(one.encoded)) {
      findings.fault(ENTRIES, "entry.prev", where, "does not continue the entry before it");
    }
    if (other.entry.time < one.entry.time) {
      findings.fault(ENTRIES, "entry.time", where, `is earlier than entry ${before.index}`);
    }
  }
}

/** The opened values, Map of field → hex; an opening that does not open its commitment is told and left out. */
export function checkOpenings(check, code, where, openings, entry, findings) {
  const values = new Map();
  for (const opening of openings) {
    const committed = entry.commitments.get(opening.field);
    if (committed === undefined) {
      findings.fault(check, code, where, `opens ${opening.field}, to which its log entry does not commit`);
      continue;
    }
    try {
      verifyOpening(opening, committed);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      findings.fault(check, code, where, error.message);
      continue;
    }
    values.set(opening.field, opening.value);
  }
  return values;
}
