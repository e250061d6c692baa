"""A `BundleSource` for the miniature log's scenario, as the box would gather it, with streams in place of the vault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from hashlib import sha256

from bundle_maker import DERIVED, TEXT, Outside, Scenario, Seen, scenario
from deedbox_server.evidence.export_source import (
    BundleSource,
    DerivedSource,
    ExhibitSource,
    StampSource,
    StoredContent,
    TokenSource,
)
from deedbox_sync import dsse
from deedbox_sync.bundle.index import BundledCase
from deedbox_sync.bundle.proven import DeviceFile
from miniature_log import BOX, BUNDLE, CASE, DESK, LOG_VKEY, NOON, exhibit_id, public


def stored(data: bytes, *, served: bytes | None = None, piece: int = 1000) -> StoredContent:
    """Content of which `served` comes out of the vault, in small pieces."""
    out = data if served is None else served

    async def read() -> AsyncIterator[bytes]:
        for at in range(0, len(out), piece):
            yield out[at : at + piece]

    return StoredContent(sha256(data).digest(), len(data), read)


def bundle_source(
    story: Scenario | None = None,
    *,
    store: Callable[[bytes], StoredContent] = stored,
    outside: Outside | None = None,
) -> BundleSource:
    """`outside` is what outsiders say of the story; without it, a witness saw the whole log."""
    story = story or scenario()
    log = story.log
    outside = outside or Outside(log.checkpoint(witnessed=True))
    named = {index for chain in story.chains.values() for _, index in chain.records}
    named |= {0, *(record.index for record in story.devices), *outside.proven, *(run.end - 1 for run in outside.runs)}
    exhibits = []
    for one in story.exhibits:
        withheld = frozenset([2]) if one.number == 1 else frozenset[int]()
        derived = (DerivedSource(DERIVED, "text", "text/plain", 3, store(TEXT)),) if one.number == 1 else ()
        exhibits.append(
            ExhibitSource(
                id=exhibit_id(one.number),
                number=one.number,
                envelope=dsse.encode(one.envelope),
                received=story.received[one.number],
                original=store(one.content),
                derived=derived,
                custody=story.chains[one.number].file(log, withheld).events,
            )
        )
    return BundleSource(
        bundle=BUNDLE,
        made=NOON.replace(hour=14),
        box=BOX,
        case=BundledCase(CASE, "2026-0042", "Doe v. Example Ltd."),
        vkey=LOG_VKEY,
        checkpoint=outside.checkpoint,
        entries=tuple(log.proven(index) for index in sorted(named)),
        exhibits=tuple(exhibits),
        devices=(
            DeviceFile(DESK, public("desk"), tuple(story.devices)),
            DeviceFile(BOX, public("intake"), ()),
        ),
        stamps=tuple(_stamp(story, seen) for seen in outside.seen),
        runs=outside.runs,
    )


def _stamp(story: Scenario, seen: Seen) -> StampSource:
    """Time and authority are for the paper; these tests print none."""
    tokens = [TokenSource(made.text.encode(), made.token, made.crls, NOON, "an authority") for made in seen.tokens]
    return StampSource(seen.size, seen.note, tuple(story.log.prover().consistency(seen.size)), tuple(tokens))
