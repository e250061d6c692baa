// Checks 6 and 7: what happened to each exhibit, without a hole, and the documents derived from it.

import { casesOf, committedValues, NO_DIGEST, parseCustodyRecord } from "./custody.js";
import { FormatError } from "./errors.js";
import { counted } from "./findings.js";
import * as layout from "./layout.js";
import { checkOpenings } from "./log_check.js";
import { parseCustody } from "./proven.js";
import { sha256 } from "./sha256.js";

const [CUSTODY, DERIVED] = [6, 7];

/** Map of exhibit number → {records (Map of event number → record), withheld, events, firstCase}; an exhibit whose
 *  custody.json cannot be read is left out. */
export async function checkCustody(contents, index, held, findings) {
  const found = new Map();
  for (const exhibit of index.exhibits) {
    const where = layout.custody(exhibit.number);
    const bytes = await contents.read(CUSTODY, where, layout.MAX_CUSTODY);
    if (!bytes) continue;
    const file = findings.catchingInPlace(CUSTODY, "custody.form", () => parseCustody(bytes, where));
    if (!file) continue;
    if (file.exhibit !== exhibit.id) findings.fault(CUSTODY, "custody.exhibit", where, "is about another exhibit");
    const cases = casesOf(file.events.map(refiling), index.case.id);
    const records = checkChain(cases, exhibit, file.events, held, findings);
    checkEnds(index, exhibit, file.events, records, findings);
    const withheld = file.events.filter((event) => event.record === null).length;
    found.set(exhibit.number, { records, withheld, events: file.events, firstCase: cases[0] ?? index.case.id });
  }
  const all = [...found.values()];
  const hidden = all.reduce((sum, one) => sum + one.withheld, 0);
  const events = all.reduce((sum, one) => sum + one.records.size, hidden);
  const apart = hidden ? `, ${hidden} withheld and accounted for` : "";
  findings.counted.set(CUSTODY, `${counted(events, "event")} without a gap, ending with this export${apart}`);
  return found;
}

/** The record of an event that refiled the exhibit; null for any other, and for one that the chain's check tells of. */
function refiling(event) {
  if (event.record === null) return null;
  try {
    const record = parseCustodyRecord(event.record);
    return record.kind === "refiled" ? record : null;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return null;
  }
}

/** Numbers 1 … n, each record naming the one before, the log's order the same. */
function checkChain(cases, exhibit, events, held, findings) {
  const told = new Map();
  let [previous, lastIndex] = [NO_DIGEST, -1];
  events.forEach((event, before) => {
    const place = before + 1;
    const where = `exhibit ${exhibit.number}, event ${place}`;
    if (event.number !== place) findings.fault(CUSTODY, "custody.number", where, `has the number ${event.number}`);
    if (event.index <= lastIndex) {
      const what = `stands in the log at ${event.index}, before the event that it follows`;
      findings.fault(CUSTODY, "custody.order", where, what);
    }
    lastIndex = event.index;
    if (event.record === null) {
      checkWithheld(cases[before], event, held, where, findings);
    } else {
      const record = parsedRecord(event, where, findings);
      if (record) {
        if (record.previous !== previous) {
          findings.fault(CUSTODY, "custody.chain", where, "does not name the event before it");
        }
        if (checkTold(cases[before], exhibit, event, record, held, where, findings)) told.set(place, record);
      }
    }
    previous = event.commitment ?? sha256(event.record);
  });
  return told;
}

function parsedRecord(event, where, findings) {
  try {
    return parseCustodyRecord(event.record);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(CUSTODY, "custody.form", where, `${error.where} ${error.what}`);
    return null;
  }
}

function checkTold(caseId, exhibit, event, record, held, where, findings) {
  const faults = findings.total;
  if (record.exhibit !== exhibit.id || record.number !== event.number) {
    findings.fault(CUSTODY, "custody.record", where, "is the record of another event");
  }
  const entry = held.get(event.index)?.entry;
  if (!entry) {
    findings.fault(CUSTODY, "custody.entry", where, `has no log entry ${event.index} in the bundle that holds`);
    return false;
  }
  if (entry.kind !== `exhibit.${record.kind}`) {
    findings.fault(CUSTODY, "custody.kind", where, `is ${record.kind}, its log entry says ${entry.kind}`);
  }
  const values = checkOpenings(CUSTODY, "custody.opening", where, event.openings, entry, findings);
  const opened = new Set(event.openings.map((opening) => opening.field));
  for (const field of entry.commitments.keys()) {
    if (!opened.has(field)) findings.fault(CUSTODY, "custody.opening", where, `does not open ${field} of its log entry`);
  }
  let expected;
  try {
    expected = committedValues(record, sha256(event.record), caseId);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(CUSTODY, "custody.form", where, "has a digest in its detail that is not one");
    return false;
  }
  const word = record.kind === "received" ? record.detail.clock?.finding : null;
  const wrong = word === "ahead" || word === "behind";
  if (Object.keys(entry.data).length !== Number(wrong) || (wrong && entry.data.clock !== word)) {
    findings.fault(CUSTODY, "custody.clock", where, "has a log entry that says another thing of the desk's clock");
  }
  for (const [field, value] of expected) {
    if (values.has(field) && values.get(field) !== value) {
      const what = field === "case" ? "is logged for another case" : `is logged with another ${field}`;
      findings.fault(CUSTODY, `custody.${field}`, where, what);
    } else if (!entry.commitments.has(field)) {
      findings.fault(CUSTODY, `custody.${field}`, where, `has a log entry that commits to no ${field}`);
    }
  }
  if (record.kind === "refiled" && record.detail.to !== caseId) {
    findings.fault(CUSTODY, "custody.case", where, `was refiled to case ${record.detail.to}, and is not there`);
  }
  for (const field of values.keys()) {
    if (!expected.has(field)) {
      findings.fault(CUSTODY, `custody.${field}`, where, `is logged with a ${field} that its record does not have`);
    }
  }
  return findings.total === faults;
}

