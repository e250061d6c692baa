"""A complete bundle made from the shared formats alone: a miniature log, devices, exhibits, custody. No server is involved.

`good_bundle()` is the same bytes each time (all keys come from names); tests take the files it gives and spoil them.
The scenario, by log index:

     0 log.opened              5 exhibit.viewed    1 (withheld)     10 exhibit.exported  1
     1 device.paired   DESK    6 exhibit.derived   1                11 exhibit.exported  2
     2 case.opened             7 device.renewed    DESK             12 exhibit.exported  3
     3 exhibit.received 1      8 exhibit.received  3, without desk  13 device.revoked    DESK
     4 exhibit.received 2      9 exhibit.viewed    2                14 refusals

A witness cosigned the checkpoint of all 15. The checkpoint of the first 9 may carry a time stamp (`Stamp`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256, sha512
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from deedbox_sync import canonical_json, clock, device_record, dsse, note, statement
from deedbox_sync.beacon import Beacon
from deedbox_sync.bundle import bag, layout
from deedbox_sync.bundle.index import (
    BundledCase,
    BundleIndex,
    IndexedDerived,
    IndexedExhibit,
    IndexedStamp,
    encode_index,
)
from deedbox_sync.bundle.names import derived_names, safe_name
from deedbox_sync.bundle.outside import Run, encode_revocation, encode_runs
from deedbox_sync.bundle.page import encode_page
from deedbox_sync.bundle.proven import (
    DeviceFile,
    DeviceRecord,
    encode_consistency,
    encode_custody,
    encode_device,
    encode_entries,
)
from deedbox_sync.bundle.sigstore import encode_pem, encode_sigstore
from deedbox_sync.canonical_json import Json
from deedbox_sync.clock import ClockFinding
from deedbox_sync.custody import Actor
from deedbox_sync.file_facts import FileFacts
from deedbox_sync.statement import (
    Captured,
    CaptureStatement,
    DeviceRef,
    JournalPlace,
    Operator,
    Source,
    Tool,
)
from miniature_log import (
    ANNA,
    BOX,
    BUNDLE,
    CASE,
    DESK,
    LOG_VKEY,
    NOON,
    ORIGIN,
    STAMPED_SIZE,
    Chain,
    MiniatureLog,
    exhibit_id,
    key,
    public,
)

Files = dict[str, bytes]


@dataclass(frozen=True)
class MadeExhibit:
    """An exhibit's bytes with the statement about them and its signature."""

    number: int
    name: str
    content: bytes
    payload: bytes
    envelope: dsse.Envelope
    device_key: bytes

    @property
    def digest(self) -> bytes:
        return statement.digest(self.payload)


def capture(
    number: int,
    name: str,
    content: bytes,
    sequence: int,
    previous: bytes,
    *,
    by_desk: bool = True,
    time: datetime | None = None,
    beacon: Beacon | None = None,
) -> MadeExhibit:
    """`time` is by the desk's own clock, `beacon` the newest round that it knew."""
    signer = "desk" if by_desk else "intake"
    device = DeviceRef(DESK, "Front desk", sha256(public("desk")).digest())
    if not by_desk:
        device = DeviceRef(BOX, "box", sha256(public("intake")).digest())
    captured = CaptureStatement(
        digests={"sha256": sha256(content).digest(), "sha512": sha512(content).digest()},
        captured=Captured(
            time or NOON - timedelta(minutes=5 - number), "America/Chicago", -18_000, 10**12 + number, beacon=beacon
        ),
        device=device,
        file=FileFacts(name, ("Doe", "from phone"), len(content), 1_773_489_600_000_000_000, mode=0o644),
        journal=JournalPlace(sequence, previous),
        operator=Operator("Anna Example", ANNA, "password"),
        tool=Tool("deedbox-desktop", "0.1.0"),
        method="watched-folder" if by_desk else "upload",
        salt=sha256(f"statement {number}".encode()).digest(),
        case=CASE,
        source=Source("phone", "Example 12", "SN-1234", None),
    )
    payload = statement.encode_payload(captured)
    return MadeExhibit(number, name, content, payload, dsse.sign(payload, key(signer)), public(signer))


