"""Faults of outside time: false beacons, runs that are no chains, tokens over other bytes, cosignatures that do not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from broken_bundles.cases import Case, broken
from broken_bundles.log import false_signature, with_note
from broken_bundles.spoiling import edited, put, replaced, spoiled, swapped, taken
from broken_bundles.story import (
    BEACON_1,
    DRAND,
    FIRST,
    RECEIVED,
    RESTAMPED,
    STAMPED,
    Plan,
    base,
    beacon_at,
    cosigned,
    run,
    tell,
)
from bundle_maker import Files, bagged
from deedbox_sync import merkle, note
from deedbox_sync.beacon import QUICKNET, Beacon
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.outside import Run
from miniature_log import NOON, ORIGIN, key

_HOUR = timedelta(hours=1)


def time_cases() -> Iterator[Case]:
    yield from _runs()
    yield from _beacons()
    yield from _contradictions()
    yield from _notes()
    yield from _tokens()
    yield from _cosignatures()


def _runs() -> Iterator[Case]:
    """They are chains from a beacon to an entry that the log proves, or they prove nothing."""

    def one(name: str, fault: str, change: Callable[[Any], Any], *codes: str) -> Case:
        return broken(f"run-{name}", fault, edited(layout.TIME, lambda time: change(time["runs"])), *codes)

    log = base().story.log
    entry, chain, end, form = "run.entry", "run.chain", "run.end", "time.form"
    junk = encode_base64(b"{}")
    yield one("junk", "an entry that is none", put(0, "entries", 1, value=junk), entry)
    yield one("retold", "an entry within is another", _retold(1), chain)
    yield one("retold-beacon", "the beacon is another", _retold(0), chain)
    yield one("retold-last", "the last entry is another", _retold(-1), entry)
    yield one("hole", "an entry within is left out", lambda runs: runs[0]["entries"].pop(2), entry)
    yield one("turned", "two entries change places", _turn, entry)
    yield one("shifted", "another place in the log", put(0, "first", value=2), entry)
    yield one("short", "it ends before any proven entry", lambda runs: runs[0].update(_told(run(log, 3, 4))), end)
    yield one("late", "it begins after its beacon", lambda runs: runs[0].update(_told(run(log, 4, 7))), "run.beacon")
    fault = "it begins with a beacon that was absent"
    yield one("absent", fault, lambda runs: runs[0].update(_told(run(log, 6, 7))), "run.beacon")
    yield one("order", "two runs change places", lambda runs: runs.reverse(), form)
    yield one("twice", "a run twice", lambda runs: runs.append(runs[1]), form)
    overlapping = _told(run(log, 6, 7))
    yield one("overlap", "two runs overlap", lambda runs: runs.insert(1, overlapping), form)
    yield one("empty", "a run of nothing", put(0, "entries", value=[]), form)
    yield one("negative", "it begins before the log", put(0, "first", value=-1), form)
    yield one("base64", "an entry that is no base64", put(0, "entries", 0, value="***"), form)
    yield one("long", "20,001 entries", put(0, "entries", value=[junk] * 20_001), form)
    forged = _rewritten_run
    yield one("forged", "a chain made anew up to a proven entry", forged, entry)


def _told(one: Run) -> dict[str, Any]:
    return {"first": one.first, "entries": [encode_base64(entry) for entry in one.entries]}


def _retold(place: int) -> Callable[[Any], None]:
    """Its time is a second later."""

    def change(runs: Any) -> None:
        entry = run(base().story.log, BEACON_1, RECEIVED[2]).entries[place]
        runs[0]["entries"][place] = encode_base64(entry.replace(b".250000Z", b".250001Z"))

    return change


def _turn(runs: Any) -> None:
    entries = runs[0]["entries"]
    entries[1], entries[2] = entries[2], entries[1]


def _rewritten_run(runs: Any) -> None:
    """All is well chained, with a later beacon; but the proven entry is not the one that the log has."""
    other = tell(Plan(first_beacon=beacon_at(NOON + timedelta(seconds=3)))).story.log
    runs[0].update(_told(run(other, BEACON_1, RECEIVED[2])))


def _beacons() -> Iterator[Case]:
    """The box logged them; their chain's key did not sign them."""
    true = beacon_at(NOON)
    later = DRAND.beacon(true.round - 1)
    false = "beacon.signature"

    def logged(name: str, fault: str, beacon: Beacon, *codes: str) -> Case:
        return broken(f"beacon-{name}", fault, tell(Plan(first_beacon=beacon)).files, *codes)

    yield logged("other-round", "a round under another number", replace(later, round=true.round), false)
    yield logged("bit", "a signature with a bit flipped", replace(true, signature=_bit(true.signature)), false)
    yield logged("zeros", "a signature of zeros", replace(true, signature=bytes(48)), false)
    infinity = replace(true, signature=bytes([0xC0]) + bytes(47))
    yield logged("infinity", "the point at infinity for a signature", infinity, false)
    negative = replace(true, signature=bytes([true.signature[0] ^ 0x20]) + true.signature[1:])
    yield logged("negative", "the negative of the signature", negative, false)
    unmarked = replace(true, signature=bytes([true.signature[0] & 0x7F]) + true.signature[1:])
    yield logged("unmarked", "a signature not marked as compressed", unmarked, false)
    quicknet = replace(true, chain=QUICKNET.hash, round=30_000_000)
    yield logged("quicknet", "another chain's signature as quicknet's", quicknet, false)
    far = replace(true, round=(1 << 53) - 1)
    yield logged("far", "a round past the year 9999", far, "beacon.form")

    def captured(name: str, fault: str, beacon: Beacon, *codes: str) -> Case:
        return broken(f"capture-beacon-{name}", fault, tell(Plan(captured_beacon=beacon)).files, *codes)

    yield captured("other-round", "a statement's beacon under another number", replace(later, round=true.round), false)
    yield captured(
        "bit", "a statement's beacon with a bit flipped", replace(true, signature=_bit(true.signature)), false
    )
    yield captured("far", "a statement's beacon of a round past the year 9999", far, "beacon.form")
    within = tell(Plan(absent={"chain": DRAND.chain.hash.hex(), "round": 1, "signature": "00"}))
    yield broken("beacon-junk", "a beacon within a run that is none", within.files, "beacon.form")


