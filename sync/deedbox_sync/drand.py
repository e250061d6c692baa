"""What a drand endpoint answers over HTTP (`formats/time.md`, Beacon). Read here, verified by `beacon.verify_beacon`."""

from __future__ import annotations

import json
from typing import Final

from deedbox_sync.beacon import SIGNATURE_LENGTH, Beacon, Chain
from deedbox_sync.binary_text import parse_hex
from deedbox_sync.errors import FormatError

MAX_ANSWER: Final = 4_096  # bytes; a round of quicknet is some 200


def latest_url(endpoint: str, chain: Chain) -> str:
    """Where an endpoint tells its newest round."""
    return f"{endpoint.rstrip('/')}/{chain.hash.hex()}/public/latest"


def parse_round(data: bytes, chain: Chain) -> Beacon:
    """A round as drand's HTTP interface tells it; its other members (`randomness`) follow from these or say nothing."""
    if len(data) > MAX_ANSWER:
        raise FormatError("round", f"has more than {MAX_ANSWER} bytes")
    try:
        told = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise FormatError("round", "is not JSON") from problem
    if not isinstance(told, dict):
        raise FormatError("round", "is not an object")
    number, signature = told.get("round"), told.get("signature")
    if type(number) is not int or not isinstance(signature, str):
        raise FormatError("round", "has no number or no signature")
    return Beacon(chain.hash, number, parse_hex(signature, length=SIGNATURE_LENGTH, where="round.signature"))
