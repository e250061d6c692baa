// The bundle's JSON files besides the index: log entries with their proofs, custody, devices, consistency proofs, runs of
// entries from a beacon, revocation data. Their parts are for the checks to verify.

import { parseBase64 } from "./binary_text.js";
import { encode, Fields, isObject, parse, parseObject } from "./canonical_json.js";
import { parseOpenings } from "./commitment.js";
import { checkPublicKey } from "./ed25519.js";
import { FormatError } from "./errors.js";
import {
  ENTRIES, MAX_CONSISTENCY, MAX_CUSTODY, MAX_DEVICE, MAX_ENTRIES, MAX_REVOCATION, MAX_RUN, MAX_TIME, TIME,
} from "./layout.js";

const MAX_PROOF = 64; // one hash more than an inclusion path (RFC 9162 2.1.4)
const MAX_CRLS = 32; // one for each certificate of a chain, and some more

/** [{index, entry (bytes), path}], ascending by index, none twice. */
export function parseEntries(bytes) {
  const items = parse(bytes, MAX_ENTRIES, ENTRIES);
  if (!Array.isArray(items)) throw new FormatError(ENTRIES, "is not an array");
  const entries = [];
  items.forEach((item, place) => {
    const where = `${ENTRIES}[${place}]`;
    if (!isObject(item)) throw new FormatError(where, "is not an object");
    const fields = new Fields(item, where);
    entries.push({ index: fields.integer("index"), entry: fields.base64("entry"), path: readPath(fields, "proof") });
    fields.done();
    if (place && entries[place - 1].index >= entries[place].index) throw fields.fault("index", "does not ascend");
  });
  return entries;
}

/** {exhibit, events: [{number, index, record (bytes or null), commitment (hex or null), openings}]}. */
export function parseCustody(bytes, where) {
  const fields = new Fields(parseObject(bytes, MAX_CUSTODY, where), where);
  fields.literal("v", 1);
  const custody = { exhibit: fields.uuid("exhibit"), events: fields.objects("events").map(parseEvent) };
  fields.done();
  return custody;
}

function parseEvent(fields) {
  const told = fields.optional("members", "record");
  const event = {
    number: fields.integer("number", 1),
    index: fields.integer("index"),
    record: told && encode(told),
    commitment: fields.optional("hex", "commitment", 32),
    openings: parseOpenings(fields, "openings"),
  };
  fields.done();
  if ((event.record === null) === (event.commitment === null)) {
    throw new FormatError(fields.where, "is neither told nor withheld, or both");
  }
  return event;
}

/** {device, statementKey (hex), records: [{index, record (bytes), openings, certificate (DER or null)}]}. */
export function parseDevice(bytes, where) {
  const fields = new Fields(parseObject(bytes, MAX_DEVICE, where), where);
  fields.literal("v", 1);
  const device = {
    device: fields.uuid("device"),
    statementKey: fields.hex("statement_key", 32),
    records: fields.objects("records").map(parseDeviceRecord),
  };
  fields.done();
  checkPublicKey(device.statementKey, `${where}.statement_key`);
  if (device.records.some((record, place) => place && record.index <= device.records[place - 1].index)) {
    throw fields.fault("records", "do not ascend by log index");
  }
  return device;
}

function parseDeviceRecord(fields) {
  const record = {
    index: fields.integer("index"),
    record: encode(fields.members("record")),
    openings: parseOpenings(fields, "openings"),
    certificate: fields.optional("base64", "certificate"),
  };
  fields.done();
  return record;
}

/** stamps/SIZE.json: {size, path}. */
export function parseConsistency(bytes, where) {
  const fields = new Fields(parseObject(bytes, MAX_CONSISTENCY, where), where);
  fields.literal("v", 1);
  const proof = { size: fields.integer("size", 1), path: readPath(fields, "consistency") };
  fields.done();
  return proof;
}

function readPath(fields, name) {
  const nodes = fields.texts(name).map((text) => parseBase64(text, `${fields.where}.${name}`));
  if (nodes.length > MAX_PROOF || nodes.some((node) => node.length !== 32)) {
    throw fields.fault(name, `is not at most ${MAX_PROOF} hashes of 32 bytes`);
  }
  return nodes;
}

/** data/time.json: [{first, entries (bytes each), end}], ascending, without overlap, none empty or too long. */
export function parseRuns(bytes) {
  const fields = new Fields(parseObject(bytes, MAX_TIME, TIME), TIME);
  fields.literal("v", 1);
  const runs = [];
  for (const item of fields.objects("runs")) {
    const texts = item.texts("entries");
    if (texts.length < 1 || texts.length > MAX_RUN) throw item.fault("entries", `are not 1 to ${MAX_RUN}`);
    const entries = texts.map((text) => parseBase64(text, `${item.where}.entries`));
    const first = item.integer("first");
    item.done();
    if (runs.length && first < runs[runs.length - 1].end) throw item.fault("first", "does not come after the run before it");
    runs.push({ first, entries, end: first + entries.length });
  }
  fields.done();
  return runs;
}

/** stamps/SIZE-K.json: CRLs as DER, unread. */
export function parseRevocation(bytes, where) {
  const fields = new Fields(parseObject(bytes, MAX_REVOCATION, where), where);
  fields.literal("v", 1);
  const texts = fields.texts("crls");
  fields.done();
  if (texts.length > MAX_CRLS) throw new FormatError(where, `has more than ${MAX_CRLS} CRLs`);
  return texts.map((text) => parseBase64(text, `${where}.crls`));
}
