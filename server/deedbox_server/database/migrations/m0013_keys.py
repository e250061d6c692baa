"""What an API key is confined to, how it is replaced, and whom another directory's identities stand for."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_column, add_tables

ID = "m0013_keys"

_OF_A_KEY = (
    "scopes text null",
    "cases text null",
    "networks text null",
    "rate int null",
    "burst int null",
    "signed_only bool null",
    "last_used time null",
    "former_digest bytes null",
    "former_message_key bytes null",
    "former_until time null",
    "version int null",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="keys and outside identities")
    for column in _OF_A_KEY:
        add_column(manager, "ApiKey", "api_key", column)
    add_tables(
        manager,
        {
            "OutsideIdentity outside_identity": (
                "id uuid key, issuer text, subject text, account uuid index, created time, last_used time null"
            ),
            "OidcAttempt oidc_attempt": (
                "state bytes key, browser bytes, nonce text, verifier text, return_to text, account uuid null, "
                "expires time index"
            ),
        },
    )
    return manager
