"""From a code to a device: one-time, three tries, ten minutes, and the same answer to the same request."""

import asyncio
import hashlib
import hmac
from dataclasses import replace
from uuid import uuid4

import pytest
from cryptography import x509

from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.people.authority import pem_text
from deedbox_server.people.pairing import MAX_CODES, PairingRefused
from deedbox_sync import device_record
from deedbox_sync import pairing_messages as messages
from deedbox_sync.errors import ProofError
from deedbox_sync.pairing import Answer, answer_start
from deedbox_sync.pairing_code import Code, new_code, parse_code
from people_box import START, Desk, PeopleBox, account_principal, make_people_box, serial_of


async def a_code(box: PeopleBox, cases=None) -> Code:
    return (await box.pairing.issue(box.owner_principal, box.owner.id, cases)).code


def mistaken(code: Code) -> Code:
    return replace(code, secret=code.secret[:-1] + ("1" if code.secret[-1] != "1" else "2"))


async def test_a_desk_with_the_code_becomes_a_device(box):
    desk = Desk()
    grant = await box.run(desk.pairing(await a_code(box)))
    assert (grant.account, grant.account_name, grant.device_url) == (box.owner.id, "Ada", "https://box.lan:8444")
    (device,) = await box.devices.all()
    assert (device.id, device.name, device.platform) == (grant.device, "Ada's laptop", "Debian 13")
    assert device.statement_key == desk.statement_public
    row = await box.db.fetch_one("SELECT next_sequence, last_digest FROM device")
    assert row == {"next_sequence": 1, "last_digest": bytes(32)}
    principal = await box.devices.by_serial(serial_of(grant.certificate))
    assert (principal.kind, principal.device, principal.account) == ("device", grant.device, box.owner.id)


async def test_pairing_is_told_in_the_log_by_a_record_in_full(box):
    grant = await box.run(Desk().pairing(await a_code(box)))
    ((kind, record_id, values),) = box.log.entries
    row = await box.db.fetch_one("SELECT * FROM trust_record")
    record = device_record.parse_device_record(row["record"])
    assert (kind, record_id, row["kind"]) == ("device.paired", row["id"], "device.paired")
    assert values == {"record": device_record.digest(row["record"]), "person": f"account:{box.owner.id}".encode()}
    assert (record.device, record.by, record.time) == (grant.device, f"account:{box.owner.id}", START)
    certificate = x509.load_pem_x509_certificate(grant.certificate.encode())
    assert record.certificate == certificate.fingerprint(certificate.signature_hash_algorithm)
    assert record.serial == serial_of(grant.certificate)


async def test_a_wrong_code_burns_after_three_tries(box):
    code = await a_code(box)
    for left in (2, 1, 0):
        with pytest.raises(PairingRefused) as refusal:
            await box.run(Desk().pairing(mistaken(code)))
        assert refusal.value.extra == {"tries_left": left}
    with pytest.raises(PairingRefused):
        await box.answer(next(Desk().pairing(code)))
    assert await box.devices.all() == []
    assert box.log.entries == []


async def test_two_mistakes_are_forgiven(box):
    code = await a_code(box)
    for _ in range(2):
        with pytest.raises(PairingRefused):
            await box.run(Desk().pairing(mistaken(code)))
    await box.run(Desk().pairing(code))


async def test_a_crowd_of_guesses_gets_three_tries_in_all(box):
    """Each with an exchange begun before any was refused: only the last begun is open, and tries are counted first."""
    code = await a_code(box)
    sides = [Desk().pairing(mistaken(code)) for _ in range(6)]
    calls = [side.send(await box.answer(next(side))) for side in sides]
    outcomes = await asyncio.gather(*(box.answer(call) for call in calls for _ in range(4)), return_exceptions=True)
    assert all(isinstance(outcome, PairingRefused) for outcome in outcomes)
    assert (await box.db.fetch_one("SELECT tries FROM pairing_code"))["tries"] <= 3


async def test_a_try_counts_even_if_the_box_dies_before_it_answers(box, monkeypatch):
    code = await a_code(box)

    async def die(*_args):
        raise OSError("power cut")

    for _ in range(3):
        with monkeypatch.context() as patched:
            patched.setattr(box.pairing, "_pair", die)
            with pytest.raises(OSError, match="power cut"):
                await box.run(Desk().pairing(code))
    with pytest.raises(PairingRefused):
        await box.run(Desk().pairing(code))


