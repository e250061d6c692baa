"""Whoever makes a table that names an exhibit, a case or an account decides what becomes of it when these are gone."""

from deedbox_server.database.piccolo_app import APP_CONFIG
from deedbox_server.retention.erasers import ACCOUNT_STAYS, WITH_ACCOUNT
from deedbox_server.retention.rows import STAYS, WITH_CASE, WITH_EXHIBIT

COLUMNS = ("account", "case_id", "exhibit", "object", "subject")


def named() -> set[tuple[str, str]]:
    """Every table and column of the program that names one of these."""
    return {
        (table._meta.tablename, column._meta.db_column_name)
        for table in APP_CONFIG.table_classes
        for column in table._meta.columns
        if column._meta.db_column_name in COLUMNS
    }


def test_each_table_that_names_an_exhibit_a_case_or_an_account_is_decided_about() -> None:
    decided = {*WITH_EXHIBIT, *WITH_CASE, *WITH_ACCOUNT}
    decided |= {(table, column) for table, _, column in (name.partition(".") for name in (*STAYS, *ACCOUNT_STAYS))}
    assert sorted(named() - decided) == [], "say in retention/rows.py or erasers.py whether it goes or stays, and why"


def test_nothing_is_decided_about_a_table_that_is_not_there() -> None:
    tables = {table._meta.tablename for table in APP_CONFIG.table_classes}
    assert {table for table, _ in (*WITH_EXHIBIT, *WITH_CASE, *WITH_ACCOUNT)} <= tables
    assert {name.partition(".")[0] for name in (*STAYS, *ACCOUNT_STAYS)} <= tables
