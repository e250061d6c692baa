// X.509 certificates and CRLs (RFC 5280), as far as stamps and devices need them; signatures by WebCrypto.

import { decodeUtf8, equalBytes, fromHex, toHex } from "./binary_text.js";
import * as der from "./der.js";
import { verifyEd25519 } from "./ed25519.js";
import { FormatError, ProofError } from "./errors.js";

const COMMON_NAME = "2.5.4.3";
const ALTERNATIVE_NAME = "2.5.29.17";
const URI_PREFIX = "urn:deedbox:device:";
const NAME_WORDS = new Map(
  Object.entries({ [COMMON_NAME]: "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU" }),
);
const RSA = "1.2.840.113549.1.1.";
const ECDSA = "1.2.840.10045.4.";
const ED25519 = "1.3.101.112";
const SIGNATURES = new Map([
  [`${RSA}5`, ["RSASSA-PKCS1-v1_5", "SHA-1"]],
  [`${RSA}11`, ["RSASSA-PKCS1-v1_5", "SHA-256"]],
  [`${RSA}12`, ["RSASSA-PKCS1-v1_5", "SHA-384"]],
  [`${RSA}13`, ["RSASSA-PKCS1-v1_5", "SHA-512"]],
  [`${ECDSA}1`, ["ECDSA", "SHA-1"]],
  [`${ECDSA}3.2`, ["ECDSA", "SHA-256"]],
  [`${ECDSA}3.3`, ["ECDSA", "SHA-384"]],
  [`${ECDSA}3.4`, ["ECDSA", "SHA-512"]],
]);
const CURVES = new Map([
  ["1.2.840.10045.3.1.7", ["P-256", 32]],
  ["1.3.132.0.34", ["P-384", 48]],
  ["1.3.132.0.35", ["P-521", 66]],
]);

/** {raw, tbs, serial, issuer, subject, notBefore, notAfter, spki, extensions, algorithm, signature}: names as raw DER (hex),
 *  extensions as Map of OID → {critical, value}. Nothing of it is verified. */
export function parseCertificate(bytes) {
  return readCertificate(der.readDer(bytes));
}

export function readCertificate(element) {
  const outer = new der.Members(element, der.SEQUENCE, "certificate");
  const tbs = outer.take(der.SEQUENCE);
  const algorithm = readAlgorithm(outer.take(der.SEQUENCE));
  const signature = der.bitBytes(outer.take(der.BIT_STRING));
  outer.done();
  const fields = new der.Members(tbs, der.SEQUENCE, "certificate");
  fields.takeOptional(der.context(0));
  const serial = der.integer(fields.take(der.INTEGER));
  const inner = readAlgorithm(fields.take(der.SEQUENCE));
  const issuer = toHex(fields.take(der.SEQUENCE).raw);
  const validity = fields.takeSequence("validity");
  const [notBefore, notAfter] = [takeTime(validity), takeTime(validity)];
  validity.done();
  const subject = fields.take(der.SEQUENCE);
  const spki = fields.take(der.SEQUENCE).raw;
  fields.takeOptional(der.context(1, false));
  fields.takeOptional(der.context(2, false));
  const extensions = readExtensions(fields.takeOptional(der.context(3)));
  fields.done();
  if (!sameAlgorithm(inner, algorithm)) throw new FormatError("certificate", "names two signature algorithms");
  const names = { issuer, subject: toHex(subject.raw), subjectNames: readNames(subject) };
  return { raw: element.raw, tbs: tbs.raw, serial, ...names, notBefore, notAfter, spki, extensions, algorithm, signature };
}

