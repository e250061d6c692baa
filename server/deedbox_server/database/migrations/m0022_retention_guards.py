"""The second line: while a hold is over it the database itself refuses to delete, and what was disposed of gets nothing new."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database import piccolo_conf
from deedbox_server.database.migration_words import run_sql

ID = "m0022_retention_guards"

_INDEXES = {
    "legal_hold_now": "legal_hold (subject) WHERE lifted IS NULL",  # asked at every deletion
    "derived_blob": "derived (blob)",  # whose bytes are these
    "retention_rule_now": "retention_rule (created, id) WHERE removed IS NULL",
    "tombstone_case": "tombstone (case_id, number)",  # numbers that are not given again
}


def _held(kind: str, subject: str) -> str:
    return f"EXISTS (SELECT 1 FROM legal_hold WHERE lifted IS NULL AND kind = '{kind}' AND subject = {subject})"


def _exhibit_held(exhibit: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM exhibit x WHERE x.id = {exhibit} AND EXISTS (SELECT 1 FROM legal_hold WHERE lifted IS NULL"
        " AND ((kind = 'exhibit' AND subject = x.id) OR (kind = 'case' AND subject = x.case_id))))"
    )


_GONE = "EXISTS (SELECT 1 FROM tombstone WHERE object = NEW.exhibit AND what = 'exhibit')"
_CASE = _held("case", "OLD.case_id")
_OF_BLOB = (
    "EXISTS (SELECT 1 FROM exhibit x WHERE x.blob = OLD.id AND EXISTS (SELECT 1 FROM legal_hold WHERE lifted IS NULL"
    " AND ((kind = 'exhibit' AND subject = x.id) OR (kind = 'case' AND subject = x.case_id))))"
    f" OR EXISTS (SELECT 1 FROM derived d WHERE d.blob = OLD.id AND {_exhibit_held('d.exhibit')})"
)
_IN_CASE = "EXISTS (SELECT 1 FROM legal_hold WHERE lifted IS NULL AND case_id = OLD.id)"
_HOLD = "a legal hold is on this"
# Name, when and on what table, the condition under which it is refused, and the words.
_GUARDS = (
    ("held_exhibit", "DELETE", "exhibit", f"{_held('exhibit', 'OLD.id')} OR {_CASE}", _HOLD),
    ("held_derived", "DELETE", "derived", _exhibit_held("OLD.exhibit"), _HOLD),
    ("held_custody", "DELETE", "custody_event", _exhibit_held("OLD.exhibit"), _HOLD),
    ("held_statement", "DELETE", "statement", _exhibit_held("OLD.exhibit"), _HOLD),
    ("held_envelope", "UPDATE OF envelope", "statement", _exhibit_held("OLD.exhibit"), _HOLD),
    ("held_blob", "UPDATE OF state", "blob", f"NEW.state = 'erasing' AND ({_OF_BLOB})", _HOLD),
    ("held_blob_row", "DELETE", "blob", _OF_BLOB, _HOLD),
    ("held_paper", "DELETE", "paper", _CASE, _HOLD),
    ("held_party", "DELETE", "case_party", f"{_CASE} OR {_held('party', 'OLD.id')}", _HOLD),
    ("held_event", "DELETE", "case_event", _CASE, _HOLD),
    ("held_artifact", "DELETE", "case_artifact", _CASE, _HOLD),
    ("held_audit", "DELETE", "audit_record", _CASE, _HOLD),
    ("held_case", "DELETE", "legal_case", _IN_CASE, _HOLD),
    ("held_case_state", "UPDATE OF state", "legal_case", f"NEW.state = 'disposed' AND {_IN_CASE}", _HOLD),
    ("gone_derived", "INSERT", "derived", _GONE, "this exhibit was disposed of"),
    ("gone_custody", "INSERT", "custody_event", _GONE, "this exhibit was disposed of"),
    (
        "gone_bytes",
        "INSERT",
        "exhibit",
        "EXISTS (SELECT 1 FROM blob WHERE id = NEW.blob AND state = 'erasing')",
        "these bytes are being erased",
    ),
    (
        "gone_refiled",
        "UPDATE OF case_id",
        "exhibit",
        "EXISTS (SELECT 1 FROM blob WHERE id = OLD.blob AND state = 'erasing')",
        "these bytes are being erased",
    ),
    (
        "gone_case",
        "INSERT",
        "exhibit",
        "EXISTS (SELECT 1 FROM legal_case WHERE id = NEW.case_id AND state = 'disposed')",
        "this case was disposed of",
    ),
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="what no transaction may do")

    async def make() -> None:
        for name, path in _INDEXES.items():
            await run_sql(f'CREATE INDEX "{name}" ON {path}')
        for guard in _GUARDS:
            for statement in _sqlite(*guard) if _is_sqlite() else _postgres(*guard):
                await run_sql(statement)

    async def unmake() -> None:
        for name, _, table, _, _ in _GUARDS:
            await run_sql(f'DROP TRIGGER "{name}"' + ("" if _is_sqlite() else f' ON "{table}"'))
            if not _is_sqlite():
                await run_sql(f"DROP FUNCTION deedbox_{name}()")
        for name in _INDEXES:
            await run_sql(f'DROP INDEX "{name}"')

    manager.add_raw(make)
    manager.add_raw_backwards(unmake)
    return manager


def _is_sqlite() -> bool:
    engine = piccolo_conf.engine.get()
    assert engine is not None, "only inside a migration"
    return engine.engine_type == "sqlite"


def _sqlite(name: str, when: str, table: str, condition: str, words: str) -> tuple[str, ...]:
    return (
        f'CREATE TRIGGER "{name}" BEFORE {when} ON "{table}" WHEN {condition} BEGIN SELECT RAISE(ABORT, \'{words}\'); END',
    )


def _postgres(name: str, when: str, table: str, condition: str, words: str) -> tuple[str, ...]:
    result = "OLD" if when == "DELETE" else "NEW"
    return (
        f"CREATE FUNCTION deedbox_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN "
        f"RAISE EXCEPTION '{words}' USING ERRCODE = 'restrict_violation'; END IF; RETURN {result}; END $$",
        f'CREATE TRIGGER "{name}" BEFORE {when} ON "{table}" FOR EACH ROW EXECUTE FUNCTION deedbox_{name}()',
    )
