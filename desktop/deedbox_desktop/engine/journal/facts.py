"""Single facts in the journal: the box, the last greeting, a stop, the highest checkpoint. Run inside the journal's thread."""

from datetime import datetime
from uuid import UUID

import apsw

from deedbox_desktop.engine.model import BoxFacts, CaseFacts, Greeting, Stop
from deedbox_sync import beacon, canonical_json, timestamp
from deedbox_sync.canonical_json import Fields, Json

_MOST_FACT = 16 << 20  # a greeting of a box with ten thousand cases is 2 MB


def put_box(db: apsw.Connection, box: BoxFacts) -> None:
    _put(
        db,
        "box",
        {
            "account": str(box.account),
            "account_name": box.account_name,
            "ca": box.ca,
            "certificate": box.certificate,
            "device": str(box.device),
            "device_name": box.device_name,
            "device_url": box.device_url,
            "origin": box.origin,
            "people_url": box.people_url,
            "vkey": box.vkey,
        },
    )


def box(db: apsw.Connection) -> BoxFacts | None:
    """None until paired."""
    fields = _get(db, "box")
    if fields is None:
        return None
    return BoxFacts(
        device=fields.uuid("device"),
        device_name=fields.text("device_name"),
        account=fields.uuid("account"),
        account_name=fields.text("account_name"),
        ca=fields.text("ca"),
        certificate=fields.text("certificate"),
        device_url=fields.text("device_url"),
        people_url=fields.text("people_url"),
        origin=fields.text("origin"),
        vkey=fields.text("vkey"),
    )


def put_greeting(db: apsw.Connection, greeting: Greeting) -> None:
    _put(
        db,
        "greeting",
        {
            "alarms": list(greeting.alarms),
            "backed_up_to": greeting.backed_up_to,
            "backup_configured": greeting.backup_configured,
            "batch_bytes": greeting.batch_bytes,
            "batch_items": greeting.batch_items,
            "beacon": beacon.members(greeting.beacon) if greeting.beacon else None,
            "box_name": greeting.box_name,
            "box_offset_ms": greeting.box_offset_ms,
            "cases": [{"id": str(case.id), "number": case.number, "title": case.title} for case in greeting.cases],
            "inline_bytes": greeting.inline_bytes,
            "seen": timestamp.encode(greeting.seen),
        },
    )


def greeting(db: apsw.Connection) -> Greeting | None:
    """None until the box was seen once."""
    fields = _get(db, "greeting")
    if fields is None:
        return None
    known = fields.optional_object("beacon") if fields.has("beacon") else None  # before beacons there was none
    return Greeting(
        seen=fields.time("seen"),
        box_name=fields.text("box_name"),
        box_offset_ms=fields.integer("box_offset_ms", low=-canonical_json.MAX_INTEGER),
        backup_configured=fields.boolean("backup_configured"),
        backed_up_to=fields.optional_integer("backed_up_to"),
        batch_bytes=fields.integer("batch_bytes"),
        batch_items=fields.integer("batch_items"),
        inline_bytes=fields.integer("inline_bytes"),
        cases=tuple(
            CaseFacts(UUID(case.text("id")), case.text("number"), case.text("title"))
            for case in fields.objects("cases")
        ),
        beacon=None if known is None else beacon.read(known),
        alarms=fields.texts("alarms") if fields.has("alarms") else (),
    )


def put_stop(db: apsw.Connection, stop: Stop) -> None:
    """The first reason stays: what follows may be its consequence."""
    if stopped(db) is None:
        _put(db, "stop", {"kind": stop.kind, "since": timestamp.encode(stop.since), "words": stop.words})


def stopped(db: apsw.Connection) -> Stop | None:
    fields = _get(db, "stop")
    return None if fields is None else Stop(fields.text("kind"), fields.text("words"), fields.time("since"))


def clear_stop(db: apsw.Connection) -> Stop | None:
    """A person has looked and says: go on. What was stopped for is then taken as it is. The stop, if there was one."""
    stop = stopped(db)
    db.execute("DELETE FROM fact WHERE name = 'stop'")
    if stop is not None and stop.kind in ("log-backwards", "log-fork"):
        db.execute("DELETE FROM checkpoint")
    if stop is not None and stop.kind == "journal-behind":
        db.execute("INSERT OR REPLACE INTO fact VALUES ('may_adopt', '')")
    return stop


def may_adopt(db: apsw.Connection) -> bool:
    """Whether a person allowed this journal, an older copy, to go on after statements that only the box has."""
    return db.execute("SELECT 1 FROM fact WHERE name = 'may_adopt'").fetchone() is not None


def ask_retry(db: apsw.Connection) -> None:
    """A person wants held files tried again; the engine does it when it next meets the box."""
    db.execute("INSERT OR REPLACE INTO fact VALUES ('retry_held', '')")


def retry_asked(db: apsw.Connection) -> bool:
    return db.execute("SELECT 1 FROM fact WHERE name = 'retry_held'").fetchone() is not None


def retry_done(db: apsw.Connection) -> None:
    db.execute("DELETE FROM fact WHERE name = 'retry_held'")


def put_trouble(db: apsw.Connection, place: str, words: str | None) -> None:
    """What holds a part of the engine up for now, for `status`; None when it goes on."""
    if words is None:
        db.execute("DELETE FROM fact WHERE name = ?", (f"trouble {place}",))
    else:
        db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (f"trouble {place}", words))


def troubles(db: apsw.Connection) -> dict[str, str]:
    rows = db.execute("SELECT name, value FROM fact WHERE name LIKE 'trouble %' ORDER BY name")
    return {str(name).removeprefix("trouble "): str(words) for name, words in rows}


def clear_troubles(db: apsw.Connection) -> None:
    db.execute("DELETE FROM fact WHERE name LIKE 'trouble %'")


def put_checkpoint(db: apsw.Connection, size: int, note: str, seen: datetime) -> None:
    """Keep the highest checkpoint. Those below it are proven to be its prefixes before it gets here."""
    db.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?)", (size, note, timestamp.encode(seen)))
    db.execute("DELETE FROM checkpoint WHERE size < ?", (size,))


def checkpoint(db: apsw.Connection) -> str | None:
    """The highest checkpoint's note."""
    found = db.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return None if found is None else str(found[0])


def _put(db: apsw.Connection, name: str, members: dict[str, Json]) -> None:
    db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, canonical_json.encode(members).decode()))


def _get(db: apsw.Connection, name: str) -> Fields | None:
    found = db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    if found is None:
        return None
    return Fields(canonical_json.parse_object(str(found[0]).encode(), limit=_MOST_FACT, where=name), name)
