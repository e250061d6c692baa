// SHA-256 and the others that statements may carry, whole and in pieces.

import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 as nobleSha256, sha512 } from "@noble/hashes/sha2.js";
import { toHex } from "./binary_text.js";

const HASHES = { md5, sha1, sha256: nobleSha256, sha512 };

/** As 32 bytes. */
export function sha256Bytes(bytes) {
  return nobleSha256(bytes);
}

/** As hex. */
export function sha256(bytes) {
  return toHex(nobleSha256(bytes));
}

/** A running hash: `update(bytes)`, then `hex()`. */
export function runningHash(name) {
  const hash = HASHES[name].create();
  return { update: (bytes) => hash.update(bytes), hex: () => toHex(hash.digest()) };
}
