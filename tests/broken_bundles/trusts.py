"""The trust files of the set (formats/bundle.md, Verdict)."""

from __future__ import annotations

from broken_bundles.story import (
    DRAND,
    FIRST,
    LONG_LASTING,
    ML_DSA,
    ML_DSA_NAME,
    NOT_FOR_STAMPS,
    OUTDATED,
    SECOND,
    WITNESS_VKEYS,
)
from deedbox_sync import note
from deedbox_sync.beacon import chain_members
from miniature_log import BOX, DESK, LOG_VKEY, ORIGIN, public

_AUTHORITIES = (FIRST, SECOND, LONG_LASTING, OUTDATED, NOT_FOR_STAMPS)

_ALL: dict[str, object] = {
    "logs": [LOG_VKEY],
    "witnesses": list(WITNESS_VKEYS),
    "quorum": 2,
    "tsa_roots": [authority.root_pem for authority in _AUTHORITIES],
    "beacons": [chain_members(DRAND.chain)],
    "devices": {str(DESK): public("desk").hex(), str(BOX): public("intake").hex()},
}
_ML_DSA_VKEY = note.encode_vkey(ML_DSA_NAME, note.COSIGNATURE_ML_DSA_44, ML_DSA.public_key().public_bytes_raw())

TRUSTS: dict[str, dict[str, object]] = {
    "all": _ALL,
    "nothing": {},
    "log": {"logs": [LOG_VKEY]},
    "other-log": {**_ALL, "logs": [note.encode_vkey(ORIGIN, note.ED25519, public("the real log"))]},
    "other-device": {**_ALL, "devices": {str(DESK): public("the real desk").hex()}},
    "quorum-1": {**_ALL, "quorum": 1},
    "ml-dsa": {**_ALL, "witnesses": [WITNESS_VKEYS[0], _ML_DSA_VKEY]},
    "no-beacons": {name: value for name, value in _ALL.items() if name != "beacons"},
}
