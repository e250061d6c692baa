// What the person who checks already trusts: pinned keys, from a file that came by another way than the bundle.

import { QUICKNET, readChain } from "./beacon.js";
import { decodeUtf8, parseBase64 } from "./binary_text.js";
import { Fields, isObject, isUuid } from "./canonical_json.js";
import { parseCertificate } from "./certificate.js";
import { FormatError, UncheckableError } from "./errors.js";
import { COSIGNATURES, ED25519, parseVkey } from "./note.js";

export const MAX_TRUST = 1 << 20; // a few keys and root certificates
const MEMBERS = ["beacons", "devices", "logs", "quorum", "tsa_roots", "witnesses"];
const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/;

/** Nothing pinned. */
export const NO_TRUST = { logs: [], witnesses: [], quorum: 1, tsaRoots: [], beacons: [], devices: new Map() };

/** A trust file (formats/bundle.md): {logs, witnesses (vkeys), quorum, tsaRoots (certificates), beacons (drand chains), devices
 *  (Map of UUID → hex key)}. A person wrote it, so any JSON will do, but each value must be what it should be. */
export function parseTrust(bytes) {
  if (bytes.length > MAX_TRUST) throw new UncheckableError(`the trust file is longer than ${MAX_TRUST} bytes`);
  let members;
  try {
    members = JSON.parse(decodeUtf8(bytes));
  } catch {
    throw new UncheckableError("the trust file is not JSON");
  }
  if (!isObject(members) || !Object.keys(members).every((name) => MEMBERS.includes(name))) {
    throw new UncheckableError(`the trust file must be an object with ${MEMBERS.join(", ")} only`);
  }
  const devices = members.devices ?? {};
  if (!isObject(devices)) throw new UncheckableError("the trust file's devices are not an object");
  const witnesses = texts(members, "witnesses").map((text) => checkedVkey(text, COSIGNATURES, "witnesses"));
  return {
    logs: texts(members, "logs").map((text) => checkedVkey(text, [ED25519], "logs")),
    witnesses,
    quorum: readQuorum(members.quorum ?? 1, witnesses),
    tsaRoots: texts(members, "tsa_roots").map(readRoot),
    beacons: readChains(members.beacons ?? []),
    devices: new Map(Object.entries(devices).map(readDevice)),
  };
}

function texts(members, name) {
  const values = members[name] ?? [];
  if (!Array.isArray(values) || values.some((value) => typeof value !== "string")) {
    throw new UncheckableError(`the trust file's ${name} are not a list of texts`);
  }
  return values;
}

/** What `read` gives; a FormatError is told as the trust file's. */
function reading(name, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UncheckableError(`the trust file's ${name}: ${error.message}`);
  }
}

function checkedVkey(text, algorithms, name) {
  const { algorithm } = reading(name, () => parseVkey(text));
  if (!algorithms.includes(algorithm)) throw new UncheckableError(`the trust file's ${name}: a key of another kind`);
  return text;
}

/** A quorum that the witnesses could never make is a mistake: better told than quietly never met. */
function readQuorum(value, witnesses) {
  const most = Math.max(1, new Set(witnesses.map((vkey) => parseVkey(vkey).name)).size);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new UncheckableError("the trust file's quorum is not a number from 1 to that of its witnesses");
  }
  return value;
}

function readRoot(text) {
  const found = PEM.exec(text);
  if (!found) throw new UncheckableError("the trust file's tsa_roots: not a PEM certificate");
  return reading("tsa_roots", () => parseCertificate(parseBase64(found[1].replace(/\s/g, ""), "PEM")));
}

function readChains(values) {
  if (!Array.isArray(values) || !values.every(isObject)) {
    throw new UncheckableError("the trust file's beacons are not a list of chains");
  }
  const chains = values.map((value) => reading("beacons", () => readChain(new Fields(value, "beacons"))));
  const known = new Map([[QUICKNET.hash, JSON.stringify(QUICKNET)]]);
  for (const chain of chains) {
    const written = JSON.stringify(chain);
    if ((known.get(chain.hash) ?? written) !== written) {
      throw new UncheckableError("the trust file's beacons: one chain under two keys");
    }
    known.set(chain.hash, written);
  }
  return chains;
}

function readDevice([name, key]) {
  const device = name.toLowerCase();
  if (!isUuid(device) || typeof key !== "string" || !/^(?:[0-9a-fA-F]{2})*$/.test(key)) {
    throw new UncheckableError("the trust file's devices: not UUIDs with keys in hex");
  }
  if (key.length !== 64) throw new UncheckableError(`the trust file's devices: the key of ${name} is not 32 bytes`);
  return [device, key.toLowerCase()];
}
