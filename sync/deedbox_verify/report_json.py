"""The verdict for machines: one JSON object. Its members and the findings' codes only ever grow."""

from __future__ import annotations

import json
from datetime import datetime

from deedbox_sync import timestamp
from deedbox_verify.findings import CHECKS
from deedbox_verify.outside_time import HeldStamp
from deedbox_verify.verdict import Anchored, Attributed, ExhibitVerdict, Verdict


def report_json(verdict: Verdict, status: int) -> str:
    case = verdict.case
    failed = {finding.check for finding in verdict.findings}
    members: dict[str, object] = {
        "v": 1,
        "status": status,
        "bundle": None if verdict.bundle is None else str(verdict.bundle),
        "case": None if case is None else {"id": str(case.id), "number": case.number, "title": case.title},
        "origin": verdict.origin,
        "intact": {
            "answer": "yes" if verdict.intact.yes else "no",
            "pinned": verdict.intact.pinned,
            "faults": verdict.intact.faults,
            "stopped": verdict.stopped,
        },
        "anchored": _anchored(verdict.anchored),
        "attributed": {"answer": "yes" if verdict.attributed else "no"},
        "exhibits": [_exhibit(exhibit) for exhibit in verdict.exhibits],
        "stamps": [_stamp(stamp) for stamp in verdict.stamps],
        "checks": [
            {"number": number, "name": name, "holds": number in verdict.counted and number not in failed}
            for number, name in CHECKS.items()
        ],
        "findings": [
            {"check": finding.check, "code": finding.code, "where": finding.where, "what": finding.what}
            for finding in verdict.findings
        ],
        "remarks": list(verdict.remarks),
    }
    return json.dumps(members, ensure_ascii=True)


def uncheckable_json(what: str) -> str:
    return json.dumps({"v": 1, "status": 2, "error": what}, ensure_ascii=True)


def _anchored(anchored: Anchored) -> dict[str, object]:
    answer = "before" if anchored.before is not None else "unchecked" if anchored.unchecked else "none"
    return {
        "answer": answer,
        "after": _time(anchored.after),
        "after_by": anchored.after_by,
        "before": _time(anchored.before),
        "by": anchored.by,
        "unchecked": list(anchored.unchecked),
    }


def _stamp(stamp: HeldStamp) -> dict[str, object]:
    return {
        "size": stamp.size,
        "number": stamp.number,
        "authority": stamp.authority,
        "time": _time(stamp.time),
        "expires": _time(stamp.expires),
        "unrevoked": _time(stamp.unrevoked),
        "renewed": None if stamp.renewed is None else {"by": stamp.renewed.by, "time": _time(stamp.renewed.time)},
        "renewed_until": _time(stamp.renewed_until),
    }


def _attributed(found: Attributed) -> dict[str, object]:
    return {
        "answer": "yes" if found.yes else "no",
        "how": "captured" if found.captured else "received",
        "device": None if found.device is None else str(found.device),
        "device_name": found.device_name,
        "operator": found.operator,
        "authenticated": found.authenticated,
        "pinned": found.pinned,
        "reasons": list(found.reasons),
    }


def _exhibit(exhibit: ExhibitVerdict) -> dict[str, object]:
    return {
        "number": exhibit.number,
        "id": str(exhibit.id),
        "name": exhibit.name,
        "size": exhibit.size,
        "content": exhibit.content.hex(),
        "captured": _time(exhibit.captured),
        "captured_after": _time(exhibit.captured_after),
        "captured_after_by": exhibit.captured_after_by,
        "clock": exhibit.clock,
        "events": exhibit.events,
        "withheld": exhibit.withheld,
        "anchored": _anchored(exhibit.anchored),
        "attributed": _attributed(exhibit.attributed),
    }


def _time(value: datetime | None) -> str | None:
    return None if value is None else timestamp.encode(value)
