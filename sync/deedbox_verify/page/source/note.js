// Signed notes, checkpoints and witness cosignatures (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature).
// Signatures by keys that the caller does not name are ignored, as the specification asks.

import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { characters, concatBytes, fromHex, parseBase64, toHex, utf8 } from "./binary_text.js";
import { checkPublicKey, verifyEd25519 } from "./ed25519.js";
import { FormatError, ProofError } from "./errors.js";
import { HASH_LENGTH, MAX_SIZE } from "./merkle.js";
import { sha256 } from "./sha256.js";

export const ED25519 = 0x01;
const COSIGNATURE_V1 = 0x04;
const COSIGNATURE_ML_DSA_44 = 0x06;
export const COSIGNATURES = [COSIGNATURE_V1, COSIGNATURE_ML_DSA_44];
const MAX_NOTE = 98_304; // characters; sixteen ML-DSA-44 signatures are 80 KiB
const MAX_SIGNATURES = 64;
const MAX_VKEY = 4_096; // an ML-DSA-44 key is 1,752 characters, a name at most 256
const MAX_NAME = 256;
const MAX_COMMITTED_NAME = 255; // bytes: what a cosigned message says of a name has one byte of length
const ML_DSA_44_KEY = 1_312;

const BARRED = /[\x00-\x09\x0b-\x1f\ud800-\udfff]/u;
const BARRED_IN_NAMES = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]/u;
const SIZE = /^(?:0|[1-9][0-9]{0,18})$/;
const ORIGIN = /^deedbox\/([0-9a-f]{32})\/(?:0|[1-9][0-9]{0,8})$/;

