// Capture statements (formats/statement.md): what a desk says, and signs, before any byte is sent.

import { readBeacon } from "./beacon.js";
import { Fields, MAX_INTEGER, parseObject } from "./canonical_json.js";
import { MAX_ENVELOPE } from "./dsse.js";
import { readFileFacts } from "./file_facts.js";

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const CAPTURE_TYPE = "urn:deedbox:capture:v1";
const GAP_TYPE = "urn:deedbox:gap:v1";
const NO_DIGEST = "00".repeat(32);
const SUBJECT_DIGESTS = { md5: 16, sha1: 20, sha256: 32, sha512: 64 };
const MAX_UTC_OFFSET_S = 86_400; // no zone has ever been further from UTC than a day

/** The statement of a payload, each member checked; null for one about a gap in a journal, which is no exhibit's. */
export function parseStatement(payload) {
  const fields = new Fields(parseObject(payload, MAX_ENVELOPE, "statement"), "statement");
  fields.literal("_type", STATEMENT_TYPE);
  const kind = fields.text("predicateType");
  const subjects = fields.objects("subject");
  const predicate = fields.object("predicate");
  fields.done();
  if (subjects.length !== 1) throw fields.fault("subject", "is not exactly one");
  if (kind === GAP_TYPE) return null;
  if (kind !== CAPTURE_TYPE) throw fields.fault("predicateType", "is none that is known here");
  return readCapture(subjects[0], predicate);
}

function readCapture(subject, predicate) {
  const name = subject.text("name");
  const named = subject.object("digest");
  const digests = {};
  for (const [kind, length] of Object.entries(SUBJECT_DIGESTS)) {
    if (named.has(kind)) digests[kind] = named.hex(kind, length);
  }
  named.done();
  subject.done();
  if (!digests.sha256) throw subject.fault("digest", "has no sha256");
  const statement = {
    digests,
    captured: readCaptured(predicate.object("captured")),
    device: readDevice(predicate.object("device")),
    file: readFileFacts(predicate.object("file")),
    journal: readJournal(predicate.object("journal")),
    operator: readOperator(predicate.object("operator")),
    tool: readTexts(predicate.object("tool"), ["name", "version"]),
    method: predicate.word("method"),
    salt: predicate.hex("salt", 32),
    case: predicate.optional("uuid", "case"),
    labels: predicate.texts("labels"),
    place: predicate.optional("text", "place"),
    purpose: predicate.optional("text", "purpose"),
    source: readSource(predicate.object("source")),
    exceptions: predicate.objects("exceptions").map(readException),
    supersedes: predicate.optional("hex", "supersedes", 32),
  };
  predicate.done();
  if (statement.file.name !== name) throw subject.fault("name", "is not the file's name");
  if ((statement.journal.sequence === 1) !== (statement.journal.previous === NO_DIGEST)) {
    throw predicate.fault("journal.previous", "is zero for the first statement and for no other");
  }
  return statement;
}

function readCaptured(fields) {
  const known = fields.optional("object", "beacon");
  const captured = {
    time: fields.time("time"),
    zone: fields.optional("text", "zone"),
    utcOffset: fields.integer("utc_offset_s", -MAX_UTC_OFFSET_S, MAX_UTC_OFFSET_S),
    monotonic: fields.decimal("monotonic_ns"),
    boot: fields.optional("hex", "boot", 16),
    boxOffset: fields.optional("integer", "box_offset_ms", -MAX_INTEGER),
    boxSeen: fields.optional("time", "box_seen"),
    beacon: known && readBeacon(known),
  };
  fields.done();
  if (captured.monotonic < 0n) throw fields.fault("monotonic_ns", "is negative");
  if ((captured.boxOffset === null) !== (captured.boxSeen === null)) {
    throw fields.fault("box_offset_ms", "and box_seen are known together or not at all");
  }
  return captured;
}

function readDevice(fields) {
  const device = { id: fields.uuid("id"), name: fields.text("name"), key: fields.hex("key", 32) };
  fields.done();
  return device;
}

function readJournal(fields) {
  const journal = { sequence: fields.integer("sequence", 1), previous: fields.hex("previous", 32) };
  fields.done();
  return journal;
}

function readOperator(fields) {
  const operator = {
    name: fields.text("name"),
    account: fields.optional("uuid", "account"),
    authenticated: fields.word("authenticated"),
  };
  fields.done();
  return operator;
}

function readSource(fields) {
  const names = ["medium", "make", "serial", "account"];
  const source = Object.fromEntries(names.map((name) => [name, fields.optional("text", name)]));
  fields.done();
  return source;
}

function readException(fields) {
  const exception = { kind: fields.word("kind"), detail: fields.text("detail") };
  fields.done();
  return exception;
}

function readTexts(fields, names) {
  const texts = Object.fromEntries(names.map((name) => [name, fields.text(name)]));
  fields.done();
  return texts;
}
