"""A box's people and nothing else, for tests: real database and services, a clock that is set, a notary that only notes."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.database import Database
from deedbox_server.people import Account, Accounts, ApiKeys, Authority, BoxFacts, Devices, Pairing, Principal
from deedbox_server.people.fetching import Unreachable
from deedbox_server.people.front_door import FrontDoor
from deedbox_server.people.key_sets import KeySets
from deedbox_server.people.outside_identities import OutsideIdentities
from deedbox_server.people.outside_tokens import OutsideTokens
from deedbox_server.people.passwords import PasswordCost
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.people.recorder import NOTHING
from deedbox_server.people.rules import ADMINISTRATOR, standard_permissions
from deedbox_server.people.sessions import SessionRules, Sessions
from deedbox_server.people.signed_calls import SignedCalls
from deedbox_server.trail import Trail
from deedbox_sync import pairing_messages as messages
from deedbox_sync import uuid7
from deedbox_sync.canonical_json import Json
from deedbox_sync.pairing import FINISH_PATH, START_PATH, Answer, Call, desk_pairing
from deedbox_sync.pairing_code import Code
from deedbox_sync.pairing_messages import Grant
from deedbox_sync.renewal import RENEW_PATH

CA_SECRET = bytes(range(1, 33))
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
NAMES = ("box.lan", "localhost")  # host names that are the box's own
CHEAP = PasswordCost(memory_kib=64, iterations=1, lanes=1)

Result = TypeVar("Result")


class SetClock:
    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@dataclass
class NotedLog:
    """Takes entries as the notary does, inside a transaction, and keeps those that were committed."""

    db: Database
    entries: list[tuple[str, UUID, Mapping[str, bytes]]] = field(default_factory=list)

    async def record(self, kind: str, record_id: UUID, values: Mapping[str, bytes]) -> None:
        assert self.db.in_transaction
        self.db.after_commit(lambda: self.entries.append((kind, record_id, values)))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.entries]


@dataclass
class NotedTrail(Trail):
    """Takes records as the trail does, inside a transaction, and only keeps those that were committed."""

    db: Database
    records: list[tuple[str, str, Mapping[str, Json]]] = field(default_factory=list)

    async def changed(
        self,
        principal: Principal,
        operation: str,
        *,
        case: UUID | None = None,
        object: UUID | None = None,
        detail: Mapping[str, Json] = NOTHING,
    ) -> UUID:
        assert self.db.in_transaction
        self.db.after_commit(lambda: self.records.append((principal.actor_id, operation, detail)))
        return uuid7.new()

    @property
    def told(self) -> list[Json]:
        return [detail.get("what") for _, _, detail in self.records]


class NowhereToAsk:
    """A `Fetcher` that reaches nobody."""

    async def ask(self, method: str, url: str, *_: object, **__: object) -> NoReturn:
        raise Unreachable("could not be reached")


@dataclass
class PeopleBox:
    db: Database
    clock: SetClock
    log: NotedLog
    trail: NotedTrail
    permissions: Permissions
    accounts: Accounts
    api_keys: ApiKeys
    signed_calls: SignedCalls
    outside_tokens: OutsideTokens
    rate_limits: RateLimits
    door: FrontDoor
    sessions: Sessions
    authority: Authority
    devices: Devices
    pairing: Pairing
    owner: Account
    listener: x509.Certificate

    @property
    def owner_principal(self) -> Principal:
        return account_principal(self.owner)

    async def answer(self, call: Call) -> Answer:
        """What the people's listener would answer, without it."""
        if call.path == START_PATH:
            body = messages.encode_start_answer(await self.pairing.start(messages.parse_start(call.body)))
        elif call.path == FINISH_PATH:
            body = messages.encode_finish_answer(await self.pairing.finish(messages.parse_finish(call.body), "box.lan"))
        else:
            assert call.path == RENEW_PATH
            certificate = await self.devices.renew(messages.parse_renew(call.body))
            body = messages.encode_renew_answer(certificate.public_bytes(serialization.Encoding.PEM).decode())
        return Answer(body, self.listener.public_bytes(serialization.Encoding.DER))

    async def run(self, side: Generator[Call, Answer, Result]) -> Result:
        call = next(side)
        while True:
            try:
                call = side.send(await self.answer(call))
            except StopIteration as end:
                result: Result = end.value
                return result

    async def add_case(self, number: str, *members: UUID) -> UUID:
        case = uuid7.new()
        await self.db.insert_many(
            "legal_case", ("id", "number", "title", "created", "state"), [(case, number, "x", self.clock(), "open")]
        )
        rows = [(case, member, "paralegal") for member in members]
        await self.db.insert_many("case_member", ("case_id", "account", "role"), rows)
        return case

    async def disable(self, account: UUID) -> None:
        await self.db.execute("UPDATE account SET disabled = {} WHERE id = {}", True, account)


@dataclass
class Desk:
    """A desk's own keys, and how it pairs."""

    tls_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    statement_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    name: str = "Ada's laptop"

    @property
    def statement_public(self) -> bytes:
        return self.statement_key.public_key().public_bytes_raw()

    def pairing(self, code: Code, now: datetime = START) -> Generator[Call, Answer, Grant]:
        return desk_pairing(
            code,
            name=self.name,
            platform="Debian 13",
            tls_key=self.tls_key,
            statement_key=self.statement_public,
            now=now,
        )


def account_principal(account: Account) -> Principal:
    return Principal("account", account.id, None, account.name, "test", account.role)


def serial_of(pem: str) -> str:
    number = x509.load_pem_x509_certificate(pem.encode()).serial_number
    return number.to_bytes((number.bit_length() + 7) // 8).hex()


def facts(host: str) -> BoxFacts:
    return BoxFacts(f"https://{host or 'box'}:8444", "deedbox/00/1", "vkey", bytes(32))


async def make_people_box(db: Database, clock: SetClock | None = None) -> PeopleBox:
    clock = clock or SetClock()
    log, trail, permissions = NotedLog(db), NotedTrail(db), standard_permissions()
    accounts = Accounts(db, permissions, clock=clock, cost=CHEAP)
    authority = await Authority.open(db, CA_SECRET, clock)
    door = FrontDoor.open(
        db, accounts, permissions, trail, rules=SessionRules(), box_name="Test box", names=NAMES, clock=clock
    )
    owner = await accounts.create_owner("Ada", PASSWORD)
    assert owner.role == ADMINISTRATOR
    api_keys, identities = ApiKeys(db, permissions, trail, clock=clock), OutsideIdentities(db, trail, clock=clock)
    return PeopleBox(
        db=db,
        clock=clock,
        log=log,
        trail=trail,
        permissions=permissions,
        accounts=accounts,
        api_keys=api_keys,
        signed_calls=SignedCalls(db, api_keys, clock=clock),
        outside_tokens=OutsideTokens(db, permissions, identities, KeySets(NowhereToAsk(), clock=clock)),
        rate_limits=RateLimits(clock=lambda: clock().timestamp()),
        door=door,
        sessions=door.sessions,
        authority=authority,
        devices=Devices(db, authority, log, clock=clock),
        pairing=Pairing(db, authority, log, facts, clock=clock),
        owner=owner,
        listener=(await authority.listener("people", ["box.lan"])).certificate,
    )
