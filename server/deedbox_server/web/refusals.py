"""How many were turned away at the door, and why: counted, since one line for each would let a stranger fill the log."""

from __future__ import annotations

import ssl
from collections import Counter
from typing import Final

NO_CERTIFICATE: Final = "handshake-no-certificate"
BAD_CERTIFICATE: Final = "handshake-certificate"  # a stranger's, an expired one, one for another use
OLD_VERSION: Final = "handshake-version"
OTHER_HANDSHAKE: Final = "handshake-other"  # no TLS at all, or the other side gave up

# Problems that are said to strangers, or to those who no longer belong; others concern people who are let in.
STRANGERS: Final = frozenset(
    {
        "device-revoked",
        "directory-refused",
        "nonce-replayed",
        "pairing-refused",
        "passkey-refused",
        "renewal-refused",
        "signature-expired",
        "signature-false",
        "signature-malformed",
        "signature-missing",
        "unauthenticated",
    }
)
# Said to both: to those whom the box knows it is in the trail.
BOTH: Final = frozenset({"too-many", "wrong-code"})

_VERSION_REASONS: Final = frozenset({"UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "WRONG_VERSION_NUMBER"})


class Refusals:
    """Counts since the last `take`, by kind; kinds are a fixed few, so that it cannot grow. Of one event loop."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def count(self, kind: str) -> None:
        self._counts[kind] += 1

    def handshake(self, error: ssl.SSLError) -> None:
        """Counts a handshake that this side ended."""
        self.count(_kind(error))

    def problem(self, slug: str, *, known: bool = False) -> None:
        """Counts a request that was refused, if it was a stranger's; `known`: the box knows whose it was."""
        if slug in STRANGERS or (slug in BOTH and not known):
            self.count(slug)

    def take(self) -> dict[str, int]:
        """The counts since last time; called once a minute they are those of that minute."""
        counts, self._counts = dict(self._counts), Counter()
        return counts


def _kind(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return BAD_CERTIFICATE
    if error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return NO_CERTIFICATE
    return OLD_VERSION if error.reason in _VERSION_REASONS else OTHER_HANDSHAKE
