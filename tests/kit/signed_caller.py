"""A program with an API key that signs its calls to a box opened in the test's process."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from deedbox_sync import message_signature
from kit.open_box import Office

MINT = "/api/v2/chittyid/mint"
RECONCILE = "/api/v2/chittyid/reconcile"
VERIFY = "/api/v2/chittyid/verify"


@dataclass(frozen=True)
class SignedCaller:
    client: httpx.AsyncClient
    key_id: UUID
    key: bytes

    def sign(
        self, method: str, path: str, body: bytes, *, query: str = "", created: int | None = None, nonce: str = ""
    ) -> dict[str, str]:
        return message_signature.sign(
            method,
            path,
            query,
            message_signature.body_digest(body),
            self.key_id,
            self.key,
            int(time.time()) if created is None else created,
            nonce or message_signature.new_nonce(),
        )

    async def get(self, path: str) -> Any:
        return await self.client.get(path, headers=self.sign("GET", path, b""))

    async def post(self, path: str, body: object, headers: Mapping[str, str] | None = None) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=data, headers=self.sign("POST", path, data) | dict(headers or {}))


async def signed_caller(office: Office, client: httpx.AsyncClient, account: UUID | None = None) -> SignedCaller:
    """Acts for the owner, or for another account."""
    made, key = await office.box.api_keys.create(account or office.owner.id, "signed calls")
    return SignedCaller(client, made.id, message_signature.message_key(key.text))
