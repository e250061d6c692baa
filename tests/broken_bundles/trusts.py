"""The trust files of the set (formats/bundle.md, Verdict)."""

from __future__ import annotations

from broken_bundles.story import DRAND, FIRST, SECOND, WITNESS_VKEYS
from deedbox_sync.beacon import chain_members
from miniature_log import BOX, DESK, LOG_VKEY, public

TRUSTS: dict[str, dict[str, object]] = {
    "all": {
        "logs": [LOG_VKEY],
        "witnesses": list(WITNESS_VKEYS),
        "quorum": 2,
        "tsa_roots": [FIRST.root_pem, SECOND.root_pem],
        "beacons": [chain_members(DRAND.chain)],
        "devices": {str(DESK): public("desk").hex(), str(BOX): public("intake").hex()},
    },
    "nothing": {},
}
