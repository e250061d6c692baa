"""The wall in its two forms: collected first, and asked for each row. They never differ."""

from dataclasses import replace
from datetime import timedelta

import pytest

from deedbox_server.database import Database
from deedbox_server.people.principal import SYSTEM, Principal
from deedbox_sync import uuid7
from people_box import START, account_principal, make_people_box

pytestmark = pytest.mark.anyio


async def test_both_forms_show_the_same_cases_to_everyone(database: Database) -> None:
    box = await make_people_box(database)
    people = [
        await box.accounts.create(f"P{number}", role, "a long enough passphrase")
        for number, role in enumerate(("attorney", "paralegal", "outsider", "auditor"))
    ]
    cases = [await box.add_case(str(number), people[number % 2].id) for number in range(6)]
    ends = (START - timedelta(days=1), START + timedelta(days=1))
    await database.insert_many(
        "case_member",
        ("case_id", "account", "role", "until"),
        [(cases[number], people[2].id, "party", ends[number]) for number in range(2)],
    )
    walls = [(cases[0], people[0].id, None), (cases[2], people[3].id, None), (cases[4], people[0].id, ends[1])]
    await database.insert_many(
        "case_wall",
        ("id", "case_id", "account", "reason", "made_by", "created", "opened_until"),
        [(uuid7.new(), case, account, "x", "box", START, until) for case, account, until in walls],
    )
    principals: list[Principal] = [SYSTEM, box.owner_principal, *map(account_principal, people)]
    principals += [replace(one, cases=frozenset(cases[:3])) for one in principals[1:]]
    principals += [replace(box.owner_principal, cases=frozenset())]
    seen: list[int] = []
    for principal in principals:
        for operation in (None, "case.read", "evidence.read"):
            wall = box.permissions.wall(principal, operation)
            forms = []
            for condition in (wall.on("legal_case.id"), wall.at("legal_case.id")):
                rows = await database.fetch(f"SELECT id FROM legal_case WHERE {condition} ORDER BY id", *wall.args)
                forms.append([row["id"] for row in rows])
            assert forms[0] == forms[1]
            seen.append(len(forms[0]))
    assert {0, 1, 2, 3, 5, 6} <= set(seen)  # and these are not all one and the same


async def test_what_is_asked_for_each_row_names_the_rows_table(database: Database) -> None:
    box = await make_people_box(database)
    with pytest.raises(ValueError, match="with its table"):
        box.permissions.wall(box.owner_principal).at("case_id")


async def test_who_sees_all_cases_is_on_many_and_who_is_on_two_is_not(database: Database) -> None:
    box = await make_people_box(database)
    one = await box.accounts.create("Pat", "paralegal", "a long enough passphrase")
    for number in range(2):
        await box.add_case(str(number), one.id)
    assert await box.permissions.is_on_many(database, box.owner_principal)
    assert not await box.permissions.is_on_many(database, account_principal(one))
