"""Paired devices: recognised by serial on each request, renewed by their statement key, revoked by an administrator."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography import x509

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Denied, DeviceRevoked, NotFound, Unauthenticated
from deedbox_server.people.authority import Authority
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.principal import Principal
from deedbox_server.people.trust import LogStager, fingerprint, write_trust_record
from deedbox_sync import timestamp
from deedbox_sync.device_certificate import parse_request
from deedbox_sync.device_record import RENEWED, REVOKED, DeviceRecord, serial_text
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.pairing_messages import RenewRequest
from deedbox_sync.renewal import WINDOW, Renewal, in_window, parse_renewal, verify_renewal

_NONCE_LIFE: Final = 3 * WINDOW  # a message dated ahead by the window is refused by its time after twice the window


class RenewalRefused(Denied):
    """One answer for every renewal that cannot be shown to come from a device of this box."""

    slug, title = "renewal-refused", "The certificate cannot be renewed"


@dataclass(frozen=True)
class Device:
    """A paired desk. `cases`, if not None, are the ids it is confined to; `certified_until` is its last certificate's
    end."""

    id: UUID
    account: UUID
    account_name: str
    name: str
    platform: str
    statement_key: bytes
    created: datetime
    revoked: datetime | None
    cases: frozenset[UUID] | None
    certified_until: datetime


class Devices:
    """Used from one event loop. Nothing here asks for permission: callers do, before they call."""

    def __init__(self, db: Database, authority: Authority, stager: LogStager, *, clock: Clock = system_clock) -> None:
        self._db = db
        self._authority = authority
        self._stager = stager
        self._clock = clock

    async def by_serial(self, serial: str) -> Principal:
        """Whose certificate this is, asked of the database each time: one query, no memory.

        DeviceRevoked once the device, or this certificate of it, is revoked; Unauthenticated if the certificate is
        unknown or has expired since the connection was made; Denied while its account is disabled.
        """
        row = await self._db.fetch_one(
            "SELECT certificate.not_after, certificate.revoked AS certificate_revoked, device.id, device.account,"
            " device.name, device.revoked, device.cases, account.role, account.disabled"
            " FROM certificate JOIN device ON device.id = certificate.device"
            " JOIN account ON account.id = device.account WHERE certificate.serial = {}",
            serial,
        )
        if row is None:
            raise Unauthenticated("this box has not issued this certificate")
        if row["revoked"] is not None or row["certificate_revoked"] is not None:
            raise DeviceRevoked
        if row["not_after"] < self._clock():
            raise Unauthenticated("the device certificate has expired: renew it")
        if row["disabled"]:
            raise Denied("the account of this device is disabled")
        return Principal(
            "device",
            row["account"],
            row["id"],
            row["name"],
            f"certificate:{serial}",
            row["role"],
            decode_cases(row["cases"]),
        )

    async def all(self) -> list[Device]:
        """Every device ever paired, oldest first."""
        rows = await self._db.fetch(
            "SELECT device.*, account.name AS account_name, ("
            " SELECT max(certificate.not_after) FROM certificate WHERE certificate.device = device.id"
            ') AS "certified_until [timestamptz]"'
            " FROM device JOIN account ON account.id = device.account ORDER BY device.created, device.id"
        )
        return [_device(row) for row in rows]

    async def revoke(self, device: UUID, by: Principal) -> None:
        """From the next request on, open connections included, the device is refused. Again is the same as once.

        NotFound if there is no such device, and for the box itself, which is its own account's. Revocation is for good: the
        desk is paired anew, as another device.
        """
        now = self._clock()
        async with self._db.transaction():
            row = await self._db.fetch_one(
                "UPDATE device SET revoked = {} WHERE id = {} AND id <> account AND revoked IS NULL RETURNING *",
                now,
                device,
            )
            if row is None:
                known = "SELECT id FROM device WHERE id = {} AND id <> account"
                if await self._db.fetch_one(known, device) is None:
                    raise NotFound
                return
            await self._db.execute(
                "UPDATE certificate SET revoked = {} WHERE device = {} AND revoked IS NULL", now, device
            )
            await write_trust_record(self._db, self._stager, _record(REVOKED, row, by.actor_id, now, None))

    async def renew(self, request: RenewRequest) -> x509.Certificate:
        """A new certificate for a device that is not revoked, expired or not; the one before is left to run out.

        BadRequest for what is no renewal; RenewalRefused unless the device's statement key signed it, within the
        window, with a new nonce; DeviceRevoked, said only to the holder of that key.
        """
        try:
            renewal = parse_renewal(request.message)
            key = parse_request(renewal.csr, where="renewal.csr")
        except FormatError as error:
            raise BadRequest(str(error)) from error
        now = self._clock()
        async with self._db.transaction():
            row = await self._signed_by_device(renewal, request)
            if not in_window(renewal, now):
                raise RenewalRefused("the clocks of desk and box differ by too much", time=timestamp.encode(now))
            await self._spend(renewal.nonce, now)
            certificate = await self._authority.certify_device(renewal.device, key)
            actor = f"device:{renewal.device}"
            await write_trust_record(self._db, self._stager, _record(RENEWED, row, actor, now, certificate))
        return certificate

    async def _signed_by_device(self, renewal: Renewal, request: RenewRequest) -> Row:
        # An update that changes nothing locks the row on both dialects: no revocation comes between.
        row = await self._db.fetch_one("UPDATE device SET name = name WHERE id = {} RETURNING *", renewal.device)
        if row is None:
            raise RenewalRefused
        try:
            verify_renewal(request, row["statement_key"])
        except ProofError as error:
            raise RenewalRefused from error
        if row["revoked"] is not None:
            raise DeviceRevoked
        owner = await self._db.fetch_one("SELECT disabled FROM account WHERE id = {}", row["account"])
        if owner is None or owner["disabled"]:
            raise RenewalRefused("the account of this device is disabled")
        return row

    async def _spend(self, nonce: bytes, now: datetime) -> None:
        await self._db.execute("DELETE FROM renewal_nonce WHERE seen < {}", now - _NONCE_LIFE)
        fresh = await self._db.fetch(
            "INSERT INTO renewal_nonce (nonce, seen) VALUES ({}, {}) ON CONFLICT (nonce) DO NOTHING RETURNING seen",
            nonce,
            now,
        )
        if not fresh:
            raise RenewalRefused("this renewal was made before")


def encode_cases(cases: frozenset[UUID] | None) -> str | None:
    """How the cases that a device is confined to stand in its row."""
    return None if cases is None else json.dumps(sorted(str(case) for case in cases))


def decode_cases(text: str | None) -> frozenset[UUID] | None:
    return None if text is None else frozenset(UUID(case) for case in json.loads(text))


def _record(kind: str, row: Row, by: str, now: datetime, certificate: x509.Certificate | None) -> DeviceRecord:
    return DeviceRecord(
        kind=kind,
        time=now,
        by=by,
        device=row["id"],
        account=row["account"],
        name=row["name"],
        statement_key=row["statement_key"],
        certificate=None if certificate is None else fingerprint(certificate),
        serial=None if certificate is None else serial_text(certificate.serial_number),
    )


def _device(row: Row) -> Device:
    return Device(
        row["id"],
        row["account"],
        row["account_name"],
        row["name"],
        row["platform"],
        row["statement_key"],
        row["created"],
        row["revoked"],
        decode_cases(row["cases"]),
        row["certified_until"],
    )
