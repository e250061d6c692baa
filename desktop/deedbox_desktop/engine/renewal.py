"""A new certificate before the old one ends, and after too: the statement key vouches for this desk."""

from datetime import UTC, datetime, timedelta

from cryptography import x509

from deedbox_desktop.engine.box.https import HttpsPeer
from deedbox_desktop.engine.errors import BoxUnintelligible
from deedbox_desktop.engine.keys import DeskKeys
from deedbox_desktop.engine.model import BoxFacts
from deedbox_sync.device_certificate import parse_certificate
from deedbox_sync.errors import SyncError
from deedbox_sync.pairing import Answer
from deedbox_sync.pairing_messages import MAX_BODY
from deedbox_sync.renewal import desk_renewal

EARLY = timedelta(days=10)  # of thirty: a desk that is used once in three weeks still renews in time
AGAIN = timedelta(hours=1)  # after a failure, while the old certificate still works
AGAIN_EXPIRED = timedelta(minutes=1)


def expires(box: BoxFacts) -> datetime:
    return parse_certificate(box.certificate, where="device certificate").not_valid_after_utc


def is_due(box: BoxFacts, now: datetime) -> bool:
    return now >= expires(box) - EARLY


def renew(box: BoxFacts, keys: DeskKeys, peer: HttpsPeer) -> str:
    """The new certificate as PEM, for the same TLS key. BoxError if the box cannot be reached or refuses."""
    authority: x509.Certificate = parse_certificate(box.ca, where="CA certificate")
    steps = desk_renewal(
        box.device,
        tls_key=keys.tls_key,
        statement_key=keys.statement_key,
        authority=authority,
        now=datetime.now(UTC),
    )
    call = next(steps)
    body = peer.request("POST", call.path, call.body, limit=MAX_BODY)
    try:
        steps.send(Answer(body, peer.peer_certificate()))
    except StopIteration as finished:
        return str(finished.value)
    except SyncError as error:
        raise BoxUnintelligible(f"The box's new certificate is not right ({error}).") from error
    raise BoxUnintelligible("The box did not finish the renewal.")
