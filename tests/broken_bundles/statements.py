"""Faults of capture statements: forged, altered, about other bytes, out of order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from broken_bundles.cases import Case, broken
from broken_bundles.spoiling import edited, put, replaced, spoiled, swapped
from broken_bundles.story import base, tell, witnessed
from bundle_maker import DESK_ACTOR, Files, Scenario, bagged, capture, receive
from bundle_maker import edited as edited_files
from bundle_spoils import ORIGINAL_1
from deedbox_sync import canonical_json, dsse, statement
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.sigstore import encode_sigstore
from deedbox_sync.statement import CaptureStatement
from miniature_log import BUNDLE, CASE, DESK, Chain, exhibit_id, key, public

_PATH = layout.statement(1)


def statement_cases() -> Iterator[Case]:
    yield from _envelopes()
    yield from _payloads()
    yield from _originals()
    yield from _journals()


def _parsed(number: int = 1) -> CaptureStatement:
    parsed = statement.parse_payload(base().story.exhibits[number - 1].payload)
    assert isinstance(parsed, CaptureStatement)
    return parsed


def _signed(payload: bytes, by: str = "desk") -> Callable[[Files], Files]:
    """The first exhibit's statement is another, signed; its twin too, and the index names it."""

    def spoil(files: Files) -> Files:
        envelope = dsse.sign(payload, key(by))
        files = bagged(
            {**files, _PATH: dsse.encode(envelope), layout.sigstore(1): encode_sigstore(envelope, public("desk"))}
        )
        return edited_files(files, layout.INDEX, put("exhibits", 0, "statement", value=statement.digest(payload).hex()))

    return spoil


def _envelopes() -> Iterator[Case]:
    def one(name: str, fault: str, change: Callable[[Any], Any], *codes: str) -> Case:
        return broken(f"envelope-{name}", fault, edited(_PATH, change), *codes, attributed="no")

    twin = "statement.sigstore"
    payload = base().story.exhibits[0].payload
    other_key = dsse.sign(payload, key("forger"))
    forged = put("signatures", 0, "sig", value=encode_base64(other_key.signature))
    yield one("forged", "signed by another key", forged, "statement.signature", twin)
    zero = put("signatures", 0, "sig", value=encode_base64(bytes(64)))
    yield one("unsigned", "a signature of zeros", zero, "statement.signature", twin)
    form = "statement.form"
    yield one("signature-short", "a signature too short", put("signatures", 0, "sig", value="AAAA"), form)
    yield one("two-signatures", "two signatures", lambda one: one["signatures"].append(one["signatures"][0]), form)
    yield one("no-signature", "no signature", put("signatures", value=[]), form)
    yield one("keyid", "a key id", put("signatures", 0, "keyid", value="desk"), form)
    yield one("payload-type", "another payload type", put("payloadType", value="text/plain"), form)
    yield one("payload-junk", "a payload that is no statement", put("payload", value=encode_base64(b"{}")), form)
    fault = "signed with its last bit of S flipped"
    flipped = bytearray(base().story.exhibits[0].envelope.signature)
    flipped[40] ^= 1
    value = encode_base64(bytes(flipped))
    yield one("signature-bit", fault, put("signatures", 0, "sig", value=value), "statement.signature", twin)
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(base().story.exhibits[0].envelope.signature[32:], "little") + order
    malleable = base().story.exhibits[0].envelope.signature[:32] + scalar.to_bytes(32, "little")
    value = encode_base64(malleable)
    fault = "the same signature with S + L (RFC 8032 5.1.7 refuses it)"
    yield one("signature-malleable", fault, put("signatures", 0, "sig", value=value), "statement.signature", twin)
    swap = ("statement.digest", "statement.name", "statement.index", "statement.content", twin, "statement.size")
    yield broken(
        "statements-swapped",
        "two statements swapped",
        swapped(_PATH, layout.statement(2)),
        *(code for code in swap if code != "statement.size"),
        attributed="no",
    )
    yield broken(
        "sigstore-swapped", "two Sigstore twins swapped", swapped(layout.sigstore(1), layout.sigstore(2)), twin
    )
    hint = put("verificationMaterial", "publicKey", "hint", value=encode_base64(bytes(32)))
    yield broken("sigstore-hint", "another key's hint", edited(layout.sigstore(1), hint), twin)


