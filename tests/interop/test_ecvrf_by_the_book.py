"""RFC 9381 written down a second time, in whole numbers and affine points, without a library: both prove and verify alike.

As slow as it is plain, and not constant in time: for a test.
"""

from hashlib import sha512

import pytest

from deedbox_sync import ecvrf
from deedbox_sync.errors import ProofError

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(one: Point, other: Point) -> Point:
    """RFC 8032 5.1: -x² + y² = 1 + d x² y²."""
    (x1, y1), (x2, y2) = one, other
    shared = D * x1 * x2 * y1 * y2
    x3 = (x1 * y2 + x2 * y1) * pow(1 + shared, -1, P) % P
    return x3, (y1 * y2 + x1 * x2) * pow(1 - shared, -1, P) % P


def times(number: int, point: Point) -> Point:
    result = IDENTITY
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """RFC 8032 5.1.3."""
    number = int.from_bytes(data, "little")
    y, sign = number & (1 << 255) - 1, number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else P - x), y


BASE = decode(bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666"))


def encode_to_curve(salt: bytes, alpha: bytes) -> Point:
    for counter in range(256):  # 5.4.1.1
        point = decode(sha512(b"\x03\x01" + salt + alpha + bytes([counter]) + b"\x00").digest()[:32])
        if point is not None and (cleared := times(8, point)) != IDENTITY:
            return cleared
    raise AssertionError("no point")


def challenge(*points: Point) -> bytes:
    return sha512(b"\x03\x02" + b"".join(map(encode, points)) + b"\x00").digest()[:16]


def output(gamma: Point) -> bytes:
    return sha512(b"\x03\x03" + encode(times(8, gamma)) + b"\x00").digest()


def prove(seed: bytes, alpha: bytes) -> bytes:
    """5.1, with the nonce of 5.4.2.2."""
    assert BASE is not None
    expanded = sha512(seed).digest()
    x = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | 1 << 254
    y = times(x, BASE)
    h = encode_to_curve(encode(y), alpha)
    gamma = times(x, h)
    k = int.from_bytes(sha512(expanded[32:] + encode(h)).digest(), "little") % Q
    c = challenge(y, h, gamma, times(k, BASE), times(k, h))
    s = (k + int.from_bytes(c, "little") * x) % Q
    return encode(gamma) + c + s.to_bytes(32, "little")


def verify(key: bytes, alpha: bytes, proof: bytes) -> bytes | None:
    """5.3."""
    assert BASE is not None
    y, gamma = decode(key), decode(proof[:32])
    c, s = int.from_bytes(proof[32:48], "little"), int.from_bytes(proof[48:], "little")
    if y is None or gamma is None or s >= Q or times(8, y) == IDENTITY:
        return None
    h = encode_to_curve(key, alpha)
    u = add(times(s, BASE), times(Q - c, y))
    v = add(times(s, h), times(8 * Q - c, gamma))
    return output(gamma) if challenge(y, h, gamma, u, v) == proof[32:48] else None


@pytest.mark.parametrize("number", range(6))
def test_both_give_the_same_proof_and_output(number: int) -> None:
    seed, alpha = sha512(b"seed %d" % number).digest()[:32], b"alpha" * number
    proof = ecvrf.prove(seed, alpha)
    key = ecvrf.public_key(seed)
    assert proof == prove(seed, alpha)
    assert ecvrf.verify(key, alpha, proof) == verify(key, alpha, proof) == ecvrf.proof_to_hash(proof)


@pytest.mark.parametrize("at", [0, 31, 32, 47, 48, 79])
def test_both_refuse_a_changed_proof(at: int) -> None:
    proof = bytearray(ecvrf.prove(bytes(32), b"alpha"))
    proof[at] ^= 1
    key = ecvrf.public_key(bytes(32))
    assert verify(key, b"alpha", bytes(proof)) is None
    with pytest.raises(ProofError):
        ecvrf.verify(key, b"alpha", bytes(proof))