/** {tbs, issuer, updated, revoked: [{serial, time, reason}], algorithm, signature} of a CRL (RFC 5280 5.1). */
export function parseCrl(bytes) {
  const outer = new der.Members(der.readDer(bytes), der.SEQUENCE, "CRL");
  const tbs = outer.take(der.SEQUENCE);
  const algorithm = readAlgorithm(outer.take(der.SEQUENCE));
  const signature = der.bitBytes(outer.take(der.BIT_STRING));
  outer.done();
  const fields = new der.Members(tbs, der.SEQUENCE, "CRL");
  fields.takeOptional(der.INTEGER);
  const inner = readAlgorithm(fields.take(der.SEQUENCE));
  const issuer = toHex(fields.take(der.SEQUENCE).raw);
  const updated = takeTime(fields);
  fields.takeOptional(der.UTC_TIME) ?? fields.takeOptional(der.GENERALIZED_TIME);
  const revoked = (fields.takeOptional(der.SEQUENCE)?.children ?? []).map(readRevoked);
  readExtensions(fields.takeOptional(der.context(0)));
  fields.done();
  if (!sameAlgorithm(inner, algorithm)) throw new FormatError("CRL", "names two signature algorithms");
  return { tbs: tbs.raw, issuer, updated, revoked, algorithm, signature };
}

function readRevoked(element) {
  const fields = new der.Members(element, der.SEQUENCE, "revocation");
  const [serial, time] = [der.integer(fields.take(der.INTEGER)), takeTime(fields)];
  const extensions = fields.takeOptional(der.SEQUENCE);
  fields.done();
  const reason = readExtensionList(extensions?.children ?? []).get("2.5.29.21");
  return { serial, time, reason: reason ? readReason(reason.value) : 0 };
}

function readReason(value) {
  const element = der.readDer(value);
  if (element.tag !== der.ENUMERATED || element.body.length !== 1) throw new FormatError("CRL", "has a reason that is none");
  return element.body[0];
}

export function readAlgorithm(element) {
  const fields = new der.Members(element, der.SEQUENCE, "algorithm");
  const oid = der.oidText(fields.take(der.OID));
  const parameters = fields.left.shift() ?? null;
  fields.done();
  return { oid, parameters };
}

function sameAlgorithm(one, other) {
  return one.oid === other.oid && toHex(one.parameters?.raw ?? []) === toHex(other.parameters?.raw ?? []);
}

function takeTime(fields) {
  return der.time(fields.takeOptional(der.UTC_TIME) ?? fields.take(der.GENERALIZED_TIME));
}

function readExtensions(element) {
  if (!element) return new Map();
  const wrapped = new der.Members(element, element.tag, "extensions");
  const list = wrapped.take(der.SEQUENCE);
  wrapped.done();
  return readExtensionList(list.children);
}

function readExtensionList(children) {
  const found = new Map();
  for (const child of children) {
    const fields = new der.Members(child, der.SEQUENCE, "extension");
    const oid = der.oidText(fields.take(der.OID));
    const critical = fields.takeOptional(der.BOOLEAN);
    const value = fields.take(der.OCTET_STRING).body;
    fields.done();
    if (found.has(oid)) throw new FormatError("certificate", "has an extension twice");
    found.set(oid, { critical: critical !== null && der.boolean(critical), value });
  }
  return found;
}

/** [{oid, value (text)}] of a name. */
function readNames(element) {
  const names = [];
  for (const set of element.children ?? []) {
    if (set.tag !== der.SET) throw new FormatError("certificate", "has a name that is none");
    for (const one of set.children) {
      const fields = new der.Members(one, der.SEQUENCE, "name");
      names.push({ oid: der.oidText(fields.take(der.OID)), value: nameText(fields.left.shift()) });
      fields.done();
    }
  }
  return names;
}

function nameText(element) {
  if (!element) throw new FormatError("certificate", "has a name without a value");
  if (element.tag === 0x1e) return new TextDecoder("utf-16be").decode(element.body); // BMPString
  if (element.tag !== 0x0c) return String.fromCharCode(...element.body); // Printable-, IA5-, TeletexString
  try {
    return decodeUtf8(element.body);
  } catch {
    throw new FormatError("certificate", "has a name that is not UTF-8");
  }
}

