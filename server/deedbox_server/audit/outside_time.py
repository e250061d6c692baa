"""Beacons and time stamps, held against the log: each row has its entry and says the same, each entry has its row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from deedbox_server.audit.log import Logged
from deedbox_server.audit.report import Report
from deedbox_server.database import Database, Row
from deedbox_sync import beacon as beacon_format
from deedbox_sync import entry as entry_format
from deedbox_sync import note
from deedbox_sync.beacon import QUICKNET, Beacon
from deedbox_sync.canonical_json import Json
from deedbox_sync.entry import LogEntry
from deedbox_sync.errors import FormatError, SyncError

_STEP = 1_000  # rows read at a time; a response has some kilobytes

_BEACONS = """
    SELECT b.record, b.chain, b.round, b.published, b.absent, b.seq, e.entry FROM time_beacon b
    LEFT JOIN log_entry e ON e.record = b.record WHERE b.record > {} ORDER BY b.record LIMIT {}
"""
_STAMPS = """
    SELECT s.record, s.authority, s.size, s.token, s.note, s.crls, e.entry FROM time_stamp s
    LEFT JOIN log_entry e ON e.record = s.record WHERE s.record > {} ORDER BY s.record LIMIT {}
"""


async def audit_outside_time(db: Database, vkey: str, logged: Mapping[UUID, Logged], report: Report) -> None:
    """Whether a token leads to a root is for the roots of whoever asks: here it is only held to what was logged of it."""
    pending = {row["record"] for row in await db.fetch("SELECT record FROM pending_entry")}
    lists = {row["digest"] for row in await db.fetch("SELECT digest FROM revocation_list")}
    told: set[UUID] = set()
    for what, query in (("beacons", _BEACONS), ("time stamps", _STAMPS)):
        last = UUID(int=0)
        while rows := await db.fetch(query, last, _STEP):
            for row in rows:
                told.add(row["record"])
                where = f"{what[:-1]} {row['record']}"
                if row["record"] in pending:
                    continue
                if row["entry"] is None:
                    report.add(where, "is not in the log")
                    continue
                try:
                    parsed = entry_format.parse(row["entry"])
                except FormatError:
                    continue  # the audit of the log has said so
                if what == "beacons":
                    _beacon(where, row, parsed, report)
                else:
                    _stamp(where, row, parsed, vkey, lists, report)
            report.count(what, len(rows))
            last = rows[-1]["record"]
    for record, one in logged.items():
        if one.kind in ("time.beacon", "time.stamp") and record not in told:
            report.add(f"log entry {one.seq}", "tells of outside time that is not kept any more")
    for row in await db.fetch("SELECT digest, der FROM revocation_list"):
        if sha256(row["der"]).digest() != row["digest"]:
            report.add("revocation data", "is not what was fetched")


def _beacon(where: str, row: Row, parsed: LogEntry, report: Report) -> None:
    chain = row["chain"].hex()
    signature = parsed.data.get("signature")
    if row["round"] is None:
        expected: dict[str, Json] = {"absent": row["absent"], "chain": chain}
    else:
        expected = {"chain": chain, "round": row["round"], "signature": signature}
    if parsed.kind != "time.beacon" or _plain(parsed.data) != expected or row["seq"] not in (None, parsed.seq):
        report.add(where, "is not what the log has of it")
    elif row["round"] is not None and row["chain"] == QUICKNET.hash:
        try:
            beacon_format.verify_beacon(Beacon(row["chain"], row["round"], bytes.fromhex(str(signature))), QUICKNET)
            if beacon_format.round_time(QUICKNET, row["round"]) != row["published"]:
                report.add(where, "is kept with another time than its round's")
        except (SyncError, ValueError) as problem:
            report.add(where, f"does not hold: {problem}")


def _stamp(where: str, row: Row, parsed: LogEntry, vkey: str, lists: set[bytes], report: Report) -> None:
    expected = {
        "authority": row["authority"],
        "checkpoint": sha256(row["note"].encode()).hexdigest(),
        "size": row["size"],
        "token": sha256(row["token"]).hexdigest(),
    }
    if parsed.kind != "time.stamp" or {name: parsed.data.get(name) for name in expected} != expected:
        report.add(where, "is not what the log has of it")
        return
    try:
        signed = note.parse_note(row["note"])
        note.verify_note(signed, [vkey])
        if note.parse_checkpoint(signed.body).size != row["size"]:
            report.add(where, "is over a checkpoint of another size")
    except SyncError as problem:
        report.add(where, f"is not over a checkpoint of this log: {problem}")
    if any(bytes.fromhex(digest) not in lists for digest in row["crls"].split(",") if digest):
        report.add(where, "has lost revocation data")


def _plain(data: Mapping[str, Json]) -> object:
    return json.loads(json.dumps(data))
