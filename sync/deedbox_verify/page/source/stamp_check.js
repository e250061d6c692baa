// Check 9, not after: cosignatures of pinned witnesses, time stamps of pinned authorities.

import { decodeUtf8 } from "./binary_text.js";
import { FormatError, SyncError } from "./errors.js";
import * as layout from "./layout.js";
import { verifyConsistency } from "./merkle.js";
import { parseCheckpoint, parseNote, parseVkey, verifyNote } from "./note.js";
import { parseConsistency, parseRevocation } from "./proven.js";
import { sha256 } from "./sha256.js";
import { StampError, StampRevokedError, StampUnavailableError, verifyStamp } from "./stamp.js";
import { fromSeconds } from "./timestamp.js";

const CHECK = 9;

/** The checkpoint's own cosignatures, and each older checkpoint that the log signed and continued:
 *  {sightings, stamps, unchecked, unavailable}, as OutsideTime has them. */
export async function checkSeen(contents, indexed, log, held, trust, findings) {
  const notes = [{ size: log.checkpoint.size, where: layout.CHECKPOINT, note: log.note }];
  const [unchecked, found] = [[], []];
  const told = entriesByToken(held);
  let unavailable = false;
  for (const { size, tokens } of indexed) {
    const note = await checkNote(contents, size, log, findings);
    if (!note) continue;
    notes.push({ size: BigInt(size), where: layout.stampNote(size), note });
    for (let number = 1; number <= tokens; number++) {
      try {
        const stamp = await checkToken(contents, size, number, note, log, told, trust, findings);
        if (stamp) found.push(stamp);
      } catch (error) {
        if (error instanceof StampRevokedError) {
          findings.remark(`Time stamp ${size}-${number} proves nothing: ${error.message}.`);
        } else if (error instanceof StampUnavailableError || error instanceof StampError) {
          unavailable ||= trust.tsaRoots.length > 0 && error instanceof StampUnavailableError;
          unchecked.push(`time stamp ${size}-${number}: ${error.message}`);
        } else {
          throw error;
        }
      }
    }
  }
  const sightings = notes.flatMap((one) => witnessed(one, trust, findings));
  const strangers = new Set(notes.flatMap(({ note }) => strangersOf(note, log, trust)));
  if (strangers.size) {
    unchecked.push(`signatures on the checkpoint by keys you do not pin: ${[...strangers].sort().join(", ")}`);
  }
  return { sightings, stamps: renewed(found, told), unchecked, unavailable };
}

/** The older checkpoint as a note, where the log signed it and the bundle's tree continues it; else null. */
async function checkNote(contents, size, log, findings) {
  const [where, path] = [layout.stampNote(size), layout.stampConsistency(size)];
  const bytes = await contents.read(CHECK, where, layout.MAX_NOTE);
  const proof = await contents.read(CHECK, path, layout.MAX_CONSISTENCY);
  if (!bytes || !proof) return null;
  let note, old;
  try {
    note = parseNote(decodeUtf8(bytes));
    verifyNote(note, [log.vkey]);
    old = parseCheckpoint(note.body);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    findings.fault(CHECK, "stamp.note", where, `is not a checkpoint signed by the log: ${error.message}`);
    return null;
  }
  if (old.origin !== log.checkpoint.origin || old.size !== BigInt(size)) {
    findings.fault(CHECK, "stamp.note", where, "is a checkpoint of another tree than its name says");
    return null;
  }
  try {
    const told = parseConsistency(proof, path);
    if (told.size !== size) throw new FormatError(path, `is about a tree of ${told.size} entries`);
    verifyConsistency(BigInt(size), log.checkpoint.size, told.path, old.root, log.checkpoint.root);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    findings.fault(CHECK, "stamp.consistency", path, error.message);
    return null;
  }
  return note;
}

/** No note of ours, or no UTF-8 (a TypeError of TextDecoder). */
function isUnreadable(error) {
  return error instanceof SyncError || error instanceof TypeError;
}

/** The stamp with its response's `digest`; null where a fault was told. StampError, StampUnavailableError. */
async function checkToken(contents, size, number, note, log, told, trust, findings) {
  const where = layout.stampToken(size, number);
  const token = await contents.read(CHECK, where, layout.MAX_TOKEN);
  const text = await contents.read(CHECK, layout.stampText(size, number), layout.MAX_NOTE);
  const path = layout.stampRevocation(size, number);
  const revocation = await contents.read(CHECK, path, layout.MAX_REVOCATION);
  if (!token || !text || !revocation) return null;
  if (!isSame(text, note, log)) {
    const what = `is not ${layout.stampNote(size)} as the log signed it`;
    findings.fault(CHECK, "stamp.text", layout.stampText(size, number), what);
    return null;
  }
  const crls = findings.catching(CHECK, "stamp.revocation", path, () => parseRevocation(revocation, path)) ?? [];
  const digest = sha256(token);
  for (const entry of told.get(digest) ?? []) {
    if (entry.data.size !== size || entry.data.checkpoint !== sha256(text)) {
      findings.fault(CHECK, "stamp.entry", where, `is of another checkpoint than log entry ${entry.seq} says`);
    }
  }
  try {
    return { size, number, digest, ...(await verifyStamp(token, text, trust.tsaRoots, crls)) };
  } catch (error) {
    if (!(error instanceof StampError && error.broken)) throw error;
    findings.fault(CHECK, "stamp.token", where, error.message);
    return null;
  }
}

/** The stamped note says the same, under the log's own signature; it may have fewer cosignatures. */
function isSame(text, note, log) {
  try {
    const stamped = parseNote(decodeUtf8(text));
    verifyNote(stamped, [log.vkey]);
    return stamped.body === note.body;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return false;
  }
}

/** The log entries that tell of a time stamp, by the digest of its response. */
function entriesByToken(held) {
  const entries = [...held.values()].map(({ entry }) => entry).filter(({ kind }) => kind === "time.stamp");
  return Map.groupBy(entries, ({ data }) => data.token);
}

/** Each stamp with the longest lasting later one that shows it existed. */
function renewed(found, told) {
  return found.map(({ digest, ...stamp }) => {
    const first = Math.min(...(told.get(digest) ?? []).map(({ seq }) => seq)); // Infinity where there is none
    const over = found.filter((other) => other.size > first && other.expires > stamp.expires);
    const last = over.reduce((best, one) => (best && best.expires >= one.expires ? best : one), null);
    const by = last && { time: last.time, by: last.authority };
    return { ...stamp, renewed: by, renewedUntil: last && last.expires };
  });
}

function witnessed({ size, where, note }, trust, findings) {
  const sightings = [];
  for (const vkey of trust.witnesses) {
    const { name, keyId } = parseVkey(vkey);
    if (!note.signatures.some((line) => line.name === name && line.keyId === keyId)) continue;
    const held = findings.catching(CHECK, "witness.signature", where, () => verifyNote(note, [vkey]));
    const seconds = held?.get(name) ?? null;
    if (seconds === null) continue; // told; or time 0: the witness does not say when
    const time = fromSeconds(seconds);
    if (time === null) {
      findings.fault(CHECK, "witness.signature", where, `has a cosignature by ${name} at an impossible time`);
      continue;
    }
    sightings.push({ size, time, by: name });
  }
  return sightings;
}

function strangersOf(note, log, trust) {
  const known = new Set([log.vkey, ...trust.witnesses].map(parseVkey).map(({ name, keyId }) => `${name}+${keyId}`));
  return note.signatures.filter(({ name, keyId }) => !known.has(`${name}+${keyId}`)).map(({ name }) => name);
}
