"""Bytes as text, one text per byte string: lower-case hex, and standard base64 with padding (RFC 4648 section 4)."""

import base64
import binascii

from deedbox_sync.errors import FormatError


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def parse_base64(text: str, *, where: str) -> bytes:
    """Refuses other alphabets, missing padding, and padding bits that are not zero."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError(where, "is not base64") from error
    if encode_base64(data) != text:
        raise FormatError(where, "is not the canonical base64 of its bytes")
    return data


def parse_hex(text: str, *, length: int, where: str) -> bytes:
    """Exactly `length` bytes as lower-case hex without separators."""
    if len(text) == 2 * length:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            data = b""
        if data.hex() == text:
            return data
    raise FormatError(where, f"is not {length} bytes in lower-case hex")
