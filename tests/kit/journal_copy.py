"""Looking into a desk's journal: beside the running desk, or, of a killed one, at a copy, since it must meet what it left."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from deedbox_checkout.local_desk import LocalDesk
from deedbox_desktop.engine.keys import DeskKeys, open_keys
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_desktop.engine.status import DeskStatus, read_status
from deedbox_disk.sealed_sqlite import connect


@dataclass(frozen=True)
class HeldReceipt:
    """A receipt as the desk keeps it, with the digests that it was verified for."""

    sequence: int
    statement: bytes
    content: bytes | None
    receipt: bytes


def desk_keys(desk: LocalDesk) -> DeskKeys:
    passphrase = desk.passphrase_file.read_text().strip()
    return open_keys(StateFolder(desk.state).keys, passphrase=passphrase, keyring=None)


def live_status(desk: LocalDesk, keys: DeskKeys) -> DeskStatus:
    """What `deedbox-desktop status` would tell, without the second that a process takes to begin."""
    connection = connect(StateFolder(desk.state).journal, keys.journal)
    try:
        connection.execute("BEGIN")
        return read_status(connection)
    finally:
        connection.close()


@contextmanager
def copied_journal(desk: LocalDesk, keys: DeskKeys) -> Iterator[apsw.Connection]:
    """The journal of a desk that does not run, copied with its write-ahead log and opened as the desk would open it."""
    journal = StateFolder(desk.state).journal
    with tempfile.TemporaryDirectory(prefix="journal-") as folder:
        for suffix in ("", "-wal"):
            source = journal.with_name(journal.name + suffix)
            if source.exists():
                shutil.copyfile(source, Path(folder) / source.name)
        connection = connect(Path(folder) / journal.name, keys.journal)
        try:
            yield connection
        finally:
            connection.close()


def held_receipts(journal: apsw.Connection) -> dict[int, HeldReceipt]:
    """By journal number."""
    rows = journal.execute("SELECT sequence, digest, content, receipt FROM receipt JOIN statement USING (sequence)")
    return {row[0]: HeldReceipt(*row) for row in rows}


def made_identifiers(journal: apsw.Connection) -> dict[int, str]:
    """By counter."""
    return dict(journal.execute("SELECT counter, id FROM identifier WHERE id IS NOT NULL"))


def seen_checkpoints(journal: apsw.Connection) -> list[str]:
    return [str(note) for (note,) in journal.execute("SELECT note FROM checkpoint ORDER BY size")]
