"""Who may mint identifiers: the box, its desks, and the fallback services that an administrator registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.notary.drafts import EntryDraft, Salts
from deedbox_server.notary.service import Notary
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_sync import ed25519, identifier, uuid7
from deedbox_sync.canonical_json import Json
from deedbox_sync.ecvrf import KEY_LENGTH
from deedbox_sync.errors import ProofError
from deedbox_sync.identifier import MintRecord

Kind = Literal["box", "device", "fallback"]
MAX_NAME: Final = 100  # characters: what a list can show
MAX_FALLBACKS: Final = 100  # more is a program gone wrong


@dataclass(frozen=True)
class Issuer:
    """A VRF key and whose it is. `revoked` is when an administrator revoked it or, for a desk's, the desk."""

    key: bytes
    kind: Kind
    namespace: str
    name: str
    device: UUID | None
    created: datetime
    revoked: datetime | None


class Issuers:
    """One key is one issuer, one namespace has one key. Each is told to the log once, and once again when it is revoked."""

    def __init__(
        self,
        db: Database,
        notary: Notary,
        permissions: Permissions,
        *,
        key: bytes,
        namespace: str,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._notary = notary
        self._permissions = permissions
        self._box = key, namespace
        self._clock = clock
        self._introduced = False

    async def introduce_box(self) -> None:
        """Tell the log of the box's own key, if it does not know it: in the transaction of the first identifier by it."""
        if not self._introduced:
            key, namespace = self._box
            await self.add(Issuer(key, "box", namespace, "", None, self._clock(), None))
            self._db.after_commit(self._after_introduction)

    async def add(self, issuer: Issuer) -> None:
        """In the caller's transaction. The same again changes nothing; Conflict for a namespace that has another key."""
        assert self._db.in_transaction, "an issuer and what the log says of it are both there or neither"
        record = uuid7.new()
        added = await self._db.fetch(
            "INSERT INTO identifier_issuer (key, kind, namespace, name, device, record, created, revoked)"
            " VALUES ({}, {}, {}, {}, {}, {}, {}, {}) ON CONFLICT DO NOTHING RETURNING key",
            issuer.key,
            issuer.kind,
            issuer.namespace,
            issuer.name,
            issuer.device,
            record,
            issuer.created,
            None,
        )
        if added:
            await self._stage(record, {"key": issuer.key.hex(), "kind": issuer.kind})
            return
        known = (await self.by_keys([issuer.key])).get(issuer.key)
        if known is None:
            raise Conflict("this namespace belongs to another key: an issuer with a new key takes a new namespace")
        if (known.kind, known.namespace) != (issuer.kind, issuer.namespace):
            raise Conflict("this key is known as another issuer's")

    async def register(self, principal: Principal, key: bytes, namespace: str, name: str) -> Issuer:
        """A fallback service may mint from now on. Again is the same as once; Conflict for one that was revoked."""
        await self._permissions.permit(self._db, principal, "identifier.issuers")
        if len(key) != KEY_LENGTH or (what := ed25519.problem(key)) is not None:
            raise BadRequest(
                f"this key cannot be an issuer's: it {what if len(key) == KEY_LENGTH else 'has not 32 bytes'}"
            )
        if not namespace.startswith("fallback/") or not identifier.is_namespace(namespace):
            raise BadRequest("a fallback service's namespace is fallback/ and its UUID")
        if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
            raise BadRequest(f"a name is one printable line of at most {MAX_NAME} characters")
        async with self._db.transaction():
            if sum(issuer.kind == "fallback" for issuer in await self._all()) >= MAX_FALLBACKS:
                raise Conflict(f"a box has at most {MAX_FALLBACKS} fallback services")
            await self.add(Issuer(key, "fallback", namespace, name, None, self._clock(), None))
            issuer = (await self.by_keys([key]))[key]
        if issuer.revoked is not None:
            raise Conflict("this key was revoked: the service must make itself a new one")
        return issuer

    async def revoke(self, principal: Principal, key: bytes) -> None:
        """Nothing more is taken from this issuer; what was, resolves for ever. Again is the same as once."""
        await self._permissions.permit(self._db, principal, "identifier.issuers")
        if key == self._box[0]:
            raise Conflict("the box's own key is not revoked here")
        async with self._db.transaction():
            row = await self._db.fetch_one(
                "UPDATE identifier_issuer SET revoked = {} WHERE key = {} AND revoked IS NULL RETURNING kind",
                self._clock(),
                key,
            )
            if row is not None:
                await self._stage(uuid7.new(), {"key": key.hex(), "kind": row["kind"], "revoked": True})
            elif key not in await self.by_keys([key]):
                raise NotFound

    async def all(self, principal: Principal) -> list[Issuer]:
        """Oldest first."""
        await self._permissions.permit(self._db, principal, "identifier.issuers")
        return await self._all()

    async def by_keys(self, keys: list[bytes]) -> dict[bytes, Issuer]:
        rows = await self._db.fetch_in(f"{_SELECT} WHERE identifier_issuer.key IN ", keys)
        return {row["key"]: _issuer(row) for row in rows}

    async def vouched(self, note: bytes) -> Issuer:
        """Whom an issuer note vouches for. FormatError for what is no note; ProofError for a false one."""
        told = identifier.parse_issuer_note(note)
        row = await self._db.fetch_one(
            "SELECT name, statement_key, revoked FROM device WHERE id = {} AND id <> account", told.device
        )
        if row is None:
            raise ProofError("no desk of this box is named in the issuer note")
        identifier.verify_issuer_note(note, Ed25519PublicKey.from_public_bytes(row["statement_key"]))
        namespace = f"device/{told.device}"
        other = await self._db.fetch_one("SELECT key FROM identifier_issuer WHERE namespace = {}", namespace)
        if other is not None and other["key"] != told.key:
            raise ProofError("the desk is known by another key")
        return Issuer(told.key, "device", namespace, row["name"], told.device, self._clock(), row["revoked"])

    async def _all(self) -> list[Issuer]:
        rows = await self._db.fetch(f"{_SELECT} ORDER BY identifier_issuer.created, identifier_issuer.key")
        return [_issuer(row) for row in rows]

    async def _stage(self, record: UUID, data: dict[str, Json]) -> None:
        await self._notary.stage([EntryDraft("id.issuer", Salts(record, {}), {}, data)])

    def _after_introduction(self) -> None:
        self._introduced = True


def refusal(issuer: Issuer, record: MintRecord) -> str | None:
    """Why nothing is taken from this issuer, or not this record."""
    if issuer.revoked is not None:
        return f"its issuer was revoked on {issuer.revoked:%Y-%m-%d}: have the document named again"
    if record.namespace != issuer.namespace:
        return "its namespace is not its issuer's"
    return None


_SELECT: Final = (
    "SELECT identifier_issuer.*, device.revoked AS device_revoked FROM identifier_issuer"
    " LEFT JOIN device ON device.id = identifier_issuer.device"
)


def _issuer(row: Row) -> Issuer:
    revoked = [time for time in (row["revoked"], row["device_revoked"]) if time is not None]
    return Issuer(
        row["key"],
        row["kind"],
        row["namespace"],
        row["name"],
        row["device"],
        row["created"],
        min(revoked) if revoked else None,
    )
