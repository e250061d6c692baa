"""Invitations, sessions, second factors, and what keeps guessers waiting."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_column, add_tables

ID = "m0011_sign_in"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="registering and signing in")
    for words in ("sign_in text null", "email text null", "version int null"):
        add_column(manager, "Account", "account", words)
    add_tables(
        manager,
        {
            "Invitation invitation": (
                "id uuid key, kind text, digest bytes unique, name text, role text, email text null, duties text, cases text, "
                "account uuid null index, made_by text, made_by_name text, created time, expires time, tries int, "
                "used time null, withdrawn time null"
            ),
            "PeopleSession people_session": (
                "id uuid key, digest bytes unique, account uuid index, via text, second bool, waived bool, shown time null, "
                "address text null, agent text, created time, used time, expires time"
            ),
            "TotpSecret totp_secret": (
                "id uuid key, account uuid index, secret bytes, created time, confirmed time null, last_step bigint"
            ),
            "Passkey passkey": (
                "id uuid key, credential bytes unique, account uuid index, name text, rp text, public_key bytes, "
                "sign_count bigint, backed_up bool, transports text, created time, used time null"
            ),
            "RecoveryCode recovery_code": "digest bytes key, account uuid index, created time",
            "PasskeyCeremony passkey_ceremony": (
                "id uuid key, purpose text, session uuid null, rp text, challenge bytes, expires time index"
            ),
            "KnownBrowser known_browser": "id uuid key, digest bytes index, account uuid index, created time, used time",
            "SignInFailure sign_in_failure": "key bytes key, failures int, last time index, until time",
        },
    )
    return manager
