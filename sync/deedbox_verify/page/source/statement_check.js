// Check 4: each statement, its signature, and the bytes it speaks of.

import { equalBytes, fromHex } from "./binary_text.js";
import { MAX_ENVELOPE, parseEnvelope, verifyEnvelope } from "./dsse.js";
import { FormatError, ProofError } from "./errors.js";
import { counted } from "./findings.js";
import * as layout from "./layout.js";
import { safeName, shown } from "./names.js";
import { sha256 } from "./sha256.js";
import { encodeSigstore } from "./sigstore.js";
import { parseStatement } from "./statement.js";

const CHECK = 4;

/** Map of exhibit number → {statement, digest, signed (by its device's key), matches (the original is what it speaks of)}. */
export async function checkStatements(contents, index, devices, findings, progress) {
  const held = new Map();
  for (const exhibit of index.exhibits) {
    const found = await checkStatement(contents, index, exhibit, devices, findings, progress);
    if (found) held.set(exhibit.number, found);
  }
  checkJournals(held, findings);
  const words = counted(held.size, "statement");
  findings.counted.set(CHECK, `${words}, signed, each about the very bytes of its original`);
  return held;
}

/** Each statement is for the case in which its custody begins: the bundle's, but where the exhibit was refiled. */
export function checkCases(index, statements, firstCases, findings) {
  for (const [number, { statement }] of statements) {
    const first = firstCases.get(number) ?? index.case.id;
    if (statement.case === null || statement.case === first) continue;
    const same = first === index.case.id;
    const other = same ? `the bundle's is ${first}` : `its custody begins in case ${first}`;
    findings.fault(CHECK, "statement.case", layout.statement(number), `is for case ${statement.case}, ${other}`);
  }
}

async function checkStatement(contents, index, exhibit, devices, findings, progress) {
  const where = layout.statement(exhibit.number);
  const bytes = await contents.read(CHECK, where, MAX_ENVELOPE);
  if (!bytes) return null;
  let envelope, statement;
  try {
    envelope = parseEnvelope(bytes);
    statement = parseStatement(envelope.payload);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(CHECK, "statement.form", where, `${error.where} ${error.what}`);
    return null;
  }
  if (!statement) {
    findings.fault(CHECK, "statement.form", where, "is about a gap in a journal, not about a file");
    return null;
  }
  const digest = sha256(envelope.payload);
  if (digest !== exhibit.statement) {
    findings.fault(CHECK, "statement.digest", where, "is not the statement that data/bundle.json names");
  }
  if (statement.file.name !== exhibit.name) {
    findings.fault(CHECK, "statement.name", where, `is about a file called ${shown(statement.file.name)}`);
  }
  if (exhibit.captured === (statement.device.id === index.box)) {
    const what = exhibit.captured ? "is by the box itself" : "is by a desk";
    const told = exhibit.captured ? "captured" : "received only";
    findings.fault(CHECK, "statement.captured", where, `${what}, data/bundle.json says ${told}`);
  }
  const signed = await checkSignature(contents, exhibit, envelope, statement, devices, findings);
  const matches = await checkOriginal(contents, exhibit, statement, findings, progress);
  return { statement, digest, signed, matches };
}

async function checkSignature(contents, exhibit, envelope, statement, devices, findings) {
  const where = layout.statement(exhibit.number);
  const device = devices.get(statement.device.id);
  if (!device) {
    const what = `is by device ${statement.device.id}, of which the bundle has no readable file`;
    findings.fault(CHECK, "statement.device", where, what);
    return false;
  }
  const named = sha256(fromHex(device.key)) === statement.device.key;
  if (!named) findings.fault(CHECK, "statement.key", where, "names another key than its device has");
  const path = layout.sigstore(exhibit.number);
  const twin = await contents.read(CHECK, path, 2 * MAX_ENVELOPE);
  if (twin && !equalBytes(twin, encodeSigstore(envelope, device.key))) {
    findings.fault(CHECK, "statement.sigstore", path, "is not the same statement in Sigstore's form");
  }
  try {
    verifyEnvelope(envelope, device.key);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    findings.fault(CHECK, "statement.signature", where, `is not signed by device ${device.id}`);
    return false;
  }
  return named;
}

async function checkOriginal(contents, exhibit, statement, findings, progress) {
  const path = layout.original(exhibit.number, safeName(exhibit.name));
  const faults = findings.total;
  if (exhibit.path !== path) {
    findings.fault(CHECK, "statement.path", layout.INDEX, `has exhibit ${exhibit.number} elsewhere than at ${path}`);
  }
  const content = statement.digests.sha256;
  if (exhibit.content !== content || exhibit.size !== statement.file.size) {
    const what = `does not say the same of exhibit ${exhibit.number} as its statement`;
    findings.fault(CHECK, "statement.index", layout.INDEX, what);
  }
  const measured = contents.measures.get(path);
  if (!measured) {
    findings.fault(CHECK, "file.missing", path, "is missing or cannot be read");
    return false;
  }
  if (measured.sha256 !== content) {
    findings.fault(CHECK, "statement.content", path, "is not the file that was captured: its SHA-256 is another");
  } else if (measured.size !== statement.file.size) {
    findings.fault(CHECK, "statement.size", path, `has ${measured.size} bytes, captured were ${statement.file.size}`);
  }
  const others = Object.keys(statement.digests).filter((name) => name !== "sha256").sort();
  if (others.length && measured.sha256 === content) {
    const found = await contents.digests(path, others, progress);
    for (const name of others.filter((one) => found[one] !== statement.digests[one])) {
      findings.fault(CHECK, "statement.content", path, `has another ${name} than the statement says`);
    }
  }
  return findings.total === faults;
}

/** The desk's own chain, wherever two neighbours of it are in the bundle. */
function checkJournals(held, findings) {
  const journals = Map.groupBy(held, ([, item]) => item.statement.device.id);
  for (const places of journals.values()) {
    places.sort(([a, one], [b, other]) => one.statement.journal.sequence - other.statement.journal.sequence || a - b);
    for (const [place, [number, item]] of places.entries()) {
      if (!place) continue;
      const [before, other] = places[place - 1];
      const [last, here] = [other.statement.journal, item.statement.journal];
      const where = layout.statement(number);
      if (here.sequence === last.sequence) {
        const what = `has the journal number ${here.sequence}, and so has exhibit ${before}'s`;
        findings.fault(CHECK, "statement.journal", where, what);
      } else if (here.sequence === last.sequence + 1 && here.previous !== other.digest) {
        const what = `does not continue the journal where exhibit ${before}'s statement left it`;
        findings.fault(CHECK, "statement.journal", where, what);
      }
    }
  }
}
