"""Whatever is changed in a bundle is found and named. Most forgers here know BagIt and put the manifests right again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from bundle_maker import Files, bagged, good_bundle, scenario
from bundle_spoils import (
    DESK_FILE,
    ORIGINAL_1,
    Spoil,
    clear_case,
    drop,
    edit,
    entries,
    events,
    exhibit_of,
    flip,
    foreign_signature,
    larger_tree_receipt,
    other_log,
    other_statement,
    put,
    records,
    renumber,
    reorder,
    resign_statement,
    retell,
    revoked_before,
    set_to,
    smaller_tree_receipt,
    swap,
    take_over_device,
)
from deedbox_sync import note
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.names import safe_name
from deedbox_sync.bundle.sigstore import encode_pem
from deedbox_verify.trust import Trust
from miniature_log import BOX, CASE, DESK, LOG_VKEY, ORIGIN, STAMPED_SIZE, public


@dataclass(frozen=True)
class Tampering:
    """What is done, and the code and place by which it must be told; `where` is a part of the place."""

    name: str
    spoil: Spoil
    code: str
    where: str

    def __str__(self) -> str:
        return self.name


TAMPERINGS = [
    # -- bytes, and files, with the manifests as they were
    *(
        Tampering(f"a bit of {path}", flip(path), "bag.digest", path)
        for path in (
            ORIGINAL_1,
            layout.original(2, safe_name("\u202eМой договор «до» 100% : copy?.txt")),
            layout.derived(1, "text.txt"),
            layout.statement(1),
            layout.sigstore(1),
            layout.receipt(1),
            layout.custody(1),
            layout.CHECKPOINT,
            layout.LOG_KEY,
            layout.ENTRIES,
            layout.CUSTODY_PAPER,
            DESK_FILE,
            layout.device_key(DESK),
            layout.PAGE,
            layout.BAG_INFO,
            layout.BAGIT,
            layout.TIME,
            layout.stamp_token(STAMPED_SIZE, 1),
            layout.stamp_text(STAMPED_SIZE, 1),
            layout.stamp_revocation(STAMPED_SIZE, 1),
            layout.stamp_note(STAMPED_SIZE),
            layout.stamp_consistency(STAMPED_SIZE),
        )
    ),
    Tampering("a bit of the manifest", flip(layout.MANIFEST), "bag.digest", layout.MANIFEST),
    Tampering("an original dropped", drop(ORIGINAL_1), "bag.missing", ORIGINAL_1),
    Tampering("the checkpoint dropped", drop(layout.CHECKPOINT), "bag.missing", layout.CHECKPOINT),
    Tampering("the tag manifest dropped", drop(layout.TAG_MANIFEST), "bag.missing", layout.TAG_MANIFEST),
    Tampering("a file added", put("data/extra.txt", b"x", right_manifests=False), "bag.unlisted", "data/extra.txt"),
    Tampering("a file added beside", put("README.txt", b"x", right_manifests=False), "bag.unlisted", "README.txt"),
    # -- the same by forgers who put the manifests right again
    Tampering("an original dropped and unlisted", drop(ORIGINAL_1, right_manifests=True), "bag.absent", ORIGINAL_1),
    Tampering(
        "a receipt dropped and unlisted", drop(layout.receipt(2), right_manifests=True), "bag.absent", "2/receipt"
    ),
    Tampering("a file added and listed", put("data/extra.txt", b"x"), "bag.purpose", "data/extra.txt"),
    Tampering("an original changed", flip(ORIGINAL_1, right_manifests=True), "statement.content", ORIGINAL_1),
    Tampering(
        "a derived text changed",
        flip(layout.derived(1, "text.txt"), right_manifests=True),
        "derived.content",
        "1/derived",
    ),
    Tampering(
        "an original replaced by another",
        swap(ORIGINAL_1, layout.original(3, "empty")),
        "statement.content",
        ORIGINAL_1,
    ),
    # -- the log
    Tampering("checkpoint of another log", other_log, "entry.proof", "log entry 0"),
    Tampering("checkpoint signed by another key", foreign_signature, "log.signature", layout.CHECKPOINT),
    Tampering(
        "another key beside the log", put(layout.LOG_KEY, encode_pem(public("forger"))), "log.key", layout.LOG_KEY
    ),
    Tampering(
        "checkpoint size told wrong", edit(layout.INDEX, set_to("checkpoint_size", 14)), "log.size", layout.CHECKPOINT
    ),
    Tampering("another box", edit(layout.INDEX, set_to("box", str(UUID(int=BOX.int + 1)))), "log.origin", layout.INDEX),
    Tampering(
        "an entry moved",
        entries(lambda items: items[2].__setitem__("index", 2)),
        "entry.index",
        "log entry 2",
    ),
    Tampering(
        "a proof of another entry",
        entries(lambda items: items[3].__setitem__("proof", items[4]["proof"])),
        "entry.proof",
        "log entry 4",
    ),
    Tampering(
        "an entry's bytes changed",
        entries(lambda items: items[3].__setitem__("entry", encode_base64(b"{}"))),
        "entry.form",
        "log entry 4",
    ),
    Tampering("an entry left out", entries(lambda items: items.pop(5)), "custody.entry", "exhibit 1, event 3"),
    # -- statements and receipts
    Tampering(
        "statements swapped", swap(layout.statement(1), layout.statement(2)), "statement.digest", layout.statement(1)
    ),
    Tampering("a statement signed by another key", resign_statement, "statement.signature", layout.statement(1)),
    Tampering("a device taken over", take_over_device, "device.key", DESK_FILE),
    Tampering("another statement about the same bytes", other_statement, "statement.digest", layout.statement(1)),
    Tampering(
        "Sigstore twins swapped", swap(layout.sigstore(1), layout.sigstore(2)), "statement.sigstore", layout.sigstore(1)
    ),
    Tampering("receipts swapped", swap(layout.receipt(1), layout.receipt(2)), "receipt.index", layout.receipt(1)),
    Tampering("a receipt from a larger tree", larger_tree_receipt, "receipt.checkpoint", layout.receipt(1)),
    Tampering("a receipt from a smaller tree", smaller_tree_receipt, "receipt.checkpoint", layout.receipt(1)),
    Tampering(
        "a receipt with another salt",
        edit(layout.receipt(1), lambda value: value["openings"]["content"].__setitem__("salt", "00" * 32)),
        "receipt.proof",
        layout.receipt(1),
    ),
    Tampering("a name changed", exhibit_of(1, set_to("name", "signed.pdf")), "statement.name", layout.statement(1)),
    Tampering("a size changed", exhibit_of(1, set_to("size", 7)), "statement.index", layout.INDEX),
    Tampering(
        "called received only", exhibit_of(1, set_to("captured", False)), "statement.captured", layout.statement(1)
    ),
    Tampering("called captured", exhibit_of(3, set_to("captured", True)), "statement.captured", layout.statement(3)),
    Tampering("received elsewhere", exhibit_of(1, set_to("received", 4)), "receipt.index", layout.receipt(1)),
    # -- custody
    Tampering("custody reordered", events(reorder), "custody.number", "exhibit 1, event 2"),
    Tampering("custody cut short", events(lambda items: items.pop()), "custody.last", "exhibit 1"),
    Tampering("custody without its beginning", events(lambda items: items.pop(0)), "custody.first", "exhibit 1"),
    Tampering("a withheld event left out", events(renumber), "custody.chain", "exhibit 1, event 2"),
    Tampering("a hole in custody", events(lambda items: items.pop(1)), "custody.number", "exhibit 1, event 2"),
    Tampering("a custody record retold", events(retell), "custody.record", "exhibit 1, event 4"),
    Tampering(
        "a withheld event changed",
        events(lambda items: items[1].__setitem__("commitment", "11" * 32)),
        "custody.chain",
        "exhibit 1, event 3",
    ),
    Tampering(
        "an opening removed",
        events(lambda items: items[0]["openings"].pop("case")),
        "custody.opening",
        "exhibit 1, event 1",
    ),
    Tampering("custody of another exhibit", swap(layout.custody(2), layout.custody(3)), "custody.exhibit", "2/custody"),
    Tampering("another case", edit(layout.INDEX, clear_case), "custody.case", "exhibit 1, event 1"),
    Tampering("another bundle's export", edit(layout.INDEX, set_to("bundle", str(CASE))), "custody.last", "exhibit 1"),
    Tampering(
        "a derived document without its event",
        exhibit_of(1, lambda exhibit: exhibit["derived"][0].__setitem__("event", 4)),
        "derived.event",
        "exhibit 1, text",
    ),
    # -- devices
    Tampering("no pairing record", records(lambda items: items.pop(0)), "device.unpaired", DESK_FILE),
    Tampering(
        "a device's record retold",
        records(lambda items: items[0]["record"].__setitem__("name", "Other desk")),
        "device.record",
        DESK_FILE,
    ),
    Tampering(
        "another certificate",
        records(lambda items: items[0].__setitem__("certificate", items[1]["certificate"])),
        "device.certificate",
        DESK_FILE,
    ),
    Tampering(
        "no certificate",
        records(lambda items: items[0].__setitem__("certificate", None)),
        "device.certificate",
        DESK_FILE,
    ),
    Tampering("a device's PEM replaced", put(layout.device_key(DESK), encode_pem(public("x"))), "device.pem", "pem"),
    Tampering("a device left out", edit(layout.INDEX, lambda index: index["devices"].pop(1)), "bag.purpose", DESK_FILE),
    Tampering("a device revoked before it captured", revoked_before, "device.revoked", "exhibit 4"),
    # -- outside time
    Tampering(
        "a time stamp over something else",
        lambda files: bagged(
            {**files, layout.stamp_text(STAMPED_SIZE, 1): scenario().log.checkpoint(9, witnessed=True).encode()}
        ),
        "stamp.token",
        layout.stamp_token(STAMPED_SIZE, 1),
    ),
    Tampering(
        "no proof from the stamped tree",
        edit(layout.stamp_consistency(STAMPED_SIZE), lambda value: value["consistency"].pop()),
        "stamp.consistency",
        layout.stamp_consistency(STAMPED_SIZE),
    ),
    Tampering(
        "another stamped tree",
        lambda files: bagged({**files, layout.stamp_note(STAMPED_SIZE): files[layout.CHECKPOINT]}),
        "stamp.note",
        layout.stamp_note(STAMPED_SIZE),
    ),
    # -- the index
    Tampering("an index that is not canonical", put(layout.INDEX, b"{ }"), "index.form", layout.INDEX),
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=str)
def test_is_found_and_named(tampering: Tampering, stamped: Files, judged: Callable[..., Any]) -> None:
    verdict = judged(tampering.spoil(dict(stamped)))
    assert not verdict.intact.yes
    found = [(finding.code, finding.where) for finding in verdict.findings]
    assert any(code == tampering.code and tampering.where in where for code, where in found), found


def test_nothing_is_found_in_the_good_bundle(stamped: Files, judged: Callable[..., Any]) -> None:
    verdict = judged(stamped)
    assert verdict.findings == ()
    assert verdict.intact.yes
    assert verdict.attributed


def test_a_forged_bundle_fails_only_against_a_pinned_key(judged: Callable[..., Any]) -> None:
    """Whoever makes up a whole log is self-consistent; the pinned key tells."""
    other = note.encode_vkey(ORIGIN, note.ED25519, public("the real log"))
    assert judged(good_bundle()).intact.yes
    pinned = judged(good_bundle(), Trust(logs=(other,)))
    assert [finding.code for finding in pinned.findings] == ["log.unpinned"]
    assert judged(good_bundle(), Trust(logs=(other, LOG_VKEY))).intact.pinned
