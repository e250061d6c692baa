// Check 9, not before: runs of log entries from a beacon to an exhibit, and the beacons in them and in statements.

import { QUICKNET, readBeacon, roundTime, verifyBeacon } from "./beacon.js";
import { equalBytes } from "./binary_text.js";
import { Fields } from "./canonical_json.js";
import { parseEntry } from "./entry.js";
import { FormatError, ProofError } from "./errors.js";
import * as layout from "./layout.js";
import { parseRuns } from "./proven.js";
import { sha256 } from "./sha256.js";

const CHECK = 9;

/** Judges beacons one by one, telling of false ones, and once of each chain that is not known. */
export class Beacons {
  constructor(trust, findings) {
    this.chains = new Map([QUICKNET, ...trust.beacons].map((chain) => [chain.hash, chain]));
    this.findings = findings;
    this.told = new Set();
  }

  /** {index, end, where, vouched} of a beacon in log entry `index`, or in the statement that this entry commits to. Null
   *  where it is of no known chain, or false. */
  judge(beacon, index, end, where) {
    const chain = this.chains.get(beacon.chain);
    if (!chain) {
      this.tell(`Beacons of drand chain ${beacon.chain.slice(0, 16)}… are unchecked: it is not among those you pin.`);
      return null;
    }
    const name = chain.hash === QUICKNET.hash ? "drand quicknet" : `drand chain ${chain.hash.slice(0, 8)}`;
    try {
      const vouched = { time: roundTime(chain, beacon.round), by: `${name} round ${beacon.round}` };
      verifyBeacon(beacon, chain);
      return { index, end, where, vouched };
    } catch (error) {
      if (error instanceof FormatError) this.findings.fault(CHECK, "beacon.form", where, error.what);
      else if (error instanceof ProofError) this.findings.fault(CHECK, "beacon.signature", where, error.message);
      else throw error;
      return null;
    }
  }

  tell(text) {
    if (!this.told.has(text)) this.findings.remark(text);
    this.told.add(text);
  }
}

/** The judged beacons of all runs that are chains and end in a proven entry. */
export async function checkRuns(contents, held, beacons, findings) {
  const bytes = await contents.read(CHECK, layout.TIME, layout.MAX_TIME);
  if (!bytes) return [];
  let runs;
  try {
    runs = parseRuns(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(CHECK, "time.form", layout.TIME, `${error.where} ${error.what}`);
    return [];
  }
  const claimed = [];
  for (const run of runs) {
    for (const [place, beacon] of foundBeacons(checkChain(run, held, findings), findings)) {
      const judged = beacons.judge(beacon, place, run.end, `log entry ${place}`);
      if (judged) claimed.push(judged);
    }
  }
  return claimed;
}

/** The run's entries, where each names the one before; empty where the run does not hold. */
function checkChain(run, held, findings) {
  const entries = [];
  for (const [offset, encoded] of run.entries.entries()) {
    const place = run.first + offset;
    const where = `log entry ${place}`;
    const refuse = (code, what) => {
      findings.fault(CHECK, code, where, what);
      return [];
    };
    let entry;
    try {
      entry = parseEntry(encoded);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return refuse("run.entry", `${error.where} ${error.what}`);
    }
    if (entry.seq !== place) return refuse("run.entry", `calls itself entry ${entry.seq}`);
    if (offset && entry.prev !== sha256(run.entries[offset - 1])) {
      return refuse("run.chain", "does not continue the entry before it");
    }
    if (held.has(place) && !equalBytes(held.get(place).encoded, encoded)) {
      return refuse("run.entry", "has other bytes in data/time.json than in the log");
    }
    entries.push(entry);
  }
  if (!held.has(run.end - 1)) {
    const what = "ends a run and is not among the bundle's entries that hold";
    findings.fault(CHECK, "run.end", `log entry ${run.end - 1}`, what);
    return [];
  }
  if (!hasRound(entries[0])) {
    findings.fault(CHECK, "run.beacon", `log entry ${run.first}`, "begins a run and is no beacon with a round");
    return [];
  }
  return entries;
}

function hasRound(entry) {
  return entry.kind === "time.beacon" && !Object.hasOwn(entry.data, "absent");
}

function foundBeacons(entries, findings) {
  const found = [];
  for (const entry of entries.filter(hasRound)) {
    const where = `log entry ${entry.seq}`;
    try {
      found.push([entry.seq, readBeacon(new Fields(entry.data, where))]);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      findings.fault(CHECK, "beacon.form", where, `is no beacon: ${error.what}`);
    }
  }
  return found;
}

/** The judged beacons in statements, Map of exhibit number; `received`: Map of the log indexes of the exhibits whose receipts
 *  hold. */
export function checkCaptures(statements, received, beacons) {
  const claimed = new Map();
  for (const [number, { statement }] of statements) {
    const { beacon } = statement.captured;
    if (!beacon || !received.has(number)) continue;
    const index = received.get(number);
    const judged = beacons.judge(beacon, index, index + 1, layout.statement(number));
    if (judged) claimed.set(number, judged);
  }
  return claimed;
}
