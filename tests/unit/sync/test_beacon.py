"""drand rounds: real ones hold, nothing else does; times and rounds are each other's inverse."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import beacon, canonical_json
from deedbox_sync.beacon import QUICKNET, Beacon, BlsUnavailable, round_at, round_time, verify_beacon
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError, ProofError

# Rounds of drand's quicknet as its network published them (https://api.drand.sh/CHAIN/public/ROUND).
ROUND_1000 = Beacon(
    QUICKNET.hash,
    1000,
    bytes.fromhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"),
)
ROUND_1001 = Beacon(
    QUICKNET.hash,
    1001,
    bytes.fromhex("b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"),
)


@pytest.mark.parametrize("real", [ROUND_1000, ROUND_1001], ids=["1000", "1001"])
def test_a_real_round_holds(real: Beacon) -> None:
    verify_beacon(real, QUICKNET)


@pytest.mark.parametrize(
    "false",
    [
        replace(ROUND_1000, round=1001),
        replace(ROUND_1000, signature=ROUND_1001.signature),
        replace(ROUND_1000, signature=bytes([0xC0]) + bytes(47)),
        replace(ROUND_1000, signature=bytes(48)),
        replace(ROUND_1000, signature=b"\xff" * 48),
        replace(ROUND_1000, signature=bytes([ROUND_1000.signature[0] ^ 0x20]) + ROUND_1000.signature[1:]),
        replace(ROUND_1000, signature=bytes([ROUND_1000.signature[0] & 0x7F]) + ROUND_1000.signature[1:]),
        replace(ROUND_1000, chain=bytes(32)),
        replace(ROUND_1000, round=0),
        replace(ROUND_1000, round=1 << 64),
    ],
    ids=[
        "another round",
        "another signature",
        "the point at infinity",
        "zeros",
        "no point",
        "the negative point",
        "not marked as compressed",
        "another chain",
        "no round",
        "a round past all",
    ],
)
def test_anything_else_does_not(false: Beacon) -> None:
    with pytest.raises(ProofError):
        verify_beacon(false, QUICKNET)


def test_under_a_key_that_is_no_key_nothing_holds() -> None:
    """With the point at infinity as key, the point at infinity would sign every round."""
    nothing = replace(QUICKNET, public_key=bytes([0xC0]) + bytes(95))
    for signature in (bytes([0xC0]) + bytes(47), ROUND_1000.signature):
        with pytest.raises(ProofError):
            verify_beacon(replace(ROUND_1000, signature=signature), nothing)
    with pytest.raises(ProofError):
        verify_beacon(ROUND_1000, replace(QUICKNET, public_key=bytes(96)))


def test_without_the_extra_it_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py_arkworks_bls12381", None)
    with pytest.raises(BlsUnavailable, match=r"deedbox\[time\]"):
        verify_beacon(replace(ROUND_1000, round=7), QUICKNET)


@pytest.fixture
def recursion_limit() -> Iterator[None]:
    """py_ecc raises it when it is imported, so far that a parser's stack ends before it."""
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("recursion_limit")
def test_py_ecc_finds_the_same() -> None:
    """A second implementation, slow and in plain Python, over the same bytes."""
    from hashlib import sha256

    from py_ecc.bls.g2_primitives import pubkey_to_G1, signature_to_G2, subgroup_check
    from py_ecc.bls.hash_to_curve import hash_to_G1
    from py_ecc.optimized_bls12_381 import FQ12, G2, final_exponentiate, neg, pairing

    def holds(one: Beacon) -> bool:
        key, signed = signature_to_G2(QUICKNET.public_key), pubkey_to_G1(one.signature)  # type: ignore[arg-type]
        message = sha256(one.round.to_bytes(8)).digest()
        hashed = hash_to_G1(message, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_", sha256)
        product = pairing(key, hashed, False) * pairing(neg(G2), signed, False)
        return subgroup_check(signed) and bool(final_exponentiate(product) == FQ12.one())

    assert holds(ROUND_1000)
    assert not holds(replace(ROUND_1000, round=1001))


def test_a_round_is_public_at_its_time() -> None:
    assert round_time(QUICKNET, 1000) == datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
    assert round_time(QUICKNET, 1) == datetime.fromtimestamp(QUICKNET.genesis, UTC)


@given(st.integers(1, 10**10), st.integers(0, 2_999_999))
def test_rounds_and_times_are_inverse(round: int, later: int) -> None:
    assert round_at(QUICKNET, round_time(QUICKNET, round) + timedelta(microseconds=later)) == round


def test_before_the_first_round_there_is_none() -> None:
    assert round_at(QUICKNET, round_time(QUICKNET, 1) - timedelta(microseconds=1)) == 0
    assert round_at(QUICKNET, datetime(1969, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize("round", [0, -1, 1 << 40, 1 << 53])
def test_no_time_for_what_is_no_round(round: int) -> None:
    with pytest.raises(FormatError):
        round_time(QUICKNET, round)


beacons = st.builds(
    Beacon, st.binary(min_size=32, max_size=32), st.integers(1, (1 << 53) - 1), st.binary(min_size=48, max_size=48)
)


@given(beacons)
def test_its_json_reads_back(one: Beacon) -> None:
    encoded = canonical_json.encode(beacon.members(one))
    fields = Fields(canonical_json.parse_object(encoded, limit=1 << 10, where="beacon"), "beacon")
    assert beacon.read(fields) == one


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told.pop("chain"),
        lambda told: told.pop("round"),
        lambda told: told.pop("signature"),
        lambda told: told.update(more=1),
        lambda told: told.update(round=0),
        lambda told: told.update(round="1"),
        lambda told: told.update(round=True),
        lambda told: told.update(chain="00" * 31),
        lambda told: told.update(signature="AB" * 48),
        lambda told: told.update(signature="00" * 96),
    ],
)
def test_other_json_is_refused(spoil: Callable[[dict[str, object]], object]) -> None:
    told: dict[str, object] = {**beacon.members(ROUND_1000)}
    spoil(told)
    with pytest.raises(FormatError):
        beacon.read(Fields(told, "beacon"))  # type: ignore[arg-type]


def test_a_chain_reads_back_and_odd_ones_are_refused() -> None:
    told = dict(beacon.chain_members(QUICKNET))
    assert beacon.read_chain(Fields(told, "chain")) == QUICKNET
    odd: list[dict[str, canonical_json.Json]] = [
        {"period": 0},
        {"period": 100_000},
        {"genesis": -1},
        {"public_key": "c0" + "00" * 95},
        {"public_key": "00"},
        {"more": 1},
    ]
    for change in odd:
        with pytest.raises(FormatError):
            beacon.read_chain(Fields({**told, **change}, "chain"))
