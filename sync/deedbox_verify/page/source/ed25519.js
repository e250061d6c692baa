// Ed25519 (RFC 8032 5.1), verified as OpenSSL does: no cofactor, and the one encoding of each point and number.
// The curve is noble's, with the constants of RFC 8032 5.1; only the equation is ours, since noble multiplies it by the
// cofactor and so takes signatures that the Python verifier refuses.

import { edwards } from "@noble/curves/abstract/edwards.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, equalBytes, fromHex, toHex } from "./binary_text.js";
import { FormatError } from "./errors.js";

export const KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;

const PRIME = 2n ** 255n - 19n;
const HEIGHT = 2n ** 255n - 1n; // all but the sign of x, which has the highest bit
const Point = edwards({
  p: PRIME,
  n: 2n ** 252n + 27742317777372353535851937790883648493n,
  h: 8n,
  a: PRIME - 1n,
  d: 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n,
  Gx: 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an,
  Gy: 0x6666666666666666666666666666666666666666666666666666666666666658n,
});

// The encodings of the eight points of small order, without the sign bit: under such a key one fixed signature holds for any
// message or for every eighth, so that whoever paired with it could disown all that it signed.
const WEAK = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** Why a raw key (hex) may not stand for anybody, or null: it is of small order, or not the one encoding of its point. */
export function keyProblem(key) {
  const raw = fromHex(key);
  const height = littleEndian(raw) & HEIGHT;
  raw[31] &= 0x7f;
  if (WEAK.has(toHex(raw))) return "is a weak key: a signature by it binds nobody";
  return height >= PRIME ? "is not the canonical encoding of its point" : null;
}

/** FormatError for a key of another length and for what `keyProblem` names. */
export function checkPublicKey(key, where) {
  if (key.length !== 2 * KEY_LENGTH) throw new FormatError(where, `is not ${KEY_LENGTH} bytes`);
  const what = keyProblem(key);
  if (what) throw new FormatError(where, what);
}

/** Whether the signature (64 bytes) is the key's (hex) over the message. */
export function verifyEd25519(key, signature, message) {
  if (signature.length !== SIGNATURE_LENGTH) return false;
  const encodedR = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const order = Point.Fn.ORDER;
  if (s >= order) return false;
  let a;
  try {
    a = Point.fromBytes(fromHex(key));
  } catch {
    return false; // no point of the curve
  }
  const k = littleEndian(sha512(concatBytes(encodedR, fromHex(key), message))) % order;
  const r = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return equalBytes(r.toBytes(), encodedR);
}

function littleEndian(bytes) {
  return BigInt("0x" + toHex(Uint8Array.from(bytes).reverse()));
}
