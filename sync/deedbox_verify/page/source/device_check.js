// Check 8: how the log came to trust each device. Run before the statements, which need the keys.

import { equalBytes, toHex, utf8 } from "./binary_text.js";
import { deviceOf, parseCertificate, serialText } from "./certificate.js";
import { PAIRED, parseDeviceRecord, REVOKED } from "./device_record.js";
import { FormatError, SyncError } from "./errors.js";
import { counted } from "./findings.js";
import * as layout from "./layout.js";
import { checkOpenings } from "./log_check.js";
import { parseDevice } from "./proven.js";
import { sha256 } from "./sha256.js";
import { encodePem } from "./sigstore.js";

const CHECK = 8;

/** Map of id → {id, key (hex), name, paired, revoked, pinned}: `paired` and `revoked` are log indexes of records that hold,
 *  `pinned` says that the reader trusts this very key. The box itself needs no pairing. */
export async function checkDevices(contents, index, held, trust, findings) {
  const devices = new Map();
  for (const id of index.devices) {
    const where = layout.deviceRecord(id);
    const bytes = await contents.read(CHECK, where, layout.MAX_DEVICE);
    if (!bytes) continue;
    const file = findings.catchingInPlace(CHECK, "device.form", () => parseDevice(bytes, where));
    if (!file) continue;
    if (file.device !== id) {
      findings.fault(CHECK, "device.form", where, `is about device ${file.device}`);
      continue;
    }
    devices.set(id, await checkDevice(contents, file, held, trust, findings));
    if (devices.get(id).paired === null && id !== index.box) {
      const what = "has no pairing record that the log proves: nothing shows whose key this is";
      findings.fault(CHECK, "device.unpaired", where, what);
    }
  }
  const words = counted(index.devices.length, "device");
  findings.counted.set(CHECK, `${words}, pairing proven, none revoked before it was used`);
  return devices;
}

async function checkDevice(contents, file, held, trust, findings) {
  const where = layout.deviceRecord(file.device);
  const path = layout.deviceKey(file.device);
  const pem = await contents.read(CHECK, path, layout.MAX_PEM);
  if (pem && !equalBytes(pem, encodePem(file.statementKey))) {
    findings.fault(CHECK, "device.pem", path, `is not the statement key that ${where} names`);
  }
  const expected = trust.devices.get(file.device);
  if (expected !== undefined && expected !== file.statementKey) {
    findings.fault(CHECK, "device.unpinned", where, "names another statement key than the one you trust");
  }
  const device = { id: file.device, key: file.statementKey, name: null, paired: null, revoked: null };
  for (const item of file.records) {
    const record = checkRecord(item, file, held, findings);
    if (!record) continue;
    device.name = record.name;
    if (record.kind === PAIRED) device.paired ??= item.index;
    if (record.kind === REVOKED) device.revoked ??= item.index;
  }
  return { ...device, pinned: expected === file.statementKey };
}

/** The record, where everything about it holds. */
function checkRecord(item, file, held, findings) {
  const where = `${layout.deviceRecord(file.device)}, record of log entry ${item.index}`;
  const faults = findings.total;
  const entry = held.get(item.index)?.entry;
  if (!entry) {
    findings.fault(CHECK, "device.entry", where, "has no log entry in the bundle that holds");
    return null;
  }
  const record = parsedRecord(item, where, findings);
  if (!record) return null;
  const values = checkOpenings(CHECK, "device.opening", where, item.openings, entry, findings);
  if (values.get("record") !== sha256(item.record)) {
    findings.fault(CHECK, "device.record", where, "is not the record that the log entry commits to");
  }
  if (values.has("person") && values.get("person") !== toHex(utf8(record.by))) {
    findings.fault(CHECK, "device.record", where, "names another actor than the log entry commits to");
  }
  if (entry.kind !== record.kind) {
    findings.fault(CHECK, "device.record", where, `is a ${record.kind}, its log entry a ${entry.kind}`);
  }
  if (record.device !== file.device) findings.fault(CHECK, "device.record", where, `is about device ${record.device}`);
  if (record.statementKey !== file.statementKey) {
    findings.fault(CHECK, "device.key", where, "is about another statement key");
  }
  checkCertificate(item.certificate, record, where, findings);
  return findings.total === faults ? record : null;
}

function parsedRecord(item, where, findings) {
  try {
    return parseDeviceRecord(item.record);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(CHECK, "device.form", where, `${error.where} ${error.what}`);
    return null;
  }
}

function checkCertificate(der, record, where, findings) {
  if (der === null || record.certificate === null) {
    if ((der === null) !== (record.certificate === null)) {
      findings.fault(CHECK, "device.certificate", where, "and its certificate are not both there");
    }
    return;
  }
  if (sha256(der) !== record.certificate) {
    findings.fault(CHECK, "device.certificate", where, "is about another certificate than the one beside it");
    return;
  }
  try {
    const certificate = parseCertificate(der);
    if (deviceOf(certificate) !== record.device || serialText(certificate) !== record.serial) {
      findings.fault(CHECK, "device.certificate", where, "has a certificate for another device or serial number");
    }
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    const what = `has a certificate that cannot be read: ${error.message}`;
    findings.fault(CHECK, "device.certificate", where, what);
  }
}

/** The exhibits (a Set of numbers) whose device the log had taken in and not yet revoked when they came. Order is the log's,
 *  not that of clocks. `makers`: Map of exhibit number → device id. The box needs no pairing. */
export function checkUses(index, devices, makers, findings) {
  const trusted = new Set();
  for (const { number, received } of index.exhibits) {
    const device = devices.get(makers.get(number));
    if (!device) continue; // told where the statement or the device's file is checked
    const where = `exhibit ${number}`;
    const came = `came at log entry ${received} from device ${device.id}`;
    if (device.id === index.box) {
      trusted.add(number);
    } else if (device.revoked !== null && device.revoked < received) {
      findings.fault(CHECK, "device.revoked", where, `${came}, revoked at entry ${device.revoked}`);
    } else if (device.paired !== null && device.paired > received) {
      findings.fault(CHECK, "device.later", where, `${came}, paired only at entry ${device.paired}`);
    } else if (device.paired !== null) {
      trusted.add(number);
    }
  }
  return trusted;
}
