"""Somebody with an API key who talks to a box opened in the test's process, and one exhibit to talk about."""

import hashlib
from dataclasses import dataclass
from typing import Any

import httpx

from kit.open_box import Office

CONTENT = hashlib.shake_256(b"plan").digest(200_000)
NAME = "Größe & Maß – plan.pdf"


@dataclass
class Person:
    client: httpx.AsyncClient
    key: str

    async def get(self, path: str, **headers: str) -> Any:
        return await self.client.get(path, headers={"Authorization": f"Bearer {self.key}"} | headers)

    async def post(self, path: str, body: object = None) -> Any:
        return await self.client.post(path, headers={"Authorization": f"Bearer {self.key}"}, json=body)


async def stranger(office: Office, owner: Person) -> Person:
    account = await office.box.accounts.create("Sam Stranger", "paralegal", "a long enough passphrase")
    _, key = await office.box.api_keys.create(account.id, "tests")
    return Person(owner.client, key.text)


async def kinds(office: Office, exhibit: str, owner: Person) -> list[str]:
    return [event["kind"] for event in (await owner.get(f"{exhibit}/custody")).json()["events"]]
