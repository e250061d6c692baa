"""SQLite whose file, journal and index are AES-256 with an HMAC a page: SQLite3 Multiple Ciphers, SQLCipher 4 format.

The `sqlcipher` cipher with `legacy=4` can be opened by SQLCipher itself, an independent implementation, and notices a
flipped bit in any page; the other ciphers on offer do not do both.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import apsw

from deedbox_disk.errors import DiskError, OutOfSpace, SealBroken

KEY_BYTES = 32
BUSY_MS = (
    30_000  # how long another process may hold the write lock before we give up; in-process writers queue before this
)

# Folding the WAL into the file decrypts and encrypts each page once more: a page that many commits touch is then folded once.
# 16 MiB are read back in a fraction of a second after a crash.
WAL_PAGES = 4_000

Synchronous = Literal["FULL", "NORMAL"]


def connect(path: Path, key: bytes, *, synchronous: Synchronous = "FULL", cache_kib: int = 8192) -> apsw.Connection:
    """Open (or make) the encrypted database at `path` under this raw 32-byte key; SealBroken when it is not this key's.

    WAL; with `synchronous="FULL"` a commit that returned survives a power cut. Temporary tables stay in memory and
    deleted content is overwritten, so that nothing is plaintext on disk and what is erased is gone. The connection
    belongs to one thread at a time.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"a database key has {KEY_BYTES} bytes")
    with sealed_errors():
        _touch(path)
        connection = apsw.Connection(str(path))
        try:
            connection.set_busy_timeout(BUSY_MS)  # first: even the check of the key may meet a lock
            _unlock(connection, key)
            connection.pragma("journal_mode", "wal")
            connection.wal_autocheckpoint(WAL_PAGES)
            for quoted in (apsw.SQLITE_DBCONFIG_DQS_DML, apsw.SQLITE_DBCONFIG_DQS_DDL):
                connection.config(quoted, 0)  # "colunm" is an unknown column, not a text, as in other databases
            for name, value in (
                ("synchronous", synchronous),
                ("fullfsync", "on"),  # macOS: fsync alone leaves bytes in the drive's cache
                ("temp_store", "memory"),
                ("secure_delete", "on"),
                ("foreign_keys", "on"),
                ("trusted_schema", "off"),
                ("cache_size", -cache_kib),
            ):
                connection.pragma(name, value)
        except BaseException:
            connection.close()
            raise
    return connection


def _touch(path: Path) -> None:
    """Make the file private before SQLite makes it readable to all; its journal takes the same mode."""
    try:
        path.touch(0o600)
    except OSError as error:
        raise DiskError(f"the database's file cannot be made: {error.strerror}") from error


def _unlock(connection: apsw.Connection, key: bytes) -> None:
    connection.pragma("cipher", "sqlcipher")
    connection.pragma("legacy", 4)
    connection.pragma("key", f"x'{key.hex()}'")  # a raw key: 0.3 ms, where a passphrase costs 100
    connection.pragma("user_version")  # the first read: a wrong key shows here


@contextmanager
def sealed_errors() -> Iterator[None]:
    """Turn what SQLite says about the disk into DiskError, OutOfSpace or SealBroken; errors of SQL pass unchanged."""
    try:
        yield
    except apsw.FullError as error:
        raise OutOfSpace("no space left for the database") from error
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise SealBroken("the database does not read under this key: wrong key, or changed bytes") from error
    except (apsw.IOError, apsw.CantOpenError) as error:
        raise DiskError(f"the database's disk failed: {error}") from error
