"""Identifiers minted elsewhere come home: each gets one of the box's, and resolves to it for ever (NO-6)."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound
from deedbox_server.people.principal import Principal
from deedbox_sync import canonical_json, commitment, entry, identifier
from deedbox_sync.beacon import QUICKNET, Beacon
from deedbox_sync.identifier import Minter, MintRecord
from kit.open_box import Office

pytestmark = pytest.mark.anyio

SERVICE = UUID("0198c0de-0000-7000-8000-00000000000f")
FALLBACK = Minter(bytes(range(32)), f"fallback/{SERVICE}")
ROUND_1000 = Beacon(
    QUICKNET.hash,
    1000,
    bytes.fromhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"),
)


def minted(minter: Minter, count: int, beacon: Beacon | None = None, first: int = 0) -> list[MintRecord]:
    return [
        minter.mint(sha256(str(number).encode()).digest(), beacon, number) for number in range(first, first + count)
    ]


def told(records: list[MintRecord]) -> list[canonical_json.Json]:
    return [json.loads(identifier.encode(record)) for record in records]


async def register(made: Office) -> None:
    await made.box.identifiers.issuers.register(made.principal, FALLBACK.key, FALLBACK.namespace, "spare")


def desk_minter(made: Office) -> tuple[Minter, bytes]:
    """The desk's own, and its issuer note."""
    seed = made.desk.key.private_bytes_raw()
    minter = Minter(identifier.desk_seed(seed), f"device/{made.desk.device}")
    return minter, identifier.issuer_note(made.desk.key, made.desk.device, minter.key)


async def logged(made: Office, kind: str) -> list[entry.LogEntry]:
    await made.settle()
    rows = await made.box.database.fetch("SELECT entry FROM log_entry ORDER BY seq")
    return [parsed for row in rows if (parsed := entry.parse(row["entry"])).kind == kind]


# --- a fallback service


async def test_a_fallback_services_identifiers_resolve_to_the_boxs(desk_and_box: Office) -> None:
    await register(desk_and_box)
    box, records = desk_and_box.box, minted(FALLBACK, 3, ROUND_1000)
    outcomes = await box.reconciling.reconcile(desk_and_box.principal, told(records))
    assert [(outcome.id, outcome.state, outcome.problem) for outcome in outcomes] == [
        (record.id, "reconciled", None) for record in records
    ]
    for record, outcome in zip(records, outcomes, strict=True):
        assert outcome.canonical is not None
        old = await box.identifiers.resolve(desk_and_box.principal, record.id)
        new = await box.identifiers.resolve(desk_and_box.principal, outcome.canonical)
        assert old.record == record
        assert (old.canonical, old.aliases) == (new.canonical, new.aliases) == (outcome.canonical, (record.id,))
        assert new.record is not None and new.record.content == record.content
        identifier.verify_record(new.record)
        assert [found.issuer.kind for found in (old, new) if found.issuer] == ["fallback", "box"]


async def test_doing_it_again_changes_nothing(desk_and_box: Office) -> None:
    await register(desk_and_box)
    box, records = desk_and_box.box, told(minted(FALLBACK, 2))
    first = await box.reconciling.reconcile(desk_and_box.principal, records)
    again = await box.reconciling.reconcile(desk_and_box.principal, records)
    assert [outcome.state for outcome in again] == ["known", "known"]
    assert [outcome.canonical for outcome in again] == [outcome.canonical for outcome in first]
    assert len(await logged(desk_and_box, "id.reconciled")) == 1


async def test_twice_in_one_call_and_by_two_callers_at_once_is_once(desk_and_box: Office) -> None:
    await register(desk_and_box)
    records = told(minted(FALLBACK, 3))
    answers = await asyncio.gather(
        *(desk_and_box.box.reconciling.reconcile(desk_and_box.principal, [*records, records[0]]) for _ in range(3))
    )
    assert len({outcome.canonical for answer in answers for outcome in answer}) == 3
    assert all(outcome.state != "refused" for answer in answers for outcome in answer)
    rows = await desk_and_box.box.database.fetch("SELECT value FROM identifier WHERE canonical IS NULL")
    assert len(rows) == 3