def _payloads() -> Iterator[Case]:
    """Statements that the desk's key signed, and the log never saw."""

    def one(name: str, fault: str, parsed: CaptureStatement, *codes: str) -> Case:
        make = spoiled(_signed(statement.encode_payload(parsed)))
        told = ("receipt.proof", "custody.first", *codes)
        return broken(f"payload-{name}", fault, make, *told, anchored="unchecked", attributed="no")

    true = _parsed()
    journal = "statement.journal"  # exhibit 2's statement names the one that was
    yield one("operator", "another operator", replace(true, operator=replace(true.operator, name="Eve")), journal)
    earlier = replace(true.captured, time=true.captured.time.replace(year=2025))
    yield one("back-dated", "captured a year before", replace(true, captured=earlier), journal)
    yield one("case", "another case", replace(true, case=UUID(int=CASE.int + 1)), journal, "statement.case")
    name = replace(true, file=replace(true.file, name="signed.pdf"))
    yield one("name", "another name of the file", name, journal, "statement.name")
    size = replace(true, file=replace(true.file, size=true.file.size + 1))
    yield one("size", "another size", size, journal, "statement.index", "statement.size")
    other = {"sha256": bytes(32), "sha512": bytes(64)}
    yield one(
        "content", "about other bytes", replace(true, digests=other), journal, "statement.index", "statement.content"
    )
    second = {**true.digests, "sha512": bytes(64)}
    yield one("sha512", "another SHA-512", replace(true, digests=second), journal, "statement.content")
    device = replace(true.device, key=sha256(public("forger")).digest())
    yield one("key", "names another key of its device", replace(true, device=device), journal, "statement.key")
    device = replace(true.device, id=UUID(int=DESK.int + 1))
    told: tuple[str, ...] = ("statement.device",)
    yield one("device", "another device", replace(true, device=device), *told)


def _raw(name: str, fault: str, change: Callable[[Any], Any]) -> Case:
    """A payload that no statement encoder would write."""
    value = json.loads(base().story.exhibits[0].payload)
    change(value)
    payload = canonical_json.encode(value)
    make = spoiled(_signed(payload))
    told: tuple[str, ...] = ("statement.form", "receipt.proof", "custody.first")
    return broken(f"payload-{name}", fault, make, *told, anchored="unchecked", attributed="no")


def _originals() -> Iterator[Case]:
    yield broken(
        "original-changed",
        "an original is another by one bit, the manifests right",
        replaced(ORIGINAL_1, lambda data: bytes([data[0] ^ 1]) + data[1:]),
        "statement.content",
        attributed="no",
    )
    yield broken(
        "original-longer",
        "an original with a byte more",
        replaced(ORIGINAL_1, lambda data: data + b"\n"),
        "statement.content",
        attributed="no",
    )
    yield broken(
        "originals-swapped",
        "two originals swapped",
        swapped(ORIGINAL_1, layout.original(3, "empty")),
        "statement.content",
        attributed="no",
    )
    yield broken(
        "original-emptied", "an original is empty", replaced(ORIGINAL_1, b""), "statement.content", attributed="no"
    )
    yield _raw("predicate-type", "another predicate type", put("predicateType", value="urn:example"))
    yield _raw("unknown", "an unknown member", put("predicate", "unknown", value=1))
    yield _raw("no-salt", "no salt", lambda value: value["predicate"].pop("salt"))
    yield _raw("subjects", "two subjects", lambda value: value["subject"].append(value["subject"][0]))
    yield _raw("no-sha256", "no SHA-256", lambda value: value["subject"][0]["digest"].pop("sha256"))
    yield _raw("name-slash", "a name with a slash", _slash)
    yield _raw("beacon-round", "a beacon of round 0", put("predicate", "captured", "beacon", "round", value=0))


def _slash(value: Any) -> None:
    value["subject"][0]["name"] = value["predicate"]["file"]["name"] = "../evil"


def _journals() -> Iterator[Case]:
    """The box logged what the desk could not have sent."""

    def with_fourth(sequence: int, previous: bytes) -> Callable[[], Files]:
        return lambda: witnessed(_fourth(sequence, previous))

    told = "statement.journal"
    first = base().story.exhibits[0]
    yield broken("journal-twice", "two statements of one journal number", with_fourth(2, first.digest), told)
    yield broken(
        "journal-broken", "a statement that does not name the one before", with_fourth(3, bytes(31) + b"\1"), told
    )
    yield broken(
        "revoked-before",
        "captured by a device that the log had revoked",
        with_fourth(9, b"\2" * 32),
        "device.revoked",
        attributed="no",
    )


def _fourth(sequence: int, previous: bytes) -> Scenario:
    """Exhibit 4, by the desk, at the end of the log: after its revocation, where the number is 9."""
    story = tell().story
    if sequence != 9:
        story.devices.pop()
    one = capture(4, "late.txt", b"late", sequence, previous)
    chain = Chain(exhibit_id(4))
    story.received[4] = receive(story.log, chain, one, DESK_ACTOR, "stream")
    chain.append(story.log, "exported", DESK_ACTOR, {"bundle": str(BUNDLE), "purpose": None})
    story.chains[4] = chain
    story.exhibits.append(one)
    return story
