"""A download link opens for a while, so often, for whoever has it, as long as its maker could; why one does not, nobody sees."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.evidence.links import LEAST, MAX_OPEN, MAX_USES, MOST, PREFIX, LinkOrder, Links
from deedbox_server.people import Principal
from deedbox_server.people.key_rights import KeyRights
from deedbox_sync import custody, uuid7
from kit.open_box import Office
from people_box import SetClock

pytestmark = pytest.mark.anyio

CONTENT = b"for counsel's eyes"
DAY = timedelta(days=1)


@pytest.fixture
async def exhibit(desk_and_box: Office) -> UUID:
    item = desk_and_box.desk.item("a.txt", CONTENT)
    await desk_and_box.box.intake.batch(desk_and_box.desk.sender(desk_and_box.owner.id), [item], wait=0)
    (found,) = await desk_and_box.box.exhibits.page(desk_and_box.principal)
    return found.id


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def links(desk_and_box: Office, clock: SetClock) -> Links:
    box = desk_and_box.box
    return Links(box.database, box.exhibits, box.permissions, box.trail, clock)


async def given(links: Links, token: str, address: str | None = "192.0.2.7") -> bytes:
    opened = await links.open(token, address)
    try:
        return b"".join([piece async for piece in opened.reader.read(0, opened.reader.size)])
    finally:
        opened.reader.close()


async def refused(links: Links, token: str, address: str | None = "192.0.2.7") -> None:
    with pytest.raises(NotFound):
        await links.open(token, address)


async def member(office: Office, name: str = "Pat", role: str = "paralegal") -> Principal:
    account = await office.box.accounts.create(name, role, "correct horse battery staple")
    row = (office.case.id, account.id, role)
    await office.box.database.insert_many("case_member", ("case_id", "account", "role"), [row])
    return Principal("account", account.id, None, name, "session:tests", role)


async def test_whoever_has_it_gets_the_bytes_once_and_custody_names_link_and_maker(
    desk_and_box: Office, links: Links, exhibit: UUID
) -> None:
    link, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY, note="for Ms. Roe"))
    assert await given(links, token) == CONTENT
    await refused(links, token)
    last = custody.parse((await desk_and_box.box.custody.records([exhibit]))[-1]["record"])
    assert (last.kind, last.actor.id, last.actor.via) == (
        "downloaded",
        desk_and_box.principal.actor_id,
        f"link:{link.handle}",
    )
    assert token not in str(await desk_and_box.box.database.fetch("SELECT * FROM download_link"))


async def test_each_link_is_told_apart_from_its_maker_and_from_each_other(
    desk_and_box: Office, links: Links, exhibit: UUID
) -> None:
    _, reader = await desk_and_box.box.exhibits.open(desk_and_box.principal, exhibit, "downloaded")
    reader.close()
    for _ in range(2):
        _, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY))
        await given(links, token)
    records = await desk_and_box.box.custody.records([exhibit])
    assert [row["kind"] for row in records] == ["received", "downloaded", "downloaded", "downloaded"]


async def test_it_gives_a_derived_document_and_that_alone(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    draft = DerivedDraft("text", "text/plain", b"read", "tests 1")
    (derived,) = await desk_and_box.box.deriver.add_derived(exhibit, [draft])
    _, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY, derived=derived))
    assert await given(links, token) == b"read"
    with pytest.raises(NotFound):
        await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY, derived=uuid7.new()))


async def test_it_ends_when_its_time_is_over(
    desk_and_box: Office, links: Links, exhibit: UUID, clock: SetClock
) -> None:
    _, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(LEAST, uses=2))
    clock.pass_time(seconds=59)
    assert await given(links, token) == CONTENT
    clock.pass_time(seconds=1)
    await refused(links, token)


async def test_of_many_at_once_no_more_are_let_in_than_there_are_uses(
    desk_and_box: Office, links: Links, exhibit: UUID
) -> None:
    link, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY, uses=3))
    answers = await asyncio.gather(*(given(links, token) for _ in range(12)), return_exceptions=True)
    assert sorted(isinstance(answer, NotFound) for answer in answers) == [False] * 3 + [True] * 9
    (found,) = await links.of(desk_and_box.principal, exhibit)
    assert (found.id, found.used) == (link.id, 3)


async def test_guessing_finds_nothing(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    link, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY))
    for guess in (
        "",
        PREFIX,
        link.handle,
        f"{PREFIX}{link.handle}",
        token[:-1],
        token + "A",
        token.swapcase(),
        str(link.id),
    ):
        await refused(links, guess)
    assert await given(links, token) == CONTENT


async def test_revoked_it_opens_nothing_and_is_still_listed(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    link, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY))
    for _ in range(2):
        assert (await links.revoke(desk_and_box.principal, exhibit, link.id)).revoked is not None
    await refused(links, token)
    (found,) = await links.of(desk_and_box.principal, exhibit)
    assert (found.handle, found.used) == (link.handle, 0)


async def test_only_from_its_network(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    order = LinkOrder(DAY, uses=9, network="192.0.2.0/24")
    _, token = await links.make(desk_and_box.principal, exhibit, order)
    assert await given(links, token, "192.0.2.200") == CONTENT
    await refused(links, token, "198.51.100.1")
    await refused(links, token, None)


async def test_it_dies_with_its_makers_access(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    maker, database = await member(desk_and_box), desk_and_box.box.database
    _, token = await links.make(maker, exhibit, LinkOrder(DAY, uses=9))
    assert await given(links, token) == CONTENT
    await database.execute("UPDATE account SET disabled = {} WHERE id = {}", True, maker.account)
    await refused(links, token)
    await database.execute("UPDATE account SET disabled = {} WHERE id = {}", False, maker.account)
    assert await given(links, token) == CONTENT
    await database.execute("DELETE FROM case_member WHERE account = {}", maker.account)
    await refused(links, token)


async def test_it_dies_when_its_maker_is_walled(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    maker = await member(desk_and_box)
    _, token = await links.make(maker, exhibit, LinkOrder(DAY))
    await desk_and_box.box.database.insert_many(
        "case_wall",
        ("id", "case_id", "account", "reason", "made_by", "created"),
        [(uuid7.new(), desk_and_box.case.id, maker.account, "conflict", "box", SetClock().now)],
    )
    await refused(links, token)


async def test_it_dies_with_the_key_that_made_it(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    key, text = await desk_and_box.box.api_keys.create(desk_and_box.owner.id, "tests", rights=KeyRights())
    maker = await desk_and_box.box.api_keys.by_text(text.text)
    _, token = await links.make(maker, exhibit, LinkOrder(DAY, uses=9))
    assert await given(links, token) == CONTENT
    await desk_and_box.box.database.execute("UPDATE api_key SET scopes = {} WHERE id = {}", '["case:read"]', key.id)
    await refused(links, token)
    await desk_and_box.box.database.execute("UPDATE api_key SET scopes = NULL, revoked = created WHERE id = {}", key.id)
    await refused(links, token)


async def test_it_dies_when_the_exhibit_is_refiled_and_lives_again_when_it_comes_back(
    desk_and_box: Office, links: Links, exhibit: UUID
) -> None:
    _, token = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY, uses=9))
    other = (await desk_and_box.box.cases.open(desk_and_box.principal, "2026-0002", "Doe v. Roe")).id
    await desk_and_box.box.refiling.refile(desk_and_box.principal, exhibit, other, None)
    await refused(links, token)
    assert await links.of(desk_and_box.principal, exhibit) == []
    await desk_and_box.box.refiling.refile(desk_and_box.principal, exhibit, desk_and_box.case.id, None)
    assert await given(links, token) == CONTENT


async def test_who_may_not_download_makes_sees_and_ends_none(desk_and_box: Office, links: Links, exhibit: UUID) -> None:
    link, _ = await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY))
    account = await desk_and_box.box.accounts.create("Sam", "attorney", "correct horse battery staple")
    outside = Principal("account", account.id, None, "Sam", "tests", "attorney")
    for call in (
        links.make(outside, exhibit, LinkOrder(DAY)),
        links.of(outside, exhibit),
        links.revoke(outside, exhibit, link.id),
    ):
        with pytest.raises(NotFound):
            await call
    court = await member(desk_and_box, "Jo", "outsider")
    await desk_and_box.box.database.execute("UPDATE case_member SET role = 'court' WHERE account = {}", court.account)
    with pytest.raises(Denied):
        await links.make(court, exhibit, LinkOrder(DAY))


@pytest.mark.parametrize(
    "order",
    [
        LinkOrder(LEAST - timedelta(seconds=1)),
        LinkOrder(MOST + timedelta(seconds=1)),
        LinkOrder(DAY, uses=0),
        LinkOrder(DAY, uses=MAX_USES + 1),
        LinkOrder(DAY, network="the office"),
        LinkOrder(DAY, note="x" * 201),
    ],
)
async def test_what_no_link_can_be_is_refused(
    desk_and_box: Office, links: Links, exhibit: UUID, order: LinkOrder
) -> None:
    with pytest.raises(BadRequest):
        await links.make(desk_and_box.principal, exhibit, order)


async def test_an_account_has_only_so_many_that_are_open(
    desk_and_box: Office, links: Links, exhibit: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_OPEN >= 100
    monkeypatch.setattr("deedbox_server.evidence.links.MAX_OPEN", 2)
    made = [await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY)) for _ in range(2)]
    with pytest.raises(Conflict):
        await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY))
    await given(links, made[0][1])
    await links.make(desk_and_box.principal, exhibit, LinkOrder(DAY))
