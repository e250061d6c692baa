// The Sigstore bundle v0.3 that stands beside each statement, and keys as SubjectPublicKeyInfo PEM.

import { concatBytes, encodeBase64, fromHex, utf8 } from "./binary_text.js";
import { encode } from "./canonical_json.js";
import { PAYLOAD_TYPE } from "./dsse.js";
import { sha256Bytes } from "./sha256.js";

const MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const SPKI_HEAD = fromHex("302a300506032b6570032100"); // RFC 8410: Ed25519, then the 32 bytes of the key

function spki(key) {
  return concatBytes(SPKI_HEAD, fromHex(key));
}

/** The bytes of the Sigstore bundle for an envelope and the key (hex) that verifies it. */
export function encodeSigstore(envelope, key) {
  return encode({
    mediaType: MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: encodeBase64(sha256Bytes(spki(key))) }, tlogEntries: [] },
    dsseEnvelope: {
      payload: encodeBase64(envelope.payload),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ keyid: "", sig: encodeBase64(envelope.signature) }],
    },
  });
}

/** A raw Ed25519 key as PEM, which openssl reads. */
export function encodePem(key) {
  return utf8(`-----BEGIN PUBLIC KEY-----\n${encodeBase64(spki(key))}\n-----END PUBLIC KEY-----\n`);
}
