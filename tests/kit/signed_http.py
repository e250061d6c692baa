"""A program with an API key that signs its calls to a box in another process, over TLS."""

from __future__ import annotations

import http.client
import os
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from deedbox_checkout.local_box import LocalBox
from deedbox_sync import message_signature

MINT = "/api/v2/chittyid/mint"
VERIFY = "/api/v2/chittyid/verify/"


@dataclass(frozen=True)
class SignedHttp:
    """Each thread that uses it has a connection of its own."""

    port: int
    context: ssl.SSLContext
    key_id: UUID
    key: bytes
    here: threading.local

    @classmethod
    def of(cls, box: LocalBox) -> SignedHttp:
        """With a new key of the box's owner; the box must be running."""
        made = box.ask("/api/v1/keys", {"name": "signed calls"})
        context = ssl.create_default_context(cafile=str(box.ca_file))
        key = message_signature.message_key(made["key"])
        return cls(box.people_port, context, UUID(made["id"]), key, threading.local())

    def mint(self, count: int, idempotency_key: str | None = None) -> bytes:
        """The answer to a call for so many identifiers; of the same contents where there is an idempotency key."""
        contents = [os.urandom(32) if idempotency_key is None else number.to_bytes(32) for number in range(count)]
        items = ",".join(f'{{"content":"{content.hex()}"}}' for content in contents)
        more = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return self.call("POST", MINT, f'{{"items":[{items}]}}'.encode(), more)

    def call(self, method: str, path: str, body: bytes = b"", more: Mapping[str, str] | None = None) -> bytes:
        """The answer's body. OSError or HTTPException where the box is gone, RuntimeError for any status but 200."""
        if not hasattr(self.here, "connection"):
            self.here.connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, context=self.context, timeout=120
            )
        connection: http.client.HTTPSConnection = self.here.connection
        digest, now = message_signature.body_digest(body), int(time.time())
        nonce = message_signature.new_nonce()
        headers = message_signature.sign(method, path, "", digest, self.key_id, self.key, now, nonce)
        try:
            connection.request(method, path, body, headers | dict(more or {}))
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {data[:300]!r}")
        return data

    def close(self) -> None:
        """This thread's connection."""
        if hasattr(self.here, "connection"):
            self.here.connection.close()
