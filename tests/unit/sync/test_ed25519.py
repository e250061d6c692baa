import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_sync import dsse, note
from deedbox_sync.dsse import PAYLOAD_TYPE, Envelope
from deedbox_sync.ed25519 import parse_public_key, problem
from deedbox_sync.errors import FormatError, ProofError
from sync_samples import KEY, PUBLIC_KEY

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, PRIME) % PRIME

Point = tuple[int, int]


def added(one: Point, other: Point) -> Point:
    """Edwards addition (RFC 8032 5.1.4, in affine form)."""
    (x1, y1), (x2, y2) = one, other
    both = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + both, -1, PRIME) % PRIME
    return x, (y1 * y2 + x1 * x2) * pow(1 - both, -1, PRIME) % PRIME


def times(factor: int, point: Point) -> Point:
    total: Point = (0, 1)
    for bit in f"{factor:b}":
        total = added(total, total)
        if bit == "1":
            total = added(total, point)
    return total


def point_at(y: int) -> Point | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return None if (x * x - square) % PRIME else (x, y)


def small_order_encodings() -> set[bytes]:
    """Every 32 bytes that decode to a point of small order, from the curve's equation."""
    heights = {times(ORDER, point)[1] for y in range(2, 60) if (point := point_at(y))}
    numbers = {y for height in heights for y in (height, height + PRIME) if y < 2**255}
    return {(y | sign << 255).to_bytes(32, "little") for y in numbers for sign in (0, 1)}


def test_the_encodings_of_small_order_are_weak() -> None:
    weak = small_order_encodings()
    assert len(weak) == 14
    assert problem(PUBLIC_KEY) is None
    for raw in weak:
        with pytest.raises(FormatError, match="weak"):
            parse_public_key(raw, where="key")
        with pytest.raises(FormatError, match="weak"):
            note.encode_vkey("somebody", note.ED25519, raw)


def test_a_weak_key_would_verify_any_text_if_it_were_let_in() -> None:
    identity = bytes([1]) + bytes(31)
    signature_for_everything = identity + bytes(32)
    key = Ed25519PublicKey.from_public_bytes(identity)
    for text in (b"I said this", b"I never said this"):
        key.verify(signature_for_everything, dsse.pae(PAYLOAD_TYPE, text))
        with pytest.raises(ProofError, match="weak"):
            dsse.verify(Envelope(text, signature_for_everything), key)


@pytest.mark.parametrize("above", range(19))
def test_a_height_that_is_not_reduced_is_refused(above: int) -> None:
    for sign in (0, 1):
        with pytest.raises(FormatError):
            parse_public_key((PRIME + above | sign << 255).to_bytes(32, "little"), where="key")


def test_a_good_key_is_taken() -> None:
    assert parse_public_key(PUBLIC_KEY, where="key") == KEY.public_key()
    with pytest.raises(FormatError):
        parse_public_key(PUBLIC_KEY[:31], where="key")
