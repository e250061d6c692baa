"""A new certificate before the old one ends, and after too: the statement key vouches for this desk.

When that is due is said by the box's clock, as far as this desk knows it: a laptop that is years off must neither let its
certificate end nor ask for another one each minute.
"""

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography import x509

from deedbox_desktop.engine.box.client import verify_dates
from deedbox_desktop.engine.box.https import HttpsPeer
from deedbox_desktop.engine.box.tls import authority_context
from deedbox_desktop.engine.errors import BoxError, BoxRefused, BoxUnintelligible
from deedbox_desktop.engine.keys import DeskKeys
from deedbox_desktop.engine.model import BoxFacts, Greeting
from deedbox_sync.device_certificate import parse_certificate
from deedbox_sync.errors import SyncError
from deedbox_sync.pairing import Answer
from deedbox_sync.pairing_messages import MAX_BODY
from deedbox_sync.renewal import desk_renewal

EARLY = timedelta(days=10)  # of thirty: a desk that is used once in three weeks still renews in time
AGAIN = 3600.0  # seconds after a failure, while the old certificate still works
AGAIN_EXPIRED = 60.0


class Renewer:
    """Renews when it is time to. `use` is told what the box granted: it keeps it, and shows it from then on."""

    def __init__(self, box: BoxFacts, keys: DeskKeys, use: Callable[[BoxFacts], None]) -> None:
        self._box, self._keys, self._use = box, keys, use
        self._after = float("-inf")

    def step(self, greeting: Greeting | None, *, met: bool) -> None:
        """`met`: the box was greeted just now, so that its clock is known. A failure is no trouble while the certificate lasts;
        after that the box cannot be reached, and says so."""
        here = datetime.now(UTC)
        if greeting is None or time.monotonic() < self._after:
            return  # a box that was never met gave the certificate a moment ago
        now = greeting.by_box(here)
        gone_back = not met and here < greeting.seen  # how far, nobody knows: by the box's clock it may have ended
        if not gone_back and not is_due(self._box, now):
            return
        self._after = time.monotonic() + (AGAIN if now < expires(self._box) else AGAIN_EXPIRED)
        with suppress(BoxError):
            self._box = replace(self._box, certificate=self._renew(now))
            self._use(self._box)
            self._after = time.monotonic() + AGAIN

    def _renew(self, now: datetime) -> str:
        with closing(HttpsPeer(self._box.people_url, authority_context(self._box.ca))) as peer:
            try:
                return renew(self._box, self._keys, peer, now)
            except BoxRefused as error:
                if error.time is None:
                    raise
                return renew(self._box, self._keys, peer, error.time)  # once more, by the clock that counts


def expires(box: BoxFacts) -> datetime:
    return parse_certificate(box.certificate, where="device certificate").not_valid_after_utc


def is_due(box: BoxFacts, now: datetime) -> bool:
    return now >= expires(box) - EARLY


def renew(box: BoxFacts, keys: DeskKeys, peer: HttpsPeer, now: datetime) -> str:
    """The new certificate as PEM, for the same TLS key; `now` by the box's clock. BoxError if it cannot be reached or refuses."""
    authority: x509.Certificate = parse_certificate(box.ca, where="CA certificate")
    steps = desk_renewal(
        box.device,
        tls_key=keys.tls_key,
        statement_key=keys.statement_key,
        authority=authority,
        now=now,
    )
    call = next(steps)
    body = peer.request("POST", call.path, call.body, limit=MAX_BODY)
    verify_dates(peer, box.ca, now)
    try:
        steps.send(Answer(body, peer.peer_certificate()))
    except StopIteration as finished:
        return str(finished.value)
    except SyncError as error:
        raise BoxUnintelligible(f"The box's new certificate is not right ({error}).") from error
    raise BoxUnintelligible("The box did not finish the renewal.")
