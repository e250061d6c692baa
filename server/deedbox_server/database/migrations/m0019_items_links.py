"""Refiled exhibits, physical items with their handovers, download links, digests other than SHA-256."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0019_items_links"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="refiled exhibits, items, links")
    add_tables(
        manager,
        {
            "RefiledExhibit refiled_exhibit": (
                "id uuid key, exhibit uuid index, case_id uuid, number int, to_case uuid, time time, actor text, "
                "returned time null"
            ),
            "ExhibitDigest exhibit_digest": "id bigserial key, exhibit uuid index, algorithm text, digest bytes",
            "Item item": (
                "id uuid key, case_id uuid, number int, kind text, description text, made text, serial text, condition text, "
                "seals text, place text, holder text, state text, version int, created time, updated time, made_by text"
            ),
            "ItemEvent item_event": (
                "id uuid key, item uuid, case_id uuid, number int, kind text, time time, happened time, actor text, record bytes"
            ),
            "ItemPhoto item_photo": "id bigserial key, item uuid, exhibit uuid index, added time",
            "Handover handover": (
                "id uuid key, item uuid index, kind text, state text, detail text, "
                "given time null, taken time null, made_by text, created time, settled time null, version int"
            ),
            "DownloadLink download_link": (
                "id uuid key, handle text unique, digest bytes, exhibit uuid index, derived uuid null, case_id uuid, "
                "account uuid index, made_via text, note text, network text null, uses int, used int, created time, "
                "expires time index, revoked time null, revoked_by text null"
            ),
        },
    )
    return manager
