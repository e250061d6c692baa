// RFC 3161 time-stamp responses over checkpoints (formats/time.md, Time stamp).
//
// Certificates must have been valid at the stamp's own time. There is no network: revocation is judged by the CRLs given.

import { equalBytes, toHex } from "./binary_text.js";
import {
  displayName, isIssuedBy, isSame, nameTexts, parseCrl, readAlgorithm, readCertificate, readName, verifyDigestSignature,
} from "./certificate.js";
import * as der from "./der.js";
import { FormatError } from "./errors.js";
import { parseTime, plusSeconds } from "./timestamp.js";

const MAX_CERTIFICATES = 32; // in a token; three are usual
const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
const FULL_STOP = 0x2e;
const GRANTED = 0n;
const LAST_VERSION = 2n; // of certificates, counted from 0: the third is the last there is
const DIGESTS = new Map([
  ["2.16.840.1.101.3.4.2.1", "SHA-256"],
  ["2.16.840.1.101.3.4.2.2", "SHA-384"],
  ["2.16.840.1.101.3.4.2.3", "SHA-512"],
]);
/** What a chain's certificates may ask to be understood: the three above, alternative names, policies. */
const UNDERSTOOD = new Set([BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, "2.5.29.17", "2.5.29.32"]);
/** Unspecified, key, CA and AA compromise: whoever had the key may have set any time (RFC 3161 4). */
const KEY_LOST = [0, 1, 2, 10];

/** The token does not prove a time. `broken`: it is not even about this checkpoint, or no token. */
export class StampError extends Error {
  constructor(what, broken = false) {
    super(what);
    this.broken = broken;
  }
}

/** A certificate of the chain was revoked in a way that spoils the stamp. */
export class StampRevokedError extends StampError {}

/** It was not looked at: nothing is pinned, or the browser has no WebCrypto here. `lacking`: the latter. */
export class StampUnavailableError extends Error {
  constructor(what, lacking = false) {
    super(what);
    this.lacking = lacking;
  }
}

/** The stamp of a token over the exact bytes of a note, whose certificate leads to one of `roots` (parsed certificates):
 *  {time, authority, expires, unrevoked}, as deedbox_sync.stamp.Stamp. `crls` are DER; one counts that its certificate's
 *  issuer signed. */
export async function verifyStamp(token, note, roots, crls) {
  if (!globalThis.crypto?.subtle) throw new StampUnavailableError("this browser gives no WebCrypto to this page", true);
  let response;
  try {
    response = parseResponse(token);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new StampError("is not a time-stamp response", true);
  }
  const digest = DIGESTS.get(response.imprintAlgorithm);
  if (!digest || !equalBytes(await hash(digest, note), response.imprint)) {
    throw new StampError("is over other bytes than the checkpoint beside it", true);
  }
  if (!roots.length) throw new StampUnavailableError("no authority is pinned");
  const chain = await trustedChain(response, roots);
  return {
    time: response.told,
    authority: displayName(chain[0]),
    expires: chain.map((one) => one.notAfter).sort()[0],
    unrevoked: await checkRevocation(chain, crls, response.time),
  };
}

async function hash(name, bytes) {
  return new Uint8Array(await crypto.subtle.digest(name, bytes));
}

/** TimeStampResp (RFC 3161 2.4.2) around SignedData (RFC 5652 5.1) around TSTInfo. FormatError for all else. */
function parseResponse(bytes) {
  const outer = new der.Members(der.readDer(bytes), der.SEQUENCE, "response");
  const status = takeCount(outer.takeSequence("status"));
  const content = outer.takeSequence("token");
  outer.done();
  expectOid(content, SIGNED_DATA);
  const wrapped = new der.Members(content.take(der.context(0)), der.context(0), "token");
  content.done();
  const signed = wrapped.takeSequence("token");
  wrapped.done();
  takeCount(signed);
  const digests = signed.take(der.SET).children.map((one) => readAlgorithm(one).oid);
  const encapsulated = signed.takeSequence("content");
  expectOid(encapsulated, TST_INFO);
  const inner = new der.Members(encapsulated.take(der.context(0)), der.context(0), "content").take(der.OCTET_STRING).body;
  const certificates = signed.takeOptional(der.context(0))?.children ?? [];
  if (!der.isOrdered(certificates)) throw new FormatError("token", "has certificates in another order than DER's");
  signed.takeOptional(der.context(1));
  const signers = signed.take(der.SET).children;
  signed.done();
  return {
    status,
    content: inner,
    digests,
    certificates: certificates.map(readCertificate),
    signers: signers.map(parseSigner),
    ...parseInfo(inner),
  };
}

