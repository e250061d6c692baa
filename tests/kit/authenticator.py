"""A passkey authenticator made of python-fido2, which shares no code with the library that the box checks answers with."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Authenticator:
    """One credential. Each way of cheating is an argument of what a browser and a key would say honestly."""

    origin: str = "https://box.lan:8443"
    rp: str = "box.lan"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    handle: bytes = b""
    count: int = 0
    counts: bool = True

    def copy(self) -> Authenticator:
        """The same key in another's hands."""
        return replace(self)

    def create(self, options: dict[str, Any], *, flags: int = PRESENT | VERIFIED, **lies: Any) -> dict[str, Any]:
        """As `navigator.credentials.create(options)`, then `toJSON`."""
        self.handle = websafe_decode(options["user"]["id"])
        data = AttestedCredentialData.create(
            Aaguid(bytes(16)), self.credential, ES256.from_cryptography_key(self.key.public_key())
        )
        told = AuthenticatorData.create(self._rp_hash(lies), flags | ATTESTED, self.count, bytes(data))
        client = self._client("webauthn.create", options, lies)
        attestation = bytes(AttestationObject.create("none", told, {}))
        return self._answer(
            {"clientDataJSON": text(client), "attestationObject": text(attestation), "transports": ["internal"]}
        )

    def get(self, options: dict[str, Any], *, flags: int = PRESENT | VERIFIED, **lies: Any) -> dict[str, Any]:
        """As `navigator.credentials.get(options)`, then `toJSON`."""
        if self.counts:
            self.count += 1
        told = bytes(AuthenticatorData.create(self._rp_hash(lies), flags, lies.get("count", self.count)))
        client = self._client("webauthn.get", options, lies)
        key = lies.get("key", self.key)
        signature = key.sign(told + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": text(client), "authenticatorData": text(told), "signature": text(signature)}
        return self._answer(response | {"userHandle": text(lies.get("handle", self.handle))})

    def _client(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        told = {
            "type": lies.get("type", kind),
            "challenge": lies.get("challenge", options["challenge"]),
            "origin": lies.get("origin", self.origin),
            "crossOrigin": False,
        }
        return json.dumps(told).encode()

    def _rp_hash(self, lies: dict[str, Any]) -> bytes:
        return hashlib.sha256(lies.get("rp", self.rp).encode()).digest()

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": text(self.credential),
            "rawId": text(self.credential),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": response,
        }
