// DSSE v1 envelopes with one Ed25519 signature and an empty `keyid` (github.com/secure-systems-lab/dsse, protocol.md).

import { concatBytes, utf8 } from "./binary_text.js";
import { Fields, parseObject } from "./canonical_json.js";
import { keyProblem, verifyEd25519 } from "./ed25519.js";
import { ProofError } from "./errors.js";

export const PAYLOAD_TYPE = "application/vnd.in-toto+json";
export const MAX_ENVELOPE = 65_536; // a statement is a page of facts; this leaves room for many extended attributes
const SIGNATURE_LENGTH = 64;

/** {payload, signature}, both bytes, of an envelope; not yet verified. */
export function parseEnvelope(bytes) {
  const fields = new Fields(parseObject(bytes, MAX_ENVELOPE, "envelope"), "envelope");
  const payload = fields.base64("payload");
  fields.literal("payloadType", PAYLOAD_TYPE);
  const signatures = fields.objects("signatures");
  fields.done();
  if (signatures.length !== 1) throw fields.fault("signatures", "is not exactly one");
  signatures[0].literal("keyid", "");
  const signature = signatures[0].base64("sig");
  signatures[0].done();
  if (signature.length !== SIGNATURE_LENGTH) throw signatures[0].fault("sig", `is not ${SIGNATURE_LENGTH} bytes`);
  return { payload, signature };
}

/** ProofError unless the signature is this key's (hex) over this payload, and the key one that can bind anybody. */
export function verifyEnvelope(envelope, key) {
  const what = keyProblem(key);
  if (what) throw new ProofError(`the envelope's key ${what}`);
  const type = utf8(PAYLOAD_TYPE);
  const head = utf8(`DSSEv1 ${type.length} ${PAYLOAD_TYPE} ${envelope.payload.length} `);
  if (!verifyEd25519(key, envelope.signature, concatBytes(head, envelope.payload))) {
    throw new ProofError("the envelope's signature is not by this key over this payload");
  }
}
