"""The one thread that owns the journal. Everybody else hands it work and waits.

`write` returns once the work is durable (WAL, synchronous FULL: one fsync a commit), and raises with nothing done. Work
that arrives while a commit is under way waits its turn; who has many rows hands them over at once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from deedbox_desktop.engine.journal import schema
from deedbox_disk import sealed_sqlite

_T = TypeVar("_T")

Work = Callable[[apsw.Connection], _T]


class Journal:
    """An open journal. DiskError, OutOfSpace and SealBroken come from below; nothing else does, but for bugs."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._closed = False
        try:
            self._db = self._executor.submit(sealed_sqlite.connect, path, key).result()
            self.write(schema.prepare)
        except BaseException:
            self._executor.shutdown()
            raise

    def write(self, work: Work[_T]) -> _T:
        """Run `work` in one transaction that is durable when this returns."""
        return self._executor.submit(self._write, work).result()

    def read(self, work: Work[_T]) -> _T:
        """Run `work` over one unchanging view."""
        return self._executor.submit(self._read, work).result()

    def close(self) -> None:
        """After the work already handed over; twice is once."""
        if self._closed:
            return
        self._closed = True
        self._executor.submit(self._db.close).result()
        self._executor.shutdown()

    def _write(self, work: Work[_T]) -> _T:
        with sealed_sqlite.sealed_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._db)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has rolled back by itself
                    self._db.execute("ROLLBACK")
                raise
        return result

    def _read(self, work: Work[_T]) -> _T:
        with sealed_sqlite.sealed_errors():
            self._db.execute("BEGIN")
            try:
                return work(self._db)
            finally:
                self._db.execute("ROLLBACK")
