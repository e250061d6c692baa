"""What the person who checks already trusts: pinned keys, from a file that came by another way than the bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography import x509

from deedbox_sync.errors import FormatError
from deedbox_sync.note import COSIGNATURE_V1, ED25519, parse_vkey
from deedbox_verify.errors import UncheckableError

MAX_TRUST = 1 << 20  # a few keys and root certificates


@dataclass(frozen=True)
class Trust:
    """Logs and witnesses as vkeys, roots of time-stamp authorities, raw statement keys of devices. Empty: nothing pinned."""

    logs: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    tsa_roots: tuple[x509.Certificate, ...] = ()
    devices: Mapping[UUID, bytes] = field(default_factory=dict)


def parse_trust(data: bytes) -> Trust:
    """A trust file (formats/bundle.md). A person wrote it, so any JSON will do, but each value must be what it should be."""
    if len(data) > MAX_TRUST:
        raise UncheckableError(f"the trust file is longer than {MAX_TRUST} bytes")
    try:
        members = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise UncheckableError(f"the trust file is not JSON: {problem}") from problem
    if not isinstance(members, dict) or not set(members) <= {"logs", "witnesses", "tsa_roots", "devices"}:
        raise UncheckableError("the trust file must be an object with logs, witnesses, tsa_roots and devices only")
    devices = members.get("devices", {})
    if not isinstance(devices, dict):
        raise UncheckableError("the trust file's devices are not an object")
    return Trust(
        logs=tuple(_vkey(text, ED25519, "logs") for text in _texts(members, "logs")),
        witnesses=tuple(_vkey(text, COSIGNATURE_V1, "witnesses") for text in _texts(members, "witnesses")),
        tsa_roots=tuple(_root(text) for text in _texts(members, "tsa_roots")),
        devices=dict(_device(name, key) for name, key in devices.items()),
    )


def _texts(members: Mapping[str, object], name: str) -> list[str]:
    values = members.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise UncheckableError(f"the trust file's {name} are not a list of texts")
    return values


def _vkey(text: str, algorithm: int, name: str) -> str:
    try:
        verifier = parse_vkey(text)
    except FormatError as problem:
        raise UncheckableError(f"the trust file's {name}: {problem}") from problem
    if verifier.algorithm != algorithm:
        raise UncheckableError(f"the trust file's {name}: a key of another kind")
    return text


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