/** Which box an origin names, as a UUID. */
export function boxOfOrigin(origin) {
  const found = ORIGIN.exec(origin);
  if (!found) throw new FormatError("origin", "is not deedbox/BOX/EPOCH");
  return found[1].replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A key that may sign notes: {name, algorithm, publicKey (hex), keyId (hex), isLog}. */
export function parseVkey(vkey) {
  const parts = split(vkey, "+", 3);
  if (vkey.length > MAX_VKEY || parts.length !== 3) throw new FormatError("vkey", "is not name+id+key");
  const [name, keyId, encoded] = parts;
  const key = parseBase64(encoded, "vkey");
  const [algorithm, publicKey] = [key[0] ?? 0, toHex(key.subarray(1))];
  checkVerifier(name, algorithm, publicKey);
  if (sha256(concatBytes(utf8(`${name}\n`), key)).slice(0, 8) !== keyId) {
    throw new FormatError("vkey", "has an id that is not its key's");
  }
  return { name, algorithm, publicKey, keyId, isLog: algorithm === ED25519 };
}

function split(text, mark, most) {
  const parts = text.split(mark);
  return parts.length <= most ? parts : [...parts.slice(0, most - 1), parts.slice(most - 1).join(mark)];
}

function checkVerifier(name, algorithm, publicKey) {
  if (!isName(name)) throw new FormatError("vkey", "has a name that is empty, too long, or has spaces or plus signs");
  if (algorithm === COSIGNATURE_ML_DSA_44) {
    if (utf8(name).length > MAX_COMMITTED_NAME) {
      throw new FormatError("vkey", `has a name of more than ${MAX_COMMITTED_NAME} bytes`);
    }
    if (publicKey.length !== 2 * ML_DSA_44_KEY) throw new FormatError("vkey", `has a key that is not ${ML_DSA_44_KEY} bytes`);
  } else if (algorithm === ED25519 || algorithm === COSIGNATURE_V1) {
    checkPublicKey(publicKey, "vkey");
  } else {
    throw new FormatError("vkey", "is of an algorithm that is not known here");
  }
}

function isName(name) {
  return name.length > 0 && characters(name) <= MAX_NAME && !BARRED.test(name) && !BARRED_IN_NAMES.test(name);
}

/** {origin, size (BigInt), root (bytes)} of a note's body: three lines, no extensions. */
export function parseCheckpoint(body) {
  const lines = body.split("\n");
  if (characters(body) > MAX_NOTE || lines.length !== 4 || lines[3] || !lines[0]) {
    throw new FormatError("checkpoint", "is not three lines: origin, size, root");
  }
  const [origin, size, root] = lines;
  if (!SIZE.test(size) || BigInt(size) > MAX_SIZE) {
    throw new FormatError("checkpoint", "has a size that is not a decimal number below 2^63");
  }
  const hashed = parseBase64(root, "checkpoint root");
  if (hashed.length !== HASH_LENGTH) throw new FormatError("checkpoint root", `is not ${HASH_LENGTH} bytes`);
  return { origin, size: BigInt(size), root: hashed };
}

/** {body, signatures: [{name, keyId (hex), value (bytes)}]}; nothing of it is to be believed before `verifyNote`. */
export function parseNote(text) {
  if (characters(text) > MAX_NOTE) throw new FormatError("note", `is longer than ${MAX_NOTE}`);
  if (BARRED.test(text)) throw new FormatError("note", "has a control character or a lone surrogate");
  const gap = text.lastIndexOf("\n\n");
  const lines = text.slice(gap + 2).split("\n");
  if (gap < 0 || lines.pop() || lines.length < 1 || lines.length > MAX_SIGNATURES) {
    throw new FormatError("note", `is not a text, a blank line, and 1 to ${MAX_SIGNATURES} signature lines`);
  }
  return { body: text.slice(0, gap + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line) {
  const parts = line.split(" ");
  if (parts.length !== 3 || parts[0] !== "\u2014" || !isName(parts[1])) {
    throw new FormatError("note", "has a line among its signatures that is none");
  }
  const value = parseBase64(parts[2], "note signature");
  if (value.length <= 4) throw new FormatError("note signature", "is empty");
  return { name: parts[1], keyId: toHex(value.subarray(0, 4)), value: value.subarray(4) };
}

/** Who of `vkeys` signed: Map of name → null for a plain signature, POSIX time (BigInt) for a cosignature: the earliest of
 *  several, null where each has time 0. ProofError when one of these keys' signatures is false, or when none is there. */
export function verifyNote(note, vkeys) {
  const known = new Map();
  for (const verifier of vkeys.map(parseVkey)) {
    for (const other of known.values()) {
      if (other.name === verifier.name && other.isLog !== verifier.isLog) {
        throw new FormatError("vkeys", "one name is a log's and a witness's");
      }
    }
    known.set(`${verifier.name}+${verifier.keyId}`, verifier);
  }
  const held = new Map();
  for (const signature of note.signatures) {
    const verifier = known.get(`${signature.name}+${signature.keyId}`);
    if (!verifier) continue;
    const times = [verifySignature(note.body, signature, verifier), held.get(verifier.name)].filter((time) => time);
    held.set(verifier.name, times.length ? times.reduce((a, b) => (a < b ? a : b)) : null);
  }
  if (!held.size) throw new ProofError("the note is signed by none of the expected keys");
  return held;
}

function verifySignature(body, signature, verifier) {
  let [time, message, value] = [null, utf8(body), signature.value];
  if (!verifier.isLog) {
    time = value.length ? BigInt(`0x${toHex(value.subarray(0, 8))}`) : 0n;
    value = value.subarray(8);
    if (time > MAX_SIZE) throw new ProofError(`the cosignature by '${verifier.name}' has an impossible time`);
    try {
      message = cosigned(body, verifier, time);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw new ProofError(`the cosignature by '${verifier.name}' is over no checkpoint: ${error.message}`);
    }
  }
  const holds =
    verifier.algorithm === COSIGNATURE_ML_DSA_44
      ? value.length === ml_dsa44.lengths.signature && ml_dsa44.verify(value, message, fromHex(verifier.publicKey))
      : verifyEd25519(verifier.publicKey, value, message);
  if (!holds) throw new ProofError(`the note's signature by '${verifier.name}' does not hold`);
  return time;
}

/** What a witness signs: the body under a header, or, for ML-DSA-44, what the checkpoint says (tlog-cosignature). */
function cosigned(body, witness, time) {
  if (witness.algorithm === COSIGNATURE_V1) return utf8(`cosignature/v1\ntime ${time}\n${body}`);
  const told = parseCheckpoint(body);
  const [name, origin] = [utf8(witness.name), utf8(told.origin)];
  if (origin.length > MAX_COMMITTED_NAME) {
    throw new FormatError("checkpoint", `has an origin of more than ${MAX_COMMITTED_NAME} bytes`);
  }
  const head = [utf8("subtree/v1\n\0"), Uint8Array.of(name.length), name, eightBytes(time)];
  return concatBytes(...head, Uint8Array.of(origin.length), origin, eightBytes(0n), eightBytes(told.size), told.root);
}

function eightBytes(number) {
  return fromHex(number.toString(16).padStart(16, "0"));
}
