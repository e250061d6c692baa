// RFC 6962 hashing and checking proofs against roots (RFC 9162 2.1.3.2, 2.1.4.2). Hashes are bytes; indexes and sizes are
// BigInt, since a log may grow past 2^53.

import { concatBytes, equalBytes, toHex } from "./binary_text.js";
import { ProofError } from "./errors.js";
import { sha256, sha256Bytes } from "./sha256.js";

export const HASH_LENGTH = 32;
export const MAX_SIZE = 2n ** 63n - 1n;
export const MAX_PATH = 63;
const EMPTY_ROOT = sha256(new Uint8Array());
const [LEAF, NODE] = [Uint8Array.of(0), Uint8Array.of(1)];

export function leafHash(entry) {
  return sha256Bytes(concatBytes(LEAF, entry));
}

function nodeHash(left, right) {
  return sha256Bytes(concatBytes(NODE, left, right));
}

/** ProofError unless `leaf`, a leaf hash, is number `index` of the tree of `size` with `root`. */
export function verifyInclusion(index, size, leaf, proof, root) {
  if (index < 0n || index >= size || size > MAX_SIZE) throw new ProofError(`index ${index} is outside a tree of ${size}`);
  if ([leaf, root, ...proof].some((node) => node.length !== HASH_LENGTH)) {
    throw new ProofError("a hash of the inclusion proof is not 32 bytes");
  }
  let [at, last, node] = [index, size - 1n, leaf];
  for (const sibling of proof) {
    if (last === 0n) throw new ProofError("the inclusion proof is too long");
    if (at & 1n || at === last) {
      node = nodeHash(sibling, node);
      while (!(at & 1n) && at) [at, last] = [at >> 1n, last >> 1n];
    } else {
      node = nodeHash(node, sibling);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  if (last || !equalBytes(node, root)) throw new ProofError("the inclusion proof does not lead to the root");
}

/** ProofError unless the tree of `old` begins the tree of `size`. The empty tree begins every tree. */
export function verifyConsistency(old, size, proof, oldRoot, root) {
  if (old < 0n || old > size || size > MAX_SIZE) throw new ProofError(`a tree of ${old} is no beginning of a tree of ${size}`);
  if ([oldRoot, root, ...proof].some((node) => node.length !== HASH_LENGTH)) {
    throw new ProofError("a hash of the consistency proof is not 32 bytes");
  }
  if (old === 0n || old === size) {
    if (proof.length) throw new ProofError("the consistency proof is not empty");
    if ((old === 0n && toHex(oldRoot) !== EMPTY_ROOT) || (old === size && !equalBytes(oldRoot, root))) {
      throw new ProofError("the two trees are not consistent");
    }
    return;
  }
  if (!proof.length) throw new ProofError("the consistency proof is empty");
  const nodes = (old & (old - 1n)) === 0n ? [oldRoot, ...proof] : proof;
  let [at, last] = [old - 1n, size - 1n];
  while (at & 1n) [at, last] = [at >> 1n, last >> 1n];
  let [begun, grown] = [nodes[0], nodes[0]];
  for (const node of nodes.slice(1)) {
    if (last === 0n) throw new ProofError("the consistency proof is too long");
    if (at & 1n || at === last) {
      [begun, grown] = [nodeHash(node, begun), nodeHash(node, grown)];
      while (!(at & 1n) && at) [at, last] = [at >> 1n, last >> 1n];
    } else {
      grown = nodeHash(grown, node);
    }
    [at, last] = [at >> 1n, last >> 1n];
  }
  if (last || !equalBytes(begun, oldRoot) || !equalBytes(grown, root)) {
    throw new ProofError("the consistency proof does not connect the two roots");
  }
}
