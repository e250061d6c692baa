// drand beacons: values that nobody knew before their time (formats/time.md, Beacon).

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { fromHex } from "./binary_text.js";
import { FormatError, ProofError } from "./errors.js";
import { sha256Bytes } from "./sha256.js";
import { fromSeconds } from "./timestamp.js";

const CHAIN_LENGTH = 32;
const PUBLIC_KEY_LENGTH = 96; // a compressed point of G2
const SIGNATURE_LENGTH = 48; // a compressed point of G1
const DOMAIN = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";
const LAST_TIME = 253_402_300_799; // the end of the year 9999
const LONGEST_PERIOD = 86_400; // drand's chains have 3 s and 30 s; a day still tells something
// The compressed points at infinity: with such a key, or over such a signature, any message would hold.
const NO_KEY = "c0" + "00".repeat(PUBLIC_KEY_LENGTH - 1);
const NO_SIGNATURE = "c0" + "00".repeat(SIGNATURE_LENGTH - 1);

export const QUICKNET = {
  hash: "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
  publicKey:
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451" +
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
  genesis: 1_692_803_367,
  period: 3,
};

/** {chain, round, signature}: all of `fields` is the beacon. Whether it verifies is for the caller to ask. */
export function readBeacon(fields) {
  const beacon = {
    chain: fields.hex("chain", CHAIN_LENGTH),
    round: fields.integer("round", 1),
    signature: fields.hex("signature", SIGNATURE_LENGTH),
  };
  fields.done();
  return beacon;
}

/** A chain that somebody pins. */
export function readChain(fields) {
  const chain = {
    hash: fields.hex("chain", CHAIN_LENGTH),
    publicKey: fields.hex("public_key", PUBLIC_KEY_LENGTH),
    genesis: fields.integer("genesis", 0, LAST_TIME),
    period: fields.integer("period", 1, LONGEST_PERIOD),
  };
  fields.done();
  if (chain.publicKey === NO_KEY) throw fields.fault("public_key", "is no key: any signature would hold");
  return chain;
}

/** When the round was published. FormatError past the year 9999. */
export function roundTime(chain, round) {
  const time = fromSeconds(BigInt(chain.genesis) + BigInt(chain.period) * BigInt(round - 1));
  if (round < 1 || time === null) throw new FormatError("beacon.round", `${round} is no round of its chain`);
  return time;
}

/** ProofError unless the chain's key signed this round. */
export function verifyBeacon(beacon, chain) {
  if (beacon.chain !== chain.hash) throw new ProofError("the beacon is of another chain");
  const weak = beacon.signature === NO_SIGNATURE || chain.publicKey === NO_KEY;
  if (weak || !holds(chain.publicKey, beacon.round, beacon.signature)) {
    throw new ProofError(`the beacon's signature of round ${beacon.round} does not hold`);
  }
}

const judged = new Map(); // a bundle's exhibits share their beacons

function holds(publicKey, round, signature) {
  const name = `${publicKey} ${round} ${signature}`;
  if (!judged.has(name)) judged.set(name, pairs(publicKey, round, signature));
  return judged.get(name);
}

function pairs(publicKey, round, signature) {
  const bls = bls12_381.shortSignatures;
  const message = sha256Bytes(fromHex(round.toString(16).padStart(16, "0")));
  try {
    const key = bls12_381.G2.Point.fromBytes(fromHex(publicKey));
    const signed = bls12_381.G1.Point.fromBytes(fromHex(signature));
    key.assertValidity(); // on the curve and in the subgroup
    signed.assertValidity();
    if (signed.toHex(true) !== signature) return false;
    return bls.verify(signed, bls.hash(message, DOMAIN), key);
  } catch {
    return false; // no points
  }
}
