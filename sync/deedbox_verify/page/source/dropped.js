// Files out of what a person drops or picks: [{path, file}]; a folder's files have its name first in their paths.

import { UncheckableError } from "./errors.js";
import { MAX_FILES } from "./layout.js";

/** Of an <input type="file">, for files or for a folder. */
export function pickedFiles(input) {
  return [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Of a drop. The entries must be asked for before the event is over; the folders are read after it. */
export function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry);
  if (!entries.length) return Promise.resolve([...transfer.files].map((file) => ({ path: file.name, file })));
  return readEntries(entries);
}

async function readEntries(entries) {
  const found = [];
  const left = [...entries];
  while (left.length) {
    const entry = left.pop();
    if (entry.isDirectory) left.push(...(await children(entry)));
    else found.push({ path: entry.fullPath.slice(1), file: await fileOf(entry) });
    if (found.length + left.length > MAX_FILES) throw new UncheckableError(`the folder has more than ${MAX_FILES} files`);
  }
  return found;
}

/** A folder's entries come in batches until an empty one. */
async function children(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(unreadable(folder));
    if (!some.length) return all;
    all.push(...some);
  }
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject)).catch(unreadable(entry));
}

function unreadable(entry) {
  return (error) => {
    throw new UncheckableError(`${entry.name} cannot be read: ${error.message}`);
  };
}
