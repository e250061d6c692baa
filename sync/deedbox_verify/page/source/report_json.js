// The verdict for machines: the same object that `deedbox-verify --json` prints. Its members and codes only ever grow.

import { CHECKS } from "./findings.js";

/** Intact is always required. A required anchor that this browser could not judge cannot be checked. */
export function exitStatus(verdict, required) {
  if (!verdict.intact.yes) return 1;
  if (required.includes("attributed") && !verdict.attributed) return 1;
  if (required.includes("anchored") && verdict.anchored.before === null) return verdict.unavailable ? 2 : 1;
  return 0;
}

export function reportJson(verdict, status) {
  const failed = new Set(verdict.findings.map(({ check }) => check));
  return {
    v: 1,
    status,
    bundle: verdict.bundle,
    case: verdict.case,
    origin: verdict.origin,
    intact: {
      answer: verdict.intact.yes ? "yes" : "no",
      pinned: verdict.intact.pinned,
      faults: verdict.intact.faults,
      stopped: verdict.stopped,
    },
    anchored: anchored(verdict.anchored),
    attributed: { answer: verdict.attributed ? "yes" : "no" },
    exhibits: verdict.exhibits.map(exhibit),
    stamps: verdict.stamps.map(stamp),
    checks: [...CHECKS].map(([number, name]) => ({ number, name, holds: verdict.counted.has(number) && !failed.has(number) })),
    findings: verdict.findings,
    remarks: verdict.remarks,
  };
}

export function uncheckableJson(what) {
  return { v: 1, status: 2, error: what };
}

function anchored(found) {
  return {
    answer: found.before !== null ? "before" : found.unchecked.length ? "unchecked" : "none",
    after: found.after,
    after_by: found.afterBy,
    before: found.before,
    by: found.by,
    unchecked: found.unchecked,
  };
}

function stamp(held) {
  return {
    size: held.size,
    number: held.number,
    authority: held.authority,
    time: held.time,
    expires: held.expires,
    unrevoked: held.unrevoked,
    renewed: held.renewed && { by: held.renewed.by, time: held.renewed.time },
    renewed_until: held.renewedUntil,
  };
}

function attributed(found) {
  return {
    answer: found.yes ? "yes" : "no",
    how: found.captured ? "captured" : "received",
    device: found.device,
    device_name: found.deviceName,
    operator: found.operator,
    authenticated: found.authenticated,
    pinned: found.pinned,
    reasons: found.reasons,
  };
}

function exhibit(one) {
  return {
    number: one.number,
    id: one.id,
    name: one.name,
    size: one.size,
    content: one.content,
    captured: one.captured,
    captured_after: one.capturedAfter,
    captured_after_by: one.capturedAfterBy,
    clock: one.clock,
    events: one.events,
    withheld: one.withheld,
    anchored: anchored(one.anchored),
    attributed: attributed(one.attributed),
  };
}
