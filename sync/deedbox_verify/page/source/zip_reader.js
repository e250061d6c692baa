// A bundle as one ZIP (PKWARE APPNOTE 6.3), read in place and more strictly than unpacking tools do.
//
// Taken is what a bundle's ZIP is: stored files under one top folder, one after another from byte 0, then the central
// directory, then the end, no comments, no encryption. Whatever else a ZIP may hold (gaps, overlaps, compressed members,
// links, names that leave the folder) is refused, so that no other tool can see other files in it than this one does.

import { pathProblem } from "./bag.js";
import { decodeUtf8, equalBytes } from "./binary_text.js";
import { UncheckableError } from "./errors.js";
import { MAX_FILES } from "./layout.js";
import { fileChunks, slice } from "./reader.js";

const END = 22; // lengths of the records, without what varies in them
const END64 = 56;
const LOCATOR64 = 20;
const CENTRAL = 46;
const LOCAL = 30;
const DESCRIPTOR = 1 << 3;
const UTF8 = 1 << 11;
const DESCRIPTOR_LENGTHS = [12, 16, 20, 24]; // with or without signature, 32-bit or 64-bit sizes (APPNOTE 4.3.9)
const UNIX = 3; // "version made by": the upper attribute bits are a Unix mode
const [FOLDER, REGULAR] = [0o040000, 0o100000];
const ZIP64_EXTRA = 1;
const MAX_NAME = 1024;
const MAX_DIRECTORY = MAX_FILES * 512; // bytes: 46 of header, a path of up to 200, extra fields
const AHEAD = 1 << 20; // read at once: small files stand close together, and each read costs as much as a megabyte

/** Refuses anything but a plain stored ZIP of one bag. */
export async function openZip(file) {
  const take = await reader(file);
  const { start, members } = await readDirectory(take, file.size);
  const { folder, places } = await readPlaces(take, start, members);
  return {
    folder,
    sizes: new Map([...places].map(([path, place]) => [path, place.size])),
    chunks: (path) => memberChunks(file, take, places.get(path), path),
  };
}

async function* memberChunks(file, take, { start, size }, path) {
  if (size > AHEAD) yield* fileChunks(file, start, size);
  else if (size) yield await take(start, size, path);
}

/** Reads `length` bytes at `offset`, some ahead of time; first of all the end, where a ZIP's directory is. */
async function reader(file) {
  let from = Math.max(file.size - AHEAD, 0);
  let held = await slice(file, from, file.size);
  return async (offset, length, what) => {
    if (offset < from || offset + length > from + held.length) {
      [from, held] = [offset, await slice(file, offset, offset + Math.max(length, AHEAD))];
    }
    if (held.length < offset - from + length) throw new UncheckableError(`the ZIP ends inside ${what}`);
    return held.subarray(offset - from, offset - from + length);
  };
}

function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit number; what no file can have becomes 2^53, which fits nowhere. */
function wide(data, at) {
  const value = data.getBigUint64(at, true);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? 2 ** 53 : Number(value);
}

function isMark(bytes, one, other) {
  return equalBytes(bytes.subarray(0, 4), Uint8Array.of(0x50, 0x4b, one, other));
}

async function readDirectory(take, length) {
  if (length < END) throw new UncheckableError("the file is too short to be a ZIP");
  const endAt = length - END;
  const bytes = await take(endAt, END, "its end");
  const end = view(bytes);
  if (!isMark(bytes, 5, 6) || end.getUint16(20, true)) {
    throw new UncheckableError("the file is no ZIP of a bundle: it does not end like one, or is cut short");
  }
  const short = [4, 6, 8, 10].map((at) => end.getUint16(at, true)).concat([12, 16].map((at) => end.getUint32(at, true)));
  const { limit, values } = await readEnd64(take, endAt, short);
  const [disk, firstDisk, here, count, size, start] = values;
  if (disk || firstDisk || here !== count) throw new UncheckableError("the ZIP is one of several volumes");
  if (start + size !== limit) throw new UncheckableError("the ZIP's directory is not where its end says");
  if (size > MAX_DIRECTORY || count > 2 * MAX_FILES) throw new UncheckableError(`the ZIP has more than ${MAX_FILES} files`);
  return { start, members: readMembers(await take(start, size, "its directory"), count) };
}

