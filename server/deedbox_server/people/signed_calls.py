"""Machine calls that are signed with an API key instead of carrying it (formats/message-signature.md)."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import ClassVar, Final

from deedbox_server.database import Database
from deedbox_server.errors import Unauthenticated
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.key_service import ApiKeys
from deedbox_server.people.principal import Principal
from deedbox_sync import message_signature, timestamp
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.message_signature import KEY_LENGTH, NONCE_LIFE, WINDOW, Signed

_NOBODYS_KEY: Final = bytes(KEY_LENGTH)


class SignatureRefused(Unauthenticated):
    """A call whose signature does not show who made it, here and now."""

    challenge: ClassVar[str] = "Signature"


class SignatureMissing(SignatureRefused):
    slug, title = "signature-missing", "The call is not signed"


class SignatureMalformed(SignatureRefused):
    slug, title = "signature-malformed", "The signature cannot be read"


class SignatureFalse(SignatureRefused):
    slug, title = "signature-false", "The signature does not hold"


class SignatureExpired(SignatureRefused):
    slug, title = "signature-expired", "The call was signed too long ago, or by a clock that is ahead"


class NonceReplayed(SignatureRefused):
    slug, title = "nonce-replayed", "This call was made before"


class SignedCalls:
    """Asks the database anew each time; used from one event loop. `replays` counts since the start."""

    def __init__(self, db: Database, keys: ApiKeys, *, clock: Clock = system_clock) -> None:
        self._db = db
        self._keys = keys
        self._clock = clock
        self.replays = 0

    async def caller(
        self, signed: Signed, *, method: str, path: str, query: str, body_digest: bytes, address: str | None = None
    ) -> Principal:
        """The account that the key acts for. The nonce is used, durably, when this returns; a call that is refused before
        uses none. SignatureRefused says why not, and says the same of a key that is unknown and of a false signature.
        """
        now, held = self._clock(), await self._keys.by_id(signed.key_id)
        keys = () if held is None else tuple(held.message_keys(now))
        if held is not None and not keys:
            raise SignatureFalse("this API key was made before calls could be signed: make a new one")
        right = [_holds(signed, method, path, query, body_digest, key) for key in keys or (_NOBODYS_KEY,)]
        if held is None or not any(right):
            raise SignatureFalse("the signature is not by a key of this box over this call")
        if not held.is_open(now):
            raise SignatureFalse("this API key opens nothing any more")
        if abs(signed.created - now.timestamp()) > WINDOW.total_seconds():
            seconds = int(WINDOW.total_seconds())
            raise SignatureExpired(
                f"a call counts for {seconds} seconds: set the caller's clock", time=timestamp.encode(now)
            )
        principal = await self._keys.used(held, address)
        await self._use(signed)
        return principal

    async def _use(self, signed: Signed) -> None:
        now = self._clock()
        nonce = signed.key_id.bytes + urlsafe_b64decode(f"{signed.nonce}==")
        async with self._db.transaction():
            await self._db.execute("DELETE FROM message_nonce WHERE seen < {}", now - NONCE_LIFE)
            fresh = await self._db.fetch(
                "INSERT INTO message_nonce (nonce, seen) VALUES ({}, {}) ON CONFLICT (nonce) DO NOTHING RETURNING seen",
                nonce,
                now,
            )
        if not fresh:
            self.replays += 1
            raise NonceReplayed("each call is signed anew, with a nonce of its own")


def _holds(signed: Signed, method: str, path: str, query: str, body_digest: bytes, key: bytes) -> bool:
    try:
        message_signature.verify(signed, method=method, path=path, query=query, body_digest=body_digest, key=key)
    except FormatError as error:
        raise SignatureMalformed(str(error)) from error
    except ProofError:
        return False
    return True
