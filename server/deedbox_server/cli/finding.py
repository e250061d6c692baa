"""What people call an account, a case, a key or a device on the command line, as the box knows it."""

from __future__ import annotations

from uuid import UUID

from deedbox_server.app.parts import Box
from deedbox_server.errors import Conflict, NotFound
from deedbox_server.people.accounts import Account, folded
from deedbox_server.people.devices import Device
from deedbox_server.people.key_rows import ApiKey


async def account(box: Box, text: str) -> Account:
    """By id, by name, or by what they sign in with; disabled ones too."""
    row = await box.database.fetch_one("SELECT id FROM account WHERE id = {}", _id(text)) if _id(text) else None
    rows = [row] if row else await box.database.fetch("SELECT id FROM account WHERE name = {}", text)
    if not rows:
        rows = await box.database.fetch("SELECT id FROM account WHERE sign_in = {}", folded(text))
    if not rows:
        raise NotFound(f"There is no account named {text}.")
    return await box.accounts.any_by_id(rows[0]["id"])


async def case(box: Box, text: str) -> UUID:
    """By matter number or id."""
    rows = await box.database.fetch("SELECT id FROM legal_case WHERE number = {}", text)
    if not rows and _id(text):
        rows = await box.database.fetch("SELECT id FROM legal_case WHERE id = {}", _id(text))
    if not rows:
        raise NotFound(f"There is no case numbered {text}.")
    found: UUID = rows[0]["id"]
    return found


async def key(box: Box, text: str) -> ApiKey:
    """By handle, the part of a key that may be shown, or by id."""
    rows = await box.database.fetch("SELECT id, account FROM api_key WHERE handle = {}", text.lower())
    if not rows and _id(text):
        rows = await box.database.fetch("SELECT id, account FROM api_key WHERE id = {}", _id(text))
    if not rows:
        raise NotFound(f"There is no key {text}: `key list` shows their handles.")
    return await box.api_keys.one(rows[0]["account"], rows[0]["id"])


async def device(box: Box, text: str) -> Device:
    """By id, or by name where only one that is not revoked is called so."""
    devices = await box.devices.all()
    found = [one for one in devices if one.id == _id(text)] or [
        one for one in devices if one.name == text and one.revoked is None
    ]
    if not found:
        raise NotFound(f"There is no device {text}.")
    if len(found) > 1:
        raise Conflict(f"{len(found)} devices are named {text}: say which by its id.")
    return found[0]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