def _bit(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _contradictions() -> Iterator[Case]:
    """Nobody can have seen what was not public yet: somebody's time is not true."""
    later = "beacon.later"
    tomorrow = beacon_at(NOON + timedelta(days=1))
    yield broken(
        "later-beacon", "a beacon of the day after its anchors", tell(Plan(first_beacon=tomorrow)).files, later
    )
    minute = beacon_at(NOON + timedelta(seconds=10 + 63))
    fault = "a beacon a minute and a little later than the first stamp"
    yield broken("later-beacon-minute", fault, tell(Plan(first_beacon=minute)).files, later)
    fault = "a statement's beacon of the day after its anchors"
    yield broken("later-capture-beacon", fault, tell(Plan(captured_beacon=tomorrow)).files, later)
    before = tuple(NOON - timedelta(days=365) for _ in range(3))
    plan = Plan(times=(before[0], before[1], before[2]))
    yield broken("back-dated-stamps", "stamps of the year before", tell(plan).files, later)
    yield broken("back-dated-witnesses", "witnesses of the year before", _old_witnesses, later)


def _old_witnesses() -> Files:
    tale = base()
    times = (NOON - timedelta(days=365),) * 2
    return tale.but(checkpoint=cosigned(tale.story.log, None, times)).files()


def _notes() -> Iterator[Case]:
    """Older checkpoints: signed by the log, and continued by the bundle's."""
    log = base().story.log
    path = layout.stamp_note(RESTAMPED)

    def one(name: str, fault: str, change: bytes | Callable[[bytes], bytes], code: str = "stamp.note") -> Case:
        return broken(f"stamp-note-{name}", fault, replaced(path, change), code)

    yield one("empty", "no note", b"")
    yield one("other-size", "the note of another tree", base().outside.seen[0].note.encode())
    body = note.parse_note(log.checkpoint(RESTAMPED)).body
    forged = note.assemble_note(body, [note.sign(body, ORIGIN, key("forger"))])
    yield one("forged", "signed by another key", forged.encode())
    alone = note.assemble_note(body, [note.cosign(body, "witness.example/one", key("witness.example/one"), 1)])
    yield one("no-log", "only a witness signed", alone.encode())
    yield one("junk", "bytes that are not UTF-8", b"\xff")
    root = merkle.leaf_hash(b"other")
    other = note.encode_checkpoint(note.Checkpoint(ORIGIN, RESTAMPED, root))
    forked = note.assemble_note(other, [note.sign(other, ORIGIN, key("log"))])
    yield one("forked", "the log signed another tree of that size", forked.encode(), "stamp.consistency")
    consistency = layout.stamp_consistency(STAMPED)

    def proof(name: str, fault: str, change: Callable[[Any], Any]) -> Case:
        return broken(f"consistency-{name}", fault, edited(consistency, change), "stamp.consistency")

    yield proof("short", "a proof too short", taken("consistency", -1))
    yield proof("long", "a proof too long", lambda value: value["consistency"].append(encode_base64(bytes(32))))
    yield proof("empty", "an empty proof", put("consistency", value=[]))
    yield proof("turned", "a proof in another order", lambda value: value["consistency"].reverse())
    yield proof("other-size", "about another size", put("size", value=9))
    swap = swapped(consistency, layout.stamp_consistency(RESTAMPED))
    yield broken("consistency-swapped", "two proofs swapped", swap, "stamp.consistency")


def _tokens() -> Iterator[Case]:
    """Time stamps of the tree of 19 (one) and of 10 (two)."""
    token, text = layout.stamp_token(RESTAMPED, 1), layout.stamp_text(RESTAMPED, 1)
    stamped = base().outside.seen[1].tokens[0].text.encode()
    broken_token = "stamp.token"

    def one(name: str, fault: str, change: bytes | Callable[[bytes], bytes], code: str = broken_token) -> Case:
        return broken(f"token-{name}", fault, replaced(token, change), code)

    yield one("junk", "no response", b"junk")
    yield one("empty", "nothing", b"")
    yield one("cut", "a response cut short", lambda data: data[:-1])
    yield one("longer", "a response with a byte more", lambda data: data + b"\0")
    yield one("other-bytes", "over other bytes", FIRST.token(b"other bytes", NOON + _HOUR))
    yield one("note", "over the note with all its cosignatures", _over_the_whole_note())
    other = "stamp.text"
    yield broken(
        "stamp-text-other", "another note was stamped", replaced(text, base().outside.checkpoint.encode()), other
    )
    yield broken("stamp-text-junk", "what was stamped is no note", replaced(text, b"junk"), other)
    line = stamped.replace(b"\n\n", b"\n\n\xe2\x80\x94 x AAAAAAAA\n", 1)
    fault = "what was stamped has a line that nobody stamped"
    yield broken("stamp-text-line", fault, replaced(text, line), broken_token)
    unsigned = note.parse_note(stamped.decode()).body
    forged = note.assemble_note(unsigned, [note.sign(unsigned, ORIGIN, key("forger"))]).encode()

    def forge(files: Files) -> Files:
        return bagged({**files, text: forged, token: FIRST.token(forged, NOON + _HOUR)})

    yield broken("stamp-text-forged", "a stamp over the tree with a forger's signature", spoiled(forge), other)
    swap = swapped(layout.stamp_token(STAMPED, 1), token)
    yield broken("tokens-swapped", "two trees' tokens swapped", swap, broken_token, "stamp.entry")
    entry = {"size": STAMPED - 1}
    fault = "the log tells of the stamps with another size"
    yield broken("stamp-entry-size", fault, tell(Plan(stamp_entry=entry)).files, "stamp.entry")
    fault = "the log tells of the stamps with another checkpoint"
    yield broken("stamp-entry-note", fault, tell(Plan(stamp_entry={"checkpoint": "00" * 32})).files, "stamp.entry")
    path = layout.stamp_revocation(STAMPED, 1)

    def revocation(name: str, fault: str, change: Callable[[Any], Any]) -> Case:
        return broken(f"revocation-{name}", fault, edited(path, change), "stamp.revocation")

    yield revocation("base64", "a CRL that is no base64", put("crls", value=["***"]))
    yield revocation("many", "33 CRLs", put("crls", value=[""] * 33))
    yield revocation("version", "version 2", put("v", value=2))


def _over_the_whole_note() -> bytes:
    return FIRST.token(base().outside.seen[1].note.encode(), NOON + _HOUR)


def _cosignatures() -> Iterator[Case]:
    """By witnesses that are pinned; the log's own signature holds."""
    false = "witness.signature"
    checkpoint = base().outside.checkpoint
    for line, name in ((1, "first"), (2, "second")):
        make = spoiled(with_note(false_signature(checkpoint, line)))
        yield broken(f"cosignature-{name}", f"the {name} witness's cosignature is false", make, false)
    parsed = note.parse_note(checkpoint)
    moved = list(parsed.signatures)
    earlier = int((NOON - timedelta(days=365)).timestamp()).to_bytes(8)
    moved[1] = replace(moved[1], value=earlier + moved[1].value[8:])
    text = note.encode_note(replace(parsed, signatures=tuple(moved)))
    yield broken("cosignature-back-dated", "a cosignature's time is another", spoiled(with_note(text)), false)
    short = list(parsed.signatures)
    short[1] = replace(short[1], value=short[1].value[:20])
    text = note.encode_note(replace(parsed, signatures=tuple(short)))
    yield broken("cosignature-short", "a cosignature too short", spoiled(with_note(text)), false)
    older = base().outside.seen[1].note
    stamped = replaced(layout.stamp_note(RESTAMPED), false_signature(older, 1).encode())
    yield broken("cosignature-older", "a cosignature of the older checkpoint is false", stamped, false)
    other = note.parse_note(older).signatures[1]
    both = list(parsed.signatures)
    both[1] = other
    text = note.encode_note(replace(parsed, signatures=tuple(both)))
    yield broken("cosignature-moved", "a cosignature of another tree", spoiled(with_note(text)), false)