/** The first common name, else the whole name; for people. */
export function displayName(certificate) {
  const named = certificate.subjectNames;
  const whole = named.map(({ oid, value }) => `${NAME_WORDS.get(oid) ?? oid}=${value}`).reverse().join(",");
  return named.find(({ oid }) => oid === COMMON_NAME)?.value || whole || "a time-stamp authority";
}

/** A certificate's serial number as records write it: lower-case hex of whole bytes. */
export function serialText({ serial }) {
  const text = serial.toString(16);
  return text.padStart(text.length + (text.length % 2), "0");
}

/** The device (a UUID) that a certificate names in its subject and, the same, in its URI. */
export function deviceOf(certificate) {
  const names = certificate.subjectNames.filter(({ oid }) => oid === COMMON_NAME);
  const extension = certificate.extensions.get(ALTERNATIVE_NAME);
  const uris = extension ? der.readDer(extension.value).children ?? [] : [];
  const first = uris.find(({ tag }) => tag === der.context(6, false));
  const text = first ? String.fromCharCode(...first.body) : "";
  const device = text.startsWith(URI_PREFIX) ? text.slice(URI_PREFIX.length) : text;
  if (!first || names.length !== 1 || names[0].value !== device) {
    throw new ProofError("the device certificate names no device");
  }
  return device;
}

/** Whether the key of a SubjectPublicKeyInfo signed the message. `digest`, a WebCrypto name, is for keys whose algorithm names
 *  none (rsaEncryption in CMS). False for algorithms that are not known here. */
export async function verifySignature(spki, algorithm, signature, message, digest = null) {
  const key = new der.Members(der.readDer(spki), der.SEQUENCE, "key");
  const kind = readAlgorithm(key.take(der.SEQUENCE));
  const bits = der.bitBytes(key.take(der.BIT_STRING));
  if (algorithm.oid === ED25519) return kind.oid === ED25519 && verifyEd25519(toHex(bits), signature, message);
  const [name, hash] = algorithm.oid === `${RSA}1` ? ["RSASSA-PKCS1-v1_5", digest] : SIGNATURES.get(algorithm.oid) ?? [];
  if (!name || !hash) return false;
  try {
    if (name === "ECDSA") {
      const [namedCurve, length] = CURVES.get(der.oidText(kind.parameters)) ?? [];
      const imported = await crypto.subtle.importKey("spki", spki, { name, namedCurve }, false, ["verify"]);
      return await crypto.subtle.verify({ name, hash }, imported, plainEcdsa(signature, length), message);
    }
    const imported = await crypto.subtle.importKey("spki", spki, { name, hash }, false, ["verify"]);
    return await crypto.subtle.verify({ name }, imported, signature, message);
  } catch (error) {
    if (error instanceof DOMException || error instanceof TypeError || error instanceof FormatError) return false;
    throw error; // a key or signature that WebCrypto cannot take proves nothing; anything else is our own mistake
  }
}

/** WebCrypto takes an ECDSA signature as the two numbers side by side, X.509 has them as DER. */
function plainEcdsa(signature, length) {
  const pair = new der.Members(der.readDer(signature), der.SEQUENCE, "signature");
  const numbers = [der.integer(pair.take(der.INTEGER)), der.integer(pair.take(der.INTEGER))];
  pair.done();
  return fromHex(numbers.map((number) => number.toString(16).padStart(2 * length, "0")).join(""));
}

/** Whether `issuer` signed `certificate` and is called what its issuer is called. */
export async function isIssuedBy(certificate, issuer) {
  const { tbs, algorithm, signature } = certificate;
  return certificate.issuer === issuer.subject && (await verifySignature(issuer.spki, algorithm, signature, tbs));
}

export function isSame(one, other) {
  return equalBytes(one.raw, other.raw);
}