async def test_the_log_commits_to_old_and_new_side_by_side(desk_and_box: Office) -> None:
    await register(desk_and_box)
    box, records = desk_and_box.box, minted(FALLBACK, 2)
    outcomes = await box.reconciling.reconcile(desk_and_box.principal, told(records))
    pairs: list[canonical_json.Json] = []
    for record, outcome in zip(records, outcomes, strict=True):
        new = (await box.identifiers.resolve(desk_and_box.principal, outcome.canonical or "")).record
        assert new is not None
        pairs += told([record, new])
    (seen,) = await logged(desk_and_box, "id.reconciled")
    (batch,) = await box.database.fetch("SELECT id FROM identifier_batch")
    salt = (await box.keys.salts([batch["id"]]))[batch["id"]]["record"]
    digest = sha256(canonical_json.encode(pairs)).digest()
    assert seen.commitments == {"record": commitment.commit("record", salt, digest)}


async def test_an_unknown_issuers_records_are_refused_each_with_a_sentence(desk_and_box: Office) -> None:
    outcomes = await desk_and_box.box.reconciling.reconcile(desk_and_box.principal, told(minted(FALLBACK, 2)))
    assert [outcome.state for outcome in outcomes] == ["refused", "refused"]
    assert all("register the fallback service" in (outcome.problem or "") for outcome in outcomes)
    assert desk_and_box.box.identifiers.figures.refused_share == 1.0


async def test_a_bad_record_is_refused_and_keeps_no_other(desk_and_box: Office) -> None:
    await register(desk_and_box)
    records = minted(FALLBACK, 9, ROUND_1000)
    bad = [
        replace(records[0], content=bytes(32)),
        replace(records[1], id=identifier.format_text(bytes(10))),
        replace(records[2], beacon=replace(ROUND_1000, round=1001)),
        *minted(FALLBACK, 1, replace(ROUND_1000, signature=b"\xa0" * 48)),
        *minted(FALLBACK, 1, replace(ROUND_1000, chain=bytes(32)), 1),
        *minted(Minter(bytes(range(32)), f"fallback/{uuid4()}"), 1),
    ]
    malformed: list[canonical_json.Json] = ["text", {}, dict(told(records)[3], more=1)]  # type: ignore[call-overload]
    outcomes = await desk_and_box.box.reconciling.reconcile(
        desk_and_box.principal, [*told(bad), *malformed, *told(records[4:])]
    )
    states = [outcome.state for outcome in outcomes]
    assert states == ["refused"] * (len(bad) + len(malformed)) + ["reconciled"] * 5
    assert all(outcome.problem for outcome in outcomes[: len(bad) + len(malformed)])
    assert [outcome.id for outcome in outcomes[len(bad) : len(bad) + 3]] == [None, None, records[3].id]


async def test_an_identifier_that_is_taken_by_another_document_is_refused(desk_and_box: Office) -> None:
    await register(desk_and_box)
    records = minted(FALLBACK, 2)
    await desk_and_box.box.reconciling.reconcile(desk_and_box.principal, told(records[:1]))
    stolen = told([replace(records[1], id=records[0].id)])
    (outcome,) = await desk_and_box.box.reconciling.reconcile(desk_and_box.principal, stolen)
    assert (outcome.state, outcome.canonical) == ("refused", None)


async def test_the_boxs_own_identifiers_are_known(desk_and_box: Office) -> None:
    from deedbox_server.notary.identifiers import Wanted

    (data,) = await desk_and_box.box.identifiers.mint(desk_and_box.principal, [Wanted(bytes(32))])
    record = identifier.parse(data)
    (outcome,) = await desk_and_box.box.reconciling.reconcile(desk_and_box.principal, told([record]))
    assert (outcome.state, outcome.canonical) == ("known", record.id)


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_call_has_1_to_1000_records(desk_and_box: Office, count: int) -> None:
    with pytest.raises(BadRequest):
        await desk_and_box.box.reconciling.reconcile(desk_and_box.principal, [None] * count)


# --- revocation


