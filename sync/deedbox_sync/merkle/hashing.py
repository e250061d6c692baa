"""RFC 6962 hashing: leaves and nodes are told apart by their first byte."""

from hashlib import sha256

from deedbox_sync.errors import FormatError

HASH_LENGTH = 32
EMPTY_ROOT = sha256(b"").digest()
# A checkpoint's size and a proof's index fit a signed 64-bit integer everywhere; no path is longer than its bits.
MAX_SIZE = (1 << 63) - 1
MAX_PATH = 63


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: bytes) -> bytes:
    """The next row of a tree: one hash for each two."""
    return b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])


def reduce(hashes: bytes) -> bytes:
    """The root of a perfect tree (2^k leaves) over these hashes side by side."""
    count = len(hashes) // HASH_LENGTH
    if len(hashes) % HASH_LENGTH or count == 0 or count & (count - 1):
        raise FormatError("subtree", "is not a power of two of hashes")
    while len(hashes) > HASH_LENGTH:
        hashes = parents(hashes)
    return hashes
