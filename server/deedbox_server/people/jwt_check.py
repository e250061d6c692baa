"""Tokens of other issuers: JSON Web Tokens (RFC 7519) held to the rules of RFC 8725. Keys and text in, claims out; no I/O."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

# Signatures that only the issuer can make (RFC 8725 3.1, 3.2): no `none`, and no HMAC, whose key would be the public one.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
MAX_TOKEN: Final = 16_384  # characters; with many groups in it a token has a few thousand
MAX_KEYS: Final = 100  # of a set
MAX_SUBJECT: Final = 255  # characters (OpenID Connect Core 2)
SKEW: Final = timedelta(seconds=60)  # between the issuer's clock and the box's
_MIN_RSA: Final = 2048  # bits (RFC 7518 3.3)


class TokenRefused(Exception):
    """Why, in a few words, for the log and for administrators: they quote nothing of the token."""


class UnknownKey(TokenRefused):
    """It names a key that is not in the set: the set may have changed."""


@dataclass(frozen=True)
class Expected:
    issuer: str
    audience: str


def parse_keys(text: bytes) -> KeySet:
    """The public signature keys of a JWK set (RFC 7517); keys of other kinds are left out. TokenRefused if none is left."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise TokenRefused("the key set is no JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise TokenRefused("the key set is none")
    keys = [key for one in listed if isinstance(one, dict) and (key := _public_key(one)) is not None]
    if not keys:
        raise TokenRefused("the key set has no key that signs")
    return KeySet(list[Key](keys))


def issuer_of(text: str) -> str:
    """Whose the token says it is; nothing of it is verified. TokenRefused for what is no token."""
    parts = text.split(".")
    if len(text) > MAX_TOKEN or len(parts) != 3:
        raise TokenRefused("this is no token")
    issuer = _object(parts[1]).get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused("the token names no issuer")
    return issuer


def verify_token(text: str, keys: KeySet, expected: Expected, now: datetime) -> Mapping[str, Any]:
    """The claims of a token that this issuer signed for this audience, and that holds now. Else TokenRefused."""
    if len(text) > MAX_TOKEN or text.count(".") != 2:
        raise TokenRefused("this is no token")
    header = _object(text.split(".", 1)[0])
    # 1. Only what we expect stands in the header: no keys and no addresses of keys of its own, nothing critical.
    if header.get("alg") not in ALGORITHMS or header.keys() & {"crit", "b64", "jwk", "jku", "x5u"}:
        raise TokenRefused("the token is signed in a way that does not count")
    kid = header.get("kid")
    if kid is None and len(keys.keys) > 1:
        raise TokenRefused("the token does not say which key signed it")
    if kid is not None and not any(key.kid == kid for key in keys.keys):
        raise UnknownKey("the token names a key that its issuer does not list")
    # 2. The issuer's key signed it.
    try:
        signed = jws.deserialize_compact(text, keys, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError):  # ValueError: an algorithm that is not for this key's kind
        raise TokenRefused("the token's signature does not hold") from None
    claims = _claims(signed.payload or b"")
    # 3. It is this issuer's, for this box, about somebody, and holds now.
    if claims.get("iss") != expected.issuer:
        raise TokenRefused("the token is of another issuer")
    if expected.audience not in _audiences(claims):
        raise TokenRefused("the token is for another audience")
    if not isinstance(subject := claims.get("sub"), str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise TokenRefused("the token names no subject")
    _check_times(claims, now)
    return claims


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    expires, issued, begins = (_seconds(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise TokenRefused("the token does not say from when to when it holds")
    skew, at = SKEW.total_seconds(), now.timestamp()
    if at >= expires + skew:
        raise TokenRefused("the token has expired")
    if issued > at + skew or (begins is not None and begins > at + skew):
        raise TokenRefused("the token does not hold yet: one of the two clocks is wrong")


def _audiences(claims: Mapping[str, Any]) -> Iterable[str]:
    found = claims.get("aud")
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str)]


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e12 < value < 1e12:
        return None
    return float(value)


def _object(part: str) -> dict[str, Any]:
    try:
        return _claims(urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4)))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise TokenRefused("this is no token") from None


def _claims(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TokenRefused("this is no token")
    return found


def _public_key(member: Mapping[str, Any]) -> RSAKey | ECKey | None:
    """None for a key that is not for signatures, or too weak, or not understood (RFC 7517 5)."""
    if member.get("use", "sig") != "sig" or member.get("kty") not in ("RSA", "EC") or "d" in member:
        return None
    # What it is for is decided here; a restriction to operations or one algorithm narrows it further.
    kept = {
        name: value for name, value in member.items() if name in ("kty", "kid", "use", "alg", "n", "e", "crv", "x", "y")
    }
    try:
        if member["kty"] == "EC":
            return ECKey.import_key(kept)
        # The library would only warn of a weak one.
        return RSAKey.import_key(kept) if _bits(member["n"]) >= _MIN_RSA else None
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _bits(modulus: str) -> int:
    return int.from_bytes(urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))).bit_length()