async def test_a_revoked_issuers_old_identifiers_resolve_and_new_ones_are_refused(desk_and_box: Office) -> None:
    await register(desk_and_box)
    box = desk_and_box.box
    before, after = minted(FALLBACK, 1), minted(FALLBACK, 1, first=1)
    (taken,) = await box.reconciling.reconcile(desk_and_box.principal, told(before))
    for _ in range(2):  # again is the same as once
        await box.identifiers.issuers.revoke(desk_and_box.principal, FALLBACK.key)
    (refused,) = await box.reconciling.reconcile(desk_and_box.principal, told(after))
    assert refused.state == "refused" and "revoked" in (refused.problem or "")
    (known,) = await box.reconciling.reconcile(desk_and_box.principal, told(before))
    assert (known.state, known.canonical) == ("known", taken.canonical)
    found = await box.identifiers.resolve(desk_and_box.principal, before[0].id)
    assert found.canonical == taken.canonical
    assert found.issuer is not None and found.issuer.revoked is not None
    entries = [told.data for told in await logged(desk_and_box, "id.issuer")]
    key = {"key": FALLBACK.key.hex(), "kind": "fallback"}
    assert [data for data in entries if data["kind"] == "fallback"] == [key, key | {"revoked": True}]
    with pytest.raises(Conflict, match="new one"):
        await register(desk_and_box)


async def test_issuers_are_an_administrators_matter(desk_and_box: Office) -> None:
    issuers = desk_and_box.box.identifiers.issuers
    account = await desk_and_box.box.accounts.create("Sam", "paralegal", "a long enough passphrase")
    member = Principal("account", account.id, None, "Sam", "api-key:x", "paralegal")
    for refused in (
        issuers.register(member, FALLBACK.key, FALLBACK.namespace, "spare"),
        issuers.revoke(member, FALLBACK.key),
        issuers.all(member),
    ):
        with pytest.raises(Denied):
            await refused
    with pytest.raises(NotFound):
        await issuers.revoke(desk_and_box.principal, FALLBACK.key)


async def test_one_key_is_one_issuer_and_one_namespace_has_one_key(desk_and_box: Office) -> None:
    issuers, other = desk_and_box.box.identifiers.issuers, Minter(bytes(32), "fallback/x")
    first = await issuers.register(desk_and_box.principal, FALLBACK.key, FALLBACK.namespace, "spare")
    assert await issuers.register(desk_and_box.principal, FALLBACK.key, FALLBACK.namespace, "spare") == first
    with pytest.raises(Conflict):
        await issuers.register(desk_and_box.principal, other.key, FALLBACK.namespace, "other")
    with pytest.raises(Conflict):
        await issuers.register(desk_and_box.principal, FALLBACK.key, other.namespace, "other")
    with pytest.raises(Conflict):
        await issuers.revoke(desk_and_box.principal, desk_and_box.box.identifiers.provers.key)
    assert [issuer.namespace for issuer in await issuers.all(desk_and_box.principal)] == [FALLBACK.namespace]


@pytest.mark.parametrize(
    ("key", "namespace", "name"),
    [
        (b"\x01" + bytes(31), FALLBACK.namespace, "weak"),
        (bytes(31), FALLBACK.namespace, "short"),
        (FALLBACK.key, "box/x", "no fallback"),
        (FALLBACK.key, "fallback/X", "capitals"),
        (FALLBACK.key, FALLBACK.namespace, ""),
        (FALLBACK.key, FALLBACK.namespace, "two\nlines"),
    ],
)
async def test_what_can_be_no_issuer_is_not_registered(
    desk_and_box: Office, key: bytes, namespace: str, name: str
) -> None:
    with pytest.raises(BadRequest):
        await desk_and_box.box.identifiers.issuers.register(desk_and_box.principal, key, namespace, name)


# --- a desk


async def test_a_desk_vouches_for_what_it_minted_offline(desk_and_box: Office) -> None:
    minter, note = desk_minter(desk_and_box)
    reconcile = desk_and_box.box.reconciling.reconcile
    (stranger,) = await reconcile(desk_and_box.principal, told(minted(minter, 1)))
    assert stranger.state == "refused" and "issuer note" in (stranger.problem or "")
    first = await reconcile(desk_and_box.principal, told(minted(minter, 20)), note)
    later = await reconcile(desk_and_box.principal, told(minted(minter, 1, first=20)))
    assert {outcome.state for outcome in [*first, *later]} == {"reconciled"}
    issuers = await desk_and_box.box.identifiers.issuers.all(desk_and_box.principal)
    assert {(issuer.kind, issuer.device) for issuer in issuers} == {("box", None), ("device", desk_and_box.desk.device)}


