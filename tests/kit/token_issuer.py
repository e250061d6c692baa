"""An issuer of tokens for tests: its keys, its key set as a `Fetcher`, and tokens good and hostile."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from deedbox_server.people.fetching import Unreachable

ISSUER = "https://issuer.example"
AUDIENCE = "deedbox"
KEYS = "https://issuer.example/keys"


@cache
def rsa_key(name: str) -> RSAKey:
    """One for each name; making them takes time."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@cache
def ec_key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig"})


@dataclass(frozen=True)
class Told:
    status: int
    content: bytes


@dataclass
class Issuer:
    """`listed` are the keys of its set; what it was asked is counted."""

    now: datetime
    key: RSAKey | ECKey = field(default_factory=lambda: rsa_key("one"))
    listed: list[Any] = field(default_factory=list)
    asked: int = 0
    away: bool = False

    def __post_init__(self) -> None:
        self.listed = self.listed or [self.key]

    async def ask(self, method: str, url: str, *_: object, **__: object) -> Told:
        self.asked += 1
        if self.away or (method, url) != ("GET", KEYS):
            raise Unreachable("could not be reached")
        return Told(200, json.dumps({"keys": [key.as_dict(private=False) for key in self.listed]}).encode())

    def claims(self, **changes: Any) -> dict[str, Any]:
        at = int(self.now.timestamp())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "0815", "iat": at, "exp": at + 300} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        algorithm = "RS256" if isinstance(self.key, RSAKey) else "ES256"
        members = {"alg": algorithm, "kid": self.key.kid} | dict(header or {})
        shown = {name: value for name, value in members.items() if value is not None}
        return jwt.encode(shown, self.claims(**changes), self.key)


def part(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