/** A version or status, which is never negative. */
function takeCount(fields) {
  const count = der.integer(fields.take(der.INTEGER));
  if (count < 0n) throw new FormatError("token", "has a negative number where none can be");
  return count;
}

function expectOid(fields, expected) {
  if (der.oidText(fields.take(der.OID)) !== expected) throw new FormatError("token", "is of another kind");
}

/** TSTInfo (RFC 3161 2.4.2): what was stamped and when: `time` with its fraction cut off, `told` rounded up to a second. */
function parseInfo(bytes) {
  const info = new der.Members(der.readDer(bytes), der.SEQUENCE, "time-stamp information");
  takeCount(info);
  info.take(der.OID);
  const imprint = info.takeSequence("imprint");
  const imprintAlgorithm = readAlgorithm(imprint.take(der.SEQUENCE)).oid;
  const hashed = imprint.take(der.OCTET_STRING).body;
  imprint.done();
  info.take(der.INTEGER);
  const moment = info.take(der.GENERALIZED_TIME);
  const time = der.time(moment);
  const hasFraction = moment.body.includes(FULL_STOP);
  return { imprintAlgorithm, imprint: hashed, time, told: hasFraction ? parseTime(plusSeconds(time, 1)) : time };
}

function parseSigner(element) {
  const fields = new der.Members(element, der.SEQUENCE, "signer");
  takeCount(fields);
  const named = fields.takeSequence("signer's name");
  const [issuer, serial] = [readName(named.take(der.SEQUENCE)), der.integer(named.take(der.INTEGER))];
  named.done();
  const digest = readAlgorithm(fields.take(der.SEQUENCE)).oid;
  const attributes = fields.takeOptional(der.context(0));
  const values = attributes && readAttributes(attributes);
  readAlgorithm(fields.take(der.SEQUENCE));
  const signature = fields.take(der.OCTET_STRING).body;
  fields.takeOptional(der.context(1));
  fields.done();
  return { issuer, serial, digest, attributes, values, signature };
}

/** Map of OID → the values of a signed attribute. */
function readAttributes(element) {
  const found = new Map();
  for (const child of element.children) {
    const fields = new der.Members(child, der.SEQUENCE, "attribute");
    const oid = der.oidText(fields.take(der.OID));
    if (found.has(oid)) throw new FormatError("token", "has an attribute twice");
    found.set(oid, fields.take(der.SET).children);
    fields.done();
  }
  return found;
}

/** The certificates from the signer's to a root, after the signature over the content was found to hold. StampError where
 *  anything on the way does not hold: then it is nobody's whom the reader trusts. */
