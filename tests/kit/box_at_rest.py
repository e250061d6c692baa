"""What a stopped box holds, read straight from its files: nothing of the box's own services is believed or used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import apsw

from deedbox_checkout.local_box import LocalBox
from deedbox_disk.sealed_sqlite import connect
from deedbox_server.settings import Settings
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.unlock import Passphrase
from deedbox_sync import dsse, entry, merkle, note, statement
from deedbox_sync.file_facts import FileFacts
from deedbox_sync.statement import CaptureStatement


@dataclass(frozen=True)
class HeldExhibit:
    """An exhibit and where the desk found it, by its own statement."""

    id: bytes
    path: bytes
    content: bytes
    statement: bytes
    supersedes: bytes | None


@dataclass(frozen=True)
class HeldLog:
    """The log's entries and the root that each of some sizes had."""

    origin: str
    entries: list[bytes]
    checkpoint: str

    def roots(self, sizes: Iterable[int]) -> dict[int, bytes]:
        wanted, tree = set(sizes), merkle.Tiles()
        found = {0: merkle.EMPTY_ROOT} if 0 in wanted else {}
        for data in self.entries:
            tree.append(merkle.leaf_hash(data))
            if tree.size in wanted:
                found[tree.size] = tree.root()
        return found

    def verify_order(self) -> None:
        """The chain that a person can follow, and the checkpoint over all of it."""
        previous = bytes(32)
        for seq, data in enumerate(self.entries):
            parsed = entry.parse(data)
            assert (parsed.seq, parsed.prev) == (seq, previous), f"entry {seq} does not follow"
            previous = entry.digest(data)
        checkpoint = note.parse_checkpoint(note.parse_note(self.checkpoint).body)
        size = len(self.entries)
        assert (checkpoint.origin, checkpoint.size) == (self.origin, size)
        assert checkpoint.root == self.roots([size])[size]


def unlocked(box: LocalBox) -> Keyring:
    secret = (box.secrets / "passphrase").read_text().strip()
    return Keyring.open(Settings(data=box.data).keys_folder, Passphrase(secret))


def open_database(box: LocalBox, keyring: Keyring) -> apsw.Connection:
    return connect(Settings(data=box.data).database_file, keyring.named("database"))


def exhibits(database: apsw.Connection) -> list[HeldExhibit]:
    rows = database.execute(
        "SELECT exhibit.id, exhibit.content, exhibit.statement, exhibit.supersedes, statement.envelope"
        " FROM exhibit JOIN statement ON statement.digest = exhibit.statement ORDER BY exhibit.number"
    )
    found = []
    for number, content, digest, supersedes, envelope in rows:
        payload = dsse.parse(envelope).payload
        said = statement.parse_payload(payload)
        assert isinstance(said, CaptureStatement)
        assert statement.digest(payload) == digest
        assert said.content == content
        found.append(HeldExhibit(number, raw_path(said.file), content, digest, supersedes))
    return found


def log(database: apsw.Connection) -> HeldLog:
    origin = database.execute("SELECT origin FROM log_head WHERE id = 1").get
    checkpoint = database.execute("SELECT note FROM log_checkpoint ORDER BY size DESC LIMIT 1").get
    entries = [data for (data,) in database.execute("SELECT entry FROM log_entry ORDER BY seq")]
    return HeldLog(str(origin), entries, str(checkpoint))


def raw_path(file: FileFacts) -> bytes:
    """A file's path in its watched folder, as the system knows it."""
    if file.name_bytes is not None:
        return b"/".join((*(file.path_bytes or ()), file.name_bytes))
    return "/".join((*file.path, file.name)).encode()
