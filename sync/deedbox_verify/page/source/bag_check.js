// Check 1: every file is listed, every digest is right, nothing is unlisted, and nothing is there without a purpose.

import { BAGIT_TEXT, parseBagInfo, parseManifest, payload } from "./bag.js";
import { byCodePoint, equalBytes, utf8 } from "./binary_text.js";
import { Contents } from "./contents.js";
import { FormatError, ReadError, UncheckableError } from "./errors.js";
import { counted, FILES, sizeInWords } from "./findings.js";
import * as layout from "./layout.js";
import { safeName, shown } from "./names.js";
import { measure, readWhole } from "./reader.js";

/** Files that desktops leave in folders people look at. */
const LITTER = new Set([".DS_Store", "Thumbs.db", "desktop.ini", ".directory"]);

/** Measures every file and holds it against the manifests. UncheckableError where this is no bundle at all. */
export async function checkBag(files, findings, progress) {
  for (const path of [layout.BAGIT, layout.MANIFEST, layout.INDEX]) {
    if (!files.sizes.has(path)) throw new UncheckableError(`this is not a Deedbox bundle: it has no ${path}`);
  }
  const measures = new Map();
  for (const path of [...files.sizes.keys()].sort(byCodePoint)) {
    try {
      const { size, digests } = await measure(files, path, ["sha256"], progress);
      measures.set(path, { size, sha256: digests.sha256 });
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      findings.fault(FILES, "file.unreadable", shown(path), `cannot be read: ${error.message}`);
    }
  }
  const present = [...files.sizes.keys()];
  const listed = await readList(files, layout.MANIFEST, layout.MAX_MANIFEST, findings);
  const tags = await readList(files, layout.TAG_MANIFEST, layout.MAX_TAG_FILE, findings);
  compare(layout.MANIFEST, listed, payload(present), measures, findings);
  const roots = present.filter((path) => !path.startsWith("data/") && path !== layout.TAG_MANIFEST);
  compare(layout.TAG_MANIFEST, tags, roots, measures, findings);
  for (const path of layout.TAG_FILES) {
    if (tags && !tags.has(path)) findings.fault(FILES, "bag.tag", layout.TAG_MANIFEST, `does not list ${path}`);
  }
  const contents = new Contents(files, measures, findings);
  await checkTagTexts(contents, measures, findings);
  const total = [...measures.values()].reduce((sum, one) => sum + one.size, 0);
  const words = `${counted(measures.size, "file")}, ${sizeInWords(total)}`;
  findings.counted.set(FILES, `${words}, every digest right, nothing unlisted`);
  return contents;
}

async function readList(files, path, limit, findings) {
  if (!files.sizes.has(path)) {
    findings.fault(FILES, "bag.missing", path, "is missing");
    return null;
  }
  const bytes = await readWhole(files, path, limit);
  if (bytes === null) {
    findings.fault(FILES, "file.too-long", path, `is longer than the ${limit} bytes that it may have`);
    return null;
  }
  try {
    return parseManifest(bytes, path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.fault(FILES, "bag.manifest", shown(error.where), error.what);
    return null;
  }
}

function compare(manifest, listed, present, measures, findings) {
  if (!listed) return;
  for (const path of [...listed.keys()].sort(byCodePoint)) {
    if (!measures.has(path)) {
      findings.fault(FILES, "bag.missing", shown(path), `is listed in ${manifest} and is missing`);
    } else if (measures.get(path).sha256 !== listed.get(path)) {
      findings.fault(FILES, "bag.digest", shown(path), `is not the file that ${manifest} lists: its SHA-256 is another`);
    }
  }
  for (const path of present.filter((one) => !listed.has(one)).sort(byCodePoint)) {
    const litter = LITTER.has(path.split("/").pop());
    const hint = litter ? "; if this computer put it there, delete it and check again" : "";
    findings.fault(FILES, "bag.unlisted", shown(path), `is not listed in ${manifest}${hint}`);
  }
}

async function checkTagTexts(contents, measures, findings) {
  const text = await contents.read(FILES, layout.BAGIT, layout.MAX_TAG_FILE);
  if (text && !equalBytes(text, utf8(BAGIT_TEXT))) {
    findings.fault(FILES, "bag.tag", layout.BAGIT, "is not that of BagIt 1.0 in UTF-8");
  }
  const bytes = await contents.read(FILES, layout.BAG_INFO, layout.MAX_TAG_FILE);
  if (!bytes) return;
  findings.catching(FILES, "bag.info", layout.BAG_INFO, () => {
    const { oxum } = parseBagInfo(bytes);
    const paths = payload(measures.keys());
    const octets = paths.reduce((sum, path) => sum + measures.get(path).size, 0);
    const found = `${octets}.${paths.length}`;
    if (oxum !== found) {
      findings.fault(FILES, "bag.info", layout.BAG_INFO, `tells a payload of ${oxum}, there is ${found}`);
    }
  });
}

/** Every file has its place in the layout for this index, and every place has its file. */
export async function checkLayout(files, contents, index, findings) {
  const expected = new Set(expectedPaths(index));
  const present = [...contents.measures.keys()];
  for (const path of [...expected].filter((one) => !contents.measures.has(one)).sort(byCodePoint)) {
    findings.fault(FILES, "bag.absent", shown(path), "belongs to the bundle and is missing");
  }
  for (const path of present.filter((one) => !expected.has(one)).sort(byCodePoint)) {
    findings.fault(FILES, "bag.purpose", shown(path), "has no place in the bundle that data/bundle.json describes");
  }
  if (files.folder.startsWith("deedbox-bundle-") && files.folder !== layout.topFolder(index.bundle)) {
    findings.remark(`The folder is called ${shown(files.folder)}, the bundle ${index.bundle}.`);
  }
  const bytes = await contents.read(FILES, layout.BAG_INFO, layout.MAX_TAG_FILE);
  if (!bytes) return;
  let info;
  try {
    info = parseBagInfo(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return; // told by checkBag
  }
  if (info.bundle !== index.bundle || info.made !== index.made.slice(0, 10)) {
    findings.fault(FILES, "bag.info", layout.BAG_INFO, "names another bundle or day than data/bundle.json");
  }
}

/** All files of a bundle with this index; what the index itself says of paths must agree. */
function* expectedPaths(index) {
  yield* [...layout.TAG_FILES, layout.TAG_MANIFEST];
  yield* [layout.INDEX, layout.CUSTODY_PAPER, layout.CHECKPOINT, layout.LOG_KEY, layout.ENTRIES, layout.TIME];
  for (const device of index.devices) yield* [layout.deviceRecord(device), layout.deviceKey(device)];
  for (const { size, tokens } of index.stamps) {
    yield* [layout.stampNote(size), layout.stampConsistency(size)];
    for (let number = 1; number <= tokens; number++) {
      yield* [layout.stampToken(size, number), layout.stampText(size, number), layout.stampRevocation(size, number)];
    }
  }
  for (const { number, name, derived } of index.exhibits) {
    yield layout.original(number, safeName(name));
    yield* [layout.statement(number), layout.sigstore(number), layout.receipt(number), layout.custody(number)];
    for (const one of derived) yield one.path;
  }
}
