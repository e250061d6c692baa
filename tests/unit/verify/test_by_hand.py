"""VERIFY.md: every command on the page runs in sh as it stands, holds for a good bundle, and stops at a spoiled one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bundle_maker import Files, bagged
from bundle_spoils import (
    DESK_FILE,
    ORIGINAL_1,
    Spoil,
    drop,
    edit,
    entries,
    events,
    flip,
    foreign_signature,
    larger_tree_receipt,
    other_log,
    put,
    records,
    renumber,
    reorder,
    resign_statement,
    retell,
    swap,
    take_over_device,
)
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.page import VERIFY_TEXT
from deedbox_sync.bundle.sigstore import encode_pem
from local_tsa import LocalTsa
from miniature_log import DESK, STAMPED_SIZE, public
from verify_by_hand import (
    BLOCKS,
    CHECKPOINT,
    CUSTODY,
    DEVICES,
    FILES,
    HAS_TOOLS,
    NAMES,
    RECEIPTS,
    STAMPS,
    STATEMENTS,
    run,
)

Laid = Callable[[Mapping[str, bytes]], Path]

pytestmark = pytest.mark.skipif(not HAS_TOOLS, reason="the page's own tools are not all installed")


@pytest.fixture
def roots(tsa: LocalTsa, tmp_path: Path) -> Path:
    path = tmp_path / "roots.pem"
    path.write_text(tsa.root)
    return path


@pytest.mark.parametrize("block", BLOCKS, ids=NAMES)
def test_each_block_holds_for_a_good_bundle(block: str, stamped: Files, laid: Laid, roots: Path) -> None:
    result = run(block, laid(stamped), {"ROOTS": str(roots)})
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WRONG" not in result.stdout


def test_the_page_in_the_bundle_is_this_page(stamped: Files) -> None:
    assert stamped[layout.PAGE].decode() == VERIFY_TEXT


def test_custody_is_told_event_by_event(stamped: Files, laid: Laid) -> None:
    told = run(CUSTODY, laid(stamped)).stdout
    assert "data/exhibits/1: event 2, withheld, log entry 5" in told
    assert "data/exhibits/3: event 2, exported, log entry 12" in told


@dataclass(frozen=True)
class ByHand:
    name: str
    block: str
    spoil: Spoil

    def __str__(self) -> str:
        return self.name


def stamped_other(files: Files) -> Files:
    return bagged({**files, layout.stamp_text(STAMPED_SIZE, 1): files[layout.CHECKPOINT]})


@pytest.mark.parametrize(
    "case",
    [
        ByHand("a bit of an original", FILES, flip(ORIGINAL_1)),
        ByHand("a bit of the manifest", FILES, flip(layout.MANIFEST)),
        ByHand("a bit of the page", FILES, flip(layout.PAGE)),
        ByHand("a file dropped", FILES, drop(layout.receipt(1))),
        ByHand("a file added", FILES, put("data/extra", b"", right_manifests=False)),
        ByHand("a file added beside", FILES, put("extra", b"", right_manifests=False)),
        ByHand("an original changed", STATEMENTS, flip(ORIGINAL_1, right_manifests=True)),
        ByHand("signed by another key", STATEMENTS, resign_statement),
        ByHand("another key for the device", STATEMENTS, put(layout.device_key(DESK), encode_pem(public("x")))),
        ByHand("statements swapped", STATEMENTS, swap(layout.statement(1), layout.statement(2))),
        ByHand("checkpoint signed by another key", CHECKPOINT, foreign_signature),
        ByHand("another key for the log", CHECKPOINT, put(layout.LOG_KEY, encode_pem(public("x")))),
        ByHand("receipts swapped", RECEIPTS, swap(layout.receipt(1), layout.receipt(2))),
        ByHand("a receipt from a larger tree", RECEIPTS, larger_tree_receipt),
        ByHand("checkpoint of another log", RECEIPTS, other_log),
        ByHand(
            "a receipt with another salt",
            RECEIPTS,
            edit(layout.receipt(1), lambda value: value["openings"]["content"].__setitem__("salt", "00" * 32)),
        ),
        ByHand("custody reordered", CUSTODY, events(reorder)),
        ByHand("custody cut short", CUSTODY, events(lambda items: items.pop())),
        ByHand("a withheld event left out", CUSTODY, events(renumber)),
        ByHand("a record retold", CUSTODY, events(retell)),
        ByHand("an entry left out", CUSTODY, entries(lambda items: items.pop(5))),
        ByHand(
            "a proof of another entry", CUSTODY, entries(lambda items: items[3].__setitem__("proof", items[4]["proof"]))
        ),
        ByHand("another case of the log", CUSTODY, other_log),
        ByHand("no pairing record", DEVICES, records(lambda items: items.pop(0))),
        ByHand("a device's record retold", DEVICES, records(lambda items: items[0]["record"].__setitem__("name", "x"))),
        ByHand("a device taken over", DEVICES, take_over_device),
        ByHand("a stamp over something else", STAMPS, stamped_other),
        ByHand("a bit of a stamp", STAMPS, flip(layout.stamp_token(STAMPED_SIZE, 1))),
    ],
    ids=str,
)
def test_a_block_stops_at_what_is_wrong(case: ByHand, stamped: Files, laid: Laid, roots: Path) -> None:
    result = run(case.block, laid(case.spoil(dict(stamped))), {"ROOTS": str(roots)})
    assert result.returncode != 0, result.stdout + result.stderr


def test_a_device_without_records_must_be_the_box(stamped: Files, laid: Laid) -> None:
    spoiled = records(lambda items: items.clear())(dict(stamped))
    result = run(DEVICES, laid(spoiled))
    assert result.returncode != 0
    assert "never paired" in result.stdout
    assert DESK_FILE in spoiled
