"""Check 8: how the log came to trust each device. Run before the statements, which need the keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography import x509

from deedbox_sync import device_record
from deedbox_sync.bundle import layout, proven
from deedbox_sync.bundle.index import BundleIndex
from deedbox_sync.bundle.proven import DeviceFile
from deedbox_sync.bundle.sigstore import encode_pem
from deedbox_sync.device_certificate import device_of
from deedbox_sync.device_record import PAIRED, REVOKED
from deedbox_sync.errors import FormatError, ProofError
from deedbox_verify.contents import Contents
from deedbox_verify.findings import Findings, counted
from deedbox_verify.log_check import HeldEntry, check_openings
from deedbox_verify.trust import Trust

_CHECK = 8


@dataclass(frozen=True)
class Device:
    """A device's statement key, and what the log proves of it.

    `paired` and `revoked` are log indexes of records that hold; `name` is the box's, `pinned` says that the reader
    trusts this very key.
    """

    id: UUID
    key: bytes
    name: str | None
    paired: int | None
    revoked: int | None
    pinned: bool


def check_devices(
    contents: Contents, index: BundleIndex, held: Mapping[int, HeldEntry], trust: Trust, findings: Findings
) -> Mapping[UUID, Device]:
    """The devices whose files can be read. The box itself needs no pairing: it may be there for what it received."""
    devices: dict[UUID, Device] = {}
    for identity in index.devices:
        where = layout.device_record(identity)
        data = contents.read(_CHECK, where, layout.MAX_DEVICE)
        if data is None:
            continue
        try:
            file = proven.parse_device(data, where)
        except FormatError as problem:
            findings.fault(_CHECK, "device.form", problem.where, problem.what)
            continue
        if file.device != identity:
            findings.fault(_CHECK, "device.form", where, f"is about device {file.device}")
            continue
        devices[identity] = _check_device(contents, file, held, trust, findings)
        if devices[identity].paired is None and identity != index.box:
            what = "has no pairing record that the log proves: nothing shows whose key this is"
            findings.fault(_CHECK, "device.unpaired", where, what)
    findings.counted[_CHECK] = (
        f"{counted(len(index.devices), 'device')}, pairing proven, none revoked before it was used"
    )
    return devices


def _check_device(
    contents: Contents, file: DeviceFile, held: Mapping[int, HeldEntry], trust: Trust, findings: Findings
) -> Device:
    where = layout.device_record(file.device)
    pem = contents.read(_CHECK, layout.device_key(file.device), layout.MAX_PEM)
    if pem is not None and pem != encode_pem(file.statement_key):
        what = f"is not the statement key that {where} names"
        findings.fault(_CHECK, "device.pem", layout.device_key(file.device), what)
    expected = trust.devices.get(file.device)
    if expected is not None and expected != file.statement_key:
        findings.fault(_CHECK, "device.unpinned", where, "names another statement key than the one you trust")
    name: str | None = None
    paired: int | None = None
    revoked: int | None = None
    for item in file.records:
        record = _check_record(item, file, held, findings)
        if record is None:
            continue
        name = record.name
        if record.kind == PAIRED and paired is None:
            paired = item.index
        if record.kind == REVOKED and revoked is None:
            revoked = item.index
    return Device(file.device, file.statement_key, name, paired, revoked, expected == file.statement_key)


def _check_record(
    item: proven.DeviceRecord, file: DeviceFile, held: Mapping[int, HeldEntry], findings: Findings
) -> device_record.DeviceRecord | None:
    """The record, where everything about it holds."""
    where = f"{layout.device_record(file.device)}, record of log entry {item.index}"
    faults = findings.total
    entry = held.get(item.index)
    if entry is None:
        findings.fault(_CHECK, "device.entry", where, "has no log entry in the bundle that holds")
        return None
    try:
        record = device_record.parse_device_record(item.record)
    except FormatError as problem:
        findings.fault(_CHECK, "device.form", where, f"{problem.where} {problem.what}")
        return None
    values = check_openings(_CHECK, "device.opening", where, item.openings, entry.entry, findings)
    if values.get("record") != device_record.digest(item.record):
        findings.fault(_CHECK, "device.record", where, "is not the record that the log entry commits to")
    if values.get("person", record.by.encode()) != record.by.encode():
        findings.fault(_CHECK, "device.record", where, "names another actor than the log entry commits to")
    if entry.entry.kind != record.kind:
        findings.fault(_CHECK, "device.record", where, f"is a {record.kind}, its log entry a {entry.entry.kind}")
    if record.device != file.device:
        findings.fault(_CHECK, "device.record", where, f"is about device {record.device}")
    if record.statement_key != file.statement_key:
        findings.fault(_CHECK, "device.key", where, "is about another statement key")
    _check_certificate(item.certificate, record, where, findings)
    return record if findings.total == faults else None


def _check_certificate(der: bytes | None, record: device_record.DeviceRecord, where: str, findings: Findings) -> None:
    if der is None or record.certificate is None:
        if (der is None) != (record.certificate is None):
            findings.fault(_CHECK, "device.certificate", where, "and its certificate are not both there")
        return
    if sha256(der).digest() != record.certificate:
        findings.fault(_CHECK, "device.certificate", where, "is about another certificate than the one beside it")
        return
    try:
        certificate = x509.load_der_x509_certificate(der)
        named = device_of(certificate)
        serial = device_record.serial_text(certificate.serial_number)
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension, ProofError) as problem:
        findings.fault(_CHECK, "device.certificate", where, f"has a certificate that cannot be read: {problem}")
        return
    if named != record.device or serial != record.serial:
        findings.fault(_CHECK, "device.certificate", where, "has a certificate for another device or serial number")


def check_uses(
    index: BundleIndex, devices: Mapping[UUID, Device], makers: Mapping[int, UUID], findings: Findings
) -> frozenset[int]:
    """The exhibits whose device (`makers`, by exhibit number) the log had taken in and not yet revoked when they came.

    Order is the log's, not that of clocks. The box needs no pairing for what it received without a desk.
    """
    trusted = set()
    for exhibit in index.exhibits:
        device = devices.get(makers[exhibit.number]) if exhibit.number in makers else None
        if device is None:
            continue  # told where the statement or the device's file is checked
        where = f"exhibit {exhibit.number}"
        came = f"came at log entry {exhibit.received} from device {device.id}"
        if device.id == index.box:
            trusted.add(exhibit.number)
        elif device.revoked is not None and device.revoked < exhibit.received:
            findings.fault(_CHECK, "device.revoked", where, f"{came}, revoked at entry {device.revoked}")
        elif device.paired is not None and device.paired > exhibit.received:
            findings.fault(_CHECK, "device.later", where, f"{came}, paired only at entry {device.paired}")
        elif device.paired is not None:
            trusted.add(exhibit.number)
    return frozenset(trusted)
