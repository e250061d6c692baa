"""Identifiers, who may mint them, and what signed calls need: message keys and used nonces."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_column, add_tables

ID = "m0006_identifiers"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="identifiers and signed calls")
    add_column(manager, "ApiKey", "api_key", "message_key bytes null")
    add_tables(
        manager,
        {
            "MessageNonce message_nonce": "nonce bytes key, seen time index",
            "IdentifierCounter identifier_counter": "id int key, next bigint",
            "IdentifierIssuer identifier_issuer": (
                "key bytes key, kind text, namespace text unique, name text, device uuid null, record uuid, created time, "
                "revoked time null"
            ),
            "IdentifierBatch identifier_batch": (
                "id uuid key, kind text, asked text null unique, request bytes null, created time index, box int, device int, "
                "fallback int"
            ),
            "Identifier identifier": (
                "value bytes key, made_in uuid index, place int, record bytes, canonical bytes null index, "
                "exhibit uuid null index, device uuid null, content bytes null index"
            ),
        },
    )
    return manager
