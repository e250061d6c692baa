// Check 5: each receipt is for this exhibit and against this bundle's checkpoint.

import { equalBytes } from "./binary_text.js";
import { FormatError, SyncError } from "./errors.js";
import { counted } from "./findings.js";
import * as layout from "./layout.js";
import { parseCheckpoint, parseNote } from "./note.js";
import { MAX_RECEIPT, parseReceipt, verifyReceipt } from "./receipt.js";

const CHECK = 5;

/** The numbers of the exhibits whose receipt holds in every part, as a Set. */
export async function checkReceipts(contents, index, log, held, findings) {
  const sound = new Set();
  for (const exhibit of index.exhibits) {
    if (await checkReceipt(contents, exhibit, log, held, findings)) sound.add(exhibit.number);
  }
  findings.counted.set(CHECK, `${counted(sound.size, "receipt")}, each for its statement and bytes`);
  return sound;
}

async function checkReceipt(contents, exhibit, log, held, findings) {
  const where = layout.receipt(exhibit.number);
  const bytes = await contents.read(CHECK, where, MAX_RECEIPT);
  if (!bytes) return false;
  let receipt;
  try {
    receipt = parseReceipt(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(CHECK, "receipt.form", where, `${error.where} ${error.what}`);
    return false;
  }
  const faults = findings.total;
  checkAgainstLog(receipt, exhibit, log, held, where, findings);
  if (log && findings.total === faults) {
    try {
      verifyReceipt(receipt, log.vkey, exhibit.statement, exhibit.content);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      findings.fault(CHECK, "receipt.proof", where, error.message);
    }
  }
  return log !== null && findings.total === faults;
}

function checkAgainstLog(receipt, exhibit, log, held, where, findings) {
  const { received } = exhibit;
  if (receipt.index !== BigInt(received)) {
    const what = `is for log entry ${receipt.index}, the exhibit was received at ${received}`;
    findings.fault(CHECK, "receipt.index", where, what);
  }
  const entry = held.get(received);
  if (!entry) {
    const what = `cannot be held against log entry ${received}: the bundle has none that holds`;
    findings.fault(CHECK, "receipt.entry", where, what);
  } else if (!equalBytes(entry.encoded, receipt.entry)) {
    findings.fault(CHECK, "receipt.entry", where, `has other bytes for log entry ${received} than the log`);
  } else if (entry.entry.kind !== "exhibit.received") {
    findings.fault(CHECK, "receipt.entry", where, `is for a log entry of the kind ${entry.entry.kind}`);
  }
  if (log && receipt.note !== log.text) {
    const what = `is not against the bundle's checkpoint${treeSize(receipt, log)}`;
    findings.fault(CHECK, "receipt.checkpoint", where, what);
  }
}

function treeSize(receipt, log) {
  try {
    const { size } = parseCheckpoint(parseNote(receipt.note).body);
    if (size === log.checkpoint.size) return "";
    return `: its tree has ${size} entries, the bundle's ${log.checkpoint.size}`;
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return ", and its own cannot be read";
  }
}