function checkWithheld(caseId, event, held, where, findings) {
  const entry = held.get(event.index)?.entry;
  if (!entry) {
    findings.fault(CUSTODY, "custody.entry", where, `has no log entry ${event.index} in the bundle that holds`);
    return;
  }
  if (!entry.kind.startsWith("exhibit.")) {
    findings.fault(CUSTODY, "custody.kind", where, `is withheld, and its log entry says ${entry.kind}`);
  }
  const values = checkOpenings(CUSTODY, "custody.opening", where, event.openings, entry, findings);
  if (values.get("record") !== event.commitment) {
    findings.fault(CUSTODY, "custody.record", where, "is withheld, and its log entry is not opened to its digest");
  }
  if (values.has("case") && values.get("case") !== caseId.replaceAll("-", "")) {
    findings.fault(CUSTODY, "custody.case", where, "is logged for another case");
  }
}

/** The first event tells of the receipt, the last of this very export. */
function checkEnds(index, exhibit, events, records, findings) {
  const where = `exhibit ${exhibit.number}`;
  const first = records.get(1);
  if (first?.kind !== "received") {
    findings.fault(CUSTODY, "custody.first", where, "has a custody that does not begin with its receipt");
  } else {
    if (events[0].index !== exhibit.received) {
      const what = `was received at log entry ${events[0].index}, data/bundle.json says ${exhibit.received}`;
      findings.fault(CUSTODY, "custody.first", where, what);
    }
    if (["statement", "content", "size", "captured"].some((name) => first.detail[name] !== exhibit[name])) {
      const what = "has a first event that tells of another statement, content or size, or of another way in";
      findings.fault(CUSTODY, "custody.first", where, what);
    }
  }
  const last = records.get(events.length);
  if (last?.kind !== "exported" || last.detail.bundle !== index.bundle) {
    const what = "has a custody that does not end with this export: events after the last one told may be missing";
    findings.fault(CUSTODY, "custody.last", where, what);
  }
  if (exhibit.exported !== events.length) {
    const what = `has ${events.length} custody events, data/bundle.json says that its export is number ${exhibit.exported}`;
    findings.fault(CUSTODY, "custody.last", where, what);
  }
}

/** Each derived document is the one that its `derived` event tells of. */
export function checkDerived(contents, index, custodies, findings) {
  let count = 0;
  for (const exhibit of index.exhibits) {
    const records = custodies.get(exhibit.number)?.records ?? new Map();
    for (const derived of exhibit.derived) {
      count += 1;
      checkOne(contents, exhibit, derived, records, findings);
    }
    const bundled = new Set(exhibit.derived.map((derived) => derived.id));
    const absent = [...records.values()].filter((one) => one.kind === "derived" && !bundled.has(one.detail.derived));
    if (absent.length) {
      const forms = [...new Set(absent.map((record) => record.detail.form))].sort().join(", ");
      findings.remark(`Exhibit ${exhibit.number}: derived and not in this bundle: ${forms}.`);
    }
  }
  const text = `${counted(count, "document")}, each as it was logged when it was made`;
  findings.counted.set(DERIVED, count ? text : "none in this bundle");
}

function checkOne(contents, exhibit, derived, records, findings) {
  const where = `exhibit ${exhibit.number}, ${derived.form}`;
  if (!derived.path.startsWith(layout.derivedFolder(exhibit.number))) {
    findings.fault(DERIVED, "derived.path", where, `lies at ${derived.path}, not with its exhibit`);
  }
  const record = records.get(derived.event);
  if (record?.kind !== "derived") {
    findings.fault(DERIVED, "derived.event", where, `is not told of by event ${derived.event}, or that event does not hold`);
  } else {
    const { detail } = record;
    const same = detail.derived === derived.id && detail.form === derived.form && detail.content === derived.content;
    if (!same || detail.size !== derived.size) {
      findings.fault(DERIVED, "derived.event", where, `is not the document that event ${derived.event} tells of`);
    }
  }
  const measured = contents.measures.get(derived.path);
  if (!measured) {
    findings.fault(DERIVED, "file.missing", derived.path, "is missing or cannot be read");
  } else if (measured.sha256 !== derived.content || measured.size !== derived.size) {
    findings.fault(DERIVED, "derived.content", derived.path, "is not the document that was made");
  }
}
