"""drand beacons: values that nobody knew before their time (`formats/time.md`, Beacon). BLS needs the extra `time`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError, ProofError

CHAIN_LENGTH = 32
PUBLIC_KEY_LENGTH = 96  # a compressed point of G2
SIGNATURE_LENGTH = 48  # a compressed point of G1

_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_LAST_TIME = 253_402_300_799  # the end of the year 9999, the last that datetime knows
_LONGEST_PERIOD = 86_400  # drand's chains have 3 s and 30 s; a day still tells something
# The compressed points at infinity: with such a key, or over such a signature, any message would hold.
_NO_KEY = bytes([0xC0]) + bytes(PUBLIC_KEY_LENGTH - 1)
_NO_SIGNATURE = bytes([0xC0]) + bytes(SIGNATURE_LENGTH - 1)


class BlsUnavailable(Exception):
    """The extra `time` is not installed, so that no beacon can be judged."""

    def __init__(self) -> None:
        super().__init__("the extra deedbox[time] is not installed")


@dataclass(frozen=True)
class Chain:
    """A drand chain of scheme `bls-unchained-g1-rfc9380`: round n is published at genesis + period × (n − 1)."""

    hash: bytes
    public_key: bytes
    genesis: int
    period: int


QUICKNET = Chain(
    hash=bytes.fromhex("52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"),
    public_key=bytes.fromhex(
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
    ),
    genesis=1_692_803_367,
    period=3,
)


@dataclass(frozen=True)
class Beacon:
    """One round of the chain with this hash, as it came: `verify_beacon` says whether it is one."""

    chain: bytes
    round: int
    signature: bytes


def members(beacon: Beacon) -> dict[str, Json]:
    """The JSON form, in log entries, statements and mint records alike."""
    return {"chain": beacon.chain.hex(), "round": beacon.round, "signature": beacon.signature.hex()}


def read(fields: Fields) -> Beacon:
    """All of `fields` is the beacon: unknown members are refused. Whether it verifies is for the caller to ask."""
    beacon = Beacon(
        chain=fields.hex("chain", CHAIN_LENGTH),
        round=fields.integer("round", low=1),
        signature=fields.hex("signature", SIGNATURE_LENGTH),
    )
    fields.done()
    return beacon


def chain_members(chain: Chain) -> Mapping[str, Json]:
    return {
        "chain": chain.hash.hex(),
        "public_key": chain.public_key.hex(),
        "genesis": chain.genesis,
        "period": chain.period,
    }


def read_chain(fields: Fields) -> Chain:
    """A chain that somebody pins. Whether its key is a point of the curve shows when the first beacon is verified."""
    chain = Chain(
        hash=fields.hex("chain", CHAIN_LENGTH),
        public_key=fields.hex("public_key", PUBLIC_KEY_LENGTH),
        genesis=fields.integer("genesis", high=_LAST_TIME),
        period=fields.integer("period", low=1, high=_LONGEST_PERIOD),
    )
    fields.done()
    if chain.public_key == _NO_KEY:
        raise fields.fault("public_key", "is no key: any signature would hold")
    return chain


def round_time(chain: Chain, round: int) -> datetime:
    """When the round was published, and so the earliest time at which anybody knew it. FormatError past the year 9999."""
    seconds = chain.genesis + chain.period * (round - 1)
    if round < 1 or seconds > _LAST_TIME:
        raise FormatError("beacon.round", f"{round} is no round of its chain")
    return datetime.fromtimestamp(seconds, UTC)


def round_at(chain: Chain, time: datetime) -> int:
    """The newest round that is public at this time; 0 before the first."""
    return max((math.floor(time.timestamp()) - chain.genesis) // chain.period + 1, 0)


def verify_beacon(beacon: Beacon, chain: Chain) -> None:
    """ProofError unless the chain's key signed this round; BlsUnavailable where that cannot be judged here."""
    if beacon.chain != chain.hash:
        raise ProofError("the beacon is of another chain")
    if not 1 <= beacon.round < 1 << 64:
        raise ProofError(f"the chain has no round {beacon.round}")
    weak = beacon.signature == _NO_SIGNATURE or chain.public_key == _NO_KEY
    if weak or not _holds(chain.public_key, beacon.round, beacon.signature):
        raise ProofError(f"the beacon's signature of round {beacon.round} does not hold")


@lru_cache(maxsize=1024)  # a bundle's exhibits, and a box's statements of one minute, share their beacons
def _holds(public_key: bytes, round: int, signature: bytes) -> bool:
    try:
        from py_arkworks_bls12381 import GT, G1Point, G2Point  # noqa: PLC0415  # an extra: all else works without it
    except ImportError as problem:
        raise BlsUnavailable from problem
    message = sha256(round.to_bytes(8)).digest()
    try:
        key, signed = G2Point.from_compressed_bytes(public_key), G1Point.from_compressed_bytes(signature)
    except ValueError:  # not on the curve, or not in the subgroup
        return False
    if signed.to_compressed_bytes() != signature:  # the library also takes encodings that are not the canonical one
        return False
    # e(H(m), key) = e(signature, generator); an empty G2Point is the generator.
    return GT.pairing_check([G1Point.hash_to_curve(message, _DOMAIN), signed], [key, -G2Point()])
