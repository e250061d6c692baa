"""Passkeys (WebAuthn level 3): made and shown with the user verified, so that one alone is two factors."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import webauthn
from webauthn.helpers import options_to_json
from webauthn.helpers.base64url_to_bytes import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from deedbox_server.database import Database, Row, UniqueViolation
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, Unavailable
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.relying_party import RelyingParty
from deedbox_sync import uuid7

CEREMONY_FOR: Final = timedelta(minutes=5)
MAX_CEREMONIES: Final = 10_000  # open at once; they are asked for by strangers too
MAX_PASSKEYS: Final = 20  # of one account
MAX_PASSKEY_NAME: Final = 100
_CHALLENGE_BYTES: Final = 32
_TIMEOUT: Final = int(CEREMONY_FOR.total_seconds() * 1000)
_MAX_CREDENTIAL: Final = 1023  # bytes of an id (WebAuthn 4, Credential ID)

Purpose = Literal["add", "show", "sign-in"]
Credential = Mapping[str, Any]


class PasskeyRefused(Denied):
    """Says the same of every answer that does not hold; why not is for nobody but a developer of authenticators."""

    slug, title = "passkey-refused", "This passkey opens nothing here"


class PasskeyCloned(PasskeyRefused):
    """The signature holds, but the authenticator counts backwards: there are two of it."""


@dataclass(frozen=True)
class Passkey:
    id: UUID
    name: str
    rp: str
    backed_up: bool
    created: datetime
    used: datetime | None


@dataclass(frozen=True)
class Shown:
    """Whose passkey was shown, with the user verified."""

    account: UUID
    passkey: UUID


class Passkeys:
    """A challenge is answered once, by whom it was made for, under the name and origin that it was made for."""

    def __init__(self, db: Database, box_name: str, clock: Clock = system_clock) -> None:
        self._db = db
        self._box_name = box_name
        self._clock = clock

    async def offer_new(
        self, account: UUID, session: UUID, label: str, name: str, party: RelyingParty
    ) -> tuple[UUID, dict[str, Any]]:
        """A ceremony, and the options for `navigator.credentials.create`."""
        known = await self._rows(account, party.id)
        if len(await self.of(account)) >= MAX_PASSKEYS:
            raise Conflict(f"an account has at most {MAX_PASSKEYS} passkeys: remove one first")
        challenge = os.urandom(_CHALLENGE_BYTES)
        options = webauthn.generate_registration_options(
            rp_id=party.id,
            rp_name=self._box_name,
            user_id=account.bytes,
            user_name=label,
            user_display_name=name,
            challenge=challenge,
            timeout=_TIMEOUT,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[_descriptor(row) for row in known],
        )
        return await self._open("add", session, party, challenge), json.loads(options_to_json(options))

    async def add(
        self, account: UUID, session: UUID, ceremony: UUID, name: str, credential: Credential, party: RelyingParty
    ) -> Passkey:
        """The passkey that answers the ceremony becomes one of the account's. PasskeyRefused if the answer does not hold."""
        name = checked_passkey_name(name)
        challenge = await self._take(ceremony, "add", session, party)
        try:
            verified = webauthn.verify_registration_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise PasskeyRefused from error
        if len(verified.credential_id) > _MAX_CREDENTIAL:
            raise PasskeyRefused
        now = self._clock()
        made = Passkey(uuid7.new(), name, party.id, verified.credential_backed_up, now, None)
        try:
            await self._db.insert_many(
                "passkey",
                (
                    "id",
                    "credential",
                    "account",
                    "name",
                    "rp",
                    "public_key",
                    "sign_count",
                    "backed_up",
                    "transports",
                    "created",
                    "used",
                ),
                [
                    (
                        made.id,
                        verified.credential_id,
                        account,
                        name,
                        party.id,
                        verified.credential_public_key,
                        verified.sign_count,
                        made.backed_up,
                        json.dumps(_transports(credential)),
                        now,
                        None,
                    )
                ],
            )
        except UniqueViolation as error:
            raise Conflict("this passkey is registered already") from error
        return made

    async def ask(self, account: UUID | None, session: UUID | None, party: RelyingParty) -> tuple[UUID, dict[str, Any]]:
        """A ceremony, and the options for `navigator.credentials.get`: any of an account's passkeys, or, without an account, any
        that the authenticator itself can find. NotFound for an account that has none under this name."""
        known = [] if account is None else await self._rows(account, party.id)
        if account is not None and not known:
            raise NotFound("this account has no passkey under this name of the box")
        challenge = os.urandom(_CHALLENGE_BYTES)
        options = webauthn.generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            timeout=_TIMEOUT,
            allow_credentials=[_descriptor(row) for row in known],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        purpose: Purpose = "sign-in" if account is None else "show"
        return await self._open(purpose, session, party, challenge), json.loads(options_to_json(options))

    async def show(
        self, account: UUID | None, session: UUID | None, ceremony: UUID, credential: Credential, party: RelyingParty
    ) -> Shown:
        """Whose passkey answered the ceremony. PasskeyRefused if the answer does not hold, or is another account's than asked;
        PasskeyCloned where it would, but for its counter."""
        challenge = await self._take(ceremony, "sign-in" if account is None else "show", session, party)
        row = await self._db.fetch_one(
            "SELECT * FROM passkey WHERE credential = {} AND rp = {}", _credential_id(credential), party.id
        )
        if row is None or (account is not None and row["account"] != account) or not _is_handle(credential, row):
            raise PasskeyRefused
        try:
            verified = webauthn.verify_authentication_response(
                credential=dict(credential),
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                credential_public_key=row["public_key"],
                credential_current_sign_count=0,  # looked at below, once the signature holds: a forger's counter tells nothing
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError, KeyError) as error:
            raise PasskeyRefused from error
        count = verified.new_sign_count
        counted = await self._db.fetch(
            "UPDATE passkey SET sign_count = {}, used = {}, backed_up = {} WHERE id = {}"
            " AND (sign_count < {} OR (sign_count = 0 AND 0 = {})) RETURNING id",
            count,
            self._clock(),
            verified.credential_backed_up,
            row["id"],
            count,
            count,
        )
        if not counted:
            raise PasskeyCloned("this passkey was copied: remove it and make a new one", passkey=str(row["id"]))
        return Shown(row["account"], row["id"])

    async def of(self, account: UUID) -> list[Passkey]:
        """Oldest first."""
        rows = await self._db.fetch("SELECT * FROM passkey WHERE account = {} ORDER BY id", account)
        return [_passkey(row) for row in rows]

    async def rename(self, account: UUID, passkey: UUID, name: str) -> Passkey:
        rows = await self._db.fetch(
            "UPDATE passkey SET name = {} WHERE id = {} AND account = {} RETURNING *",
            checked_passkey_name(name),
            passkey,
            account,
        )
        if not rows:
            raise NotFound
        return _passkey(rows[0])

    async def remove(self, account: UUID, passkey: UUID) -> Passkey:
        rows = await self._db.fetch("DELETE FROM passkey WHERE id = {} AND account = {} RETURNING *", passkey, account)
        if not rows:
            raise NotFound
        return _passkey(rows[0])

    async def remove_all(self, account: UUID) -> None:
        await self._db.execute("DELETE FROM passkey WHERE account = {}", account)

    async def _rows(self, account: UUID, rp: str) -> list[Row]:
        return await self._db.fetch("SELECT * FROM passkey WHERE account = {} AND rp = {} ORDER BY id", account, rp)

    async def _open(self, purpose: Purpose, session: UUID | None, party: RelyingParty, challenge: bytes) -> UUID:
        now, ceremony = self._clock(), uuid7.new()
        async with self._db.transaction():
            await self._db.execute("DELETE FROM passkey_ceremony WHERE expires <= {}", now)
            if session is not None:
                await self._db.execute("DELETE FROM passkey_ceremony WHERE session = {}", session)
            row = await self._db.fetch_one("SELECT count(*) AS counted FROM passkey_ceremony")
            if row is not None and row["counted"] >= MAX_CEREMONIES:
                raise Unavailable("too many people are at this at once: try again in a few minutes")
            await self._db.insert_many(
                "passkey_ceremony",
                ("id", "purpose", "session", "rp", "challenge", "expires"),
                [(ceremony, purpose, session, party.id, challenge, now + CEREMONY_FOR)],
            )
        return ceremony

    async def _take(self, ceremony: UUID, purpose: Purpose, session: UUID | None, party: RelyingParty) -> bytes:
        """The challenge, which is nobody's after this, whatever comes of it."""
        rows = await self._db.fetch("DELETE FROM passkey_ceremony WHERE id = {} RETURNING *", ceremony)
        if (
            not rows
            or rows[0]["expires"] <= self._clock()
            or (rows[0]["purpose"], rows[0]["session"], rows[0]["rp"]) != (purpose, session, party.id)
        ):
            raise PasskeyRefused("this took too long, or was answered before: begin again")
        challenge: bytes = rows[0]["challenge"]
        return challenge


