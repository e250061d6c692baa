// data/bundle.json: what is in the bundle, and which claim each file is to prove (formats/bundle.md). It proves nothing by
// itself: each of its values is held against statement, log and custody.

import { Fields, isUuid, parseObject } from "./canonical_json.js";
import { FormatError } from "./errors.js";
import { INDEX, MAX_INDEX, MAX_TOKENS } from "./layout.js";

/** Strict; exhibits ascend by number, stamps by size, devices by id, and none of them is there twice. */
export function parseIndex(bytes) {
  const fields = new Fields(parseObject(bytes, MAX_INDEX, INDEX), INDEX);
  fields.literal("v", 1);
  const about = fields.object("case");
  const index = {
    bundle: fields.uuid("bundle"),
    made: fields.time("made"),
    box: fields.uuid("box"),
    case: { id: about.uuid("id"), number: about.text("number"), title: about.text("title") },
    origin: fields.text("origin"),
    vkey: fields.text("vkey"),
    checkpointSize: fields.integer("checkpoint_size", 1),
    exhibits: fields.objects("exhibits").map(parseExhibit),
    devices: fields.texts("devices"),
    stamps: fields.objects("stamps").map(parseStamp),
  };
  about.done();
  fields.done();
  if (!index.devices.every(isUuid)) throw fields.fault("devices", "has something that is no UUID in its usual form");
  ascending("exhibits", index.exhibits.map((exhibit) => exhibit.number));
  ascending("devices", index.devices);
  ascending("stamps", index.stamps.map((stamp) => stamp.size));
  if (!index.exhibits.length) throw fields.fault("exhibits", "is empty");
  if (new Set(index.exhibits.map((exhibit) => exhibit.id)).size !== index.exhibits.length) {
    throw fields.fault("exhibits", "names an exhibit twice");
  }
  return index;
}

function parseExhibit(fields) {
  const exhibit = {
    id: fields.uuid("id"),
    number: fields.integer("number", 1),
    path: fields.text("path"),
    name: fields.text("name"),
    size: fields.integer("size"),
    content: fields.hex("content", 32),
    statement: fields.hex("statement", 32),
    captured: fields.boolean("captured"),
    received: fields.integer("received"),
    exported: fields.integer("exported", 1),
    derived: fields.objects("derived").map(parseDerived),
  };
  fields.done();
  return exhibit;
}

function parseDerived(fields) {
  const derived = {
    id: fields.uuid("id"),
    form: fields.word("form"),
    path: fields.text("path"),
    content: fields.hex("content", 32),
    size: fields.integer("size"),
    event: fields.integer("event", 1),
  };
  fields.done();
  return derived;
}

function parseStamp(fields) {
  const stamp = { size: fields.integer("size", 1), tokens: fields.integer("tokens", 0, MAX_TOKENS) };
  fields.done();
  return stamp;
}

function ascending(name, keys) {
  keys.forEach((after, place) => {
    const before = keys[place - 1];
    if (place && !(before < after)) {
      throw new FormatError(`${INDEX}.${name}`, `${after} stands after ${before}, they do not ascend`);
    }
  });
}