async function trustedChain(response, roots) {
  const { certificates, signers, status, time } = response;
  const taken = status === GRANTED && signers.length === 1 && certificates.length <= MAX_CERTIFICATES;
  const known = certificates.every(({ version }) => version <= LAST_VERSION);
  try {
    for (const one of certificates) [one.issuer, one.subject].forEach(nameTexts);
    const mine = certificates.filter((one) => one.issuer === signers[0]?.issuer && one.serial === signers[0]?.serial);
    if (taken && known && mine.length && (await isSigned(response, signers[0], mine[0])) && isForStamps(mine[0])) {
      const chain = await findChain(mine, certificates, roots, time);
      if (chain) return chain;
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  throw new StampError("not by a pinned authority");
}

/** The signature is over the attributes, and they name the content by its digest (RFC 5652 5.4). */
async function isSigned({ content, digests }, signer, certificate) {
  const digest = DIGESTS.get(signer.digest);
  if (!digest || !digests.includes(signer.digest) || !signer.attributes) return false;
  const [type, hashed] = [signer.values.get(CONTENT_TYPE), signer.values.get(MESSAGE_DIGEST)];
  if (type?.length !== 1 || type[0].tag !== der.OID || der.oidText(type[0]) !== TST_INFO) return false;
  if (hashed?.length !== 1 || !equalBytes(hashed[0].body, await hash(digest, content))) return false;
  const message = signer.attributes.raw.slice();
  message[0] = der.SET; // as a set, not as [0]
  return verifyDigestSignature(certificate.spki, digest, signer.signature, message);
}

function isForStamps({ extensions }) {
  const usage = extensions.get(EXTENDED_KEY_USAGE);
  if (!usage?.critical) return false;
  return (der.readDer(usage.value).children ?? []).some((one) => one.tag === der.OID && der.oidText(one) === TIME_STAMPING);
}

/** The shortest way from a certificate of the signer's to a root, each certificate valid at the time; null where none is. */
async function findChain(mine, others, roots, time) {
  const ways = mine.filter((one) => isValid(one, time)).map((one) => [one]);
  const seen = ways.map(([one]) => one);
  for (const way of ways) { // which grows: each certificate is come to once
    const last = way[way.length - 1];
    if (roots.some((root) => isSame(root, last)) && last.issuer === last.subject) return way;
    for (const issuer of [...roots, ...others]) {
      if (seen.some((one) => isSame(one, issuer)) || !isValid(issuer, time) || !isAuthority(issuer, way.length - 1)) continue;
      if (!(await isIssuedBy(last, issuer))) continue;
      seen.push(issuer);
      ways.push([...way, issuer]);
    }
  }
  return null;
}

function isValid({ notBefore, notAfter, extensions }, time) {
  const strange = [...extensions].some(([oid, { critical }]) => critical && !UNDERSTOOD.has(oid));
  return !strange && notBefore <= time && time <= notAfter;
}

/** A CA's certificate that may sign others, with at most `below` CAs between it and the signer's (RFC 5280 4.2.1.9). */
function isAuthority({ extensions }, below) {
  const constraints = extensions.get(BASIC_CONSTRAINTS);
  if (!constraints) return false;
  try {
    const fields = new der.Members(der.readDer(constraints.value), der.SEQUENCE, "constraints");
    const ca = fields.takeOptional(der.BOOLEAN);
    const most = fields.takeOptional(der.INTEGER);
    if (!ca || !der.boolean(ca) || (most && der.integer(most) < BigInt(below))) return false;
    const usage = extensions.get(KEY_USAGE);
    return !usage || (der.readDer(usage.value).body[1] & 0x04) !== 0; // keyCertSign, the sixth bit
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return false;
  }
}

/** When the oldest of the CRLs was made that clear all but the root; null where one certificate is cleared by none. */
async function checkRevocation(chain, crls, time) {
  const cleared = [];
  const lists = crls.map(readCrl).filter((one) => one !== null);
  for (const [place, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[place + 1];
    let newest = null;
    for (const crl of lists) {
      if (!(await isIssuedBy(crl, issuer))) continue;
      const revoked = crl.revoked.find((one) => one.serial === certificate.serial);
      if (revoked && (revoked.time <= time || KEY_LOST.includes(revoked.reason))) {
        throw new StampRevokedError(`its certificate was revoked (${displayName(certificate)})`);
      }
      if (newest === null || crl.updated > newest) newest = crl.updated;
    }
    cleared.push(newest);
  }
  return cleared.length && cleared.every((date) => date !== null) ? cleared.sort()[0] : null;
}

function readCrl(bytes) {
  try {
    return parseCrl(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return null;
  }
}
