"""What the person who checks already trusts: pinned keys, from a file that came by another way than the bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cryptography import x509

from deedbox_sync.beacon import QUICKNET, Chain, read_chain
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError
from deedbox_sync.note import COSIGNATURES, ED25519, parse_vkey
from deedbox_verify.errors import UncheckableError

MAX_TRUST = 1 << 20  # a few keys and root certificates
_MEMBERS = frozenset(("logs", "witnesses", "quorum", "tsa_roots", "beacons", "devices"))


@dataclass(frozen=True)
class Trust:
    """Logs and witnesses as vkeys, roots of time-stamp authorities, drand chains besides quicknet, raw statement keys of devices.

    `quorum` is how many witnesses, by name, must have seen a tree. Empty: nothing pinned.
    """

    logs: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    quorum: int = 1
    tsa_roots: tuple[x509.Certificate, ...] = ()
    beacons: tuple[Chain, ...] = ()
    devices: Mapping[UUID, bytes] = field(default_factory=dict)


def parse_trust(data: bytes) -> Trust:
    """A trust file (formats/bundle.md). A person wrote it, so any JSON will do, but each value must be what it should be."""
    if len(data) > MAX_TRUST:
        raise UncheckableError(f"the trust file is longer than {MAX_TRUST} bytes")
    try:
        members = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise UncheckableError(f"the trust file is not JSON: {problem}") from problem
    if not isinstance(members, dict) or not set(members) <= _MEMBERS:
        raise UncheckableError(f"the trust file must be an object with {', '.join(sorted(_MEMBERS))} only")
    devices = members.get("devices", {})
    if not isinstance(devices, dict):
        raise UncheckableError("the trust file's devices are not an object")
    witnesses = tuple(_vkey(text, COSIGNATURES, "witnesses") for text in _texts(members, "witnesses"))
    return Trust(
        logs=tuple(_vkey(text, (ED25519,), "logs") for text in _texts(members, "logs")),
        witnesses=witnesses,
        quorum=_quorum(members.get("quorum", 1), witnesses),
        tsa_roots=tuple(_root(text) for text in _texts(members, "tsa_roots")),
        beacons=_chains(members),
        devices=dict(_device(name, key) for name, key in devices.items()),
    )


def _texts(members: Mapping[str, object], name: str) -> list[str]:
    values = members.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise UncheckableError(f"the trust file's {name} are not a list of texts")
    return values


def _vkey(text: str, algorithms: Sequence[int], name: str) -> str:
    try:
        verifier = parse_vkey(text)
    except FormatError as problem:
        raise UncheckableError(f"the trust file's {name}: {problem}") from problem
    if verifier.algorithm not in algorithms:
        raise UncheckableError(f"the trust file's {name}: a key of another kind")
    return text


def _quorum(value: object, witnesses: Sequence[str]) -> int:
    """A quorum that the witnesses could never make is a mistake: better told than quietly never met."""
    most = max(1, len({parse_vkey(vkey).name for vkey in witnesses}))
    if type(value) is not int or not 1 <= value <= most:
        raise UncheckableError("the trust file's quorum is not a number from 1 to that of its witnesses")
    return value


def _chains(members: Mapping[str, object]) -> tuple[Chain, ...]:
    values = members.get("beacons", [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise UncheckableError("the trust file's beacons are not a list of chains")
    try:
        chains = tuple(read_chain(Fields(value, "beacons")) for value in values)
    except FormatError as problem:
        raise UncheckableError(f"the trust file's {problem}") from problem
    if any(one.hash == other.hash and one != other for one in chains for other in (QUICKNET, *chains)):
        raise UncheckableError("the trust file's beacons: one chain under two keys")
    return chains


def _root(text: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(text.encode("ascii"))
    except ValueError as problem:
        raise UncheckableError("the trust file's tsa_roots: not a PEM certificate") from problem


def _device(name: str, key: object) -> tuple[UUID, bytes]:
    try:
        device, raw = UUID(name), bytes.fromhex(key if isinstance(key, str) else "")
    except ValueError as problem:
        raise UncheckableError("the trust file's devices: not UUIDs with keys in hex") from problem
    if len(raw) != 32:
        raise UncheckableError(f"the trust file's devices: the key of {name} is not 32 bytes")
    return device, raw