@pytest.mark.parametrize("minutes", [10, 11])
@pytest.mark.parametrize("when", ["before start", "before finish"])
async def test_a_code_lives_ten_minutes(box, when, minutes):
    side = Desk().pairing(await a_code(box))
    call = next(side)
    if when == "before finish":
        call = side.send(await box.answer(call))
    box.clock.pass_time(minutes=minutes)
    with pytest.raises(PairingRefused):
        await box.answer(call)


async def test_a_code_pairs_one_device(box):
    code = await a_code(box)
    await box.run(Desk().pairing(code))
    with pytest.raises(PairingRefused):
        await box.run(Desk().pairing(code))


async def test_the_secret_is_gone_once_used(box):
    code = await a_code(box)
    await box.run(Desk().pairing(code))
    assert code.secret[:5] not in repr(await box.db.fetch("SELECT code FROM pairing_code"))


async def finish_call(box, code, desk=None):
    side = (desk or Desk()).pairing(code)
    return side, side.send(await box.answer(next(side)))


async def test_the_same_finish_gives_the_same_grant_while_the_code_lives(box):
    side, call = await finish_call(box, await a_code(box))
    first, second = await box.answer(call), await box.answer(call)
    assert first == second
    with pytest.raises(StopIteration) as end:
        side.send(second)
    assert [device.id for device in await box.devices.all()] == [end.value.value.device]
    assert box.log.kinds == ["device.paired"]
    box.clock.pass_time(minutes=10)
    with pytest.raises(PairingRefused):
        await box.answer(call)


async def test_the_same_finish_sent_twice_at_once_makes_one_device(box):
    _, call = await finish_call(box, await a_code(box))
    first, second = await asyncio.gather(box.answer(call), box.answer(call))
    assert first == second
    assert len(await box.devices.all()) == 1
    assert box.log.kinds == ["device.paired"]


async def test_a_used_exchange_answers_no_other_offer(box):
    code = await a_code(box)
    _, call = await finish_call(box, code)
    await box.answer(call)
    request = messages.parse_finish(call.body)
    changed = replace(request, offer=request.offer.replace(b"laptop", b"lapdog"))
    for forged in (changed, replace(request, mac=bytes(32))):
        with pytest.raises(PairingRefused):
            await box.pairing.finish(forged)


async def test_who_used_a_code_cannot_use_it_for_another_offer(box):
    """The desk itself, with the right keys and a right mac, but for an offer that the box has not taken."""
    side, call = await finish_call(box, await a_code(box))
    await box.answer(call)
    exchange, request = side.gi_frame.f_locals["exchange"], messages.parse_finish(call.body)
    offer = request.offer.replace(b"laptop", b"lapdog")
    mac = hmac.digest(exchange.desk_key, exchange.transcript + hashlib.sha256(offer).digest(), "sha256")
    with pytest.raises(PairingRefused):
        await box.pairing.finish(replace(request, offer=offer, mac=mac))
    assert [device.name for device in await box.devices.all()] == ["Ada's laptop"]


async def test_an_exchange_replayed_under_a_new_code_is_refused(box):
    side = Desk().pairing(await a_code(box))
    start = next(side)
    recorded = [start, side.send(await box.answer(start))]
    await box.answer(recorded[1])
    again = await a_code(box)
    nameplate = messages.encode_start(replace(messages.parse_start(start.body), nameplate=again.nameplate))
    answer = messages.parse_start_answer((await box.answer(replace(start, body=nameplate))).body)
    old = messages.parse_finish(recorded[1].body)
    with pytest.raises(PairingRefused):
        await box.pairing.finish(replace(old, exchange=answer.exchange))


async def test_a_new_start_ends_the_exchange_before(box):
    code = await a_code(box)
    _, first = await finish_call(box, code)
    _, second = await finish_call(box, code)
    with pytest.raises(PairingRefused):
        await box.answer(first)
    await box.answer(second)


async def test_one_in_the_middle_who_swaps_the_ca_gets_nothing_accepted(box):
    side, call = await finish_call(box, await a_code(box))
    genuine = await box.answer(call)
    finish = messages.parse_finish_answer(genuine.body)
    mine = pem_text(box.listener)
    grant = replace(messages.parse_grant(finish.grant), ca=mine)
    forged = messages.encode_finish_answer(replace(finish, grant=messages.encode_grant(grant)))
    with pytest.raises(ProofError):
        side.send(Answer(forged, genuine.peer))


