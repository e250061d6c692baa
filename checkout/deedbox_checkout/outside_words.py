"""The demo's outside time: ask for stamps before the export, pin who may vouch, and say truthfully what came of it."""

from __future__ import annotations

import json
import os
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from deedbox_checkout.local_box import LocalBox
from deedbox_checkout.telling import Teller
from deedbox_server.notary.beacons import chain_of
from deedbox_server.notary.stamping import load_roots
from deedbox_server.settings import Settings
from deedbox_sync.beacon import QUICKNET, chain_members


def ask_for_stamps(box: LocalBox, teller: Teller) -> list[str]:
    """Ask every authority now; returns in words why some gave no stamp."""
    try:
        told: list[dict[str, Any]] = box.ask("/api/v1/time/stamp", {})["stamps"]
    except urllib.error.HTTPError as error:
        if error.code != 409:  # it asks nobody outside, as its settings say
            raise
        return ["this box was told to ask nobody outside"]
    stamped = [stamp["authority"] for stamp in told if stamp["fault"] is None]
    if stamped:
        teller.done(f"The log was stamped by {' and '.join(stamped)}")
    return [f"{stamp['host']} {stamp['fault']}" for stamp in told if stamp["fault"] is not None]


def write_trust(path: Path, box: LocalBox) -> None:
    """What a stranger would pin by other ways: the log's key, and the roots and the chain that this box is set to believe."""
    with box.request("/log/key") as answer:
        vkey = answer.read().decode().strip()
    settings = Settings.load(box.data, os.environ)
    chain = chain_of(settings.beacon_chain)
    pinned = {
        "beacons": [] if chain == QUICKNET else [dict(chain_members(chain))],
        "devices": {},
        "logs": [vkey],
        "tsa_roots": [root.public_bytes(Encoding.PEM).decode() for root in load_roots(settings.stamp_roots)],
        "witnesses": [],
    }
    path.write_text(json.dumps(pinned))


def closing_words(anchored: Mapping[str, Any], faults: Sequence[str]) -> Iterator[tuple[bool, str]]:
    """Lines on when it happened, each with whether it is proven."""
    if anchored["before"] is not None:
        yield (
            True,
            f"Outside time: {anchored['by']} had seen the log with all of these files by {_clock(anchored['before'])}.",
        )
        if anchored["after"] is not None:
            yield (
                True,
                f"They came in after {_clock(anchored['after'])}: nobody knew the value of {anchored['after_by']} before.",
            )
    else:
        yield False, "Not proven: when it happened, beyond the clocks of this box and desk."
        yield (
            False,
            "No outside time stamp or witness has seen the log yet, so the firm could have made all of this last night.",
        )
        if anchored["after"] is not None:
            since = f"{_clock(anchored['after'])} ({anchored['after_by']})"
            yield False, f"Only its beginning is known: the files came in after {since}."
        for fault in faults:
            yield False, f"No time stamp: {fault}."
    yield False, "Not proven: that a scene was real. No software can prove that."


def _clock(time: str) -> str:
    return f"{time[:10]} {time[11:19]} UTC"
