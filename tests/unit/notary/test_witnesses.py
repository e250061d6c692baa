"""The box asks witnesses: cosignatures are kept with their note, refusals are told once, and alarms end when they should."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.audit.report import Report
from deedbox_server.audit.witnesses import audit_witnesses
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.notary.witnesses import Witnesses
from deedbox_sync import entry, note
from deedbox_sync.witness import Answer
from kit.open_box import Office
from kit.witness_server import WitnessServer, witness_server
from memory_witness import LOG_VKEY
from people_box import SetClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime.now(UTC))


@pytest.fixture
async def witnesses(desk_and_box: Office, clock: SetClock) -> AsyncIterator[Witnesses]:
    box = desk_and_box.box
    yield Witnesses(box.database, box.notary, quorum=1, seconds=60, enabled=True, clock=clock)


@pytest.fixture
def near(desk_and_box: Office) -> Iterator[WitnessServer]:
    with witness_server("witness.example/near", desk_and_box.box.notary.vkey) as server:
        yield server


async def grow(office: Office, entries: int = 1) -> int:
    for number in range(entries):
        await office.box.notary.publish("refusals", {"tests": number})
    await office.settle()
    return (await office.box.notary.head()).size


async def refusals(office: Office) -> list[object]:
    await office.settle()
    rows = await office.box.database.fetch("SELECT entry FROM log_entry ORDER BY seq")
    told = [entry.parse(row["entry"]) for row in rows]
    return [one.data for one in told if one.kind == "witness.refused"]


async def test_a_cosignature_is_kept_with_the_note_it_is_over(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer
) -> None:
    await witnesses.add(near.vkey, near.url)
    await witnesses.step()
    size = (await desk_and_box.box.notary.head()).size
    noted = await witnesses.note_of(size)
    assert noted is not None
    assert noted == await witnesses.newest()
    held = note.verify_note(note.parse_note(noted), [desk_and_box.box.notary.vkey, near.vkey])
    assert held.keys() == {desk_and_box.box.notary.origin, near.name}
    (known,) = await witnesses.all()
    assert (known.state, known.size) == ("signs", size)


async def test_a_witness_is_asked_again_only_where_the_log_grew(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer
) -> None:
    await witnesses.add(near.vkey, near.url)
    for _ in range(3):
        await witnesses.step()
    assert len(near.asked) == 1
    await grow(desk_and_box, 300)
    await witnesses.step()
    assert len(near.asked) == 2
    (known,) = await witnesses.all()
    assert known.state == "signs"


async def test_a_log_that_stands_still_is_shown_again_at_each_start_and_each_hour(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer, clock: SetClock
) -> None:
    box = desk_and_box.box
    await witnesses.add(near.vkey, near.url)
    await witnesses.step()
    near.answer = Answer(409, "100000\n")  # it has seen more meanwhile: this box was put back to an old copy
    await witnesses.step()
    assert [one.state for one in await witnesses.all()] == ["signs"]
    await Witnesses(box.database, box.notary, quorum=1, seconds=60, enabled=True, clock=clock).step()
    assert [one.state for one in await witnesses.all()] == ["refuses"]
    near.answer = None
    await witnesses.step()
    near.answer = Answer(409, "100000\n")
    clock.pass_time(minutes=59)
    await witnesses.step()
    assert [one.state for one in await witnesses.all()] == ["signs"]
    clock.pass_time(minutes=1)
    await witnesses.step()
    assert [one.state for one in await witnesses.all()] == ["refuses"]


async def test_a_witness_that_knows_the_log_already_is_asked_from_there(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer
) -> None:
    made = await witnesses.add(near.vkey, near.url)
    await witnesses.step()
    await witnesses.remove(made.id)
    await grow(desk_and_box)
    await witnesses.add(near.vkey, near.url)
    await witnesses.step()
    (known,) = await witnesses.all()
    assert known.state == "signs"
    assert len(near.asked) == 3


async def test_a_refusal_is_told_once_and_ends_when_the_witness_signs_again(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer
) -> None:
    await witnesses.add(near.vkey, near.url)
    await witnesses.step()
    near.answer = Answer(409, "100000\n")
    for _ in range(3):
        await grow(desk_and_box)
        await witnesses.step()
    assert await refusals(desk_and_box) == [{"size": 100_000, "status": 409, "witness": near.name}]
    (refused, _) = await witnesses.alarms()
    assert refused.startswith(
        f"The witness {near.name} refuses this box's log: it has seen a longer one, of 100000 entries."
    )
    near.answer = None
    await witnesses.step()
    assert await witnesses.alarms() == []
    near.answer = Answer(422, "no\n")
    await grow(desk_and_box)
    await witnesses.step()
    assert len(await refusals(desk_and_box)) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(422, "no"), "are not the beginning of this log"),
        (Answer(403, "no"), "under another key"),
        (Answer(409, "1\n"), "another one of 1 entries"),
    ],
)
async def test_each_refusal_has_its_sentence(
    witnesses: Witnesses, near: WitnessServer, answer: Answer, words: str
) -> None:
    await witnesses.add(near.vkey, near.url)
    near.answer = answer
    await witnesses.step()
    assert words in (await witnesses.alarms())[0]


async def test_a_witness_that_is_gone_after_refusing_has_not_taken_it_back(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer
) -> None:
    await witnesses.add(near.vkey, near.url)
    for answer in (Answer(422, "no"), Answer(500, "oh"), Answer(422, "no")):
        near.answer = answer
        await witnesses.step()
        (known,) = await witnesses.all()
        assert (known.state, known.status) == ("refuses", 422)
    assert len(await refusals(desk_and_box)) == 1


async def test_answers_without_sense_and_no_answer_are_silence(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer, clock: SetClock
) -> None:
    await witnesses.add(near.vkey, near.url)
    for answer in (Answer(200, "x"), Answer(404, "no"), Answer(500, "y" * 200_000)):
        near.answer = answer
        await witnesses.step()
        (known,) = await witnesses.all()
        assert known.state == "silent"
        assert known.why
    assert await witnesses.alarms() == []
    clock.pass_time(minutes=16)
    (sentence,) = await witnesses.alarms()
    assert near.name in sentence
    assert "Nothing stops" in sentence
    assert await refusals(desk_and_box) == []


async def test_the_policy_is_k_of_n(desk_and_box: Office, clock: SetClock) -> None:
    box = desk_and_box.box
    two_of_three = Witnesses(box.database, box.notary, quorum=2, seconds=60, enabled=True, clock=clock)
    with ExitStack() as stack:
        near, far, lost = (
            stack.enter_context(witness_server(f"witness.example/{name}", box.notary.vkey)) for name in ("a", "b", "c")
        )
        await two_of_three.add(near.vkey, near.url)
        assert "add others" in (await two_of_three.alarms())[0]
        await two_of_three.add(far.vkey, far.url)
        await two_of_three.add(lost.vkey, lost.url)
        lost.answer = Answer(503, "busy")
        first = await grow(desk_and_box)
        await two_of_three.step()
        clock.pass_time(minutes=20)
        assert await two_of_three.alarms() == []
        found = await two_of_three.cosigned(first - 1, 2)
        assert found is not None
        size, noted, time = found
        assert size == first
        signed = note.verify_note(note.parse_note(noted), [near.vkey, far.vkey])
        assert time == datetime.fromtimestamp(max(told for told in signed.values() if told), UTC)
        assert await two_of_three.cosigned(first, 2) is None
        assert await two_of_three.cosigned(0, 3) is None
        far.answer = Answer(503, "busy")
        await grow(desk_and_box)
        await two_of_three.step()
        clock.pass_time(minutes=20)
        (sentence,) = await two_of_three.alarms()
        assert sentence.startswith("The box's policy asks for 2 of its 3 witnesses, and 1 signs its log now")


async def test_the_earliest_cosigned_tree_with_an_entry_is_found(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer
) -> None:
    await witnesses.add(near.vkey, near.url)
    sizes = []
    for _ in range(3):
        sizes.append(await grow(desk_and_box))
        await witnesses.step()
    for after, expected in ((0, sizes[0]), (sizes[0] - 1, sizes[0]), (sizes[0], sizes[1]), (sizes[1], sizes[2])):
        found = await witnesses.cosigned(after, 1)
        assert found is not None
        assert found[0] == expected
    assert await witnesses.cosigned(sizes[2], 1) is None


async def test_a_box_that_asks_nobody_has_no_alarm(witnesses: Witnesses) -> None:
    await witnesses.step()
    assert await witnesses.alarms() == []


async def test_keys_and_addresses_are_checked(desk_and_box: Office, witnesses: Witnesses, near: WitnessServer) -> None:
    for vkey, url in (
        ("nonsense", near.url),
        (LOG_VKEY, near.url),
        (near.vkey, "http://witness.example/"),
        (near.vkey, "ftp://127.0.0.1/"),
        (near.vkey, "https://"),
        (near.vkey, "https://user:secret@witness.example/"),
        (near.vkey, "https://witness.example/?x"),
        (near.vkey, "https://witness.example:99999/"),
        (near.vkey, "https://" + "w" * 600),
    ):
        with pytest.raises(BadRequest):
            await witnesses.add(vkey, url)
    for ca in ("", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "x" * 70_000):
        with pytest.raises(BadRequest):
            await witnesses.add(near.vkey, "https://witness.example/", ca)
    made = await witnesses.add(near.vkey, "https://witness.example/w/", desk_and_box.box.authority.pem)
    assert made.url == "https://witness.example/w"
    with pytest.raises(Conflict):
        await witnesses.add(near.vkey, near.url)
    await witnesses.remove(made.id)
    with pytest.raises(NotFound):
        await witnesses.remove(made.id)


async def test_the_audit_holds_each_cosignature_against_the_log_as_it_is(
    desk_and_box: Office, witnesses: Witnesses, near: WitnessServer
) -> None:
    box, report = desk_and_box.box, Report()
    made = await witnesses.add(near.vkey, near.url)
    await witnesses.step()
    await audit_witnesses(box.database, report)
    assert (report.clean, report.counts) == (True, {"cosignatures": 1})
    size = (await box.notary.head()).size
    body = note.encode_checkpoint(note.Checkpoint(box.notary.origin, size, bytes(32)))
    log_key = Ed25519PrivateKey.generate()
    forged = note.assemble_note(body, [note.sign(body, box.notary.origin, log_key)])
    await box.database.execute("UPDATE log_checkpoint SET note = {} WHERE size = {}", forged, size)
    await audit_witnesses(box.database, report)
    assert [found.where for found in report.findings] == [f"cosignature of {size} by {near.name}"]
    await box.database.execute("DELETE FROM log_checkpoint WHERE size = {}", size)
    await box.database.execute("UPDATE asked_witness SET state = 'refuses', status = 409 WHERE id = {}", made.id)
    await audit_witnesses(box.database, report)
    assert "refuses" in report.findings[1].what
    assert "is gone" in report.findings[2].what