@pytest.mark.parametrize("first", ["exhibit", "identifier"])
async def test_an_exhibit_gets_the_identifier_that_its_desk_gave_it(desk_and_box: Office, first: str) -> None:
    minter, note = desk_minter(desk_and_box)
    box, record = desk_and_box.box, minter.mint(sha256(b"a deed").digest(), None, 1)
    other = Minter(bytes(range(32)), FALLBACK.namespace).mint(record.content, None, 1)
    await register(desk_and_box)

    async def send() -> None:
        item = desk_and_box.desk.item("deed.txt", b"a deed")
        await box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
        await desk_and_box.settle()

    if first == "exhibit":
        await send()
    (outcome,) = await box.reconciling.reconcile(desk_and_box.principal, told([record]), note)
    await box.reconciling.reconcile(desk_and_box.principal, told([other]))
    if first == "identifier":
        await send()
    (exhibit,) = await box.exhibits.page(desk_and_box.principal)
    assert await box.identifiers.of_exhibits([exhibit.id]) == {exhibit.id: outcome.canonical}
    for name in (record.id, outcome.canonical or ""):
        assert (await box.identifiers.resolve(desk_and_box.principal, name)).exhibit == exhibit.id
    stranger = await box.identifiers.resolve(desk_and_box.principal, other.id)
    assert stranger.exhibit is None, "the same content named by somebody else is not the desk's exhibit"


@pytest.mark.parametrize("fault", ["another key", "no desk", "not a note"])
async def test_a_false_issuer_note_vouches_for_nothing(desk_and_box: Office, fault: str) -> None:
    minter, note = desk_minter(desk_and_box)
    if fault == "another key":
        note = identifier.issuer_note(Ed25519PrivateKey.generate(), desk_and_box.desk.device, minter.key)
    elif fault == "no desk":
        note = identifier.issuer_note(desk_and_box.desk.key, uuid4(), minter.key)
    else:
        note = note[:-1]
    outcomes = await desk_and_box.box.reconciling.reconcile(desk_and_box.principal, told(minted(minter, 2)), note)
    assert {outcome.state for outcome in outcomes} == {"refused"}
    assert all("issuer note" in (outcome.problem or "") for outcome in outcomes)


async def test_a_revoked_desk_vouches_for_nothing_more(desk_and_box: Office) -> None:
    minter, note = desk_minter(desk_and_box)
    box = desk_and_box.box
    (taken,) = await box.reconciling.reconcile(desk_and_box.principal, told(minted(minter, 1)), note)
    await box.devices.revoke(desk_and_box.desk.device, desk_and_box.principal)
    for given in (note, None):
        known, refused = await box.reconciling.reconcile(desk_and_box.principal, told(minted(minter, 2)), given)
        assert (known.state, known.canonical) == ("known", taken.canonical)
        assert refused.state == "refused" and "revoked" in (refused.problem or "")


# --- figures


async def test_a_high_share_of_fallbacks_or_refusals_raises_an_alarm(desk_and_box: Office) -> None:
    await register(desk_and_box)
    box = desk_and_box.box
    assert await box.identifiers.figures.alarms() == []
    await box.reconciling.reconcile(desk_and_box.principal, told(minted(FALLBACK, 3)))
    (fallback,) = await box.identifiers.figures.alarms()
    assert fallback.startswith("100% of the last hour's identifiers came from a fallback service")
    await box.reconciling.reconcile(desk_and_box.principal, [None])
    refused = (await box.identifiers.figures.alarms())[1]
    assert refused.startswith("25% of the identifiers")
    assert {fallback, refused} <= set(await box.alarms.now())
    assert box.identifiers.figures.minted == {"box": 0, "device": 0, "fallback": 3}
    assert box.identifiers.figures.outcomes == {"reconciled": 3, "known": 0, "refused": 1}
    await box.database.execute("UPDATE identifier_batch SET created = {}", datetime(2020, 1, 1, tzinfo=UTC))
    assert await box.identifiers.figures.fallback_share() == 0.0
