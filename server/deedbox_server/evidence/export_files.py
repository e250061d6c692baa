"""Every file of a bundle from its source: pure, each file either bytes or a promise of stored bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from uuid import UUID

from deedbox_server.evidence.custody_paper import CustodyPaper, PaperExhibit
from deedbox_server.evidence.export_source import (
    BundleSource,
    DerivedSource,
    ExhibitSource,
    StampSource,
    StoredContent,
)
from deedbox_sync import custody, dsse, note, receipt, statement
from deedbox_sync.bundle import bag, layout
from deedbox_sync.bundle.index import (
    BundleIndex,
    IndexedDerived,
    IndexedExhibit,
    IndexedStamp,
    encode_index,
    parse_index,
)
from deedbox_sync.bundle.names import derived_names, safe_name
from deedbox_sync.bundle.outside import encode_revocation, encode_runs, parse_runs
from deedbox_sync.bundle.page import encode_page
from deedbox_sync.bundle.proven import (
    CustodyFile,
    ProvenEntry,
    encode_consistency,
    encode_custody,
    encode_device,
    encode_entries,
)
from deedbox_sync.bundle.sigstore import encode_pem, encode_sigstore
from deedbox_sync.dsse import Envelope
from deedbox_sync.errors import FormatError
from deedbox_sync.receipt import Receipt
from deedbox_sync.statement import CaptureStatement

#: How a derived document's file is called after its dot; anything else is `bin`.
_EXTENSIONS = {
    "application/json": "json",
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "text/html": "html",
    "text/plain": "txt",
}


@dataclass(frozen=True)
class BundleFile:
    """What one path holds."""

    content: bytes | StoredContent
    size: int
    sha256: bytes

    @classmethod
    def of(cls, data: bytes) -> BundleFile:
        return cls(data, len(data), sha256(data).digest())

    @classmethod
    def stored(cls, content: StoredContent) -> BundleFile:
        return cls(content, content.size, content.sha256)


def bundle_files(source: BundleSource) -> dict[str, BundleFile]:
    """The payload but for the paper. FormatError where the parts of the source do not fit each other."""
    checkpoint = note.parse_checkpoint(note.parse_note(source.checkpoint).body)
    entries = {item.index: item for item in source.entries}
    keys = {device.device: device.statement_key for device in source.devices}
    files = {
        layout.CHECKPOINT: BundleFile.of(source.checkpoint.encode()),
        layout.LOG_KEY: BundleFile.of(encode_pem(note.parse_vkey(source.vkey).public_key)),
        layout.ENTRIES: BundleFile.of(encode_entries([entries[index] for index in sorted(entries)])),
    }
    for device in source.devices:
        files[layout.device_record(device.device)] = BundleFile.of(encode_device(device))
        files[layout.device_key(device.device)] = BundleFile.of(encode_pem(device.statement_key))
    _outside_files(files, source, entries)
    exhibits = sorted(source.exhibits, key=lambda exhibit: exhibit.number)
    index = BundleIndex(
        bundle=source.bundle,
        made=source.made,
        box=source.box,
        case=source.case,
        origin=checkpoint.origin,
        vkey=source.vkey,
        checkpoint_size=checkpoint.size,
        exhibits=tuple(_exhibit_files(files, source, exhibit, entries, keys) for exhibit in exhibits),
        devices=tuple(sorted(keys, key=str)),
        stamps=tuple(IndexedStamp(stamp.size, len(stamp.tokens)) for stamp in _by_size(source.stamps)),
    )
    encoded = encode_index(index)
    parse_index(encoded)  # what a verifier would refuse, such as an exhibit named twice, is refused here
    files[layout.INDEX] = BundleFile.of(encoded)
    _hold_to_limits(files)
    return files


def _outside_files(files: dict[str, BundleFile], source: BundleSource, entries: Mapping[int, ProvenEntry]) -> None:
    runs = encode_runs(sorted(source.runs, key=lambda run: run.first))
    for run in parse_runs(runs):  # which refuses those that overlap
        if run.end - 1 not in entries:
            raise FormatError("runs", f"the one from entry {run.first} does not end with an entry that is proven")
    files[layout.TIME] = BundleFile.of(runs)
    for stamp in source.stamps:
        size = stamp.size
        files[layout.stamp_note(size)] = BundleFile.of(stamp.note.encode())
        files[layout.stamp_consistency(size)] = BundleFile.of(encode_consistency(size, stamp.consistency))
        for number, token in enumerate(stamp.tokens, 1):
            files[layout.stamp_token(size, number)] = BundleFile.of(token.token)
            files[layout.stamp_text(size, number)] = BundleFile.of(token.note)
            files[layout.stamp_revocation(size, number)] = BundleFile.of(encode_revocation(token.crls))


def _by_size(stamps: Iterable[StampSource]) -> list[StampSource]:
    return sorted(stamps, key=lambda stamp: stamp.size)


def _hold_to_limits(files: Mapping[str, BundleFile]) -> None:
    """A bundle that its verifier would not read is not made."""
    if len(files) > layout.MAX_FILES - len(layout.TAG_FILES) - 2:
        raise FormatError("bundle", f"would have more than {layout.MAX_FILES} files: export it in parts")
    limits = {layout.ENTRIES: layout.MAX_ENTRIES, layout.INDEX: layout.MAX_INDEX, layout.TIME: layout.MAX_TIME}
    for path, limit in limits.items():
        if files[path].size > limit:
            raise FormatError("bundle", f"{path} would have more than {limit} bytes: export it in parts")
    for path, file in files.items():
        if path.endswith("/custody.json") and file.size > layout.MAX_CUSTODY:
            raise FormatError("bundle", f"{path} would have more than {layout.MAX_CUSTODY} bytes")


def _exhibit_files(
    files: dict[str, BundleFile],
    source: BundleSource,
    exhibit: ExhibitSource,
    entries: Mapping[int, ProvenEntry],
    keys: Mapping[UUID, bytes],
) -> IndexedExhibit:
    number = exhibit.number
    envelope, captured = read_statement(exhibit)
    key = keys.get(captured.device.id)
    if key is None:
        raise FormatError(f"exhibit {number}", "is signed by a device that the source does not have")
    path = layout.original(number, safe_name(captured.file.name))
    files[path] = BundleFile.stored(exhibit.original)
    files[layout.statement(number)] = BundleFile.of(exhibit.envelope)
    files[layout.sigstore(number)] = BundleFile.of(encode_sigstore(envelope, key))
    files[layout.receipt(number)] = BundleFile.of(_receipt(source, exhibit, entries))
    files[layout.custody(number)] = BundleFile.of(encode_custody(CustodyFile(exhibit.id, exhibit.custody)))
    return IndexedExhibit(
        id=exhibit.id,
        number=number,
        path=path,
        name=captured.file.name,
        size=exhibit.original.size,
        content=exhibit.original.sha256,
        statement=statement.digest(envelope.payload),
        captured=captured.device.id != source.box,
        received=exhibit.received,
        exported=len(exhibit.custody),
        derived=_derived_files(files, exhibit),
    )


def _derived_files(files: dict[str, BundleFile], exhibit: ExhibitSource) -> tuple[IndexedDerived, ...]:
    items = sorted(exhibit.derived, key=lambda item: item.event)
    names = derived_names([(item.form, _extension(item)) for item in items])
    indexed = []
    for item, name in zip(items, names, strict=True):
        path = layout.derived(exhibit.number, name)
        files[path] = BundleFile.stored(item.content)
        indexed.append(IndexedDerived(item.id, item.form, path, item.content.sha256, item.content.size, item.event))
    return tuple(indexed)


def _extension(item: DerivedSource) -> str:
    return _EXTENSIONS.get(item.media_type.split(";")[0].strip().lower(), "bin")


def _receipt(source: BundleSource, exhibit: ExhibitSource, entries: Mapping[int, ProvenEntry]) -> bytes:
    """The receipt against this bundle's checkpoint; its openings are those of the exhibit's first event."""
    proven = entries.get(exhibit.received)
    if proven is None or not exhibit.custody:
        raise FormatError(f"exhibit {exhibit.number}", "comes without the log entry or the custody of its receipt")
    opened = tuple(one for one in exhibit.custody[0].openings if one.field in ("content", "statement"))
    return receipt.encode(Receipt(proven.entry, opened, exhibit.received, proven.path, source.checkpoint))


def read_statement(exhibit: ExhibitSource) -> tuple[Envelope, CaptureStatement]:
    envelope = dsse.parse(exhibit.envelope)
    parsed = statement.parse_payload(envelope.payload)
    if not isinstance(parsed, CaptureStatement):
        raise FormatError(f"exhibit {exhibit.number}", "has no capture statement")
    return envelope, parsed


def tag_files(source: BundleSource, payload: Mapping[str, BundleFile]) -> dict[str, BundleFile]:
    """The five files beside `data/`, for a payload that is complete."""
    info = bag.BagInfo(
        agent=f"deedbox {version('deedbox')}",
        made=source.made.date(),
        bundle=source.bundle,
        octets=sum(file.size for file in payload.values()),
        files=len(payload),
    )
    tags = {
        layout.BAGIT: BundleFile.of(bag.BAGIT_TEXT),
        layout.BAG_INFO: BundleFile.of(bag.encode_bag_info(info)),
        layout.PAGE: BundleFile.of(encode_page()),
        layout.MANIFEST: BundleFile.of(bag.encode_manifest({path: file.sha256 for path, file in payload.items()})),
    }
    listed = bag.encode_manifest({path: file.sha256 for path, file in tags.items()})
    return {**tags, layout.TAG_MANIFEST: BundleFile.of(listed)}


def custody_paper(source: BundleSource) -> CustodyPaper:
    """What the custody paper tells of this source."""
    checkpoint = note.parse_checkpoint(note.parse_note(source.checkpoint).body)
    exhibits = [
        _paper_exhibit(source, exhibit) for exhibit in sorted(source.exhibits, key=lambda exhibit: exhibit.number)
    ]
    return CustodyPaper(
        bundle=source.bundle,
        made=source.made,
        case_number=source.case.number,
        case_title=source.case.title,
        log=checkpoint.origin,
        log_size=checkpoint.size,
        exhibits=tuple(exhibits),
    )


def _paper_exhibit(source: BundleSource, exhibit: ExhibitSource) -> PaperExhibit:
    envelope, captured = read_statement(exhibit)
    records = [None if event.record is None else custody.parse(event.record) for event in exhibit.custody]
    return PaperExhibit(
        number=exhibit.number,
        captured=captured,
        statement=statement.digest(envelope.payload),
        by_desk=captured.device.id != source.box,
        received=exhibit.received,
        records=tuple(records),
        bracket=exhibit.bracket,
    )
