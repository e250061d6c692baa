// Custody records (formats/custody.md): what happened to one exhibit, each bound to the one before.

import { utf8 } from "./binary_text.js";
import { Fields, isUuid, isWord, MAX_INTEGER, parseObject } from "./canonical_json.js";
import { clockWord } from "./clock.js";
import { FormatError } from "./errors.js";

const MAX_RECORD = 65_536; // a record is a few hundred bytes; the rest is room for purposes that people type
export const NO_DIGEST = "00".repeat(32);
const LANES = ["batch", "held", "spool", "stream", "upload"];

/** {exhibit, number, kind, time, actor, previous (hex), detail, salt}. The detail of an unknown kind is taken as it is. */
export function parseCustodyRecord(bytes) {
  const where = "custody record";
  const fields = new Fields(parseObject(bytes, MAX_RECORD, where), where);
  fields.literal("v", 1);
  const actor = fields.object("actor");
  const record = {
    exhibit: fields.uuid("exhibit"),
    number: fields.integer("number", 1),
    kind: fields.text("kind"),
    time: fields.time("time"),
    actor: { id: actor.text("id"), name: actor.text("name"), via: actor.text("via") },
    previous: fields.hex("previous", 32),
    detail: fields.members("detail"),
    salt: fields.hex("salt", 32),
  };
  actor.done();
  fields.done();
  if (!isWord(record.kind)) throw new FormatError(`${where}.kind`, "is not a lower-case word");
  if (!isActor(record.actor.id)) throw new FormatError(`${where}.actor.id`, "is not account:UUID, device:UUID or box");
  if ((record.number === 1) !== (record.previous === NO_DIGEST)) {
    throw new FormatError(`${where}.previous`, "is zero for the first record and for no other");
  }
  if (Object.hasOwn(DETAILS, record.kind)) {
    const detail = new Fields(record.detail, `${where}.detail`);
    DETAILS[record.kind](detail);
    detail.done();
  }
  return record;
}

function isActor(id) {
  const found = /^(?:account|device):(.*)$/s.exec(id);
  return id === "box" || (found !== null && isUuid(found[1]));
}

/** What the event's log entry commits to: Map of field → hex. FormatError for a digest in an unknown detail that is none. */
export function committedValues(record, digest, caseId) {
  const values = new Map([
    ["case", caseId.replaceAll("-", "")],
    ["person", [...utf8(record.actor.id)].map((byte) => byte.toString(16).padStart(2, "0")).join("")],
    ["record", digest],
  ]);
  for (const name of ["content", "statement"]) {
    if (Object.hasOwn(record.detail, name)) values.set(name, hexBytes(record.detail[name]));
  }
  return values;
}

/** The case of each event, going back from `last`; a record that is null is not told. */
export function casesOf(records, last) {
  const cases = [];
  let here = last;
  for (const record of [...records].reverse()) {
    cases.push(here);
    if (record?.kind === "refiled") here = record.detail.from;
  }
  return cases.reverse();
}

/** Hex as Python reads it, any case and length, since the detail of a kind unknown here may hold any. */
function hexBytes(value) {
  const text = String(value);
  if (!/^(?:[0-9a-fA-F]{2}|[ \t\n\r\f\v])*$/.test(text)) throw new FormatError("custody record.detail", "has no digest");
  return text.replace(/\s/g, "").toLowerCase();
}

function readClock(detail) {
  const captured = detail.boolean("captured");
  const found = detail.optional("object", "clock");
  if (captured !== (found !== null)) {
    throw detail.fault("clock", "is told of what a desk captured, and of nothing else");
  }
  if (!found) return;
  const word = found.text("finding");
  const offset = found.optional("integer", "offset_ms", -MAX_INTEGER);
  found.done();
  if (!["ahead", "behind", "agrees", "unknown"].includes(word)) {
    throw found.fault("finding", "is none of ahead, agrees, behind, unknown");
  }
  if (word !== clockWord(offset)) throw found.fault("offset_ms", `is not that of a clock which ${word}`);
}

function readQuarter(detail) {
  const quarter = detail.time("quarter");
  if (!/:(?:00|15|30|45):00\.000000Z$/.test(quarter)) {
    throw detail.fault("quarter", "is not the start of a quarter hour");
  }
}

const DETAILS = {
  received(detail) {
    detail.hex("statement", 32);
    detail.hex("content", 32);
    detail.integer("size");
    if (!LANES.includes(detail.text("lane"))) throw detail.fault("lane", `is none of ${LANES.join(", ")}`);
    readClock(detail);
  },
  derived(detail) {
    detail.uuid("derived");
    detail.word("form");
    detail.hex("content", 32);
    detail.integer("size");
    detail.text("producer");
  },
  exported(detail) {
    detail.uuid("bundle");
    detail.optional("text", "purpose");
  },
  viewed: readQuarter,
  downloaded: readQuarter,
  superseded(detail) {
    detail.uuid("by");
  },
  refiled(detail) {
    const [origin, target] = [detail.uuid("from"), detail.uuid("to")];
    detail.integer("from_number", 1);
    detail.integer("to_number", 1);
    detail.optional("text", "reason");
    if (origin === target) throw detail.fault("to", "is the case that it came from");
  },
};
