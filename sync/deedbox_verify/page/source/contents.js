// The bundle's files after the first check: what was measured is what is read.

import { ReadError } from "./errors.js";
import { FILES } from "./findings.js";
import { measure, readWhole } from "./reader.js";
import { sha256 } from "./sha256.js";

/** Small files as bytes, all files by their measure ({size, sha256}). A file that changes between two reads is a fault. */
export class Contents {
  constructor(files, measures, findings) {
    this.files = files;
    this.measures = measures;
    this.findings = findings;
  }

  /** Null where the file is missing, too long or changing; told, so that no check seems to hold without its file. */
  async read(check, path, limit) {
    if (!this.measures.has(path)) {
      if (check !== FILES) this.findings.fault(check, "file.missing", path, "is missing or cannot be read");
      return null;
    }
    let bytes;
    try {
      bytes = await readWhole(this.files, path, limit);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      this.findings.fault(check, "file.unreadable", path, `cannot be read: ${error.message}`);
      return null;
    }
    if (bytes === null) {
      this.findings.fault(check, "file.too-long", path, `is longer than the ${limit} bytes that it may have`);
    } else if (sha256(bytes) !== this.measures.get(path).sha256) {
      this.findings.fault(check, "file.changing", path, "changed while it was being checked");
    } else {
      return bytes;
    }
    return null;
  }

  /** Further digests of a file by name, streamed again; empty where it cannot be read. */
  async digests(path, algorithms, progress) {
    if (!this.measures.has(path)) return {};
    try {
      return (await measure(this.files, path, algorithms, progress)).digests;
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return {};
    }
  }
}
