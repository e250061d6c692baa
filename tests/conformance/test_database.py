"""What every database of the box promises, whichever it is."""

import asyncio
import time
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from deedbox_server.database import Database, DatabaseError, UniqueViolation

NOW = datetime(2026, 5, 1, 12, 30, 15, 123456, tzinfo=UTC)
BLOB = ("id", "case_id", "size", "created", "state")


def blob(size: int = 1) -> tuple[Any, ...]:
    return (uuid.uuid4(), uuid.uuid4(), size, NOW, "whole")


async def setting(database: Database, name: str, value: str = "") -> None:
    await database.execute("INSERT INTO setting (name, value) VALUES ({}, {})", name, value)


async def settings(database: Database) -> set[str]:
    return {row["name"] for row in await database.fetch("SELECT name FROM setting")}


# values


async def test_values_come_back_as_the_same_python_types(database: Database) -> None:
    device, account = uuid.uuid4(), uuid.uuid4()
    stored: dict[str, Any] = {
        "id": device,
        "account": account,
        "name": "Büro 👩‍⚖️ \t'quoted' {}",
        "platform": "",
        "statement_key": bytes(range(256)),
        "created": NOW,
        "revoked": None,
        "next_sequence": 2**63 - 1,
        "last_digest": b"",
    }
    await database.insert_many("device", tuple(stored), [tuple(stored.values())])
    [row] = await database.fetch(f"SELECT {', '.join(stored)} FROM device WHERE id = {{}}", device)
    assert row == stored
    assert {name: type(value) for name, value in row.items()} == {name: type(value) for name, value in stored.items()}
    assert row["created"].tzinfo is UTC


async def test_a_time_of_another_zone_comes_back_in_utc(database: Database) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    await database.execute("INSERT INTO log_checkpoint (size, note, created) VALUES (1, '', {})", there)
    row = await database.fetch_one("SELECT created FROM log_checkpoint WHERE created = {}", there)
    assert row is not None
    assert row["created"] == NOW
    assert row["created"].utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "moment", [datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), datetime(9999, 12, 31, tzinfo=UTC)]
)
async def test_times_keep_every_microsecond(database: Database, moment: datetime) -> None:
    await database.execute("INSERT INTO log_checkpoint (size, note, created) VALUES (1, '', {})", moment)
    assert await database.fetch("SELECT created FROM log_checkpoint") == [{"created": moment}]


async def test_truths_and_fractions_come_back_as_such(database: Database) -> None:
    account = uuid.uuid4()
    columns = "id, name, role, password_hash, created, disabled"
    values = "{}, 'a', 'attorney', '', {}, {}"
    await database.execute(f"INSERT INTO account ({columns}) VALUES ({values})", account, NOW, True)
    assert await database.fetch("SELECT disabled FROM account WHERE disabled = {}", True) == [{"disabled": True}]
    job = (uuid.uuid4(), "k", uuid.uuid4(), "{}", "queued", 1, NOW, 0, 1, None, "", 0.1, None, "", NOW, None)
    columns = "id kind subject args state priority run_at attempts max_attempts lease_until worker progress"
    await database.insert_many("job", [*columns.split(), "dedup", "error", "created", "finished"], [job])
    assert await database.fetch("SELECT progress FROM job") == [{"progress": 0.1}]


async def test_expressions_name_their_type_where_it_is_not_a_columns(database: Database) -> None:
    rows = [blob(3), blob(4)]
    await database.insert_many("blob", BLOB, rows)
    row = await database.fetch_one(
        'SELECT max(created) AS "latest [timestamptz]", count(*) AS count, sum(size) AS sum, avg(size) AS avg,'
        ' EXISTS (SELECT 1 FROM blob) AS "any [boolean]" FROM blob'
    )
    assert row == {"latest": NOW, "count": 2, "sum": 7, "avg": 3.5, "any": True}
    assert [type(value) for value in row.values()] == [datetime, int, int, float, bool]


@pytest.mark.parametrize("wrong", [datetime(2026, 5, 1), "2026-05-01T00:00:00Z", 1.5, b"x"], ids=repr)
async def test_a_time_column_takes_nothing_but_aware_times(database: Database, wrong: object) -> None:
    with pytest.raises(DatabaseError):
        await database.execute("INSERT INTO log_checkpoint (size, note, created) VALUES (1, '', {})", wrong)


