"""The box's side of pairing: one-time codes, and the exchange that turns one into a device (formats/pairing.md).

A try is counted before it is looked at, in a transaction of its own: no crash and no crowd of requests gives a guesser
a fourth. Whatever is wrong with a code is answered alike, so that only nameplates in use can be told, never why one
is not.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, Unavailable
from deedbox_server.people.authority import Authority, pem_text
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.devices import encode_cases
from deedbox_server.people.principal import Principal
from deedbox_server.people.trust import LogStager, fingerprint, write_trust_record
from deedbox_sync import uuid7
from deedbox_sync.device_certificate import TlsPublicKey, parse_request
from deedbox_sync.device_record import PAIRED, DeviceRecord, serial_text
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.pairing import Exchange, answer_start, box_mac, encode_exchange, parse_exchange, verify_offer
from deedbox_sync.pairing_code import (
    CODE_LIFE,
    CODE_TRIES,
    NAMEPLATES,
    RANDOM_BYTES,
    Code,
    new_code,
    parse_code,
)
from deedbox_sync.pairing_messages import (
    EXCHANGE_BYTES,
    FinishAnswer,
    FinishRequest,
    Grant,
    Offer,
    StartAnswer,
    StartRequest,
    encode_grant,
    parse_offer,
)

MAX_WAITING: Final = 50  # starts that wait for their turn, half a second's worth
MAX_CODES: Final = 100  # alive at once: a tenth of the nameplates, so that a free one is found at once
_EXCHANGE: Final = 96  # bytes of a stored exchange; behind them, once used, the digest of the offer that used it


class PairingRefused(Denied):
    """The code is unknown, expired, used up or mistaken; ask for a new one."""

    slug, title = "pairing-refused", "This code does not pair a device"


@dataclass(frozen=True)
class BoxFacts:
    """What a grant says of the box besides its CA."""

    device_url: str
    origin: str
    vkey: str
    recovery_key: bytes


class FactsSource(Protocol):
    """Says what a grant will carry; `host` is how the desk addressed the box, without port, and may be ''."""

    def __call__(self, host: str) -> BoxFacts: ...


@dataclass(frozen=True)
class IssuedCode:
    """A code as it is shown, once."""

    code: Code
    account: UUID
    account_name: str
    expires: datetime


class Pairing:
    """Used from one event loop. `issue` expects that the caller asked for permission."""

    def __init__(
        self,
        db: Database,
        authority: Authority,
        stager: LogStager,
        facts: FactsSource,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._authority = authority
        self._stager = stager
        self._facts = facts
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()  # a start takes some 10 ms of a core, and anybody may ask for one
        self._waiting = 0

    async def issue(self, by: Principal, account: UUID, cases: frozenset[UUID] | None = None) -> IssuedCode:
        """A code for a device of `account`, confined to `cases` if given.

        NotFound for an account or case that is none, Conflict while too many codes are open.
        """
        if cases is not None and not cases:
            raise BadRequest("a device needs at least one case, or no list of cases at all")
        now = self._clock()
        async with self._db.transaction():
            name = await self._account_name(account)
            known = await self._db.fetch_in("SELECT id FROM legal_case WHERE id IN", sorted(cases or ()))
            if len(known) != len(cases or ()):
                raise NotFound
            await self._db.execute("DELETE FROM pairing_code WHERE expires <= {}", now)
            open_codes = await self._db.fetch("SELECT nameplate FROM pairing_code")
            if len(open_codes) >= MAX_CODES:
                raise Conflict("too many codes are open: wait until some have expired")
            taken = {int(row["nameplate"]) for row in open_codes}
            code = await self._insert(taken, by, account, cases, now)
        return IssuedCode(code, account, name, now + CODE_LIFE)

    async def start(self, request: StartRequest) -> StartAnswer:
        """Begins an exchange over an open code, in place of one begun before."""
        row = await self._db.fetch_one(
            "SELECT id, code FROM pairing_code WHERE nameplate = {} AND used IS NULL AND tries < {} AND expires > {}",
            request.nameplate,
            CODE_TRIES,
            self._clock(),
        )
        if row is None:
            raise PairingRefused
        kept, reply = await self._answer(parse_code(row["code"]), request.message)
        exchange = os.urandom(EXCHANGE_BYTES).hex()
        begun = await self._db.fetch(
            "UPDATE pairing_code SET exchange = {}, state = {} WHERE id = {} AND used IS NULL RETURNING id",
            exchange,
            encode_exchange(kept),
            row["id"],
        )
        if not begun:
            raise PairingRefused
        return StartAnswer(exchange, reply)

    async def finish(self, request: FinishRequest, host: str = "") -> FinishAnswer:
        """Makes the device, once; the same request again within the code's life gives the same grant.

        PairingRefused, with `tries_left`, for who does not know the code; BadRequest for an offer that cannot be read
        from one who does.
        """
        now = self._clock()
        row = await self._db.fetch_one(
            "SELECT * FROM pairing_code WHERE exchange = {} AND expires > {}", request.exchange, now
        )
        if row is None:
            raise PairingRefused
        if row["used"] is None:
            exchange = await self._counted_try(row, request)
            offer, key = _read_offer(request.offer)
            grant = await self._pair(row, exchange, request, offer, key, host, now)
            if grant is not None:
                return FinishAnswer(grant, box_mac(exchange, request.offer, grant))
            row = await self._db.fetch_one("SELECT * FROM pairing_code WHERE id = {}", row["id"])
        return _same_again(row, request)

    async def _answer(self, code: Code, message: bytes) -> tuple[Exchange, bytes]:
        if self._waiting >= MAX_WAITING:
            raise Unavailable("too many devices are pairing at once")
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(answer_start, code, message)
        except FormatError as error:
            raise BadRequest(str(error)) from error
        finally:
            self._waiting -= 1

    async def _counted_try(self, row: Row, request: FinishRequest) -> Exchange:
        counted = await self._db.fetch_one(
            "UPDATE pairing_code SET tries = tries + 1"
            " WHERE id = {} AND exchange = {} AND tries < {} RETURNING tries, state",
            row["id"],
            request.exchange,
            CODE_TRIES,
        )
        if counted is None:
            raise PairingRefused
        exchange = parse_exchange(counted["state"][:_EXCHANGE])
        try:
            verify_offer(exchange, request.offer, request.mac)
        except ProofError as error:
            await self._db.execute(
                "UPDATE pairing_code SET exchange = NULL, state = NULL WHERE id = {} AND exchange = {} AND used IS NULL",
                row["id"],
                request.exchange,
            )
            raise PairingRefused(tries_left=CODE_TRIES - counted["tries"]) from error
        return exchange

    async def _pair(
        self,
        row: Row,
        exchange: Exchange,
        request: FinishRequest,
        offer: Offer,
        key: TlsPublicKey,
        host: str,
        now: datetime,
    ) -> bytes | None:
        """The grant of the new device; None if the same request, sent twice, was faster elsewhere."""
        facts, device = self._facts(host), uuid7.new()
        async with self._db.transaction():
            # Takes the code first: the row's lock lets one in, and the other finds it used.
            taken = await self._db.fetch(
                "UPDATE pairing_code SET used = {}, code = '' WHERE id = {} AND used IS NULL RETURNING id",
                now,
                row["id"],
            )
            if not taken:
                return None
            account_name = await self._account_name(row["account"])
            await self._insert_device(device, row, offer, now)
            certificate = await self._authority.certify_device(device, key)
            grant = encode_grant(
                Grant(
                    account=row["account"],
                    account_name=account_name,
                    device=device,
                    certificate=pem_text(certificate),
                    ca=self._authority.pem,
                    device_url=facts.device_url,
                    origin=facts.origin,
                    vkey=facts.vkey,
                    recovery_key=facts.recovery_key,
                )
            )
            await self._db.execute(
                'UPDATE pairing_code SET "grant" = {}, state = {} WHERE id = {}',
                grant,
                encode_exchange(exchange) + hashlib.sha256(request.offer).digest(),
                row["id"],
            )
            record = DeviceRecord(
                kind=PAIRED,
                time=now,
                by=row["made_by"],
                device=device,
                account=row["account"],
                name=offer.name,
                statement_key=offer.statement_key,
                certificate=fingerprint(certificate),
                serial=serial_text(certificate.serial_number),
            )
            await write_trust_record(self._db, self._stager, record)
        return grant

    async def _insert_device(self, device: UUID, row: Row, offer: Offer, now: datetime) -> None:
        await self._db.execute(
            "INSERT INTO device (id, account, name, platform, statement_key, created, cases, next_sequence, last_digest)"
            " VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {})",
            device,
            row["account"],
            offer.name,
            offer.platform,
            offer.statement_key,
            now,
            row["cases"],
            1,
            bytes(32),
        )

    async def _account_name(self, account: UUID) -> str:
        row = await self._db.fetch_one("SELECT name, disabled FROM account WHERE id = {}", account)
        if row is None or row["disabled"]:
            raise NotFound
        name: str = row["name"]
        return name

    async def _insert(
        self, taken: set[int], by: Principal, account: UUID, cases: frozenset[UUID] | None, now: datetime
    ) -> Code:
        """A code under a free nameplate, whoever else is taking one at this moment."""
        while True:
            nameplate = secrets.choice([number for number in range(NAMEPLATES) if number not in taken])
            code = new_code(nameplate, os.urandom(RANDOM_BYTES))
            inserted = await self._db.fetch(
                "INSERT INTO pairing_code (id, nameplate, code, account, cases, made_by, created, expires, tries)"
                " VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}) ON CONFLICT (nameplate) DO NOTHING RETURNING id",
                uuid7.new(),
                code.nameplate,
                code.text,
                account,
                encode_cases(cases),
                by.actor_id,
                now,
                now + CODE_LIFE,
                0,
            )
            if inserted:
                return code
            taken.add(nameplate)


def _read_offer(data: bytes) -> tuple[Offer, TlsPublicKey]:
    try:
        offer = parse_offer(data)
        key = parse_request(offer.csr, where="offer.csr")
    except FormatError as error:
        raise BadRequest(str(error)) from error
    if isinstance(key, Ed25519PublicKey) and key.public_bytes_raw() == offer.statement_key:
        raise BadRequest("the statement key must not be the key of the certificate")
    return offer, key


def _same_again(row: Row | None, request: FinishRequest) -> FinishAnswer:
    """The answer of a code that was used, for the request that used it and no other."""
    if row is None or row["grant"] is None:
        raise PairingRefused
    exchange, used_by = parse_exchange(row["state"][:_EXCHANGE]), row["state"][_EXCHANGE:]
    try:
        verify_offer(exchange, request.offer, request.mac)
    except ProofError as error:
        raise PairingRefused from error
    if not hmac.compare_digest(hashlib.sha256(request.offer).digest(), used_by):
        raise PairingRefused
    return FinishAnswer(row["grant"], box_mac(exchange, request.offer, row["grant"]))
