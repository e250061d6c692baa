"""The index is a claim: each of its values is held against statement, log and custody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from broken_bundles.cases import Case, broken
from broken_bundles.spoiling import edited, put, replaced, taken
from deedbox_sync import note
from deedbox_sync.bundle import layout
from miniature_log import BOX, CASE, DESK, ORIGIN, public

_OTHER = str(UUID(int=CASE.int + 1))
_ZEROS = "00" * 32


def claim_cases() -> Iterator[Case]:
    yield from _of_the_bundle()
    yield from _of_an_exhibit()
    yield from _of_a_derived_document()
    yield from _forms()


def _index(
    name: str, fault: str, change: Callable[[Any], Any], *codes: str, anchored: str = "before", attributed: str = "yes"
) -> Case:
    return broken(
        f"claim-{name}", fault, edited(layout.INDEX, change), *codes, anchored=anchored, attributed=attributed
    )


def _of_the_bundle() -> Iterator[Case]:
    yield _index("bundle", "another bundle", put("bundle", value=_OTHER), "bag.info", "custody.last")
    yield _index("made", "made on another day", put("made", value="2026-03-15T14:00:00.000000Z"), "bag.info")
    box = ("log.origin", "device.unpaired", "statement.captured")
    yield _index("box", "another box", put("box", value=_OTHER), *box, attributed="no")
    case = ("statement.case", "custody.case", "custody.first", "custody.last", "derived.event")
    yield _index("case", "another case", put("case", "id", value=_OTHER), *case, attributed="no")
    origin = note.encode_origin(BOX, 2)
    told: tuple[str, ...] = ("log.origin", "log.key")
    yield _index("origin", "another log", put("origin", value=origin), *told, anchored="unchecked", attributed="no")
    junk = put("origin", value="somewhere")
    yield _index("origin-junk", "no log", junk, *told, anchored="unchecked", attributed="no")
    forger = note.encode_vkey(ORIGIN, note.ED25519, public("forger"))
    told = ("log.key", "log.signature", "log.unpinned", "entry.opened", "receipt.proof")
    yield _index("vkey", "another key", put("vkey", value=forger), *told, anchored="unchecked", attributed="no")
    witness = note.encode_vkey(ORIGIN, note.COSIGNATURE_V1, public("log"))
    told = ("log.key", "log.unpinned", "entry.opened", "receipt.proof")
    change = put("vkey", value=witness)
    yield _index("vkey-kind", "the log's key as a witness's", change, *told, anchored="unchecked", attributed="no")
    change = put("vkey", value="junk")
    told = ("log.key", "log.unpinned", "entry.opened", "receipt.proof")
    yield _index("vkey-junk", "no key", change, *told, anchored="unchecked", attributed="no")
    yield _index("size", "another size of the log", put("checkpoint_size", value=20), "log.size")
    told = ("bag.purpose", "statement.device")
    yield _index("device-left-out", "a device is left out", taken("devices", 1), *told, attributed="no")
    more = [str(BOX), str(DESK), "0195a3c4-0000-7000-8000-00000000ffff"]
    yield _index("device-more", "a device more", put("devices", value=more), "bag.absent", "file.missing")
    yield _index("stamp-left-out", "a stamped checkpoint is left out", taken("stamps", 0), "bag.purpose")
    told = ("bag.absent", "bag.purpose", "file.missing")
    yield _index("stamp-size", "another size of a stamped tree", put("stamps", 0, "size", value=11), *told)
    yield _index("stamp-fewer", "a token less", put("stamps", 0, "tokens", value=1), "bag.purpose")
    yield _index("stamp-more", "a token more", put("stamps", 0, "tokens", value=3), "bag.absent", "file.missing")


def _of_an_exhibit() -> Iterator[Case]:
    def one(name: str, fault: str, member: str, value: Any, *codes: str, **answers: Any) -> Case:
        return _index(f"exhibit-{name}", fault, put("exhibits", 0, member, value=value), *codes, **answers)

    told: tuple[str, ...] = ("custody.exhibit", "custody.record", "custody.first", "custody.last", "derived.event")
    yield one("id", "another exhibit", "id", _OTHER, *told, attributed="no")
    yield _index(
        "exhibit-number",
        "another number, and so another folder",
        put("exhibits", 2, "number", value=4),
        "bag.absent",
        "bag.purpose",
        "file.missing",
        anchored="unchecked",
        attributed="no",
    )
    yield one("path", "another place", "path", layout.INDEX, "statement.path", attributed="no")
    told = ("bag.absent", "bag.purpose", "statement.name", "statement.path", "file.missing")
    yield one("name", "another name", "name", "signed.pdf", *told, attributed="no")
    yield one("size", "another size", "size", 7, "statement.index", "custody.first", attributed="no")
    told = ("statement.index", "custody.first", "receipt.proof")
    yield one("content", "another digest", "content", _ZEROS, *told, anchored="unchecked", attributed="no")
    told = ("statement.digest", "custody.first", "receipt.proof")
    yield one("statement", "another statement", "statement", _ZEROS, *told, anchored="unchecked", attributed="no")
    yield one("captured", "called received only", "captured", False, "statement.captured", "custody.first")
    yield _index(
        "exhibit-received-only",
        "called captured, and no desk did",
        put("exhibits", 2, "captured", value=True),
        "statement.captured",
        "custody.first",
    )
    told = ("receipt.index", "receipt.entry", "custody.first")
    yield one("received", "an entry not there", "received", 4, *told, anchored="unchecked", attributed="no")
    yield one("received-2", "another's entry", "received", 7, *told, anchored="unchecked", attributed="no")
    told = (*told, "device.revoked")
    yield one("received-late", "an entry past the log", "received", 99, *told, anchored="unchecked", attributed="no")
    yield one("exported", "another last event", "exported", 3, "custody.last")


def _of_a_derived_document() -> Iterator[Case]:
    def one(name: str, fault: str, member: str, value: Any, *codes: str) -> Case:
        return _index(f"derived-{name}", fault, put("exhibits", 0, "derived", 0, member, value=value), *codes)

    yield one("id", "another document", "id", _OTHER, "derived.event")
    yield one("form", "another form", "form", "words", "derived.event")
    told: tuple[str, ...] = ("bag.absent", "bag.purpose", "file.missing")
    yield one("path", "another name", "path", layout.derived(1, "text-2.txt"), *told)
    yield one("path-elsewhere", "with another exhibit", "path", layout.derived(2, "text.txt"), *told, "derived.path")
    told = ("derived.path", "derived.content", "bag.purpose")
    yield one("path-taken", "the custody paper for a text", "path", layout.CUSTODY_PAPER, *told)
    yield one("content", "another digest", "content", _ZEROS, "derived.event", "derived.content")
    yield one("size", "another size", "size", 7, "derived.event", "derived.content")
    yield one("event", "the export's event", "event", 4, "derived.event")
    yield one("event-withheld", "a withheld event", "event", 2, "derived.event")
    yield one("event-none", "no event", "event", 9, "derived.event")
    taken_out = taken("exhibits", 0, "derived", 0)
    yield _index("derived-left-out", "a derived document is not told of", taken_out, "bag.purpose")


def _forms() -> Iterator[Case]:
    def form(name: str, fault: str, change: Callable[[Any], Any]) -> Case:
        return _index(name, fault, change, "index.form", anchored="unchecked", attributed="no")

    yield form("version", "version 2", put("v", value=2))
    yield form("no-exhibits", "no exhibit", put("exhibits", value=[]))
    yield form("order", "exhibits out of order", lambda index: index["exhibits"].reverse())
    yield form("exhibit-twice", "an exhibit twice", lambda index: index["exhibits"].append(index["exhibits"][2]))
    yield form("same-id", "two exhibits, one id", _same_id)
    yield form("devices-order", "devices out of order", lambda index: index["devices"].reverse())
    yield form("stamps-order", "stamps out of order", lambda index: index["stamps"].reverse())
    yield form("stamp-zero", "a stamp over no entry", put("stamps", 0, "size", value=0))
    yield form("tokens-17", "17 tokens of one checkpoint", put("stamps", 0, "tokens", value=17))
    yield form("negative", "a size below zero", put("exhibits", 0, "size", value=-1))
    yield form("event-zero", "an event number 0", put("exhibits", 0, "exported", value=0))
    yield form("hex-upper", "a digest in upper case", lambda index: _upper(index, "content"))
    yield form("hex-short", "a digest too short", put("exhibits", 0, "content", value="00" * 31))
    yield form("uuid-upper", "a UUID in upper case", put("case", "id", value=str(CASE).upper()))
    yield form("time-zone", "a time without Z", put("made", value="2026-03-14T14:00:00.000000"))
    yield form("time-day", "the 30th of February", put("made", value="2026-02-30T14:00:00.000000Z"))
    yield form("form-word", "a form that is no word", put("exhibits", 0, "derived", 0, "form", value="Searchable PDF"))

    def raw(name: str, fault: str, change: Callable[[bytes], bytes]) -> Case:
        make = replaced(layout.INDEX, change)
        return broken(f"claim-{name}", fault, make, "index.form", anchored="unchecked", attributed="no")

    yield raw("space", "JSON with a space", lambda data: data.replace(b":", b": ", 1))
    yield raw("end", "JSON with a line end", lambda data: data + b"\n")
    yield raw("order-of-members", "members out of order", lambda data: b'{"v":1,' + data[1:].replace(b',"v":1', b"", 1))
    yield raw("member-twice", "a member twice", lambda data: data[:-1] + b',"v":1}')
    yield raw("float", "a fraction", lambda data: data.replace(b'"v":1', b'"v":1.0'))
    yield raw(
        "big-integer", "an integer past 2^53", lambda data: data.replace(b'"number":1', b'"number":9007199254740993', 1)
    )
    yield raw("not-utf-8", "bytes that are not UTF-8", lambda data: data.replace(b"Doe", b"D\xf6e", 1))
    yield raw("surrogate", "a lone surrogate", lambda data: data.replace(b"Doe v.", b"Doe \\ud800", 1))
    yield raw("escape", "a letter written as an escape", lambda data: data.replace(b"Doe v.", b"\\u0044oe v.", 1))
    yield raw("bom", "a byte order mark", lambda data: b"\xef\xbb\xbf" + data)
    yield raw("array", "an array", lambda data: b"[" + data + b"]")
    yield raw("empty", "nothing at all", lambda data: b"")
    yield raw("deep", "nested a thousand times", lambda data: b"[" * 1000 + b"]" * 1000)


def _same_id(index: Any) -> None:
    index["exhibits"][1]["id"] = index["exhibits"][0]["id"]


def _upper(index: Any, member: str) -> None:
    index["exhibits"][0][member] = index["exhibits"][0][member].upper()