@cache
def certificate(serial: int) -> bytes:
    """A device certificate as the box's CA would issue it (DER)."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(DESK))]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a box")]))
        .public_key(key("tls").public_key())
        .serial_number(serial)
        .not_valid_before(NOON - timedelta(days=1))
        .not_valid_after(NOON + timedelta(days=29))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:deedbox:device:{DESK}")]), critical=False
        )
    )
    return builder.sign(key("ca"), None).public_bytes(Encoding.DER)


def device_event(log: MiniatureLog, kind: str, serial: int | None, statement_key: str = "desk") -> DeviceRecord:
    der = None if serial is None else certificate(serial)
    record = device_record.encode_device_record(
        device_record.DeviceRecord(
            kind=kind,
            time=NOON + timedelta(seconds=len(log.entries)),
            by=f"account:{ANNA}",
            device=DESK,
            account=ANNA,
            name="Front desk",
            statement_key=public(statement_key),
            certificate=None if der is None else sha256(der).digest(),
            serial=None if serial is None else device_record.serial_text(serial),
        )
    )
    committed = {"record": device_record.digest(record), "person": f"account:{ANNA}".encode()}
    index = log.append(kind, committed)
    return DeviceRecord(index, record, log.opened(index), der)


@dataclass(frozen=True)
class Stamp:
    """Makes an RFC 3161 token over the bytes of a note."""

    token: Callable[[bytes], bytes]


@dataclass(frozen=True)
class MadeToken:
    """A time stamp over `text`, the note as it then was."""

    text: str
    token: bytes
    crls: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Seen:
    """A checkpoint that outsiders saw, of the tree of `size`."""

    size: int
    note: str
    tokens: tuple[MadeToken, ...] = ()


@dataclass(frozen=True)
class Outside:
    """What outsiders add to a story. `proven` are further log entries that the bundle has with their proofs."""

    checkpoint: str
    seen: tuple[Seen, ...] = ()
    runs: tuple[Run, ...] = ()
    proven: tuple[int, ...] = ()


#: The three files of the scenario: a letter, a name from the wild, and nothing at all.
ORIGINALS: tuple[tuple[str, bytes], ...] = (
    ("contract.pdf", b"%PDF-1.4\n% the signed contract\n" + bytes(range(256)) * 9),
    ("\u202eМой договор «до» 100% : copy?.txt", b"Dear Mr. Doe,\n" * 40),
    ("empty", b""),
)

ANNA_AT_HOME = Actor(f"account:{ANNA}", "Anna Example", "session")
DESK_ACTOR = Actor(f"device:{DESK}", "Front desk", "device")
TEXT = b"the signed contract\n"
DERIVED = UUID(int=0x0195A3C4_0000_7000_8000_0000000D0001)


@dataclass
class Scenario:
    """Everything before it becomes files, for tests that build a different story."""

    log: MiniatureLog
    exhibits: list[MadeExhibit]
    chains: dict[int, Chain]
    received: dict[int, int]
    devices: list[DeviceRecord]


def scenario() -> Scenario:
    log = MiniatureLog()
    log.append("log.opened", {}, {"origin": ORIGIN, "vkey": LOG_VKEY})
    devices = [device_event(log, "device.paired", 4711)]
    log.append("case.opened", {"case": CASE.bytes})
    (name1, content1), (name2, content2), (name3, content3) = ORIGINALS
    one = capture(1, name1, content1, 1, statement.NO_DIGEST)
    two = capture(2, name2, content2, 2, one.digest)
    three = capture(3, name3, content3, 1, statement.NO_DIGEST, by_desk=False)
    chains = {number: Chain(exhibit_id(number)) for number in (1, 2, 3)}
    received = {
        1: receive(log, chains[1], one, DESK_ACTOR, "stream"),
        2: receive(log, chains[2], two, DESK_ACTOR, "batch"),
    }
    chains[1].append(log, "viewed", ANNA_AT_HOME, {"quarter": "2026-03-14T12:00:00.000000Z"})
    made: dict[str, Json] = {
        "derived": str(DERIVED),
        "form": "text",
        "content": sha256(TEXT).hexdigest(),
        "size": len(TEXT),
    }
    maker = Actor("box", "box", "worker")
    chains[1].append(log, "derived", maker, {**made, "producer": "tesseract 5.3"}, content=sha256(TEXT).digest())
    devices.append(device_event(log, "device.renewed", 4712))
    received[3] = receive(log, chains[3], three, ANNA_AT_HOME, "upload")
    chains[2].append(log, "viewed", ANNA_AT_HOME, {"quarter": "2026-03-14T12:00:00.000000Z"})
    for number in (1, 2, 3):
        chains[number].append(log, "exported", ANNA_AT_HOME, {"bundle": str(BUNDLE), "purpose": "disclosure"})
    devices.append(device_event(log, "device.revoked", None))
    log.append("refusals", {}, {"minute": "2026-03-14T12:00:00.000000Z", "handshakes": 2})
    return Scenario(log, [one, two, three], chains, received, devices)


def receive(
    log: MiniatureLog,
    chain: Chain,
    one: MadeExhibit,
    actor: Actor,
    lane: str,
    behind: timedelta | None = None,
    *,
    silent: bool = False,
    case: UUID = CASE,
) -> int:
    """`case` is the one that the log commits to;
    `behind`: how much the box found the desk's clock to be; `silent`: and the log entry does not say so."""
    content = sha256(one.content).digest()
    found = ClockFinding(clock.UNKNOWN, None)
    if behind is not None:
        found = ClockFinding(clock.BEHIND, -(behind // timedelta(milliseconds=1)))
    detail: Mapping[str, Json] = {
        "statement": one.digest.hex(),
        "content": content.hex(),
        "size": len(one.content),
        "lane": lane,
        "captured": lane != "upload",
        "clock": None if lane == "upload" else clock.members(found),
    }
    data = {"clock": found.word} if found.disagrees and not silent else None
    chain.append(log, "received", actor, detail, data, case=case.bytes, statement=one.digest, content=content)
    return chain.records[-1][1]


def good_bundle(stamp: Stamp | None = None) -> Files:
    return dict(_good_bundle(stamp))


@cache
def _good_bundle(stamp: Stamp | None) -> Files:
    return bundle_of(scenario(), stamp)


def outside_of(log: MiniatureLog, stamp: Stamp | None) -> Outside:
    """A witness over all of the log, and perhaps a time stamp over its first entries."""
    checkpoint = log.checkpoint(witnessed=True)
    if stamp is None:
        return Outside(checkpoint)
    text = log.checkpoint(STAMPED_SIZE)
    return Outside(checkpoint, (Seen(STAMPED_SIZE, text, (MadeToken(text, stamp.token(text.encode())),)),))


def bundle_of(story: Scenario, stamp: Stamp | None = None, outside: Outside | None = None) -> Files:
    log = story.log
    outside = outside or outside_of(log, stamp)
    checkpoint = outside.checkpoint
    files: Files = {
        layout.CUSTODY_PAPER: b"%PDF-1.7\n% a paper for reading\n",
        layout.CHECKPOINT: checkpoint.encode(),
        layout.LOG_KEY: encode_pem(public(log.name)),
    }
    exhibits = [_exhibit_files(files, story, one, checkpoint) for one in story.exhibits]
    desk = DeviceFile(DESK, public("desk"), tuple(story.devices))
    for device in (desk, DeviceFile(BOX, public("intake"), ())):
        files[layout.device_record(device.device)] = encode_device(device)
        files[layout.device_key(device.device)] = encode_pem(device.statement_key)
    named = {index for chain in story.chains.values() for _, index in chain.records}
    named |= {0, *(record.index for record in story.devices), *outside.proven, *(run.end - 1 for run in outside.runs)}
    files[layout.ENTRIES] = encode_entries([log.proven(index) for index in sorted(named)])
    files[layout.TIME] = encode_runs(outside.runs)
    for seen in outside.seen:
        files[layout.stamp_note(seen.size)] = seen.note.encode()
        files[layout.stamp_consistency(seen.size)] = encode_consistency(seen.size, log.prover().consistency(seen.size))
        for number, made in enumerate(seen.tokens, 1):
            files[layout.stamp_text(seen.size, number)] = made.text.encode()
            files[layout.stamp_token(seen.size, number)] = made.token
            files[layout.stamp_revocation(seen.size, number)] = encode_revocation(made.crls)
    files[layout.INDEX] = encode_index(
        BundleIndex(
            bundle=BUNDLE,
            made=NOON + timedelta(hours=2),
            box=BOX,
            case=BundledCase(CASE, "2026-0042", "Doe v. Example Ltd."),
            origin=log.origin,
            vkey=note.encode_vkey(log.origin, note.ED25519, public(log.name)),
            checkpoint_size=len(log.entries),
            exhibits=tuple(exhibits),
            devices=(BOX, DESK),
            stamps=tuple(IndexedStamp(seen.size, len(seen.tokens)) for seen in outside.seen),
        )
    )
    return bagged(files)


def _exhibit_files(files: Files, story: Scenario, one: MadeExhibit, checkpoint: str) -> IndexedExhibit:
    number, log = one.number, story.log
    files[layout.original(number, safe_name(one.name))] = one.content
    files[layout.statement(number)] = dsse.encode(one.envelope)
    files[layout.sigstore(number)] = encode_sigstore(one.envelope, one.device_key)
    files[layout.receipt(number)] = log.receipt(story.received[number], checkpoint=checkpoint)
    withheld = frozenset([2]) if number == 1 else frozenset[int]()
    files[layout.custody(number)] = encode_custody(story.chains[number].file(log, withheld))
    derived: tuple[IndexedDerived, ...] = ()
    if number == 1:
        path = layout.derived(1, derived_names([("text", "txt")])[0])
        files[path] = TEXT
        derived = (IndexedDerived(DERIVED, "text", path, sha256(TEXT).digest(), len(TEXT), 3),)
    return IndexedExhibit(
        id=exhibit_id(number),
        number=number,
        path=layout.original(number, safe_name(one.name)),
        name=one.name,
        size=len(one.content),
        content=sha256(one.content).digest(),
        statement=one.digest,
        captured=one.number != 3,
        received=story.received[number],
        exported=len(story.chains[number].records),
        derived=derived,
    )


def bagged(files: Mapping[str, bytes]) -> Files:
    """The payload files with fresh, right tag files: what a forger does who knows BagIt and nothing else."""
    result = {path: data for path, data in files.items() if path.startswith("data/")}
    octets = sum(map(len, result.values()))
    made = (NOON + timedelta(hours=2)).date()
    result[layout.BAG_INFO] = bag.encode_bag_info(bag.BagInfo("deedbox 0.1.0", made, BUNDLE, octets, len(result)))
    result[layout.BAGIT] = bag.BAGIT_TEXT
    result[layout.PAGE] = encode_page()
    payload = {path: sha256(data).digest() for path, data in result.items() if path.startswith("data/")}
    result[layout.MANIFEST] = bag.encode_manifest(payload)
    tags = {path: sha256(result[path]).digest() for path in layout.TAG_FILES}
    result[layout.TAG_MANIFEST] = bag.encode_manifest(tags)
    return result


def edited(files: Files, path: str, change: Callable[[Json], Json | None]) -> Files:
    """A JSON file changed in place (`change` alters the value, or returns another), everything bagged anew."""
    value = canonical_json.parse(files[path], limit=1 << 24)
    result = change(value)
    return bagged({**files, path: canonical_json.encode(value if result is None else result)})
