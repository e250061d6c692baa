// A bundle's files from a folder that was picked or dropped, read in place. The ZIP reader gives the same shape:
// {folder, sizes: Map of path → size, chunks(path): async iterator of bytes}.

import { concatBytes } from "./binary_text.js";
import { ReadError, UncheckableError } from "./errors.js";
import { BAGIT, MAX_FILES } from "./layout.js";
import { runningHash, wholeHash } from "./sha256.js";

const MAX_DEPTH = 8; // data/exhibits/N/original/NAME is five deep
export const CHUNK = 1 << 22; // small enough to keep the page alive between two, large enough to cost nothing

const WHOLE = 1 << 27; // 128 MiB: held whole for a moment

/** `files`: [{path, file}] with the picked folder's own name first in each path. */
export function openFolder(files) {
  const root = bagFolder(files.map(({ path }) => path));
  const found = new Map();
  for (const { path, file } of files) {
    if (!path.startsWith(`${root}/`)) continue;
    const inside = path.slice(root.length + 1).normalize("NFC");
    if (inside.split("/").length - 1 > MAX_DEPTH) {
      throw new UncheckableError(`folders in the bundle are nested deeper than ${MAX_DEPTH}: ${inside}`);
    }
    if (found.has(inside)) throw new UncheckableError(`${inside} is there twice, in two Unicode forms`);
    found.set(inside, file);
    if (found.size > MAX_FILES) throw new UncheckableError(`the bundle has more than ${MAX_FILES} files`);
  }
  return {
    folder: root.split("/").pop(),
    sizes: new Map([...found].map(([path, file]) => [path, file.size])),
    chunks: (path) => fileChunks(found.get(path), 0, found.get(path).size),
  };
}

/** The picked folder itself, or the bag in it where an unpacking tool has put a folder of its own around it. */
function bagFolder(paths) {
  const top = paths.length ? paths[0].split("/")[0] : "";
  if (paths.includes(`${top}/${BAGIT}`)) return top;
  const inner = paths.filter((path) => {
    const parts = path.split("/");
    return parts.length === 3 && parts[1].startsWith("deedbox-bundle-") && parts[2] === BAGIT;
  });
  return inner.length === 1 ? inner[0].slice(0, -BAGIT.length - 1) : top;
}

/** The bytes start … start + size of a File, piece by piece. */
export async function* fileChunks(file, start, size) {
  for (let at = start; at < start + size; at += CHUNK) yield await slice(file, at, Math.min(at + CHUNK, start + size));
}

/** The bytes from … to of a File; fewer at its end. ReadError where the medium fails or the file has changed. */
export async function slice(file, from, to) {
  try {
    const part = from === 0 && to === file.size ? file : file.slice(from, to);
    return new Uint8Array(await part.arrayBuffer());
  } catch (error) {
    throw new ReadError(String(error.message ?? error));
  }
}

/** {size, digests: {name: hex}} of one file. What is small goes to the browser's own hashes, which are quick and take a file
 *  whole; what is large is streamed, so that memory stays the same. */
export async function measure(files, path, algorithms, progress) {
  const length = files.sizes.get(path);
  const hashes = algorithms.map((name) => [name, length <= WHOLE ? wholeHash(name, length) : runningHash(name)]);
  let size = 0;
  for await (const chunk of files.chunks(path)) {
    size += chunk.length;
    for (const [, hash] of hashes) hash.update(chunk);
    await progress(chunk.length);
  }
  const digests = await Promise.all(hashes.map(async ([name, hash]) => [name, await hash.hex()]));
  return { size, digests: Object.fromEntries(digests) };
}

/** The bytes of a small file; null where it is longer than `limit`. */
export async function readWhole(files, path, limit) {
  const parts = [];
  let length = 0;
  for await (const chunk of files.chunks(path)) {
    length += chunk.length;
    if (length > limit) return null;
    parts.push(chunk);
  }
  return parts.length === 1 ? parts[0] : concatBytes(...parts);
}
