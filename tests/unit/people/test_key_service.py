"""API keys as a service: confined, renamed, rotated, used, revoked, and each change told."""

from datetime import timedelta
from uuid import UUID

import pytest

from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed, Unauthenticated
from deedbox_server.people.key_rights import KeyRights, Wanted
from deedbox_server.people.key_service import MAX_KEYS, KeyOutOfPlace
from people_box import PASSWORD, START, account_principal

CASE = UUID(int=7)


async def test_a_confined_key_acts_within_its_bounds_only(box):
    rights = KeyRights(frozenset({"case:read"}), frozenset({CASE}), ("10.0.0.0/8",), (5, 9))
    made, key = await box.api_keys.create(box.owner.id, "agent", rights=rights)
    principal = await box.api_keys.by_text(key.text, "10.1.2.3")
    assert (principal.scopes, principal.cases, principal.pace) == ({"case:read"}, {CASE}, (5, 9))
    assert principal.address == "10.1.2.3"
    assert (await box.api_keys.one(box.owner.id, made.id)).rights == rights


async def test_a_key_from_before_scopes_keeps_all_of_them(box):
    made, key = await box.api_keys.create(box.owner.id, "old")
    await box.db.execute("UPDATE api_key SET version = NULL, signed_only = NULL WHERE id = {}", made.id)
    principal = await box.api_keys.by_text(key.text)
    assert (principal.scopes, principal.cases, principal.pace) == (None, None, None)
    assert (await box.api_keys.one(box.owner.id, made.id)).version == 1


@pytest.mark.parametrize("address", ["11.0.0.1", "::1", None])
async def test_elsewhere_its_holder_is_known_and_refused(box, address):
    _, key = await box.api_keys.create(box.owner.id, "agent", rights=KeyRights(networks=("10.0.0.0/8",)))
    with pytest.raises(KeyOutOfPlace) as refused:
        await box.api_keys.by_text(key.text, address)
    assert refused.value.principal.account == box.owner.id
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(key.text[:-1] + ("A" if key.text[-1] != "A" else "B"), address)


async def test_an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address(box):
    _, key = await box.api_keys.create(box.owner.id, "agent", rights=KeyRights(networks=("10.0.0.0/8",)))
    await box.api_keys.by_text(key.text, "::ffff:10.0.0.1")


async def test_duties_of_the_account_come_with_its_key(box):
    await box.db.execute("UPDATE account SET duties = {}", '["conflicts-officer"]')
    _, key = await box.api_keys.create(box.owner.id, "agent")
    assert (await box.api_keys.by_text(key.text)).duties == {"conflicts-officer"}


async def test_the_last_use_is_known_to_the_hour(box):
    made, key = await box.api_keys.create(box.owner.id, "agent")
    assert (await box.api_keys.one(box.owner.id, made.id)).last_used is None
    box.clock.pass_time(minutes=10)
    await box.api_keys.by_text(key.text)
    assert (await box.api_keys.one(box.owner.id, made.id)).last_used == START
    box.clock.pass_time(hours=2)
    await box.api_keys.by_text(key.text)
    assert (await box.api_keys.one(box.owner.id, made.id)).last_used == START + timedelta(hours=2)


async def test_a_new_secret_replaces_the_old_one_at_once(box):
    made, old = await box.api_keys.create(box.owner.id, "agent")
    turned, new = await box.api_keys.rotate(box.owner_principal, box.owner.id, made.id)
    assert (turned.id, turned.handle, turned.former_until) == (made.id, made.handle, None)
    await box.api_keys.by_text(new.text)
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(old.text)


async def test_or_both_open_for_a_while_and_never_three(box):
    made, first = await box.api_keys.create(box.owner.id, "agent")
    _, second = await box.api_keys.rotate(box.owner_principal, box.owner.id, made.id, timedelta(hours=1))
    await box.api_keys.by_text(first.text)
    await box.api_keys.by_text(second.text)
    _, third = await box.api_keys.rotate(box.owner_principal, box.owner.id, made.id, timedelta(hours=1))
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(first.text)
    await box.api_keys.by_text(second.text)
    box.clock.pass_time(hours=1)
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(second.text)
    await box.api_keys.by_text(third.text)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=31)])
async def test_an_overlap_has_an_end(box, overlap):
    made, _ = await box.api_keys.create(box.owner.id, "agent")
    with pytest.raises(BadRequest):
        await box.api_keys.rotate(box.owner_principal, box.owner.id, made.id, overlap)


async def test_no_key_learns_the_secret_of_a_stronger_one(box):
    strong, _ = await box.api_keys.create(box.owner.id, "strong")
    _, weak = await box.api_keys.create(
        box.owner.id, "weak", rights=KeyRights(frozenset({"account:security", "account"}))
    )
    principal = await box.api_keys.by_text(weak.text)
    with pytest.raises(Denied, match="other scopes"):
        await box.api_keys.rotate(principal, box.owner.id, strong.id)
    with pytest.raises(Denied, match="other scopes"):
        await box.api_keys.make(principal, "mine", Wanted(scopes=("full",)))
    made, _ = await box.api_keys.make(principal, "mine", Wanted())
    assert made.rights.scopes == {"account"}


async def test_a_key_is_renamed_at_the_version_that_was_read(box):
    made, _ = await box.api_keys.create(box.owner.id, "agent")
    renamed = await box.api_keys.rename(box.owner_principal, box.owner.id, made.id, "robot", 1)
    assert (renamed.name, renamed.version) == ("robot", 2)
    with pytest.raises(PreconditionFailed):
        await box.api_keys.rename(box.owner_principal, box.owner.id, made.id, "other", 1)


async def test_administrators_see_everybodys_keys_in_pages(box):
    bob = await box.accounts.create("Bob", "paralegal", PASSWORD)
    made = [(await box.api_keys.create(account, "k"))[0].id for account in (box.owner.id, bob.id, box.owner.id)]
    first, following = await box.api_keys.everybodys(limit=2)
    second, end = await box.api_keys.everybodys(following, limit=2)
    assert ([key.id for key in first + second], end) == (made, None)
    assert first[1].account_name == "Bob"
    with pytest.raises(BadRequest):
        await box.api_keys.everybodys("garbage")


async def test_and_revoke_them_while_others_do_not(box):
    bob = await box.accounts.create("Bob", "paralegal", PASSWORD)
    made, key = await box.api_keys.create(box.owner.id, "agent")
    with pytest.raises(NotFound):
        await box.api_keys.revoke(bob.id, made.id, by=account_principal(bob))
    await box.api_keys.revoke_anybodys(box.owner_principal, made.id)
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(key.text)
    with pytest.raises(NotFound):
        await box.api_keys.revoke_anybodys(box.owner_principal, made.id)


async def test_each_change_is_told_without_the_secret(box):
    made, key = await box.api_keys.create(box.owner.id, "agent", by=box.owner_principal)
    await box.api_keys.rename(box.owner_principal, box.owner.id, made.id, "robot", 1)
    await box.api_keys.rotate(box.owner_principal, box.owner.id, made.id)
    await box.api_keys.revoke(box.owner.id, made.id, by=box.owner_principal)
    assert box.trail.told == ["key made", "key renamed", "key rotated", "key revoked"]
    assert key.secret not in repr(box.trail.records)


async def test_an_account_has_so_many_keys_and_no_more(box):
    for _ in range(MAX_KEYS):
        await box.api_keys.create(box.owner.id, "k")
    with pytest.raises(Conflict, match="at most"):
        await box.api_keys.create(box.owner.id, "k")