@pytest.mark.parametrize("wrong", ["0190a6a4-7e00-7000-8000-000000000000", 7], ids=repr)
async def test_an_id_column_takes_nothing_but_uuids(database: Database, wrong: object) -> None:
    with pytest.raises(DatabaseError):
        await database.execute("UPDATE blob SET case_id = {}", wrong)
        await database.insert_many("blob", BLOB, [(uuid.uuid4(), wrong, 1, NOW, "")])


async def test_a_forgotten_value_is_an_error_and_no_default(database: Database) -> None:
    with pytest.raises(DatabaseError):
        await database.execute(
            "INSERT INTO blob (id, case_id, created, state) VALUES ({}, {}, {}, '')", *blob()[:2], NOW
        )


# statements


async def test_statements_need_as_many_values_as_places(database: Database) -> None:
    with pytest.raises(DatabaseError):
        await database.fetch("SELECT * FROM blob WHERE id = {}")


async def test_an_error_of_sql_is_a_database_error(database: Database) -> None:
    with pytest.raises(DatabaseError):
        await database.fetch("SELECT nothing FROM nowhere")


async def test_an_unknown_name_in_quotes_is_no_text(database: Database) -> None:
    with pytest.raises(DatabaseError):
        await database.fetch('SELECT "nothing" FROM setting')


async def test_returning_gives_rows(database: Database) -> None:
    await database.insert_many("blob", BLOB, [blob(1), blob(2)])
    rows = await database.fetch("UPDATE blob SET size = size + 10 RETURNING size, created")
    assert sorted(row["size"] for row in rows) == [11, 12]
    assert {row["created"] for row in rows} == {NOW}
    assert await database.fetch("WITH gone AS (SELECT id FROM blob) SELECT count(*) AS n FROM gone") == [{"n": 2}]


async def test_fetch_one_is_the_only_row_or_none_and_never_one_of_many(database: Database) -> None:
    assert await database.fetch_one("SELECT * FROM setting") is None
    await setting(database, "a", "1")
    assert await database.fetch_one("SELECT * FROM setting") == {"name": "a", "value": "1"}
    await setting(database, "b")
    with pytest.raises(DatabaseError):
        await database.fetch_one("SELECT * FROM setting")


@pytest.mark.parametrize("count", [0, 1, 3, 500])
async def test_many_rows_are_inserted_at_once(database: Database, count: int) -> None:
    rows = [blob(number) for number in range(count)]
    await database.insert_many("blob", BLOB, rows)
    found = await database.fetch("SELECT id, case_id, size, created, state FROM blob ORDER BY size")
    assert [tuple(row.values()) for row in found] == rows


@pytest.mark.parametrize("count", [2, 100])
async def test_a_duplicate_among_many_leaves_none_of_them(database: Database, count: int) -> None:
    same = blob()
    with pytest.raises(UniqueViolation):
        await database.insert_many("blob", BLOB, [*(blob() for _ in range(count)), same, same])
    assert await database.fetch("SELECT * FROM blob") == []


async def test_a_pair_that_must_be_unique_is(database: Database) -> None:
    exhibit, row = uuid.uuid4(), ("viewed", NOW, "account:x", b"{}")
    columns = ("id", "exhibit", "number", "kind", "time", "actor", "record")
    await database.insert_many("custody_event", columns, [(uuid.uuid4(), exhibit, 1, *row)])
    with pytest.raises(UniqueViolation):
        await database.insert_many("custody_event", columns, [(uuid.uuid4(), exhibit, 1, *row)])


async def test_execute_many_runs_one_statement_for_each_row_all_or_nothing(database: Database) -> None:
    for name in "abc":
        await setting(database, name)
    await database.execute_many("UPDATE setting SET value = {} WHERE name = {}", [("1", "a"), ("2", "b")])
    assert await database.fetch("SELECT value FROM setting ORDER BY name") == [{"value": v} for v in ("1", "2", "")]
    with pytest.raises(UniqueViolation):
        await database.execute_many("INSERT INTO setting (name, value) VALUES ({}, {})", [("d", ""), ("a", "")])
    assert await settings(database) == {"a", "b", "c"}


