"""What goes when a person is erased, and what has to stay, with the reason: the box's own erasers."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from deedbox_server.cases.forgetting import forget_party
from deedbox_server.database import Database
from deedbox_server.errors import Conflict, OnHold
from deedbox_server.people.erasing import Erasers, Gone, Kept, Person
from deedbox_server.people.holds import refuse_if_held
from deedbox_server.people.rules import ADMINISTRATOR
from deedbox_server.retention.rows import delete_in

ON_HOLD: Final = "a legal hold is on it"
CASE_ON_HOLD: Final = "a legal hold is on its case"
CUSTODY: Final = "custody of evidence that is kept: each record proves the one before"
STATEMENT: Final = "a signed statement of evidence that is kept names who captured it"
ACCOUNTABLE: Final = "who asked for and approved holds, disposals and erasures stays answerable for it"
TRUST: Final = "the record of how a device came to be trusted: evidence that it sent is proven by it"
PAPER: Final = "a paper that was signed and given out names who made it"

# Deleted with an account: what lets it in, and what it was let in to.
WITH_ACCOUNT: Final = (
    ("api_key", "account"),
    ("case_member", "account"),
    ("case_wall", "account"),
    ("download_link", "account"),
    ("glass_request", "account"),
    ("invitation", "account"),
    ("known_browser", "account"),
    ("oidc_attempt", "account"),
    ("outside_identity", "account"),
    ("pairing_code", "account"),
    ("passkey", "account"),
    ("people_session", "account"),
    ("recovery_code", "account"),
    ("totp_secret", "account"),
)

# What stays of an account, and why that is right.
ACCOUNT_STAYS: Final = {
    "conflict_check.subject": "not an id: what the check was about; it goes with its case",
    "outside_identity.subject": "goes by account",
    "conflict_check.account": "that somebody of the firm checked; the id alone names nobody",
    "deskless_upload.account": "emptied of its name; it goes when it expires",
    "device.account": "emptied of its name; what it signed is proven by it",
    "view_mark.account": "the id alone, and only for a quarter hour",
}

_CASE_HELD: Final = "case_id IN (SELECT subject FROM legal_hold WHERE kind = 'case' AND lifted IS NULL)"


def register(erasers: Erasers) -> None:
    """The trail before parties and accounts: it is found by them."""
    erasers.register("trail", erase_trail)
    erasers.register("custody", erase_custody)
    erasers.register("parties", erase_parties)
    erasers.register("account", erase_account)


async def erase_trail(db: Database, person: Person) -> Gone:
    """Audit records of what the person did, and of what was done to what names them."""
    if await _account_is_held(db, person):
        return Gone(kept=(Kept("audit", person.account, ON_HOLD),))
    parties = [one for one in person.parties if not await _is_held(db, party=one)]
    places = ", ".join(["{}"] * (len(parties) + 1))
    about = (person.account or UUID(int=0), *parties)
    found = (
        f"(actor = {{}} OR object IN ({places})) AND operation NOT LIKE 'hold.%' AND operation NOT LIKE 'disposal.%'"
        " AND operation <> 'person.erase'"
    )
    actor = person.actor_id or ""
    held = await db.fetch(f"SELECT DISTINCT case_id FROM audit_record WHERE {found} AND {_CASE_HELD}", actor, *about)
    going = await db.fetch(
        f"SELECT id FROM audit_record WHERE {found} AND (case_id IS NULL OR NOT {_CASE_HELD})", actor, *about
    )
    ids = [row["id"] for row in going]
    await delete_in(db, "audit_record", "id", ids)
    kept = [Kept("audit", row["case_id"], CASE_ON_HOLD) for row in held]
    if person.account is not None:
        kept.append(Kept("accountability", person.account, ACCOUNTABLE))
    return Gone(tuple(ids), tuple(kept))


async def erase_custody(db: Database, person: Person) -> Gone:
    """What a person did to exhibits that are gone, but for the disposals themselves. Of those that are there it is evidence."""
    if person.account is None:
        return Gone()
    actors = [f"account:{person.account}"]
    devices = await db.fetch("SELECT id FROM device WHERE account = {}", person.account)
    actors += [f"device:{row['id']}" for row in devices]
    kept: list[Kept] = []
    if await _account_is_held(db, person):
        return Gone(kept=(Kept("custody", person.account, ON_HOLD),))
    there = await db.fetch_in(
        "SELECT DISTINCT exhibit FROM custody_event WHERE exhibit IN (SELECT id FROM exhibit) AND actor IN ", actors
    )
    kept += [Kept("custody", row["exhibit"], CUSTODY) for row in there]
    gone = await db.fetch_in(
        "SELECT id FROM custody_event WHERE exhibit NOT IN (SELECT id FROM exhibit)"
        " AND kind NOT IN ('disposed', 'refiled') AND actor IN ",
        actors,
    )
    ids = [row["id"] for row in gone]
    await delete_in(db, "custody_event", "id", ids)
    kept += [Kept("device", row["id"], TRUST) for row in devices]
    statements = await db.fetch_in(
        "SELECT DISTINCT device FROM exhibit WHERE device IN ", [row["id"] for row in devices]
    )
    kept += [Kept("statements", row["device"], STATEMENT) for row in statements]
    return Gone(tuple(ids), tuple(kept))


async def erase_parties(db: Database, person: Person) -> Gone:
    kept: list[Kept] = []
    for party in person.parties:
        row = await db.fetch_one("SELECT case_id FROM case_party WHERE id = {}", party)
        if row is None:
            continue
        try:
            await refuse_if_held(db, person=party)
        except OnHold:
            kept.append(Kept("party", party, CASE_ON_HOLD if await _is_held(db, case=row["case_id"]) else ON_HOLD))
            continue
        await forget_party(db, party)
    return Gone(kept=tuple(kept))


async def erase_account(db: Database, person: Person) -> Gone:
    """The account's row stays with its id alone: records and members of the log name it. Conflict while it is the last
    administrator, or devices of it are not revoked."""
    if person.account is None:
        return Gone()
    if await _account_is_held(db, person):
        return Gone(kept=(Kept("account", person.account, ON_HOLD),))
    others = await db.fetch(
        "SELECT id FROM account WHERE id <> {} AND role = {} AND disabled = {} LIMIT 1",
        person.account,
        ADMINISTRATOR,
        False,
    )
    if not others:
        raise Conflict("this is the last administrator: make another first")
    if await db.fetch("SELECT id FROM device WHERE account = {} AND revoked IS NULL", person.account):
        raise Conflict("devices of this account are still trusted: revoke them first")
    row = await db.fetch_one("SELECT name FROM account WHERE id = {}", person.account)
    for table, column in WITH_ACCOUNT:
        await delete_in(db, table, column, [person.account])
    await db.execute(
        "UPDATE account SET name = {}, password_hash = '', disabled = {}, duties = NULL, sign_in = NULL, email = NULL,"
        " version = coalesce(version, 1) + 1 WHERE id = {}",
        f"erased {person.account}",
        True,
        person.account,
    )
    await db.execute("UPDATE device SET name = '' WHERE account = {}", person.account)
    await db.execute("UPDATE deskless_upload SET account_name = '' WHERE account = {}", person.account)
    papers = await db.fetch("SELECT id FROM paper WHERE made_by = {}", None if row is None else row["name"])
    return Gone(kept=tuple(Kept("paper", one["id"], PAPER) for one in papers))


async def _account_is_held(db: Database, person: Person) -> bool:
    return person.account is not None and await _is_held(db, account=person.account)


async def _is_held(
    db: Database, *, case: UUID | None = None, party: UUID | None = None, account: UUID | None = None
) -> bool:
    try:
        await refuse_if_held(db, case=case, person=party or account)
    except OnHold:
        return True
    return False
