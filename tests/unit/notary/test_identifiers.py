"""Minting at the box: durable, in order, once; looked up behind the walls (NO-5; formats/identifier.md)."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path

import pytest

from deedbox_server.audit import Report, Sources, audit
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.notary.identifiers import Identifiers, Wanted
from deedbox_server.people.principal import Principal
from deedbox_sync import canonical_json, commitment, entry, identifier
from deedbox_sync.beacon import QUICKNET, Beacon, Chain
from kit.open_box import Office, office, reopened

pytestmark = pytest.mark.anyio

ROUND_1000 = Beacon(
    QUICKNET.hash,
    1000,
    bytes.fromhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"),
)


def wanted(count: int) -> list[Wanted]:
    return [Wanted(sha256(str(number).encode()).digest()) for number in range(count)]


async def exhibit(made: Office, content: bytes = b"a deed") -> Wanted:
    item = made.desk.item("deed.txt", content)
    await made.box.intake.batch(made.desk.sender(made.owner.id), [item], wait=0)
    await made.settle()
    row = (await made.box.exhibits.page(made.principal))[-1]
    return Wanted(row.content, row.id)


async def member(made: Office) -> Principal:
    account = await made.box.accounts.create("Sam Stranger", "paralegal", "a long enough passphrase")
    return Principal("account", account.id, None, account.name, "api-key:x", account.role)


async def entries(made: Office, kind: str) -> list[entry.LogEntry]:
    await made.settle()
    rows = await made.box.database.fetch("SELECT entry FROM log_entry ORDER BY seq")
    return [parsed for row in rows if (parsed := entry.parse(row["entry"])).kind == kind]


async def test_records_come_in_order_and_verify(desk_and_box: Office) -> None:
    box, asked = desk_and_box.box, wanted(40)
    records = [identifier.parse(data) for data in await box.identifiers.mint(desk_and_box.principal, asked)]
    assert [record.content for record in records] == [item.content for item in asked]
    for record in records:
        identifier.verify_record(record)
    assert {record.key for record in records} == {box.identifiers.provers.key}
    assert len({record.counter for record in records}) == len({record.id for record in records}) == 40
    assert {record.namespace for record in records} == {f"box/{box.identifiers.provers.namespace.split('/')[1]}"}


async def test_the_newest_beacon_goes_into_the_record(desk_and_box: Office) -> None:
    class Beacons:
        chain: Chain = QUICKNET
        latest: Beacon | None = ROUND_1000

    box = desk_and_box.box
    identifiers = Identifiers(box.database, box.keys, box.notary, box.permissions, Beacons(), box.identifiers.provers)
    for count in (1, 20):  # in a thread, in a process
        (data, *_) = await identifiers.mint(desk_and_box.principal, wanted(count))
        record = identifier.parse(data)
        assert record.beacon == ROUND_1000
        identifier.verify_record(record)
    (data,) = await box.identifiers.mint(desk_and_box.principal, wanted(1))
    assert identifier.parse(data).beacon is None, "without a beacon there are zeros"


async def test_the_log_commits_to_a_batch_and_names_the_issuer_once(desk_and_box: Office) -> None:
    box = desk_and_box.box
    batches = [await box.identifiers.mint(desk_and_box.principal, wanted(count)) for count in (3, 1)]
    minted = await entries(desk_and_box, "id.minted")
    assert [set(told.commitments) for told in minted] == [{"record"}] * 2
    rows = await box.database.fetch("SELECT id FROM identifier_batch ORDER BY created")
    salts = await box.keys.salts([row["id"] for row in rows])
    for told, row, records in zip(minted, rows, batches, strict=True):
        array = canonical_json.encode([json.loads(record) for record in records])
        expected = commitment.commit("record", salts[row["id"]]["record"], sha256(array).digest())
        assert told.commitments["record"] == expected
    (issuer,) = await entries(desk_and_box, "id.issuer")
    assert issuer.data == {"key": box.identifiers.provers.key.hex(), "kind": "box"}


async def test_the_audit_sees_that_a_record_is_gone(desk_and_box: Office) -> None:
    box = desk_and_box.box
    await box.identifiers.mint(desk_and_box.principal, wanted(2))
    await desk_and_box.settle()
    sources = Sources(box.database, box.keys, box.vault, box.notary.vkey)
    clean, spoiled = Report(), Report()
    await audit(sources, clean)
    assert clean.clean
    assert clean.counts["identifiers"] == 2
    await box.database.execute("DELETE FROM identifier WHERE place = 1")
    await audit(sources, spoiled)
    (finding,) = spoiled.findings
    assert finding.where.startswith("identifiers ")


async def test_the_same_content_asked_twice_gets_two_identifiers(desk_and_box: Office) -> None:
    one, other = [await desk_and_box.box.identifiers.mint(desk_and_box.principal, wanted(1)) for _ in range(2)]
    assert identifier.parse(one[0]).id != identifier.parse(other[0]).id


async def test_an_idempotency_key_asked_twice_gets_the_same_answer(desk_and_box: Office) -> None:
    mint = desk_and_box.box.identifiers.mint
    first = await mint(desk_and_box.principal, wanted(3), "key")
    assert await mint(desk_and_box.principal, wanted(3), "key") == first
    with pytest.raises(Conflict):
        await mint(desk_and_box.principal, wanted(2), "key")
    assert await mint(await member(desk_and_box), wanted(3), "key") != first, "keys are the caller's own"
    for bad in ("", "x" * 65, "ü", "a\n"):
        with pytest.raises(BadRequest):
            await mint(desk_and_box.principal, wanted(1), bad)


async def test_asked_twice_at_once_it_is_minted_once(desk_and_box: Office) -> None:
    mint = desk_and_box.box.identifiers.mint
    answers = await asyncio.gather(*(mint(desk_and_box.principal, wanted(20), "key") for _ in range(4)))
    assert all(answer == answers[0] for answer in answers)
    rows = await desk_and_box.box.database.fetch("SELECT value FROM identifier")
    assert len(rows) == 20


async def test_counters_are_never_given_twice_across_restarts(office_url: str | None, tmp_path: Path) -> None:
    async with office(tmp_path, office_url) as made:
        await made.box.identifiers.mint(made.principal, wanted(5))
        principal = made.principal
    for _ in range(2):
        async with reopened(tmp_path, office_url) as box:
            await box.identifiers.mint(principal, wanted(5))
            rows = await box.database.fetch("SELECT record FROM identifier")
    counters = [identifier.parse(row["record"]).counter for row in rows]
    assert len(set(counters)) == len(counters) == 15


async def test_processes_beside_the_box_may_die(desk_and_box: Office) -> None:
    box = desk_and_box.box
    await box.identifiers.mint(desk_and_box.principal, wanted(60))
    provers = box.identifiers.provers
    while not provers._idle.empty():
        process = provers._idle.get()
        process._running.kill()
        process._running.wait()
        provers._idle.put(process)
        break
    for data in await box.identifiers.mint(desk_and_box.principal, wanted(120)):
        identifier.verify_record(identifier.parse(data))


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_batch_has_1_to_1000(desk_and_box: Office, count: int) -> None:
    with pytest.raises(BadRequest):
        await desk_and_box.box.identifiers.mint(desk_and_box.principal, wanted(1) * count)


# --- exhibits and walls


async def test_an_exhibit_may_be_named_by_those_who_see_it(desk_and_box: Office) -> None:
    box, item = desk_and_box.box, await exhibit(desk_and_box)
    with pytest.raises(NotFound):
        await box.identifiers.mint(await member(desk_and_box), [item])
    with pytest.raises(BadRequest):
        await box.identifiers.mint(desk_and_box.principal, [Wanted(bytes(32), item.exhibit)])
    first = identifier.parse((await box.identifiers.mint(desk_and_box.principal, [item]))[0])
    await box.identifiers.mint(desk_and_box.principal, [item])
    assert item.exhibit is not None
    assert await box.identifiers.of_exhibits([item.exhibit]) == {item.exhibit: first.id}, "the first one it was given"


async def test_whose_identifier_it_is_only_those_are_told_who_may_see_it(desk_and_box: Office) -> None:
    box, item = desk_and_box.box, await exhibit(desk_and_box)
    record = identifier.parse((await box.identifiers.mint(desk_and_box.principal, [item]))[0])
    await desk_and_box.settle()
    ours = await box.identifiers.resolve(desk_and_box.principal, record.id)
    theirs = await box.identifiers.resolve(await member(desk_and_box), record.id.lower().replace("-", ""))
    assert (ours.exhibit, theirs.exhibit) == (item.exhibit, None)
    assert ours.record == theirs.record == record
    assert ours.canonical == record.id
    assert ours.aliases == ()
    assert ours.issuer is not None and ours.issuer.kind == "box" and ours.issuer.revoked is None
    (logged,) = await entries(desk_and_box, "id.minted")
    assert ours.log_index == logged.seq


async def test_an_identifier_that_nobody_minted_is_unknown(desk_and_box: Office) -> None:
    found = await desk_and_box.box.identifiers.resolve(desk_and_box.principal, "e000000000000000098")
    assert (found.id, found.record, found.log_index) == ("E-0000-0000-0000-0000-98", None, None)
    with pytest.raises(BadRequest):
        await desk_and_box.box.identifiers.resolve(desk_and_box.principal, "E-0000-0000-0000-0000-97")