def checked_passkey_name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= MAX_PASSKEY_NAME or not name.isprintable():
        raise BadRequest(f"name the passkey in one line of at most {MAX_PASSKEY_NAME} characters")
    return name


def _credential_id(credential: Credential) -> bytes:
    text = credential.get("id")
    try:
        return base64url_to_bytes(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _is_handle(credential: Credential, row: Row) -> bool:
    """A user handle, where the authenticator tells one, is that of the passkey's account (WebAuthn 7.2, step 6)."""
    response = credential.get("response")
    handle = response.get("userHandle") if isinstance(response, Mapping) else None
    if handle is None:
        return True
    try:
        return isinstance(handle, str) and base64url_to_bytes(handle) == row["account"].bytes
    except ValueError:
        return False


def _transports(credential: Credential) -> list[str]:
    """What the browser says of ways to reach the authenticator, as far as it is known words: a hint, given back to it."""
    response = credential.get("response")
    found = response.get("transports") if isinstance(response, Mapping) else None
    known = {transport.value for transport in AuthenticatorTransport}
    return sorted({one for one in found if one in known}) if isinstance(found, list) else []


def _descriptor(row: Row) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(one) for one in json.loads(row["transports"])]
    return PublicKeyCredentialDescriptor(id=row["credential"], transports=transports or None)


def _passkey(row: Row) -> Passkey:
    return Passkey(row["id"], row["name"], row["rp"], row["backed_up"], row["created"], row["used"])
