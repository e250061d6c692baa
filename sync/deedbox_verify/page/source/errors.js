// What can be wrong with bytes from elsewhere (as deedbox_sync.errors and deedbox_verify.errors).
//
// SyncError
// ├── FormatError   the bytes do not parse
// └── ProofError    they parse, but a signature, digest or proof does not hold

export class SyncError extends Error {}

export class FormatError extends SyncError {
  constructor(where, what) {
    super(`${where}: ${what}`);
    this.where = where;
    this.what = what;
  }
}

export class ProofError extends SyncError {}

/** There is nothing to judge: no bundle, unreadable, or refused unread for safety. */
export class UncheckableError extends Error {}

/** The medium failed while a file was read. */
export class ReadError extends Error {}