async def test_one_in_the_middle_who_plays_the_box_must_guess_the_code(box):
    """He answers the desk himself: with another code his keys differ, and the desk sends him nothing he can use."""
    code = await a_code(box)
    side = Desk().pairing(code)
    start = messages.parse_start(next(side).body)
    _, reply = answer_start(new_code(int(code.nameplate), bytes(7)), start.message)
    call = side.send(Answer(messages.encode_start_answer(messages.StartAnswer("00" * 16, reply)), b""))
    stolen = messages.parse_finish(call.body)
    other = Desk().pairing(code)
    real = messages.parse_start_answer((await box.answer(next(other))).body)
    with pytest.raises(PairingRefused):
        await box.pairing.finish(replace(stolen, exchange=real.exchange))


@pytest.mark.parametrize(
    "csr",
    [
        "",
        "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n",
    ],
)
async def test_a_wrong_request_for_a_certificate_is_said_to_be_wrong(box, csr, monkeypatch):
    monkeypatch.setattr("deedbox_sync.pairing.certificate_request", lambda key: csr)
    with pytest.raises(BadRequest, match="csr"):
        await box.run(Desk().pairing(await a_code(box)))
    assert await box.devices.all() == []


async def test_the_two_keys_of_a_desk_are_two(box):
    desk = Desk()
    desk.statement_key = desk.tls_key
    with pytest.raises(BadRequest, match="statement key"):
        await box.run(desk.pairing(await a_code(box)))


async def test_a_message_that_is_no_group_element_is_refused_and_counts_no_try(box):
    code = await a_code(box)
    with pytest.raises(BadRequest, match="SPAKE2"):
        await box.pairing.start(messages.StartRequest(code.nameplate, b"A" + bytes(32)))
    assert (await box.db.fetch_one("SELECT tries FROM pairing_code"))["tries"] == 0


async def test_unknown_nameplates_and_exchanges_are_refused(box):
    with pytest.raises(PairingRefused):
        await box.run(Desk().pairing(parse_code("123-ABCDE-FGH45")))
    with pytest.raises(PairingRefused):
        await box.pairing.finish(messages.FinishRequest("00" * 16, b"{}", bytes(32)))


async def test_a_code_is_for_an_account_and_cases_that_exist(box):
    for account, cases in ((uuid4(), None), (box.owner.id, frozenset({uuid4()}))):
        with pytest.raises(NotFound):
            await box.pairing.issue(box.owner_principal, account, cases)
    with pytest.raises(BadRequest):
        await box.pairing.issue(box.owner_principal, box.owner.id, frozenset())


async def test_a_code_may_confine_the_device_to_cases(box):
    case, _ = await box.add_case("1"), await box.add_case("2")
    grant = await box.run(Desk().pairing(await a_code(box, frozenset({case}))))
    principal = await box.devices.by_serial(serial_of(grant.certificate))
    assert await box.permissions.visible_case_ids(box.db, principal) == {case}
    assert [device.cases for device in await box.devices.all()] == [{case}]


async def test_the_device_is_the_account_s_and_the_deed_the_administrator_s(box):
    bob = await box.accounts.create("Bob", "paralegal", "correct horse battery")
    issued = await box.pairing.issue(box.owner_principal, bob.id)
    grant = await box.run(Desk().pairing(issued.code))
    assert (issued.account_name, grant.account_name) == ("Bob", "Bob")
    record = device_record.parse_device_record((await box.db.fetch_one("SELECT record FROM trust_record"))["record"])
    assert (record.account, record.by) == (bob.id, account_principal(box.owner).actor_id)


async def test_a_disabled_account_gets_no_device(box):
    code = await a_code(box)
    await box.disable(box.owner.id)
    with pytest.raises(NotFound):
        await box.run(Desk().pairing(code))
    assert await box.devices.all() == []


async def test_nameplates_differ_and_open_codes_are_limited(sqlite_database):
    box = await make_people_box(sqlite_database)
    codes = [await a_code(box) for _ in range(MAX_CODES)]
    assert len({code.nameplate for code in codes}) == MAX_CODES
    with pytest.raises(Conflict):
        await a_code(box)
    box.clock.pass_time(minutes=10)
    await a_code(box)
    assert len(await box.db.fetch("SELECT id FROM pairing_code")) == 1
