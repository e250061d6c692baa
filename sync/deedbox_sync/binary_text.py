"""Bytes as text, one text per byte string: lower-case hex, and standard base64 with padding (RFC 4648 section 4)."""

import binascii

from deedbox_sync.errors import FormatError


def encode_base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def parse_base64(text: str, *, where: str) -> bytes:
    """Refuses other alphabets, missing padding, and padding bits that are not zero."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:  # binascii.Error is one
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
