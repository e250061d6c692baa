// The three answers, each by itself: intact, anchored, attributed. Built from what was proven, not from what was not refuted.

import { apart, LIMIT_MS } from "./clock.js";
import { latest } from "./outside_time.js";
import { moment, plusSeconds } from "./timestamp.js";

const NOT_ANCHORED = { after: null, afterBy: null, before: null, by: null, unchecked: [] };
const CLOCK_LIMIT_S = LIMIT_MS / 1000;

/** For a bundle whose index cannot be read. */
export function stoppedVerdict(findings, why) {
  return {
    bundle: null,
    case: null,
    origin: null,
    intact: { yes: false, pinned: false, faults: findings.total },
    anchored: { ...NOT_ANCHORED, unchecked: ["the bundle's index cannot be read"] },
    attributed: false,
    exhibits: [],
    stamps: [],
    unavailable: false,
    stopped: why,
    ...told(findings),
  };
}

function told(findings) {
  return { findings: findings.faults, remarks: findings.remarks, counted: findings.counted };
}

/** Everything the verifier says. `proven`: what each check leaves standing: {log, devices, uses, statements, receipts,
 *  custody, time}. */
export function buildVerdict(index, proven, findings) {
  const exhibits = index.exhibits.map((exhibit) => exhibitVerdict(exhibit, proven));
  for (const exhibit of exhibits) tellClock(exhibit, findings);
  return {
    bundle: index.bundle,
    made: index.made,
    case: index.case,
    origin: index.origin,
    intact: { yes: findings.total === 0, pinned: proven.log?.pinned ?? false, faults: findings.total },
    anchored: allAnchored(exhibits, proven.time),
    attributed: exhibits.every((exhibit) => exhibit.attributed.yes),
    exhibits,
    stamps: proven.time.stamps,
    unavailable: proven.time.unavailable,
    stopped: null,
    ...told(findings),
  };
}

/** For the report, beside what --json tells: the statement, the told custody records by number and all events. */
function exhibitVerdict(exhibit, proven) {
  const held = proven.statements.get(exhibit.number);
  const custody = proven.custody.get(exhibit.number);
  const anchored = exhibitAnchored(exhibit, proven);
  const captured = held && exhibit.captured ? held.statement.captured.time : null;
  const since = proven.time.captures.get(exhibit.number);
  return {
    number: exhibit.number,
    id: exhibit.id,
    name: exhibit.name,
    size: exhibit.size,
    content: exhibit.content,
    captured,
    capturedAfter: since?.time ?? null,
    capturedAfterBy: since?.by ?? null,
    clock: clockAnswer(captured, since?.time ?? null, anchored.before),
    events: custody ? custody.records.size + custody.withheld : 0,
    withheld: custody?.withheld ?? 0,
    anchored,
    attributed: attribution(exhibit, proven),
    statement: held?.statement ?? null,
    records: custody?.records ?? new Map(),
    custody: custody?.events ?? [],
  };
}

/** The bracket of the exhibit's log entry; only for an exhibit whose receipt holds. */
function exhibitAnchored(exhibit, { receipts, time }) {
  if (!receipts.has(exhibit.number)) return { ...NOT_ANCHORED, unchecked: ["its receipt does not hold"] };
  const begun = [time.notBefore(exhibit.received), time.captures.get(exhibit.number)];
  const after = latest(begun.filter((one) => one));
  const before = time.notAfter(exhibit.received);
  return {
    after: after?.time ?? null,
    afterBy: after?.by ?? null,
    before: before?.time ?? null,
    by: before?.by ?? null,
    unchecked: before ? [] : time.unchecked,
  };
}

/** From the earliest of the exhibits' rounds to the latest of their anchors, each where all exhibits have one. */
function allAnchored(exhibits, time) {
  const all = exhibits.map((exhibit) => exhibit.anchored);
  const begun = all.every(({ after }) => after !== null);
  const ended = all.every(({ before }) => before !== null);
  const first = begun ? all.reduce((found, one) => (found.after <= one.after ? found : one)) : NOT_ANCHORED;
  const last = ended ? all.reduce((found, one) => (found.before >= one.before ? found : one)) : NOT_ANCHORED;
  const reasons = all.find(({ before }) => before === null)?.unchecked ?? [];
  const unchecked = ended ? [] : reasons.length ? reasons : time.unchecked;
  return { after: first.after, afterBy: first.afterBy, before: last.before, by: last.by, unchecked };
}

function clockAnswer(captured, since, before) {
  if (captured === null) return null;
  if (since !== null && captured < plusSeconds(since, -CLOCK_LIMIT_S)) return "early";
  if (before !== null && captured > plusSeconds(before, CLOCK_LIMIT_S)) return "late";
  return since === null && before === null ? "unknown" : "within";
}

/** A clock that was wrong is no fault: the bracket stands without it. */
function tellClock(exhibit, findings) {
  const said = exhibit.captured === null ? "" : `Exhibit ${exhibit.number}: the desk's clock said ${moment(exhibit.captured)}; `;
  const { before, by } = exhibit.anchored;
  if (exhibit.clock === "early") {
    const after = `${moment(exhibit.capturedAfter)} (${exhibit.capturedAfterBy})`;
    findings.remark(`${said}the record shows it was captured after ${after}.`);
  } else if (exhibit.clock === "late") {
    findings.remark(`${said}the record shows it was captured before ${moment(before)} (${by}).`);
  }
  const offset = exhibit.records.get(1)?.detail.clock?.offset_ms;
  if (Number.isInteger(offset) && Math.abs(offset) > LIMIT_MS) {
    findings.remark(`Exhibit ${exhibit.number}: when it came, the box found the desk's clock ${apart(offset)}.`);
  }
}

/** Yes only where every link holds: bytes, statement, device key, its record in the log, the receipt, the log's signature. */
function attribution(exhibit, proven) {
  const reasons = [];
  if (!proven.log?.signed) reasons.push("the log's signature does not hold");
  if (!proven.receipts.has(exhibit.number)) reasons.push("its receipt does not hold");
  const held = proven.statements.get(exhibit.number);
  const device = held && proven.devices.get(held.statement.device.id);
  if (!held) {
    reasons.push("its statement cannot be read");
  } else {
    if (!held.signed) reasons.push("its statement is not signed by its device");
    if (!held.matches) reasons.push("the original is not the file that its statement speaks of");
    if (!proven.uses.has(exhibit.number)) reasons.push("nothing proves that the log trusted its device at that time");
  }
  const first = proven.custody.get(exhibit.number)?.records.get(1);
  if (!first) reasons.push("its first custody event does not hold");
  let [operator, authenticated] = [null, null];
  if (exhibit.captured && held) ({ name: operator, authenticated } = held.statement.operator);
  else if (!exhibit.captured && first) ({ name: operator, via: authenticated } = first.actor);
  return {
    yes: reasons.length === 0,
    captured: exhibit.captured,
    device: device?.id ?? null,
    deviceName: device ? device.name || held.statement.device.name : null,
    operator,
    authenticated,
    pinned: device?.pinned ?? false,
    reasons,
  };
}
