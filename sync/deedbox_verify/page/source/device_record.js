// The record that tells a pairing, renewal or revocation in full; its log entry commits to its digest (formats/pairing.md).

import { Fields, parseObject } from "./canonical_json.js";
import { FormatError } from "./errors.js";

export const PAIRED = "device.paired";
export const REVOKED = "device.revoked";
const KINDS = [PAIRED, "device.renewed", REVOKED];
const MAX_RECORD = 4096; // a record has some 600 bytes; the longest device name adds 400
const MAX_SERIAL = 40; // hex digits: RFC 5280 allows 20 octets
const WHERE = "device record";

/** {kind, time, by, device, account, name, statementKey, certificate, serial}; keys and digests as hex. */
export function parseDeviceRecord(bytes) {
  const fields = new Fields(parseObject(bytes, MAX_RECORD, WHERE), WHERE);
  fields.literal("v", 1);
  const record = {
    kind: fields.text("kind"),
    time: fields.time("time"),
    by: fields.text("by"),
    device: fields.uuid("device"),
    account: fields.uuid("account"),
    name: fields.text("name"),
    statementKey: fields.hex("statement_key", 32),
    certificate: fields.optional("hex", "certificate", 32),
    serial: fields.optional("text", "serial"),
  };
  fields.done();
  if (!KINDS.includes(record.kind)) throw new FormatError(`${WHERE}.kind`, "is not a kind of device record");
  const issued = record.kind !== REVOKED;
  if ((record.certificate !== null) !== issued || (record.serial !== null) !== issued) {
    throw new FormatError(WHERE, "names a certificate if, and only if, one was issued");
  }
  if (record.serial !== null && (record.serial.length > MAX_SERIAL || !isSerial(record.serial))) {
    throw new FormatError(`${WHERE}.serial`, "is not a serial number in lower-case hex");
  }
  return record;
}

/** Lower-case hex of whole bytes without leading zero bytes. */
function isSerial(text) {
  return text === "00" || (/^(?:[0-9a-f]{2})+$/.test(text) && !text.startsWith("00"));
}
