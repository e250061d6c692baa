"""`GET /metrics` in Prometheus' text format, for an administrator's API key. Counts only: no names, no cases, no identifiers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from litestar import Response, get
from litestar.di import NamedDependency

from deedbox_server.database import Database
from deedbox_server.notary.alarms import Alarms
from deedbox_server.notary.beacons import Beacons
from deedbox_server.notary.identifier_figures import BUCKETS, Histogram
from deedbox_server.notary.identifiers import Identifiers
from deedbox_server.notary.service import Notary
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.signed_calls import SignedCalls
from deedbox_server.settings import Settings
from deedbox_server.web.operations import operation

_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@get("/metrics", opt=operation("metrics.read"))
async def metrics(
    principal: NamedDependency[Principal],
    permissions: NamedDependency[Permissions],
    database: NamedDependency[Database],
    settings: NamedDependency[Settings],
    identifiers: NamedDependency[Identifiers],
    beacons: NamedDependency[Beacons],
    signed_calls: NamedDependency[SignedCalls],
    notary: NamedDependency[Notary],
    alarms: NamedDependency[Alarms],
) -> Response[bytes]:
    """Figures for Prometheus."""
    await permissions.permit(database, principal, "metrics.read")
    figures, latest = identifiers.figures, beacons.latest
    age = math.nan if latest is None else (datetime.now(UTC) - beacons.published(latest)).total_seconds()
    lines = [
        *_values(
            "deedbox_identifiers_minted_total", "counter", "Identifiers by kind of issuer.", "issuer", figures.minted
        ),
        *_value(
            "deedbox_identifiers_fallback_share",
            "gauge",
            "Share of the last hour's identifiers that fallback services minted.",
            await figures.fallback_share(),
        ),
        *_values(
            "deedbox_reconciliations_total",
            "counter",
            "Records that were brought to be reconciled, by what came of it.",
            "state",
            figures.outcomes,
        ),
        *_value(
            "deedbox_reconciliations_refused_share",
            "gauge",
            "Share of the last hour's records that were refused.",
            figures.refused_share,
        ),
        *_histogram("deedbox_mint_seconds", "Time from a mint call to durable identifiers.", figures.latency),
        *_value("deedbox_nonces_replayed_total", "counter", "Signed calls refused as replays.", signed_calls.replays),
        *_value(
            "deedbox_beacon_expected",
            "gauge",
            "1 where the box is set to ask for beacons.",
            int(settings.outside and bool(settings.beacon_urls)),
        ),
        *_value("deedbox_beacon_present", "gauge", "1 where a fresh beacon is known.", int(latest is not None)),
        *_value("deedbox_beacon_age_seconds", "gauge", "Age of the newest beacon; NaN where there is none.", age),
        *_value("deedbox_log_entries", "gauge", "Entries in the log.", (await notary.head()).size),
        *_value(
            "deedbox_log_pending_seconds",
            "gauge",
            "How long the oldest event has waited to enter the log.",
            await notary.oldest_pending_seconds(),
        ),
        *_value("deedbox_alarms", "gauge", "Alarms that people are shown now.", len(await alarms.now())),
    ]
    return Response("".join(lines).encode(), media_type=_MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _head(name: str, kind: str, meaning: str) -> str:
    return f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"


def _value(name: str, kind: str, meaning: str, value: float) -> Iterator[str]:
    yield _head(name, kind, meaning)
    yield f"{name} {_number(value)}\n"


def _values(name: str, kind: str, meaning: str, label: str, values: Mapping[str, int]) -> Iterator[str]:
    yield _head(name, kind, meaning)
    for word, value in sorted(values.items()):
        yield f'{name}{{{label}="{word}"}} {value}\n'


def _histogram(name: str, meaning: str, told: Histogram) -> Iterator[str]:
    yield _head(name, "histogram", meaning)
    for most, count in zip(BUCKETS, told.cumulative, strict=True):
        yield f'{name}_bucket{{le="{_number(most)}"}} {count}\n'
    yield f'{name}_bucket{{le="+Inf"}} {told.count}\n'
    yield f"{name}_sum {_number(told.sum)}\n{name}_count {told.count}\n"


def _number(value: float) -> str:
    return "NaN" if math.isnan(value) else f"{value:.10g}"
