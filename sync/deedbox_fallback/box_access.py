"""Where the box is and by which API key the service acts there; kept in the encrypted file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from cryptography import x509

from deedbox_fallback.errors import SetupError
from deedbox_fallback.store import Store
from deedbox_sync import canonical_json, message_signature
from deedbox_sync.canonical_json import Fields

_SETTING: Final = "box"
_MAX: Final = 16_384  # bytes; a CA certificate has some 800
_KEY_TEXT: Final = re.compile(r"[!-~]{16,200}")


@dataclass(frozen=True)
class BoxAccess:
    """`url` has no path. Of the API key only what signs calls is kept."""

    url: str
    authority_pem: str
    key_id: UUID
    message_key: bytes = field(repr=False)


def make_access(url: str, authority_pem: str, key_id: UUID, api_key: str) -> BoxAccess:
    """SetupError where the parts cannot be what they should."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.username:
        raise SetupError(f"{url} is not the https address of a box, like https://box.example:8443.")
    try:
        x509.load_pem_x509_certificates(authority_pem.encode("ascii"))
    except ValueError as error:
        raise SetupError("The box's CA file has no certificate in PEM form.") from error
    if not _KEY_TEXT.fullmatch(api_key):
        raise SetupError("The API key file does not hold an API key of the box.")
    return BoxAccess(f"https://{parts.netloc}", authority_pem, key_id, message_signature.message_key(api_key))


def keep_access(store: Store, access: BoxAccess) -> None:
    members = canonical_json.encode(
        {
            "authority": access.authority_pem,
            "key_id": str(access.key_id),
            "message_key": access.message_key.hex(),
            "url": access.url,
            "v": 1,
        }
    )
    store.set({_SETTING: members})


def box_access(store: Store) -> BoxAccess | None:
    """What `keep_access` kept."""
    kept = store.setting(_SETTING)
    if kept is None:
        return None
    fields = Fields(canonical_json.parse_object(kept, limit=_MAX, where="box"), "box")
    fields.literal("v", 1)
    access = BoxAccess(
        fields.text("url"),
        fields.text("authority"),
        fields.uuid("key_id"),
        fields.hex("message_key", message_signature.KEY_LENGTH),
    )
    fields.done()
    return access