# transactions


async def test_a_transaction_is_seen_by_itself_at_once_and_by_others_after_its_commit(database: Database) -> None:
    async with database.transaction():
        await setting(database, "mine")
        assert await settings(database) == {"mine"}
        assert await asyncio.create_task(settings(database)) == set()
    assert await asyncio.create_task(settings(database)) == {"mine"}


async def test_an_exception_rolls_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await setting(database, "gone")
            raise ZeroDivisionError
    assert await settings(database) == set()
    await setting(database, "next")


async def test_an_inner_transaction_joins_the_outer(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            async with database.transaction():
                await setting(database, "gone")
            assert database.in_transaction
            raise ZeroDivisionError
    assert not database.in_transaction
    assert await settings(database) == set()


async def test_a_failed_statement_dooms_the_transaction_even_when_caught(database: Database) -> None:
    await setting(database, "taken")
    with pytest.raises(DatabaseError):
        async with database.transaction():
            await setting(database, "new")
            with pytest.raises(UniqueViolation):
                await setting(database, "taken")
    assert await settings(database) == {"taken"}


async def test_no_statement_runs_in_a_doomed_transaction(database: Database) -> None:
    with pytest.raises(DatabaseError):
        async with database.transaction():
            with pytest.raises(DatabaseError):
                await database.fetch("SELECT nothing FROM nowhere")
            with pytest.raises(DatabaseError):
                await settings(database)


async def test_a_cancelled_transaction_rolls_back_and_frees_the_way(database: Database) -> None:
    inside = asyncio.Event()

    async def cancelled() -> None:
        async with database.transaction():
            await setting(database, "gone")
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(cancelled())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await setting(database, "next")
    assert await settings(database) == {"next"}


async def test_cancelling_at_any_instant_leaves_all_or_nothing_and_a_database_that_works(database: Database) -> None:
    async def pair(number: int) -> None:
        async with database.transaction():
            await setting(database, f"{number} left")
            await setting(database, f"{number} right")

    for number in range(40):
        task = asyncio.create_task(pair(number))
        await asyncio.sleep(number * 0.0001)
        task.cancel()
        await asyncio.wait([task])
    names = await settings(database)
    halves = {name.split()[0] for name in names}
    assert names == {f"{number} {side}" for number in halves for side in ("left", "right")}
    await pair(99)


async def test_a_task_started_inside_a_transaction_takes_no_part_in_it(database: Database) -> None:
    started: list[asyncio.Task[None]] = []
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            await setting(database, "gone")
            started.append(asyncio.create_task(setting(database, "apart")))
            raise ZeroDivisionError
    await started[0]
    assert await settings(database) == {"apart"}


async def test_callbacks_wait_for_the_outermost_commit(database: Database) -> None:
    called: list[str] = []
    database.after_commit(lambda: called.append("outside"))
    assert called == ["outside"]
    async with database.transaction():
        async with database.transaction():
            await setting(database, "a")
            database.after_commit(lambda: called.append("inside"))
        assert called == ["outside"]
    assert called == ["outside", "inside"]


async def test_callbacks_of_a_rolled_back_transaction_are_never_called(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction():
            database.after_commit(lambda: pytest.fail("nothing was committed"))
            raise ZeroDivisionError


async def test_many_tasks_that_read_then_write_lose_no_update(database: Database) -> None:
    await setting(database, "n", "0")
    lock = " FOR UPDATE" if database.dialect == "postgres" else ""

    async def add() -> None:
        async with database.transaction():
            [row] = await database.fetch(f"SELECT value FROM setting WHERE name = 'n'{lock}")
            await asyncio.sleep(0)
            await database.execute("UPDATE setting SET value = {} WHERE name = 'n'", str(int(row["value"]) + 1))

    await asyncio.gather(*(add() for _ in range(50)))
    assert await database.fetch("SELECT value FROM setting") == [{"value": "50"}]


async def test_reads_go_on_while_a_transaction_is_open(database: Database) -> None:
    async with database.transaction():
        await setting(database, "open")
        started = time.monotonic()
        results = await asyncio.gather(*(asyncio.create_task(settings(database)) for _ in range(8)))
    assert time.monotonic() - started < 5
    assert results == [set()] * 8
