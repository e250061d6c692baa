"""Ways to spoil a bundle, for the tests that must notice. Most forgers here put the manifests right again (`bagged`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from bundle_maker import (
    ANNA_AT_HOME,
    DESK_ACTOR,
    Files,
    Scenario,
    bagged,
    bundle_of,
    capture,
    edited,
    receive,
    scenario,
)
from deedbox_sync import dsse, note
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.sigstore import encode_pem, encode_sigstore
from miniature_log import BUNDLE, CASE, DESK, ORIGIN, Chain, MiniatureLog, exhibit_id, key, public

Spoil = Callable[[Files], Files]
ORIGINAL_1 = layout.original(1, "contract.pdf")
DESK_FILE = layout.device_record(DESK)


def flip(path: str, *, right_manifests: bool = False) -> Spoil:
    def spoil(files: Files) -> Files:
        data = bytearray(files[path])
        data[len(data) // 2] ^= 1
        changed = {**files, path: bytes(data)}
        return bagged(changed) if right_manifests else changed

    return spoil


def drop(path: str, *, right_manifests: bool = False) -> Spoil:
    def spoil(files: Files) -> Files:
        changed = {name: data for name, data in files.items() if name != path}
        return bagged(changed) if right_manifests else changed

    return spoil


def put(path: str, data: bytes, *, right_manifests: bool = True) -> Spoil:
    return lambda files: bagged({**files, path: data}) if right_manifests else {**files, path: data}


def edit(path: str, change: Callable[[Any], Any]) -> Spoil:
    """`change` gets the parsed JSON and alters it in place; the manifests are made right again."""

    def in_place(value: Any) -> None:
        change(value)

    return lambda files: edited(files, path, in_place)


def swap(one: str, other: str) -> Spoil:
    return lambda files: bagged({**files, one: files[other], other: files[one]})


def resign_statement(files: Files) -> Files:
    """A forger with a key of his own signs the statement again and puts his key into the device's place."""
    payload = dsse.parse(files[layout.statement(1)]).payload
    envelope = dsse.sign(payload, key("forger"))
    return bagged(
        {
            **files,
            layout.statement(1): dsse.encode(envelope),
            layout.sigstore(1): encode_sigstore(envelope, public("forger")),
        }
    )


def take_over_device(files: Files) -> Files:
    """The same, and the device's file and PEM name the forger's key."""

    def rekey(device: Any) -> None:
        device["statement_key"] = public("forger").hex()

    files = edited(resign_statement(files), DESK_FILE, rekey)
    return bagged({**files, layout.device_key(DESK): encode_pem(public("forger"))})


def other_statement(files: Files) -> Files:
    """A well-formed statement about the same bytes that the desk never sent."""
    one = capture(1, "contract.pdf", files[ORIGINAL_1], 7, b"\1" * 32)
    return bagged({**files, layout.statement(1): dsse.encode(one.envelope)})


def larger_tree_receipt(files: Files) -> Files:
    story = scenario()
    story.log.append("refusals", {})
    return bagged({**files, layout.receipt(1): story.log.receipt(story.received[1])})


def smaller_tree_receipt(files: Files) -> Files:
    story = scenario()
    return bagged({**files, layout.receipt(1): story.log.receipt(story.received[1], 12)})


def other_log(files: Files) -> Files:
    """The checkpoint of a log of the same length under another key, and everything in the bundle that names the key."""
    forged = MiniatureLog("forged log")
    vkey = note.encode_vkey(ORIGIN, note.ED25519, public("forged log"))
    for _ in range(15):
        forged.append("refusals", {})

    def rename(index: Any) -> None:
        index["vkey"] = vkey

    files = edited(files, layout.INDEX, rename)
    files |= {layout.CHECKPOINT: forged.checkpoint().encode(), layout.LOG_KEY: encode_pem(public("forged log"))}
    return bagged(files)


def foreign_signature(files: Files) -> Files:
    body = note.parse_note(files[layout.CHECKPOINT].decode()).body
    text = note.assemble_note(body, [note.sign(body, ORIGIN, key("forger"))])
    return bagged({**files, layout.CHECKPOINT: text.encode()})


def revoked_before(_: Files) -> Files:
    """A box that took an exhibit from a device it had revoked."""
    return bundle_of(_with_late_exhibit())


def _with_late_exhibit() -> Scenario:
    """Exhibit 4, logged by the box after the desk's revocation."""
    story = scenario()
    one = capture(4, "late.txt", b"late", 9, b"\2" * 32)
    chain = Chain(exhibit_id(4))
    story.received[4] = receive(story.log, chain, one, DESK_ACTOR, "stream")
    chain.append(story.log, "exported", ANNA_AT_HOME, {"bundle": str(BUNDLE), "purpose": None})
    story.chains[4] = chain
    story.exhibits.append(one)
    return story


def clear_case(index: Any) -> None:
    index["case"]["id"] = str(UUID(int=CASE.int + 1))


def events(change: Callable[[list[Any]], Any], exhibit: int = 1) -> Spoil:
    return edit(layout.custody(exhibit), lambda custody: change(custody["events"]))


def reorder(events: list[Any]) -> None:
    events[1], events[2] = events[2], events[1]


def renumber(events: list[Any]) -> None:
    """Leaves the second event out and closes the gap in the numbers."""
    del events[1]
    for number, event in enumerate(events, 1):
        event["number"] = number


def retell(events: list[Any]) -> None:
    events[3]["record"]["actor"]["name"] = "Somebody Else"


def exhibit_of(number: int, change: Callable[[Any], Any]) -> Spoil:
    return edit(layout.INDEX, lambda index: change(index["exhibits"][number - 1]))


def records(change: Callable[[list[Any]], Any]) -> Spoil:
    return edit(DESK_FILE, lambda device: change(device["records"]))


def entries(change: Callable[[list[Any]], Any]) -> Spoil:
    return edit(layout.ENTRIES, change)


def set_to(name: str, value: Any) -> Callable[[Any], Any]:
    return lambda target: target.__setitem__(name, value)
