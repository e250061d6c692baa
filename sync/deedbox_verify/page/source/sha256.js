// SHA-256 and the others that statements may carry, whole and in pieces.

import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 as nobleSha256, sha512 } from "@noble/hashes/sha2.js";
import { toHex } from "./binary_text.js";

const HASHES = { md5, sha1, sha256: nobleSha256, sha512 };
const NATIVE = { sha1: "SHA-1", sha256: "SHA-256", sha512: "SHA-512" }; // WebCrypto has no MD5

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

/** The same by WebCrypto, which takes a text of known length whole: `hex()` is to be awaited. */
export function wholeHash(name, length) {
  if (!NATIVE[name] || !globalThis.crypto?.subtle) return runningHash(name);
  const whole = new Uint8Array(length);
  let at = 0;
  return {
    update(bytes) {
      whole.set(bytes, at);
      at += bytes.length;
    },
    hex: async () => toHex(new Uint8Array(await crypto.subtle.digest(NATIVE[name], whole.subarray(0, at)))),
  };
}
