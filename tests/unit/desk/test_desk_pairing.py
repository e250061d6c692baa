"""Pairing and renewal over a real connection: who knows the code becomes this desk's box, and nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deedbox_desktop.engine import renewal
from deedbox_desktop.engine.box.https import HttpsPeer
from deedbox_desktop.engine.box.tls import authority_context, device_context
from deedbox_desktop.engine.errors import BoxRefused, BoxUnintelligible, KeysLocked
from deedbox_desktop.engine.journal import facts, statements
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.model import BoxFacts, Greeting, Lane, NewStatement
from deedbox_desktop.engine.pairing import PairingFailed, pair
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_sync import note, pairing, recovery, timestamp
from deedbox_sync.device_certificate import URI_PREFIX, parse_request
from deedbox_sync.errors import ProofError
from deedbox_sync.pairing_code import parse_code
from deedbox_sync.pairing_messages import (
    FinishAnswer,
    Grant,
    StartAnswer,
    encode_finish_answer,
    encode_grant,
    encode_renew_answer,
    encode_start_answer,
    parse_finish,
    parse_offer,
    parse_renew,
    parse_start,
)
from deedbox_sync.renewal import in_window, parse_renewal, verify_renewal
from unit.desk.desk_bench import KEYS
from unit.desk.tls_site import Site, Wire, authority, certificate

CODE = "123-ABCDE-FGH45"
ORIGIN = f"deedbox/{'0' * 32}/1"
RECOVERY = b"r" * 32


@dataclass
class PairingBox:
    """The box's side of pairing on a test's site. `fake_ca` is granted instead of the CA of the connection."""

    site: Site
    code: str = CODE
    fake_ca: bool = False
    device: UUID = field(default_factory=uuid4)
    exchange: pairing.Exchange | None = None
    lose_finish: int = 0
    finishes: int = 0
    days: int = 30
    ahead: timedelta = timedelta(0)  # by how much the desk's clock is before this box's
    picky: bool = False  # refuses a renewal whose time is not its own

    def serve(self, begun: timedelta) -> None:
        """Certificates that are valid for years, from so long ago."""
        since = datetime.now(UTC) + begun
        self.site.ca_key, self.site.ca = authority("Box CA", since)
        self.site.serve(self.site.ca_key, self.site.ca, since=since, days=3650)
        self.site.context.verify_mode = 0  # type: ignore[assignment] # the people's listener asks for no certificate

    def answer(self, wire: Wire) -> None:
        self.site.answers.append(self.answer)
        line, body = wire.request()
        if b"start" in line:
            start = parse_start(body)
            self.exchange, reply = pairing.answer_start(parse_code(self.code), start.message)
            wire.send(encode_start_answer(StartAnswer("0" * 32, reply)))
        elif b"finish" in line:
            self.finishes += 1
            self._finish(wire, body)
        else:
            self._renew(wire, body)

    def _finish(self, wire: Wire, body: bytes) -> None:
        finish = parse_finish(body)
        assert self.exchange is not None
        try:
            pairing.verify_offer(self.exchange, finish.offer, finish.mac)
        except ProofError:
            wire.send(b'{"type": "urn:deedbox:problem:pairing-refused"}', "403 No", "application/problem+json")
            return
        if self.lose_finish:
            self.lose_finish -= 1
            raise ConnectionResetError
        offer = parse_offer(finish.offer)
        ca_key, ca = authority("Box CA") if self.fake_ca else (self.site.ca_key, self.site.ca)
        vkey = note.encode_vkey(ORIGIN, note.ED25519, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
        grant = encode_grant(
            Grant(
                account=uuid4(),
                account_name="Ada",
                device=self.device,
                certificate=self.certificate(offer.csr, ca_key),
                ca=ca.public_bytes(Encoding.PEM).decode(),
                device_url=self.site.url,
                origin=ORIGIN,
                vkey=vkey,
                recovery_key=recovery.public_key(RECOVERY),
            )
        )
        wire.send(encode_finish_answer(FinishAnswer(grant, pairing.box_mac(self.exchange, finish.offer, grant))))

    def _renew(self, wire: Wire, body: bytes) -> None:
        request = parse_renew(body)
        verify_renewal(request, KEYS.statement_key.public_key().public_bytes_raw())
        now = datetime.now(UTC) - self.ahead
        if self.picky and not in_window(parse_renewal(request.message), now):
            said = {"type": "urn:deedbox:problem:renewal-refused", "time": timestamp.encode(now)}
            wire.send(json.dumps(said).encode(), "403 No", "application/problem+json")
            return
        wire.send(encode_renew_answer(self.certificate(parse_renewal(request.message).csr, self.site.ca_key)))

    def certificate(self, csr: str, ca_key: EllipticCurvePrivateKey) -> str:
        key = parse_request(csr, where="request")
        assert isinstance(key, Ed25519PublicKey)
        uri = f"{URI_PREFIX}{self.device}"
        issuer = str(self.site.ca.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        made = certificate(
            str(self.device),
            key,
            issuer,
            ca_key,
            usage=ExtendedKeyUsageOID.CLIENT_AUTH,
            uri=uri,
            days=self.days,
            since=datetime.now(UTC) - self.ahead,
        )
        return made.public_bytes(Encoding.PEM).decode()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[PairingBox]:
    site = Site(tmp_path)
    site.context.verify_mode = 0  # type: ignore[assignment] # the people's listener asks for no certificate
    made = PairingBox(site)
    site.answers.append(made.answer)
    yield made
    site.close()


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    made = StateFolder(tmp_path / "state")
    made.make()
    return made


@pytest.fixture
def journal(state: StateFolder) -> Iterator[Journal]:
    made = Journal(state.journal, KEYS.journal)
    yield made
    made.close()


def test_a_grant_is_kept_and_the_spool_key_wrapped_to_the_firms_recovery_key(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    granted = pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    assert journal.read(facts.box) == granted
    assert (granted.device, granted.account_name, granted.origin) == (box.device, "Ada", ORIGIN)
    assert recovery.unwrap(RECOVERY, state.recovery.read_bytes()) == KEYS.spool
    device_context(granted.ca, granted.certificate, KEYS.tls_key, state.root)


def test_a_lost_answer_is_asked_for_again(box: PairingBox, state: StateFolder, journal: Journal) -> None:
    box.lose_finish = 2
    pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    assert box.finishes == 3


def test_a_box_that_does_not_know_the_code_gets_nothing(box: PairingBox, state: StateFolder, journal: Journal) -> None:
    box.code = "123-ABCDE-FGH46"
    with pytest.raises(BoxRefused):
        pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    assert journal.read(facts.box) is None
    assert not state.recovery.exists()


def test_a_go_between_who_cannot_show_the_boxs_certificate_is_noticed(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    box.fake_ca = True
    with pytest.raises(PairingFailed):
        pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    assert journal.read(facts.box) is None


@pytest.mark.parametrize("typed", ["", "123", "123-ABCDE-FGH4U", "nonsense"])
def test_what_is_no_code_is_said_before_anything_is_asked(
    box: PairingBox, state: StateFolder, journal: Journal, typed: str
) -> None:
    with pytest.raises(PairingFailed, match="not a pairing code"):
        pair(box.site.url, typed, "front desk", KEYS, state, journal)
    assert box.site.connections == 0


def test_a_name_that_could_dress_up_as_another_is_made_plain(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    granted = pair(box.site.url, CODE, "  front\u202e\ndesk\x1b[2J ", KEYS, state, journal)
    assert granted.device_name == "front desk [2J"


def test_a_desk_that_has_captured_is_not_paired_a_second_time(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    new = NewStatement(bytes(32), b"e", None, bytes(32), 0, None, Lane.INLINE, datetime.now(UTC))
    journal.write(lambda db: statements.append(db, [lambda sequence, previous: new]))
    with pytest.raises(PairingFailed, match="new state folder"):
        pair(box.site.url, CODE, "front desk", KEYS, state, journal)


def test_a_certificate_is_renewed_in_time_and_only_for_this_desk(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    box.days = 5
    granted = pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    now = datetime.now(UTC)
    assert renewal.is_due(granted, now)
    box.days = 30
    peer = HttpsPeer(granted.people_url, authority_context(granted.ca))
    renewed = x509.load_pem_x509_certificate(renewal.renew(granted, KEYS, peer, now).encode())
    assert renewed.not_valid_after_utc > now + renewal.EARLY
    box.device = uuid4()
    with pytest.raises(BoxUnintelligible, match="not right"):
        renewal.renew(granted, KEYS, peer, now)
    peer.close()


def test_a_certificate_for_another_key_is_not_used(box: PairingBox, state: StateFolder, journal: Journal) -> None:
    granted = pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    with pytest.raises(KeysLocked):
        device_context(granted.ca, granted.certificate, Ed25519PrivateKey.generate(), state.root)
    assert [path for path in state.root.iterdir() if path.suffix == ".pem"] == []


def greeting(ahead: timedelta) -> Greeting:
    now = datetime.now(UTC)
    return Greeting(now, "Iron box", ahead // timedelta(milliseconds=1), False, None, 1, 1, 1)


@pytest.mark.parametrize(
    ("days", "ahead", "renews"),
    [
        (30, timedelta(days=731), False),  # by this computer's clock it would have ended long ago
        (5, timedelta(0), True),
        (30, timedelta(days=-25), True),  # by this computer's clock there is time; the box is 25 days further
        (5, timedelta(days=6), False),
    ],
)
def test_a_certificate_is_renewed_by_the_boxs_clock(
    box: PairingBox, state: StateFolder, journal: Journal, days: int, ahead: timedelta, renews: bool
) -> None:
    box.days = days
    box.serve(timedelta(days=-1000))
    granted = pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    box.ahead, box.days = ahead, 40
    shown: list[BoxFacts] = []
    renewal.Renewer(granted, KEYS, shown.append).step(greeting(ahead), met=True)
    assert [one.certificate != granted.certificate for one in shown] == ([True] if renews else [])


def test_a_desk_that_the_box_refuses_for_its_clock_asks_again_by_the_boxs(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    box.serve(timedelta(days=-1000))
    granted = pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    box.picky = True
    shown: list[BoxFacts] = []
    renewer = renewal.Renewer(granted, KEYS, shown.append)
    renewer.step(greeting(timedelta(days=-2)), met=False)
    assert shown == []  # it is not due by any clock
    later = replace(greeting(timedelta(days=-2)), seen=datetime.now(UTC) + timedelta(days=700))
    renewer.step(later, met=False)  # since the box was seen last, this clock has gone back by two years
    assert len(shown) == 1
    assert shown[0].certificate != granted.certificate
    renewer.step(later, met=False)
    assert len(shown) == 1  # once in an hour is enough


def test_a_desk_that_never_met_its_box_has_a_fresh_certificate_whatever_its_clock_says(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    box.days = 1
    granted = pair(box.site.url, CODE, "front desk", KEYS, state, journal)
    renewal.Renewer(granted, KEYS, lambda _: pytest.fail("renewed")).step(None, met=False)


def test_pairing_by_a_clock_that_is_years_off_says_what_to_do(
    box: PairingBox, state: StateFolder, journal: Journal
) -> None:
    box.serve(timedelta(days=731))
    with pytest.raises(PairingFailed, match="Set the clock, and pair again"):
        pair(box.site.url, CODE, "front desk", KEYS, state, journal)