/** Where the directory must end, and the end record's values, from its 64-bit form where there is one. A value that the
 *  short form can hold must be the same in both: tools differ in which they believe. */
async function readEnd64(take, endAt, short) {
  const locatorAt = endAt - LOCATOR64;
  if (locatorAt < 0) return { limit: endAt, values: short };
  const locator = await take(locatorAt, LOCATOR64, "its end");
  if (!isMark(locator, 6, 7)) return { limit: endAt, values: short };
  const end64At = locatorAt - END64;
  const told = view(locator);
  if (end64At < 0 || told.getUint32(4, true) !== 0 || wide(told, 8) !== end64At || told.getUint32(16, true) !== 1) {
    throw new UncheckableError("the ZIP's 64-bit end record is not where it belongs");
  }
  const bytes = await take(end64At, END64, "its end");
  const data = view(bytes);
  if (!isMark(bytes, 6, 6) || wide(data, 4) !== END64 - 12) {
    throw new UncheckableError("the ZIP's 64-bit end record is damaged");
  }
  const long = [16, 20].map((at) => data.getUint32(at, true)).concat([24, 32, 40, 48].map((at) => wide(data, at)));
  const full = [0xffff, 0xffff, 0xffff, 0xffff, 0xffffffff, 0xffffffff];
  if (short.some((value, place) => value !== full[place] && value !== long[place])) {
    throw new UncheckableError("the ZIP's two end records do not agree");
  }
  return { limit: end64At, values: long };
}

function readMembers(directory, count) {
  const members = [];
  const data = view(directory);
  let at = 0;
  for (let number = 0; number < count; number++) {
    if (at + CENTRAL > directory.length) throw new UncheckableError("the ZIP's directory is cut short");
    const [madeBy, flags, method] = [4, 8, 10].map((place) => data.getUint16(at + place, true));
    const sizes = [20, 24].map((place) => data.getUint32(at + place, true));
    const [nameLength, extraLength, comment] = [28, 30, 32].map((place) => data.getUint16(at + place, true));
    const [attributes, place] = [38, 42].map((where) => data.getUint32(at + where, true));
    const nameAt = at + CENTRAL;
    const next = nameAt + nameLength + extraLength;
    if (!isMark(directory.subarray(at), 1, 2) || next > directory.length || comment || nameLength > MAX_NAME) {
      throw new UncheckableError("the ZIP's directory is damaged");
    }
    const name = decodeName(directory.subarray(nameAt, nameAt + nameLength), flags);
    if (flags & ~(DESCRIPTOR | UTF8) || method !== 0) {
      throw new UncheckableError(`${name} is compressed or encrypted inside the ZIP: unpack it and check the folder`);
    }
    const [size, packed, offset] = widened(directory.subarray(nameAt + nameLength, next), [sizes[1], sizes[0], place]);
    if (packed !== size) throw new UncheckableError(`${name} has two sizes in the ZIP`);
    const kind = madeBy >> 8 === UNIX ? (attributes >>> 16) & 0o170000 : 0;
    if (kind !== 0 && kind !== (name.endsWith("/") ? FOLDER : REGULAR)) {
      throw new UncheckableError(`${name} is a link or a special file; a bundle has none`);
    }
    members.push({ name, flags, size, offset });
    at = next;
  }
  if (at !== directory.length) throw new UncheckableError("the ZIP's directory has more than its end says");
  return members;
}

