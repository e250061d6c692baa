"""ECVRF-EDWARDS25519-SHA512-TAI: the published examples, and that nothing else is taken for a proof."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deedbox_sync import ecvrf
from deedbox_sync.errors import FormatError, ProofError

# RFC 9381 B.3, examples 16 to 18: secret key, public key, alpha, pi, beta.
EXAMPLES = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f479d97"
        "27d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff"
        "66b71dda49d2de59d03450451af026798e8f81cd2e333de5cdf4f3e140fdd8ae",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465"
        "301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb"
        "5e33821bc613efb94db5e5b54c70a848a0bef4553a41befc57663b56373a5031",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf8096bb474e53895c362d8628ee9f9ea3c0"
        "e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e",
        "645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c45"
        "2118fec1219202a0edcf038bb6373241578be7217ba85a2687f7a0310b2df19f",
    ),
]
SEED = bytes(range(32))
KEY = ecvrf.public_key(SEED)
PROOF = ecvrf.prove(SEED, b"alpha")

PRIME = (1 << 255) - 19
ORDER = (1 << 252) + 27742317777372353535851937790883648493
# The canonical encodings of the eight points of small order (RFC 7748 and 8032 name the curve).
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
NOT_CANONICAL = [(PRIME + height).to_bytes(32, "little") for height in (0, 1, 3, 9, 18)]
NOT_ON_THE_CURVE = (2).to_bytes(32, "little")


@pytest.mark.parametrize(("secret", "public", "alpha", "pi", "beta"), EXAMPLES, ids=["16", "17", "18"])
def test_published_examples(secret: str, public: str, alpha: str, pi: str, beta: str) -> None:
    seed, key, message, proof = (bytes.fromhex(text) for text in (secret, public, alpha, pi))
    assert ecvrf.public_key(seed) == key
    assert ecvrf.prove(seed, message) == proof
    assert ecvrf.verify(key, message, proof).hex() == beta
    assert ecvrf.proof_to_hash(proof).hex() == beta


@settings(max_examples=25)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_what_is_proven_verifies_and_gives_one_output(seed: bytes, alpha: bytes) -> None:
    prover = ecvrf.Prover(seed)
    proof = prover.prove(alpha)
    assert prover.prove(alpha) == proof
    assert ecvrf.verify(prover.public_key, alpha, proof) == ecvrf.proof_to_hash(proof)


@settings(max_examples=60)
@given(st.integers(0, 639))
def test_a_proof_with_any_bit_changed_is_refused(bit: int) -> None:
    changed = bytearray(PROOF)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofError):
        ecvrf.verify(KEY, b"alpha", bytes(changed))


@settings(max_examples=25)
@given(st.binary(max_size=64).filter(lambda alpha: alpha != b"alpha"))
def test_a_proof_is_over_one_input(alpha: bytes) -> None:
    with pytest.raises(ProofError):
        ecvrf.verify(KEY, alpha, PROOF)


def test_a_proof_is_by_one_key() -> None:
    with pytest.raises(ProofError, match="not by this key"):
        ecvrf.verify(ecvrf.public_key(bytes(32)), b"alpha", PROOF)


@pytest.mark.parametrize("length", [0, 32, 79, 81, 160])
def test_a_proof_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ProofError, match="80 bytes"):
        ecvrf.verify(KEY, b"alpha", (PROOF * 2)[:length])


def test_a_response_has_one_encoding() -> None:
    """Adding the group's order changes no point: a proof would have two forms."""
    response = int.from_bytes(PROOF[48:], "little") + ORDER
    with pytest.raises(ProofError, match="one encoding"):
        ecvrf.verify(KEY, b"alpha", PROOF[:48] + response.to_bytes(32, "little"))


@pytest.mark.parametrize("key", [*map(bytes.fromhex, SMALL_ORDER), *NOT_CANONICAL, NOT_ON_THE_CURVE, KEY[:31], b""])
def test_keys_that_can_be_nobodys_are_refused(key: bytes) -> None:
    """Under a key of small order one proof would hold for many inputs (RFC 9381 5.4.5)."""
    with pytest.raises(ProofError, match="key"):
        ecvrf.verify(key, b"alpha", PROOF)


def test_a_key_with_a_part_of_small_order_is_refused() -> None:
    from nacl.bindings import crypto_core_ed25519_add

    mixed = crypto_core_ed25519_add(KEY, bytes.fromhex(SMALL_ORDER[1]))
    with pytest.raises(ProofError, match="key"):
        ecvrf.verify(mixed, b"alpha", PROOF)


@pytest.mark.parametrize("gamma", [*map(bytes.fromhex, SMALL_ORDER), *NOT_CANONICAL, NOT_ON_THE_CURVE])
def test_points_that_no_prover_gives_are_refused(gamma: bytes) -> None:
    with pytest.raises(ProofError):
        ecvrf.verify(KEY, b"alpha", gamma + PROOF[32:])


@pytest.mark.parametrize("scalar", [bytes(16), b"\xff" * 16])
def test_a_made_up_challenge_is_refused(scalar: bytes) -> None:
    with pytest.raises(ProofError):
        ecvrf.verify(KEY, b"alpha", PROOF[:32] + scalar + PROOF[48:])


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(FormatError):
        ecvrf.Prover(bytes(31))
