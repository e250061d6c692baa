"""After whatever happened: one exhibit a file, a receipt for each, every receipt ever held still true, a clean audit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from deedbox_checkout.local_desk import LocalDesk
from deedbox_desktop.engine.journal import facts
from deedbox_sync import merkle, note, receipt
from kit import box_at_rest
from kit.box_at_rest import HeldExhibit, HeldLog
from kit.journal_copy import (
    HeldReceipt,
    copied_journal,
    desk_keys,
    held_receipts,
    made_identifiers,
    seen_checkpoints,
)
from kit.load import Load
from kit.local_site import Site

Versions = Mapping[bytes, Sequence[bytes]]

_NAMES_LOOKED_FOR = 200
_SHORTEST_NAME = 8  # bytes: shorter ones may stand in a log for other reasons


class Memory:
    """Every receipt that the desk ever held, every checkpoint that it ever saw, every identifier that it made. `look` between
    its lives, not during one."""

    def __init__(self, desk: LocalDesk) -> None:
        self._desk = desk
        self._keys = desk_keys(desk)
        self.receipts: dict[int, HeldReceipt] = {}
        self.checkpoints: set[str] = set()
        self.identifiers: dict[int, str] = {}
        with copied_journal(desk, self._keys) as journal:
            paired = facts.box(journal)
        assert paired is not None
        self.vkey = paired.vkey

    def look(self) -> None:
        """Add what the journal holds now. What it held at an earlier look it must still hold, just as it was."""
        with copied_journal(self._desk, self._keys) as journal:
            held = held_receipts(journal)
            self.checkpoints.update(seen_checkpoints(journal))
            made = made_identifiers(journal)
        lost = [number for number, known in self.receipts.items() if held.get(number) != known]
        assert not lost, f"the desk lost or changed its receipts for statements {lost[:5]}"
        self.receipts = held
        again = [counter for counter, text in self.identifiers.items() if made.get(counter) != text]
        assert not again, f"the desk used counters {again[:5]} twice"
        self.identifiers = made

    def verify_against(self, log: HeldLog) -> None:
        """Each receipt is valid by itself, and its entry and its checkpoint are those of the final log."""
        checkpoints = {text: self._checkpoint(text) for text in self.checkpoints}
        for held in self.receipts.values():
            parsed = receipt.parse(held.receipt)
            receipt.verify_receipt(parsed, self.vkey, statement=held.statement, content=held.content)
            assert log.entries[parsed.index] == parsed.entry, f"entry {parsed.index} is not the one in its receipt"
            if parsed.note not in checkpoints:
                checkpoints[parsed.note] = self._checkpoint(parsed.note)
        roots = log.roots(checkpoint.size for checkpoint in checkpoints.values())
        for checkpoint in checkpoints.values():
            assert roots.get(checkpoint.size) == checkpoint.root, (
                f"the log does not extend checkpoint {checkpoint.size}"
            )
        if checkpoints:
            _verify_by_proof(log, min(checkpoints.values(), key=lambda one: one.size))

    def _checkpoint(self, text: str) -> note.Checkpoint:
        signed = note.parse_note(text)
        note.verify_note(signed, [self.vkey])
        return note.parse_checkpoint(signed.body)


def _verify_by_proof(log: HeldLog, old: note.Checkpoint) -> None:
    """As a stranger does it who has proofs and not the log."""
    tree = merkle.Tiles()
    tiles: dict[tuple[int, int], bytes] = {}
    for data in log.entries:
        for full in tree.append(merkle.leaf_hash(data)):
            tiles[full.level, full.index] = full.hashes
    for address, hashes in zip(merkle.partial_tiles(tree.size), tree.partials, strict=True):
        tiles[int(address.level), address.index] = hashes
    proof = merkle.consistency_proof(old.size, tree.size, lambda level, index, _width: tiles[level, index])
    merkle.verify_consistency(old.size, tree.size, proof, old.root, tree.root())


def verify_site(site: Site, memory: Memory, load: Load, *, versions_between: Versions | None = None) -> None:
    """Stop both sides and look at everything.

    `versions_between` are paths that had other bytes before those they ended with: each of these may have become an exhibit
    or not, once at most.
    """
    site.desk.stop()
    memory.look()
    site.box.stop()
    keyring = box_at_rest.unlocked(site.box)
    database = box_at_rest.open_database(site.box, keyring)
    try:
        exhibits, log = box_at_rest.exhibits(database), box_at_rest.log(database)
    finally:
        database.close()
    with ThreadPoolExecutor(1) as beside:
        auditing = beside.submit(audit, site)
        _verify_exhibits(exhibits, load, versions_between or {})
        receipted = {held.statement for held in memory.receipts.values()}
        missing = [exhibit.path for exhibit in exhibits if exhibit.statement not in receipted]
        assert not missing, f"no receipt for {missing[:5]}"
        log.verify_order()
        memory.verify_against(log)
        _verify_logs(site, load)
        found = auditing.result()
    assert not found, f"the audit found {len(found)} faults: {found[:5]}"


def _verify_logs(site: Site, load: Load) -> None:
    """Whatever happened, neither side's log tells the names of files."""
    names = sorted(load.made)[:: max(1, len(load.made) // _NAMES_LOOKED_FOR)]
    for log in (site.desk.log_file, site.box.secrets / "box.log"):
        data = log.read_bytes() if log.exists() else b""
        told = [name for name in names if len(name) >= _SHORTEST_NAME and name in data]
        assert not told, f"{log.name} tells of {told[:5]}"


def audit(site: Site) -> list[dict[str, str]]:
    """What `deedbox-server audit` finds; its exit status must agree."""
    done = site.box.command("audit", "--json", check=False)
    told = json.loads(done.stdout)
    findings: list[dict[str, str]] = told["findings"]
    assert done.returncode == (1 if findings else 0), done.stderr
    assert told["clean"] is not bool(findings)
    return findings


def _verify_exhibits(exhibits: list[HeldExhibit], load: Load, between: Versions) -> None:
    held = Counter((exhibit.path, exhibit.content) for exhibit in exhibits)
    wanted = {(path, content) for path, content in load.made.items()}
    missing = wanted - held.keys()
    assert not missing, f"{len(missing)} files have no exhibit: {sorted(missing)[:5]}"
    allowed = wanted | {(path, content) for path, contents in between.items() for content in contents}
    strange = held.keys() - allowed
    assert not strange, f"{len(strange)} exhibits are of no file: {sorted(strange)[:5]}"
    doubled = [path for (path, _), count in held.items() if count > 1]
    assert not doubled, f"{len(doubled)} files have more than one exhibit: {doubled[:5]}"