function decodeName(bytes, flags) {
  try {
    if (!(flags & UTF8) && bytes.some((byte) => byte > 0x7f)) throw new TypeError("not ASCII");
    return decodeUtf8(bytes);
  } catch {
    throw new UncheckableError("the ZIP has file names that are not UTF-8: unpack it and check the folder");
  }
}

/** The 64-bit values of what stands as 0xFFFFFFFF (APPNOTE 4.5.3): size, packed size, offset. */
function widened(extra, values) {
  const data = view(extra);
  let [at, field] = [0, new Uint8Array()];
  while (at + 4 <= extra.length) {
    const length = data.getUint16(at + 2, true);
    if (data.getUint16(at, true) === ZIP64_EXTRA) field = extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return values.map((value) => {
    if (value !== 0xffffffff) return value;
    if (field.length < 8) throw new UncheckableError("the ZIP's directory lacks a 64-bit size");
    const found = wide(view(field), 0);
    field = field.subarray(8);
    return found;
  });
}

/** The top folder and, for each path below it, where its bytes are. Members must fill the ZIP from 0 to `end`. */
async function readPlaces(take, end, members) {
  if (!members.length) throw new UncheckableError("the ZIP is empty");
  let top = "";
  const places = new Map();
  const ordered = [...members].sort((one, other) => one.offset - other.offset);
  let at = 0;
  for (const [place, member] of ordered.entries()) {
    const following = place + 1 < ordered.length ? ordered[place + 1].offset : end;
    if (member.offset !== at) throw new UncheckableError("the ZIP hides bytes between its files, or files overlap");
    const start = await dataStart(take, member);
    const gap = following - (start + member.size);
    if (gap !== 0 && !(member.flags & DESCRIPTOR && DESCRIPTOR_LENGTHS.includes(gap))) {
      throw new UncheckableError(`the ZIP hides bytes after ${member.name}, or files overlap`);
    }
    at = following;
    const name = member.name.normalize("NFC");
    const problem = pathProblem(name.endsWith("/") ? name.slice(0, -1) : name);
    if (problem) throw new UncheckableError(`the ZIP has a name that is refused (${problem}): ${name}`);
    const slash = name.indexOf("/");
    const [folder, path] = slash < 0 ? [name, ""] : [name.slice(0, slash), name.slice(slash + 1)];
    top ||= folder;
    if (folder !== top || (!path && !member.name.endsWith("/"))) {
      throw new UncheckableError("the ZIP has more than one top folder");
    }
    if (name.endsWith("/")) {
      if (member.size) throw new UncheckableError(`the ZIP has a folder with bytes in it: ${name}`);
      continue;
    }
    if (places.has(path)) throw new UncheckableError(`${path} is twice in the ZIP`);
    places.set(path, { start, size: member.size });
  }
  if (at !== end || places.size > MAX_FILES) {
    throw new UncheckableError("the ZIP hides bytes, or has too many files");
  }
  return { folder: top, places };
}

/** Where the member's bytes start, by its local header, which must name the same file. */
async function dataStart(take, member) {
  const bytes = await take(member.offset, LOCAL, member.name);
  const header = view(bytes);
  const [flags, method] = [header.getUint16(6, true), header.getUint16(8, true)];
  const [size, nameLength, extraLength] = [header.getUint32(22, true), header.getUint16(26, true), header.getUint16(28, true)];
  const agree = isMark(bytes, 3, 4) && method === 0 && flags === member.flags;
  const raw = await take(member.offset + LOCAL, nameLength, member.name);
  if (!agree || decodeName(raw, flags) !== member.name) {
    throw new UncheckableError(`the ZIP's two headers of ${member.name} do not agree`);
  }
  if (!(flags & DESCRIPTOR) && size !== member.size && size !== 0xffffffff) {
    throw new UncheckableError(`the ZIP's two headers of ${member.name} do not agree on its size`);
  }
  return member.offset + LOCAL + nameLength + extraLength;
}
