"""Proof of possession: an HMAC over all bytes under the box's fresh nonce (`formats/transfer.md`, Possession)."""

import hmac

from deedbox_sync.errors import FormatError

LABEL = b"deedbox/v1/possession"
NONCE_LENGTH = 32
MAC_LENGTH = 32


def mac(nonce: bytes, statement_digest: bytes) -> hmac.HMAC:
    """An HMAC-SHA256 to be fed the content with `update`, in order and once; compare with `hmac.compare_digest`."""
    if len(nonce) != NONCE_LENGTH or len(statement_digest) != 32:
        raise FormatError("possession", "nonce and statement digest are 32 bytes each")
    return hmac.new(nonce, LABEL + statement_digest, "sha256")
