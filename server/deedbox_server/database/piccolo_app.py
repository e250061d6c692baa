"""The one Piccolo application: all tables, one history of migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

_TABLES = "deedbox_server.database.tables"

APP_CONFIG = AppConfig(
    app_name="deedbox",
    migrations_folder_path=str(Path(__file__).with_name("migrations")),
    table_classes=table_finder(
        [
            f"{_TABLES}.{name}"
            for name in (
                "calls",
                "cases",
                "evidence",
                "identifiers",
                "items",
                "jobs",
                "notary",
                "outside_time",
                "papers",
                "people",
                "retention",
                "settings",
                "sign_in",
                "timeline",
                "trail",
                "vault",
                "witnesses",
            )
        ]
    ),
    migration_dependencies=[],
    commands=[],
)
