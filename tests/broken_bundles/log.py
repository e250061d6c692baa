"""Faults of checkpoint, log entries and receipts: forged, forked, cut short, made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from broken_bundles.cases import Case, broken
from broken_bundles.spoiling import edited, put, replaced, spoiled, swapped, taken
from broken_bundles.story import Plan, Tale, base, tell
from bundle_maker import Files, bagged
from bundle_maker import edited as edited_files
from deedbox_sync import canonical_json, note
from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.bundle import layout
from deedbox_sync.bundle.sigstore import encode_pem
from deedbox_sync.note import Checkpoint
from miniature_log import BOX, NOON, ORIGIN, WITNESS_TIME, key, public

#: Where entries stand in entries.json: 0, 1, 5, 7, 8, 9, 10, 11, 13 … 19.
_OPENED, _PAIRED, _RECEIVED_1, _RECEIVED_2, _VIEWED, _DERIVED = range(6)
_NO_ENTRY = ("custody.entry", "custody.first", "receipt.entry")


def log_cases() -> Iterator[Case]:
    yield from _checkpoints()
    yield from _other_logs()
    yield from _entries()
    yield from _receipts()


def with_note(text: str) -> Callable[[Files], Files]:
    """Another checkpoint, in the receipts too."""

    def spoil(files: Files) -> Files:
        for number in (1, 2, 3):
            path = layout.receipt(number)
            head = canonical_json.parse(files[path], limit=1 << 20)["proof"].partition("\n\n")[0]  # type: ignore[index, call-overload, union-attr]
            files = edited_files(files, path, put("proof", value=f"{head}\n\n{text}"))
        return bagged({**files, layout.CHECKPOINT: text.encode()})

    return spoil


def _body() -> str:
    return note.parse_note(base().outside.checkpoint).body


def _checkpoints() -> Iterator[Case]:
    def one(name: str, fault: str, change: bytes | Callable[[bytes], bytes], *codes: str, **answers: Any) -> Case:
        return broken(f"checkpoint-{name}", fault, replaced(layout.CHECKPOINT, change), *codes, **answers)

    lost: dict[str, Any] = {"anchored": "unchecked", "attributed": "no"}
    unread = (
        "log.checkpoint",
        "entry.proof",
        "receipt.entry",
        "custody.entry",
        "custody.first",
        "custody.last",
        "derived.event",
        "device.entry",
        "device.unpaired",
    )
    yield one("empty", "no checkpoint in the file", b"", *unread, **lost)
    yield one("unsigned", "no signature lines", lambda data: data.partition(b"\n\n")[0] + b"\n", *unread, **lost)
    yield one("extension", "an extension line", lambda data: data.replace(b"\n\n", b"\nextra\n\n", 1), *unread, **lost)
    yield one(
        "leading-zero",
        "a size with a leading zero",
        lambda data: data.replace(b"\n21\n", b"\n021\n", 1),
        *unread,
        **lost,
    )
    yield one("crlf", "lines end in CR LF", lambda data: data.replace(b"\n", b"\r\n"), *unread, **lost)
    yield one("not-utf-8", "bytes that are not UTF-8", lambda data: data + b"\xff", *unread, **lost)
    forged = note.assemble_note(_body(), [note.sign(_body(), ORIGIN, key("forger"))])
    signed = ("log.signature", "receipt.proof")
    yield broken("checkpoint-forged", "signed by another key", spoiled(with_note(forged)), *signed, **lost)
    false = false_signature(base().outside.checkpoint, 0)
    yield broken("checkpoint-false", "the log's signature is false", spoiled(with_note(false)), *signed, **lost)
    alone = note.assemble_note(_body(), [note.cosign(_body(), "witness.example/one", key("witness.example/one"), 1)])
    yield broken("checkpoint-no-log", "only a witness signed", spoiled(with_note(alone)), *signed, **lost)
    told: tuple[str, ...] = ("receipt.checkpoint",)
    yield one("more", "one signature more than in the receipts", _one_more, *told, **lost)
    yield broken(
        "log-key-forged",
        "another key beside the log",
        replaced(layout.LOG_KEY, encode_pem(public("forger"))),
        "log.key",
    )
    yield broken("log-key-empty", "no key in the PEM", replaced(layout.LOG_KEY, b""), "log.key")
    yield broken(
        "log-key-end", "a PEM with a line more", replaced(layout.LOG_KEY, lambda data: data + b"\n"), "log.key"
    )


def false_signature(text: str, line: int) -> str:
    """One bit of a signature line is another."""
    parsed = note.parse_note(text)
    signatures = list(parsed.signatures)
    value = bytearray(signatures[line].value)
    value[-1] ^= 1
    signatures[line] = replace(signatures[line], value=bytes(value))
    return note.encode_note(replace(parsed, signatures=tuple(signatures)))


def _one_more(data: bytes) -> bytes:
    body = note.parse_note(data.decode()).body
    return data + note.cosign(body, "witness.example/three", key("three"), int(WITNESS_TIME.timestamp())).encode()


def _other_logs() -> Iterator[Case]:
    """What an owner can try who has the log's key, or makes a new one."""
    lost: dict[str, Any] = {"anchored": "unchecked", "attributed": "no"}
    no_proof = (
        "entry.proof",
        "receipt.entry",
        "custody.entry",
        "custody.first",
        "custody.last",
        "derived.event",
        "device.entry",
        "device.unpaired",
        "run.end",
        "stamp.consistency",
    )
    fork = "a checkpoint of the same size over other entries, signed by the log's own key"
    yield broken("log-forked", fork, spoiled(with_note(_fork())), *no_proof, **lost)
    short = base().story.log.checkpoint(15)
    fault = "an older checkpoint of the same log, shorter than what the bundle tells of"
    yield broken("log-truncated", fault, spoiled(with_note(short)), "log.size", *no_proof, **lost)
    fault = "all made anew under another key, consistent in itself, with stamps and cosignatures of its own"
    yield broken("log-anew", fault, tell(Plan(name="made anew")).files, "log.unpinned")
    fault = "the log rewritten under its own key, a capture back-dated, with the true log's stamps and cosignatures"
    yield broken("log-rewritten", fault, _rewritten, "stamp.consistency", anchored="none")
    fault = "the checkpoint of another epoch of the box"
    told: tuple[str, ...] = ("log.origin", "log.signature", "entry.opened", "receipt.proof")
    yield broken("log-of-another-epoch", fault, spoiled(with_note(_other_epoch())), *told, **lost)


