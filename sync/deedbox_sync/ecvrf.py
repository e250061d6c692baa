"""ECVRF-EDWARDS25519-SHA512-TAI, suite 3 (RFC 9381): a hash that only a key's holder can compute and anyone can verify.

On libsodium, through PyNaCl (extra `identifiers`), whose scalar arithmetic takes constant time. Keys and points outside of the
prime-order subgroup are refused, which is stricter than RFC 9381 5.4.5. How long a proof takes tells something of its input,
nothing of its key.
"""

from hashlib import sha512
from typing import Final

from nacl.bindings import (
    crypto_core_ed25519_add,
    crypto_core_ed25519_is_valid_point,
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_core_ed25519_sub,
    crypto_scalarmult_ed25519_base_noclamp,
    crypto_scalarmult_ed25519_noclamp,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import CryptoError

from deedbox_sync.errors import FormatError, ProofError

SEED_LENGTH: Final = 32
KEY_LENGTH: Final = 32
PROOF_LENGTH: Final = 80
OUTPUT_LENGTH: Final = 64

_SUITE: Final = b"\x03"
_ENCODE, _CHALLENGE, _OUTPUT = _SUITE + b"\x01", _SUITE + b"\x02", _SUITE + b"\x03"
_BACK: Final = b"\x00"  # ends every hashed string of the RFC
_COUNTERS: Final = tuple(bytes([counter]) + _BACK for counter in range(256))
_CHALLENGE_LENGTH: Final = 16
_PRIME: Final = (1 << 255) - 19
_HEIGHT: Final = (1 << 255) - 1  # all but the sign of x
_ORDER: Final = (1 << 252) + 27742317777372353535851937790883648493
_IDENTITY: Final = b"\x01" + bytes(31)


class Prover:
    """A secret key with what every proof by it needs, computed once. Any thread may use it; its repr tells nothing."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_LENGTH:
            raise FormatError("VRF seed", f"is not {SEED_LENGTH} bytes")
        expanded = sha512(seed).digest()
        scalar = bytearray(expanded[:32])  # RFC 8032 5.1.5
        scalar[0] &= 248
        scalar[31] = scalar[31] & 127 | 64
        self.public_key: Final[bytes] = crypto_sign_seed_keypair(seed)[0]
        self._scalar: Final[bytes] = crypto_core_ed25519_scalar_reduce(bytes(scalar) + bytes(32))
        self._nonce_prefix: Final = expanded[32:]

    def prove(self, alpha: bytes) -> bytes:
        """The proof (80 bytes) for an input; the same input gives the same proof (5.1)."""
        point = _encode_to_curve(self.public_key, alpha)
        gamma = crypto_scalarmult_ed25519_noclamp(self._scalar, point)
        nonce = crypto_core_ed25519_scalar_reduce(sha512(self._nonce_prefix + point).digest())  # 5.4.2.2
        challenge = _challenge(
            self.public_key,
            point,
            gamma,
            crypto_scalarmult_ed25519_base_noclamp(nonce),
            crypto_scalarmult_ed25519_noclamp(nonce, point),
        )
        product = crypto_core_ed25519_scalar_mul(challenge + bytes(16), self._scalar)
        return gamma + challenge + crypto_core_ed25519_scalar_add(nonce, product)


def public_key(seed: bytes) -> bytes:
    """The key that verifies what this seed proves: as in Ed25519."""
    return Prover(seed).public_key


def prove(seed: bytes, alpha: bytes) -> bytes:
    """One proof; who makes many keeps a `Prover`."""
    return Prover(seed).prove(alpha)


def verify(public_key: bytes, alpha: bytes, proof: bytes) -> bytes:
    """The output (64 bytes) that the key's holder could not choose (5.3). ProofError unless key and proof hold."""
    if len(public_key) != KEY_LENGTH or not crypto_core_ed25519_is_valid_point(public_key):
        raise ProofError("the VRF key is no point of the prime-order subgroup in its one encoding")
    gamma, challenge, response = _parts(proof)
    if int.from_bytes(response, "little") >= _ORDER:
        raise ProofError("the VRF proof is not in its one encoding")
    scalar = challenge + bytes(16)
    point = _encode_to_curve(public_key, alpha)
    try:
        # libsodium refuses a point that is not canonical, off the curve, or with a part of small order
        against_gamma = crypto_scalarmult_ed25519_noclamp(scalar, gamma)
        against_key = crypto_scalarmult_ed25519_noclamp(scalar, public_key)
        base = crypto_core_ed25519_sub(crypto_scalarmult_ed25519_base_noclamp(response), against_key)
        other = crypto_core_ed25519_sub(crypto_scalarmult_ed25519_noclamp(response, point), against_gamma)
    except CryptoError as error:
        raise ProofError("the VRF proof has a point or number that no honest prover gives") from error
    if _challenge(public_key, point, gamma, base, other) != challenge:
        raise ProofError("the VRF proof is not by this key over this input")
    return proof_to_hash(proof)


def proof_to_hash(proof: bytes) -> bytes:
    """The output of a proof that is known to hold (5.2). ProofError where it has no point; no other check."""
    try:
        return sha512(_OUTPUT + _cleared(_parts(proof)[0]) + _BACK).digest()
    except CryptoError as error:
        raise ProofError("the VRF proof's point is not on the curve") from error


def _parts(proof: bytes) -> tuple[bytes, bytes, bytes]:
    if len(proof) != PROOF_LENGTH:
        raise ProofError(f"a VRF proof has {PROOF_LENGTH} bytes")
    return proof[:32], proof[32:48], proof[48:]


def _encode_to_curve(salt: bytes, alpha: bytes) -> bytes:
    """Try and increment (5.4.1.1): the first hash that is a point's encoding, times the cofactor."""
    start = sha512(_ENCODE + salt + alpha)
    for counter in _COUNTERS:
        attempt = start.copy()
        attempt.update(counter)
        candidate = attempt.digest()[:32]
        if int.from_bytes(candidate, "little") & _HEIGHT >= _PRIME:  # not canonical (RFC 8032 5.1.3)
            continue
        try:
            point = _cleared(candidate)
        except CryptoError:
            continue
        if point != _IDENTITY:
            return point
    raise ProofError("no point for this VRF input")  # once in 2^256 inputs


def _cleared(point: bytes) -> bytes:
    """Eight times the point, which may be any on the curve. By adding, since libsodium multiplies in the subgroup only."""
    twice = crypto_core_ed25519_add(point, point)
    four = crypto_core_ed25519_add(twice, twice)
    return crypto_core_ed25519_add(four, four)


def _challenge(*points: bytes) -> bytes:
    """5.4.3 over the five points' encodings."""
    return sha512(_CHALLENGE + b"".join(points) + _BACK).digest()[:_CHALLENGE_LENGTH]
