"""The journal's tables. A later version adds a step; a step, once released, is never changed."""

import apsw

from deedbox_disk.errors import DiskError

_STEPS = (
    """
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

    CREATE TABLE folder (
        id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, case_id TEXT NOT NULL, ignore TEXT NOT NULL, quiet_ms INTEGER NOT NULL,
        problem TEXT
    );

    CREATE TABLE file (
        id INTEGER PRIMARY KEY, folder INTEGER NOT NULL REFERENCES folder (id), path BLOB NOT NULL, size INTEGER NOT NULL,
        modified_ns INTEGER NOT NULL, inode INTEGER NOT NULL, state TEXT NOT NULL, original TEXT NOT NULL, reason TEXT, was BLOB,
        sequence INTEGER, supersedes INTEGER, current INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX file_path ON file (folder, path) WHERE current;
    CREATE INDEX file_sequence ON file (sequence);

    CREATE TABLE statement (
        sequence INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, file INTEGER, content BLOB, size INTEGER NOT NULL,
        case_id TEXT, lane TEXT NOT NULL, state TEXT NOT NULL, upload TEXT, spool_file TEXT, spool_offset INTEGER,
        spool_length INTEGER, resume_at INTEGER NOT NULL DEFAULT 0, nonce BLOB, reason TEXT, captured TEXT NOT NULL
    );
    CREATE INDEX statement_open ON statement (state, sequence)
        WHERE state IN ('signed', 'accepted', 'committed', 'held', 'refused');
    CREATE INDEX statement_spool ON statement (spool_file) WHERE spool_file IS NOT NULL;

    -- Apart from their statements, whose rows stay small: those are written again with each step on the way to the box.
    CREATE TABLE envelope (sequence INTEGER PRIMARY KEY REFERENCES statement (sequence), envelope BLOB NOT NULL);

    CREATE TABLE receipt (
        sequence INTEGER PRIMARY KEY REFERENCES statement (sequence), log_index INTEGER NOT NULL, receipt BLOB NOT NULL,
        verified TEXT NOT NULL
    );

    CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL, seen TEXT NOT NULL);

    CREATE TABLE upload (file INTEGER PRIMARY KEY, upload TEXT NOT NULL, size INTEGER NOT NULL, modified_ns INTEGER NOT NULL,
        inode INTEGER NOT NULL);
    """,
    """
    CREATE TABLE identifier (
        counter INTEGER PRIMARY KEY, sequence INTEGER, state TEXT NOT NULL, id TEXT, record BLOB, canonical TEXT, problem TEXT
    );
    CREATE INDEX identifier_open ON identifier (state, counter) WHERE state IN ('due', 'waiting', 'refused');
    CREATE UNIQUE INDEX identifier_sequence ON identifier (sequence) WHERE sequence IS NOT NULL;
    """,
)


def prepare(db: apsw.Connection) -> None:
    """Bring the tables to this version, inside the caller's transaction. DiskError for a journal of a newer program."""
    version = db.pragma("user_version")
    if version > len(_STEPS):
        raise DiskError("The journal was written by a newer version of this program.")
    if version == len(_STEPS):
        return  # nothing is written: `status` must work on a full disk
    for step in _STEPS[version:]:
        db.execute(step)
    db.pragma("user_version", len(_STEPS))
