"""Devices after pairing: looked up each time, renewed, revoked."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.errors import BadRequest, Denied, DeviceRevoked, NotFound, Unauthenticated
from deedbox_server.people.devices import RenewalRefused
from deedbox_sync import device_record, renewal
from deedbox_sync.device_certificate import certificate_request
from deedbox_sync.pairing_messages import RenewRequest
from people_box import Desk, serial_of


class Paired:
    def __init__(self, desk, grant):
        self.desk, self.grant = desk, grant
        self.serial = serial_of(grant.certificate)

    def renewal(self, box, **changes) -> renewal.Renewal:
        asked = renewal.Renewal(self.grant.device, certificate_request(self.desk.tls_key), b"n" * 16, box.clock())
        return replace(asked, **changes)

    def signed(self, box, **changes) -> RenewRequest:
        return renewal.sign_renewal(self.renewal(box, **changes), self.desk.statement_key)


@pytest.fixture
async def paired(box) -> Paired:
    desk = Desk()
    issued = await box.pairing.issue(box.owner_principal, box.owner.id)
    return Paired(desk, await box.run(desk.pairing(issued.code)))


async def test_a_stranger_s_serial_is_nobody(box):
    with pytest.raises(Unauthenticated, match="not issued"):
        await box.devices.by_serial("00ff")


async def test_a_revoked_device_is_refused_at_once_and_for_good(box, paired):
    await box.devices.revoke(paired.grant.device, box.owner_principal)
    with pytest.raises(DeviceRevoked):
        await box.devices.by_serial(paired.serial)
    (device,) = await box.devices.all()
    assert device.revoked == box.clock()


async def test_revocation_is_told_once_however_often_it_is_asked(box, paired):
    for _ in range(2):
        await box.devices.revoke(paired.grant.device, box.owner_principal)
    assert box.log.kinds == ["device.paired", "device.revoked"]
    rows = await box.db.fetch("SELECT record FROM trust_record ORDER BY id")
    record = device_record.parse_device_record(rows[-1]["record"])
    assert (record.kind, record.certificate, record.serial) == ("device.revoked", None, None)
    assert record.by == box.owner_principal.actor_id


async def test_what_is_no_device_cannot_be_revoked(box):
    with pytest.raises(NotFound):
        await box.devices.revoke(uuid4(), box.owner_principal)


async def test_an_expired_certificate_is_refused_on_an_open_connection_too(box, paired):
    box.clock.pass_time(days=31)
    with pytest.raises(Unauthenticated, match="expired"):
        await box.devices.by_serial(paired.serial)


async def test_the_devices_of_a_disabled_account_are_refused(box, paired):
    await box.disable(box.owner.id)
    with pytest.raises(Denied):
        await box.devices.by_serial(paired.serial)
    with pytest.raises(RenewalRefused):
        await box.devices.renew(paired.signed(box))


async def test_an_expired_device_renews_with_its_statement_key(box, paired):
    box.clock.pass_time(days=400)
    side = renewal.desk_renewal(
        paired.grant.device,
        tls_key=paired.desk.tls_key,
        statement_key=paired.desk.statement_key,
        authority=box.authority.certificate,
        now=box.clock(),
    )
    serial = serial_of(await box.run(side))
    assert serial != paired.serial
    assert (await box.devices.by_serial(serial)).device == paired.grant.device


async def test_renewal_may_change_the_tls_key_and_leaves_the_old_certificate_its_days(box, paired):
    key = Ed25519PrivateKey.generate()
    certificate = await box.devices.renew(paired.signed(box, csr=certificate_request(key)))
    assert certificate.public_key() == key.public_key()
    await box.devices.by_serial(paired.serial)
    (device,) = await box.devices.all()
    assert device.certified_until == certificate.not_valid_after_utc


async def test_renewal_is_told_in_the_log_as_the_device_s_deed(box, paired):
    certificate = await box.devices.renew(paired.signed(box))
    kind, record_id, values = box.log.entries[-1]
    row = await box.db.fetch_one("SELECT * FROM trust_record WHERE id = {}", record_id)
    record = device_record.parse_device_record(row["record"])
    assert (kind, record.by) == ("device.renewed", f"device:{paired.grant.device}")
    assert values["person"] == record.by.encode()
    assert record.serial == device_record.serial_text(certificate.serial_number)


async def test_a_revoked_device_renews_nothing(box, paired):
    await box.devices.revoke(paired.grant.device, box.owner_principal)
    with pytest.raises(DeviceRevoked):
        await box.devices.renew(paired.signed(box))


async def test_who_has_not_the_statement_key_learns_nothing(box, paired):
    """An unknown device, a wrong signature and a revoked device look alike to one who cannot sign."""
    forged = renewal.sign_renewal(paired.renewal(box), Ed25519PrivateKey.generate())
    unknown = paired.signed(box, device=uuid4())
    refusals = []
    for request in (forged, unknown):
        with pytest.raises(RenewalRefused) as refusal:
            await box.devices.renew(request)
        refusals.append(refusal.value)
    await box.devices.revoke(paired.grant.device, box.owner_principal)
    with pytest.raises(RenewalRefused) as refusal:
        await box.devices.renew(forged)
    refusals.append(refusal.value)
    assert len({(each.detail, str(dict(each.extra))) for each in refusals}) == 1


async def test_a_renewal_replayed_is_refused(box, paired):
    request = paired.signed(box)
    await box.devices.renew(request)
    with pytest.raises(RenewalRefused, match="made before"):
        await box.devices.renew(request)


async def test_a_replay_is_refused_for_as_long_as_its_time_would_let_it_in(box, paired):
    request = paired.signed(box, time=box.clock() + timedelta(minutes=10))
    await box.devices.renew(request)
    for _ in range(4):
        box.clock.pass_time(minutes=5)
        await box.devices.renew(paired.signed(box, nonce=box.clock().isoformat()[-16:].encode()[:16]))
        with pytest.raises(RenewalRefused):
            await box.devices.renew(request)
    box.clock.pass_time(minutes=1)
    with pytest.raises(RenewalRefused, match="clocks"):
        await box.devices.renew(request)


async def test_the_same_renewal_sent_twice_at_once_renews_once(box, paired):
    request = paired.signed(box)
    outcomes = await asyncio.gather(*(box.devices.renew(request) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(outcome, RenewalRefused) for outcome in outcomes) == 1
    assert box.log.kinds == ["device.paired", "device.renewed"]


@pytest.mark.parametrize("minutes", [-11, 11])
async def test_a_clock_that_is_off_is_told_the_box_s_time_and_spends_no_nonce(box, paired, minutes):
    with pytest.raises(RenewalRefused) as refusal:
        await box.devices.renew(paired.signed(box, time=box.clock() + timedelta(minutes=minutes)))
    assert refusal.value.extra == {"time": "2026-03-01T12:00:00.000000Z"}
    await box.devices.renew(paired.signed(box))


async def test_what_is_no_renewal_is_a_bad_request(box, paired):
    for request in (RenewRequest(b"{}", bytes(64)), paired.signed(box, csr="x")):
        with pytest.raises(BadRequest):
            await box.devices.renew(request)
