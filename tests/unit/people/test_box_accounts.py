"""Accounts, passwords and API keys."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.errors import BadRequest, Conflict, NotFound, Unauthenticated
from deedbox_server.people.api_key import make_key_text, parse_key_text
from deedbox_server.people.passwords import PasswordCost, hash_password, matches
from people_box import CHEAP, PASSWORD, START


async def test_a_box_has_one_owner_from_its_creation(box):
    with pytest.raises(Conflict):
        await box.accounts.create_owner("Eve", PASSWORD)
    assert (await box.accounts.by_id(box.owner.id)).name == "Ada"


async def test_the_right_password_opens_the_account(box):
    assert (await box.accounts.by_password("Ada", PASSWORD)).id == box.owner.id


@pytest.mark.parametrize(("name", "password"), [("Ada", "wrong horse battery"), ("Eve", PASSWORD), ("Ada", "x" * 2000)])
async def test_anything_else_is_refused_in_the_same_words(box, name, password):
    with pytest.raises(Unauthenticated, match="name or password is wrong"):
        await box.accounts.by_password(name, password)


async def test_a_disabled_account_opens_by_nothing(box):
    _, key = await box.api_keys.create(box.owner.id, "script")
    await box.disable(box.owner.id)
    with pytest.raises(Unauthenticated):
        await box.accounts.by_password("Ada", PASSWORD)
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(key.text)
    with pytest.raises(NotFound):
        await box.accounts.by_id(box.owner.id)


async def test_names_are_taken_once_and_roles_are_registered(box):
    await box.accounts.create("Bob", "paralegal", PASSWORD)
    with pytest.raises(Conflict):
        await box.accounts.create("Bob", "paralegal", PASSWORD)
    with pytest.raises(BadRequest):
        await box.accounts.create("Cy", "emperor", PASSWORD)


@pytest.mark.parametrize("name", ["", " Bob", "Bob\x1b[2J", "B" * 101])
async def test_names_are_one_printable_line(box, name):
    with pytest.raises(BadRequest):
        await box.accounts.create(name, "paralegal", PASSWORD)


async def test_the_stored_password_is_argon2id(box):
    row = await box.db.fetch_one("SELECT password_hash FROM account")
    assert row["password_hash"].startswith("$argon2id$v=19$")
    assert PASSWORD not in row["password_hash"]


def test_the_default_cost_is_that_of_rfc_9106():
    assert hash_password(PASSWORD, PasswordCost()).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 1025])
def test_passwords_have_a_length(password):
    with pytest.raises(BadRequest):
        hash_password(password, CHEAP)


def test_a_password_is_the_same_on_every_keyboard():
    assert matches("caf\u00e9 cafe\u0301 caf", hash_password("cafe\u0301 caf\u00e9 caf", CHEAP))


async def test_a_key_acts_for_its_account(box):
    made, key = await box.api_keys.create(box.owner.id, "script")
    assert re.fullmatch(r"dbx_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", key.text)
    principal = await box.api_keys.by_text(key.text)
    assert (principal.kind, principal.account, principal.role) == ("account", box.owner.id, "administrator")
    assert principal.actor_id == f"account:{box.owner.id}"
    assert principal.via == f"api-key:{made.handle}"


async def test_only_a_digest_of_the_secret_is_kept(box):
    _, key = await box.api_keys.create(box.owner.id, "script")
    (row,) = await box.db.fetch("SELECT * FROM api_key")
    assert key.secret not in repr(row)
    assert row["digest"] == key.digest
    assert key.secret not in repr(key)


async def test_a_key_that_is_wrong_anywhere_opens_nothing(box):
    _, key = await box.api_keys.create(box.owner.id, "script")
    other = make_key_text(bytes(38))
    for text in (other.text, f"dbx_{key.handle}_{other.secret}", f"dbx_{other.handle}_{key.secret}", key.text[:-1], ""):
        with pytest.raises(Unauthenticated, match="opens nothing"):
            await box.api_keys.by_text(text)


async def test_an_expired_key_opens_nothing(box):
    _, key = await box.api_keys.create(box.owner.id, "script", START + timedelta(hours=1))
    await box.api_keys.by_text(key.text)
    box.clock.pass_time(hours=1)
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(key.text)
    with pytest.raises(BadRequest):
        await box.api_keys.create(box.owner.id, "late", START)


async def test_a_revoked_key_opens_nothing_and_is_revoked_once(box):
    made, key = await box.api_keys.create(box.owner.id, "script")
    await box.api_keys.revoke(box.owner.id, made.id)
    with pytest.raises(Unauthenticated):
        await box.api_keys.by_text(key.text)
    with pytest.raises(NotFound):
        await box.api_keys.revoke(box.owner.id, made.id)
    assert await box.api_keys.of(box.owner.id) == []


async def test_nobody_revokes_the_key_of_another(box):
    bob = await box.accounts.create("Bob", "paralegal", PASSWORD)
    made, _ = await box.api_keys.create(bob.id, "his")
    with pytest.raises(NotFound):
        await box.api_keys.revoke(box.owner.id, made.id)
    assert [key.handle for key in await box.api_keys.of(bob.id)] == [made.handle]


@given(st.binary(min_size=38, max_size=38))
def test_a_key_reads_back_as_itself(random):
    key = make_key_text(random)
    assert parse_key_text(key.text) == key


@given(st.text(max_size=80))
def test_any_text_is_a_key_or_none(text):
    key = parse_key_text(text)
    assert key is None or key.text == text