def _rewritten() -> Files:
    forged = tell(Plan(captured=NOON - timedelta(days=365)))
    outside = replace(forged.outside, checkpoint=forged.story.log.checkpoint(), seen=base().outside.seen)
    return Tale(forged.story, outside).files()


def _fork() -> str:
    """The log's last entry was another one."""
    log = base().story.log
    other = tell(Plan()).story.log
    other.entries[-1] = log.entries[-2]
    root = other.prover().root()
    body = note.encode_checkpoint(Checkpoint(ORIGIN, len(log.entries), root))
    return note.assemble_note(body, [note.sign(body, ORIGIN, key("log"))])


def _other_epoch() -> str:
    log = base().story.log
    origin = note.encode_origin(BOX, 2)
    body = note.encode_checkpoint(Checkpoint(origin, len(log.entries), log.prover().root()))
    return note.assemble_note(body, [note.sign(body, origin, key("log"))])


def _entries() -> Iterator[Case]:
    def one(name: str, fault: str, change: Callable[[Any], Any], *codes: str, **answers: Any) -> Case:
        return broken(f"entry-{name}", fault, edited(layout.ENTRIES, change), *codes, **answers)

    no_1: dict[str, Any] = {"anchored": "unchecked", "attributed": "no"}
    received = _NO_ENTRY
    yield one("received-left-out", "the entry of a receipt is left out", taken(_RECEIVED_1), *received, **no_1)
    told: tuple[str, ...] = ("custody.entry", "custody.last")
    yield one("exported-left-out", "the entry of an export is left out", taken(-3), *told)
    yield one("viewed-left-out", "the entry of a withheld event is left out", taken(_VIEWED), "custody.entry")
    told = ("custody.entry", "derived.event")
    yield one("derived-left-out", "the entry of a derived document is left out", taken(_DERIVED), *told)
    told = ("device.entry", "device.unpaired")
    yield one("paired-left-out", "the entry of a pairing is left out", taken(_PAIRED), *told, attributed="no")
    told = ("entry.proof", *received)
    wrong = _swap_proofs
    yield one("proof-swapped", "a receipt's entry with another's proof", wrong, *told, **no_1)
    yield one("proof-short", "a proof too short", taken(_RECEIVED_1, "proof", -1), *told, **no_1)
    yield one("proof-long", "a proof too long", _longer_proof, *told, **no_1)
    yield one("proof-turned", "a proof in another order", _turned, *told, **no_1)
    yield one("retold", "a word of an entry is another", _retold, *told, **no_1)
    told = ("entry.index", *received)
    yield one("moved", "an entry at another place", put(_RECEIVED_1, "index", value=6), *told, **no_1)
    told = ("entry.form", *received)
    yield one("junk", "an entry that is none", put(_RECEIVED_1, "entry", value=encode_base64(b"{}")), *told, **no_1)
    spaced = _spaced
    yield one("spaced", "an entry with a space", spaced, *told, **no_1)
    lost = (
        "entry.form",
        "receipt.entry",
        "custody.entry",
        "custody.first",
        "custody.last",
        "derived.event",
        "device.entry",
        "device.unpaired",
        "run.end",
    )
    yield one("order", "entries out of order", lambda items: items.reverse(), *lost, **no_1)
    yield one("twice", "an entry twice", lambda items: items.insert(0, items[0]), *lost, **no_1)
    yield one("hash-short", "a hash of 31 bytes", _short_hash, *lost, **no_1)
    yield one("base64", "base64 with a line end", put(0, "entry", value="e30=\n"), *lost, **no_1)
    yield one("base64-bits", "base64 with bits after its end", put(0, "entry", value="e31="), *lost, **no_1)
    yield one("path-65", "a path of 65 hashes", put(0, "proof", value=[encode_base64(bytes(32))] * 65), *lost, **no_1)


