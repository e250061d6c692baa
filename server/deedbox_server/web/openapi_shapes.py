"""What calls answer whose handlers make their JSON member by member, for the OpenAPI document. Fuzzing holds them to it."""

from __future__ import annotations

from typing import Annotated

import msgspec

Id = Annotated[str, msgspec.Meta(extra_json_schema={"format": "uuid"})]
Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly these members."""


class Live(_Shape, frozen=True):
    status: str


class Ready(_Shape, frozen=True):
    status: str
    reasons: list[str]
    alarms: list[str]


class Named(_Shape, frozen=True):
    id: Id
    name: str


class IssuedCode(_Shape, frozen=True):
    account: Named
    code: str
    expires: Time


class Device(_Shape, frozen=True):
    account: Named
    cases: list[Id] | None
    certified_until: Time
    created: Time
    id: Id
    name: str
    platform: str
    revoked: Time | None
    statement_key: Digest


class Oneself(_Shape, frozen=True):
    id: Id
    name: str
    role: str


class Me(_Shape, frozen=True):
    account: Oneself
    via: str


class Devices(_Shape, frozen=True):
    items: list[Device]


class Witness(_Shape, frozen=True):
    added: Time
    asked: Time | None
    ca: str | None
    changed: Time
    id: Id
    name: str
    signed: Time | None
    size: int | None
    state: str
    status: int | None
    told: str
    url: str
    vkey: str
    why: str


class Witnesses(_Shape, frozen=True):
    log: str
    quorum: int
    items: list[Witness]
    next: None


class WatchedLog(_Shape, frozen=True):
    added: Time
    cosigned: Time | None
    id: Id
    note: str | None
    origin: str
    size: int
    vkey: str


class Misbehaviour(_Shape, frozen=True):
    held: str | None
    held_size: int | None
    kind: str
    note: str
    origin: str
    seen: Time
    size: int


class WatchedLogs(_Shape, frozen=True):
    vkey: str
    items: list[WatchedLog]
    misbehaviour: list[Misbehaviour]
    next: None


class Bracket(_Shape, frozen=True):
    not_before: Time | None
    not_before_by: str | None
    not_after: Time | None
    not_after_by: str | None


class Beacon(_Shape, frozen=True):
    chain: str
    published: Time
    round: int


class Stamp(_Shape, frozen=True):
    authority: str | None
    expires: Time | None
    fault: str | None
    host: str
    size: int | None
    time: Time | None


class Stamps(_Shape, frozen=True):
    stamps: list[Stamp]


class AskedWitness(_Shape, frozen=True):
    name: str
    signed: Time | None
    size: int | None
    state: str
    why: str | None


class OutsideTime(_Shape, frozen=True):
    alarms: list[str]
    beacon: Beacon | None
    beacon_absent: str | None
    stamps: list[Stamp]
    witness_quorum: int
    witnesses: list[AskedWitness]


class Exhibit(msgspec.Struct, frozen=True):
    captured: Time
    captured_by_desk: bool
    case: Id
    content: Digest
    device: Id | None
    id: Id
    labels: list[str]
    media_type: str
    name: str
    number: int
    received: Time
    size: int
    statement: Digest
    supersedes: Id | None
    identifier: str | None


class Exhibits(_Shape, frozen=True):
    items: list[Exhibit]
    next: str | None


class Derived(_Shape, frozen=True):
    content: Digest
    created: Time
    event: str | None
    form: str
    id: Id
    media_type: str
    producer: object
    size: int


class Reading(_Shape, frozen=True):
    attempts: int
    ended: bool
    error: str | None
    kind: str
    progress: float
    state: str


class ExhibitTold(Exhibit, frozen=True):
    """An exhibit with what was made of it, and what is known of its time."""

    bracket: Bracket
    clock: dict[str, object] | None
    derived: list[Derived]
    reading: list[Reading]


class Sent(_Shape, frozen=True):
    case: Id
    content: Digest
    id: Id
    name: str
    receipt: str
    size: int


class Custody(_Shape, frozen=True):
    """`events`: custody records as sync/formats/custody.md says, in order."""

    exhibit: Id
    events: list[dict[str, object]]


class Anchored(_Shape, frozen=True):
    answer: bool
    bracket: Bracket
    reason: str


class Attributed(_Shape, frozen=True):
    answer: bool
    authenticated: str | None
    device: Id | None
    operator: str | None


class Answered(_Shape, frozen=True):
    answer: bool


class Logged(_Shape, frozen=True):
    index: int | None
    time: str | None


class Verified(_Shape, frozen=True):
    anchored: Anchored
    attributed: Attributed
    content: str | None
    exhibit: str
    findings: list[str]
    intact: Answered
    log: Logged


class Hit(_Shape, frozen=True):
    boxes: list[list[float]]
    case: Id
    exhibit: Id
    highlights: list[list[int]]
    name: str
    number: int
    page: int
    snippet: str


class Total(_Shape, frozen=True):
    exhibits: int | None
    pages: int | None


class Found(_Shape, frozen=True):
    items: list[Hit]
    next: int | None
    total: Total


class WantedBundle(msgspec.Struct, frozen=True):
    """Exhibits of one case, or all of them; `purpose` goes into custody and on the paper."""

    case: Id
    exhibits: list[Id] | None = None
    purpose: str | None = None


class UnderWay(_Shape, frozen=True):
    id: Id
    progress: float
    state: str


class Paper(msgspec.Struct, frozen=True):
    case: Id
    content: Digest
    created: Time
    id: Id
    kind: str
    made_by: str
    pages: int
    shows_content: bool
    signature: str | None
    size: int
    title: str
    warnings: list[str]


class Papers(_Shape, frozen=True):
    items: list[Paper]
    next: Id | None


class MarkedExhibit(_Shape, frozen=True):
    content: Digest
    id: Id
    mark: str


class PaperRecord(Paper, frozen=True):
    exhibits: list[MarkedExhibit]
    parts: list[Id]


class PaperField(_Shape, frozen=True):
    choices: list[str]
    format: str | None
    help: str
    label: str
    name: str
    stated_by: str


class PaperRows(_Shape, frozen=True):
    columns: list[PaperField]
    label: str
    name: str


class PaperKind(_Shape, frozen=True):
    exhibits: str
    fields: list[PaperField]
    help: str
    name: str
    notes_for_counsel: list[str]
    rows: PaperRows | None
    title: str


class PaperKinds(_Shape, frozen=True):
    items: list[PaperKind]


class WantedPaper(msgspec.Struct, frozen=True):
    """Which paper, of which exhibits, with what a person states. `draft`: unsigned, not kept."""

    kind: str
    case: Id
    exhibits: list[Id] | None = None
    fields: dict[str, str] = {}
    rows: list[dict[str, str]] = []
    papers: list[Id] = []
    draft: bool = False


class WantedIdentifier(_Shape, frozen=True):
    content: Digest
    exhibit: Id | None = None


class WantedIdentifiers(_Shape, frozen=True):
    items: Annotated[list[WantedIdentifier], msgspec.Meta(min_length=1, max_length=1000)]


class Identifiers(_Shape, frozen=True):
    """Records as sync/formats/identifier.md says."""

    records: list[dict[str, object]]


class ResolvedIssuer(_Shape, frozen=True):
    key: str
    kind: str
    revoked: bool


class Resolved(_Shape, frozen=True):
    aliases: list[str]
    canonical: str | None
    exhibit: Id | None
    id: str
    issuer: ResolvedIssuer | None
    known: bool
    log_index: int | None
    record: dict[str, object] | None


class WantedReconciling(_Shape, frozen=True):
    records: Annotated[list[dict[str, object]], msgspec.Meta(min_length=1, max_length=1000)]
    issuer_note: str | None


class Outcome(_Shape, frozen=True):
    canonical: str | None
    id: str | None
    problem: str | None
    state: str


class Reconciled(_Shape, frozen=True):
    results: list[Outcome]


class Issuer(_Shape, frozen=True):
    created: Time
    key: Digest
    kind: str
    name: str
    namespace: str
    revoked: Time | None


class Issuers(_Shape, frozen=True):
    items: list[Issuer]
