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
const EC_KEY = "1.2.840.10045.2.1";
const SHA2 = "2.16.840.1.101.3.4.2.";
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

/** {raw, tbs, version, serial, issuer, subject, notBefore, notAfter, spki, extensions, algorithm, inner, signature}: names as
 *  raw DER (hex), extensions as Map of OID → {critical, value}, `algorithm` and `inner` what it says twice of its signature. Nothing of
 *  it is verified. */
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
  const version = readVersion(fields.takeOptional(der.context(0)));
  const serial = der.integer(fields.take(der.INTEGER));
  const inner = readAlgorithm(fields.take(der.SEQUENCE));
  const issuer = readName(fields.take(der.SEQUENCE));
  const validity = fields.takeSequence("validity");
  const [notBefore, notAfter] = [takeTime(validity), takeTime(validity)];
  validity.done();
  const subject = readName(fields.take(der.SEQUENCE));
  const spki = readKey(fields.take(der.SEQUENCE));
  fields.takeOptional(der.context(1, false));
  fields.takeOptional(der.context(2, false));
  const extensions = readExtensions(fields.takeOptional(der.context(3)));
  fields.done();
  const body = { version, serial, issuer, notBefore, notAfter, subject, spki, extensions };
  return { raw: element.raw, tbs: tbs.raw, ...body, algorithm, inner, signature };
}

/** Version 1 is not written; whether the others are known is for whoever uses the certificate. */
function readVersion(element) {
  const version = element ? der.integer(new der.Members(element, element.tag, "version").take(der.INTEGER)) : 0n;
  if (version < (element ? 1n : 0n)) throw new FormatError("certificate", "is of no version");
  return version;
}

/** The SubjectPublicKeyInfo as {raw, kind (algorithm), bits}. */
function readKey(element) {
  const fields = new der.Members(element, der.SEQUENCE, "key");
  const kind = readAlgorithm(fields.take(der.SEQUENCE));
  const bits = der.bitBytes(fields.take(der.BIT_STRING));
  fields.done();
  return { raw: element.raw, kind, bits };
}

/** {tbs, issuer, updated, revoked: [{serial, time, reason}], algorithm, inner, signature} of a CRL (RFC 5280 5.1). */
export function parseCrl(bytes) {
  const outer = new der.Members(der.readDer(bytes), der.SEQUENCE, "CRL");
  const tbs = outer.take(der.SEQUENCE);
  const algorithm = readAlgorithm(outer.take(der.SEQUENCE));
  const signature = der.bitBytes(outer.take(der.BIT_STRING));
  outer.done();
  const fields = new der.Members(tbs, der.SEQUENCE, "CRL");
  fields.takeOptional(der.INTEGER);
  const inner = readAlgorithm(fields.take(der.SEQUENCE));
  const issuer = readName(fields.take(der.SEQUENCE));
  const updated = takeTime(fields);
  fields.takeOptional(der.UTC_TIME) ?? fields.takeOptional(der.GENERALIZED_TIME);
  const revoked = (fields.takeOptional(der.SEQUENCE)?.children ?? []).map(readRevoked);
  readExtensions(fields.takeOptional(der.context(0)));
  fields.done();
  return { tbs: tbs.raw, issuer, updated, revoked, algorithm, inner, signature };
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
  const plain = oid.startsWith(SHA2) || SIGNATURES.has(oid) || oid === `${RSA}1`;
  const wrong = plain ? parameters && parameters.raw.length !== 2 : oid === EC_KEY && parameters?.tag !== der.OID;
  if (wrong || (plain && parameters && parameters.tag !== der.NULL)) {
    throw new FormatError("algorithm", "has parameters that are not its own");
  }
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

/** A name as raw DER (hex): that compares. Its texts are read where a person needs them. */
export function readName(element) {
  for (const set of element.children) {
    if (set.tag !== der.SET || !set.children.length) throw new FormatError("certificate", "has a name that is none");
    for (const one of set.children) {
      const fields = new der.Members(one, der.SEQUENCE, "name");
      der.oidText(fields.take(der.OID));
      if (!fields.left.shift()) throw new FormatError("certificate", "has a name without a value");
      fields.done();
    }
  }
  return toHex(element.raw);
}

/** [{oid, value (text)}] of a name in hex. FormatError for a text in no form that is known here. */
export function nameTexts(name) {
  const parts = der.readDer(fromHex(name)).children.flatMap((set) => set.children);
  return parts.map(({ children: [oid, value] }) => ({ oid: der.oidText(oid), value: nameText(value) }));
}

function nameText({ tag, body }) {
  try {
    if (tag === 0x0c) return decodeUtf8(body); // UTF8String
    if (tag === 0x1e) return new TextDecoder("utf-16be", { fatal: true }).decode(body); // BMPString
    if ([0x12, 0x13, 0x14, 0x16, 0x1a].includes(tag)) return String.fromCharCode(...body); // Numeric, Printable, T61, IA5, Visible
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // what TextDecoder throws
  }
  throw new FormatError("certificate", "has a name that is no text");
}

/** The first common name, else the whole name; for people. */
export function displayName(certificate) {
  const named = nameTexts(certificate.subject);
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
  const names = nameTexts(certificate.subject).filter(({ oid }) => oid === COMMON_NAME);
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

/** Whether a certificate's key signed the message with this algorithm. False for algorithms that are not known here. */
export async function verifySignature(spki, algorithm, signature, message) {
  if (algorithm.oid === ED25519) return spki.kind.oid === ED25519 && verifyEd25519(toHex(spki.bits), signature, message);
  const [name, hash] = SIGNATURES.get(algorithm.oid) ?? [];
  return name ? verifyWith(spki, name, hash, signature, message) : false;
}

/** Whether a certificate's key signed the message in its own way (RSA with PKCS #1 v1.5, ECDSA) over this digest: CMS names
 *  the digest, and the key tells the rest. */
export async function verifyDigestSignature(spki, digest, signature, message) {
  const name = new Map([[`${RSA}1`, "RSASSA-PKCS1-v1_5"], [EC_KEY, "ECDSA"]]).get(spki.kind.oid);
  return name ? verifyWith(spki, name, digest, signature, message) : false;
}

async function verifyWith({ raw, kind }, name, hash, signature, message) {
  try {
    if (name === "ECDSA") {
      const [namedCurve, length] = CURVES.get(der.oidText(kind.parameters)) ?? [];
      const imported = await crypto.subtle.importKey("spki", raw, { name, namedCurve }, false, ["verify"]);
      return await crypto.subtle.verify({ name, hash }, imported, plainEcdsa(signature, length), message);
    }
    const imported = await crypto.subtle.importKey("spki", raw, { name, hash }, false, ["verify"]);
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

/** Whether `issuer` signed `certificate` (or CRL), is called what its issuer is called, and it names one algorithm. */
export async function isIssuedBy({ issuer: named, tbs, algorithm, inner, signature }, issuer) {
  if (named !== issuer.subject || !sameAlgorithm(algorithm, inner)) return false;
  return verifySignature(issuer.spki, algorithm, signature, tbs);
}

export function isSame(one, other) {
  return equalBytes(one.raw, other.raw);
}
