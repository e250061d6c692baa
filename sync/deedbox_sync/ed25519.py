"""Ed25519 public keys that may stand for somebody (RFC 8032 5.1.3): weak and misencoded ones are refused."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_sync.errors import FormatError

KEY_LENGTH = 32

_PRIME = (1 << 255) - 19
_HEIGHT = (1 << 255) - 1  # all but the sign of x, which has the highest bit

# The encodings of the eight points of small order, those not reduced modulo 2^255 - 19 included, without the sign bit.
# Under such a key one fixed signature holds for any message or for every eighth: whoever paired with one could disown
# all that it signed. OpenSSL takes them.
_WEAK = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


def parse_public_key(raw: bytes, *, where: str) -> Ed25519PublicKey:
    """The key of its 32 raw bytes; FormatError for another length and for what `problem` names."""
    if len(raw) != KEY_LENGTH:
        raise FormatError(where, f"is not {KEY_LENGTH} bytes")
    if what := problem(raw):
        raise FormatError(where, what)
    return Ed25519PublicKey.from_public_bytes(raw)


def problem(raw: bytes) -> str | None:
    """Why a raw key may not stand for anybody, or None: it is of small order, or not the one encoding of its point."""
    height = int.from_bytes(raw, "little") & _HEIGHT
    if height.to_bytes(KEY_LENGTH, "little") in _WEAK:
        return "is a weak key: a signature by it binds nobody"
    if height >= _PRIME:
        return "is not the canonical encoding of its point"
    return None
