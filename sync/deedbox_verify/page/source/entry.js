// Log entries (formats/log.md, Entry).

import { Fields, parseObject } from "./canonical_json.js";
import { FIELDS } from "./commitment.js";

export const MAX_ENTRY = 65_535; // entry bundles carry the length of an entry in 16 bits
const MAX_KIND = 64;
const KIND = /^[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*$/;

/** {seq, time, kind, prev, commitments (Map of field → hex), data}. Whether the log holds it is for its proof to say. */
export function parseEntry(bytes) {
  const fields = new Fields(parseObject(bytes, MAX_ENTRY, "entry"), "entry");
  fields.literal("v", 1);
  const commitments = fields.object("commitments");
  const entry = {
    seq: fields.integer("seq"),
    time: fields.time("time"),
    kind: fields.text("kind"),
    prev: fields.hex("prev", 32),
    commitments: new Map(FIELDS.filter((name) => commitments.has(name)).map((name) => [name, commitments.hex(name, 32)])),
    data: fields.members("data"),
  };
  commitments.done();
  fields.done();
  if (entry.kind.length > MAX_KIND || !KIND.test(entry.kind)) throw fields.fault("kind", "is not a dotted lower-case word");
  return entry;
}