def _swap_proofs(items: Any) -> None:
    items[_RECEIVED_1]["proof"] = items[_RECEIVED_2]["proof"]


def _longer_proof(items: Any) -> None:
    items[_RECEIVED_1]["proof"].append(encode_base64(bytes(32)))


def _turned(items: Any) -> None:
    items[_RECEIVED_1]["proof"].reverse()


def _retold(items: Any) -> None:
    data = parse_base64(items[_RECEIVED_1]["entry"], where="entry")
    items[_RECEIVED_1]["entry"] = encode_base64(data.replace(b"exhibit.received", b"exhibit.accepted"))


def _spaced(items: Any) -> None:
    data = parse_base64(items[_RECEIVED_1]["entry"], where="entry")
    items[_RECEIVED_1]["entry"] = encode_base64(data.replace(b":", b": ", 1))


def _short_hash(items: Any) -> None:
    items[0]["proof"][0] = encode_base64(bytes(31))


def _receipts() -> Iterator[Case]:
    lost: dict[str, Any] = {"anchored": "unchecked", "attributed": "no"}
    path = layout.receipt(1)

    def one(name: str, fault: str, change: Callable[[Any], Any], *codes: str) -> Case:
        return broken(f"receipt-{name}", fault, edited(path, change), *codes, **lost)

    yield one("no-content", "content is not opened", taken("openings", "content"), "receipt.proof")
    yield one("no-statement", "the statement is not opened", taken("openings", "statement"), "receipt.proof")
    salt = put("openings", "content", "salt", value="00" * 32)
    yield one("salt", "another salt", salt, "receipt.proof")
    value = put("openings", "content", "value", value="00" * 32)
    yield one("value", "another value", value, "receipt.proof")
    yield one("openings-swapped", "the openings swapped", _swap_openings, "receipt.proof")
    yield one("person", "an opening of a person it does not fit", _person, "receipt.proof")
    yield one("index", "another index", _proof(lambda text: text.replace("index 5", "index 7")), "receipt.index")
    yield one(
        "index-padded", "an index with a zero", _proof(lambda text: text.replace("index 5", "index 05")), "receipt.form"
    )
    yield one("header", "another header", _proof(lambda text: text.replace("@v1", "@v2")), "receipt.form")
    yield one("extra-line", "an extra line in the proof", _proof(_extra_line), "receipt.form")
    yield one("path-short", "a path too short", _proof(_shorter), "receipt.proof")
    text = _proof(lambda text: text.partition("\n\n")[0] + "\n\n" + base().story.log.checkpoint())
    yield one("other-note", "without the cosignatures of the checkpoint", text, "receipt.checkpoint")
    entry = base().story.log.entries[7]
    yield one("entry", "another exhibit's entry", put("entry", value=encode_base64(entry)), "receipt.entry")
    yield broken(
        "receipts-swapped",
        "two receipts swapped",
        swapped(path, layout.receipt(2)),
        "receipt.index",
        "receipt.entry",
        **lost,
    )
    older = base().story.log.receipt(5, 15)
    yield broken("receipt-older", "a receipt from a smaller tree", replaced(path, older), "receipt.checkpoint", **lost)
    log = tell().story.log
    log.append("refusals", {})
    newer = log.receipt(5)
    yield broken("receipt-newer", "a receipt from a larger tree", replaced(path, newer), "receipt.checkpoint", **lost)


def _proof(change: Callable[[str], str]) -> Callable[[Any], None]:
    def apply(receipt: Any) -> None:
        receipt["proof"] = change(receipt["proof"])

    return apply


def _extra_line(text: str) -> str:
    return text.replace("\n", "\nextra AAAA\n", 1)


def _shorter(text: str) -> str:
    lines = text.split("\n")
    del lines[2]
    return "\n".join(lines)


def _swap_openings(receipt: Any) -> None:
    openings = receipt["openings"]
    openings["content"], openings["statement"] = openings["statement"], openings["content"]


def _person(receipt: Any) -> None:
    receipt["openings"]["person"] = {"salt": "00" * 32, "value": "00"}
