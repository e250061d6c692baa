"""Exhibits that were in another case before: the custody leads from case to case, and so does every commitment in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

from broken_bundles.cases import GOOD, Case, broken
from broken_bundles.story import QUARTER, witnessed
from bundle_maker import ANNA_AT_HOME, DESK_ACTOR, ORIGINALS, Files, Scenario, capture, device_event, receive
from bundle_spoils import edit
from deedbox_sync import canonical_json, custody, statement
from deedbox_sync.bundle import layout
from deedbox_sync.canonical_json import Json
from miniature_log import BUNDLE, CASE, LOG_VKEY, ORIGIN, Chain, MiniatureLog, exhibit_id

_OTHER = UUID(int=CASE.int + 1)
_THIRD = UUID(int=CASE.int + 2)
_PATH = layout.custody(2)


def refiled_cases() -> Iterator[Case]:
    yield Case("good-refiled-there-and-back", "", _there_and_back, GOOD)
    fault = "refiled to another case, and in this bundle all the same"
    yield broken("refiled-elsewhere", fault, partial(_story, _away), "custody.case")
    fault = "the second refiling does not lead on from the first"
    yield broken("refiled-from-elsewhere", fault, partial(_story, _astray), "custody.case")
    fault = "refiled here, and an event before it is logged for this case"
    yield broken("refiled-early", fault, partial(_story, _early), "custody.case")
    fault = "the statement is for another case than the one that the custody begins in"
    yield broken("refiled-statement", fault, partial(_story, _never_here, _OTHER), "statement.case")
    fault = "the event that refiled it is withheld"
    yield broken("refiled-withheld", fault, _withheld, "custody.case")


def _refile(log: MiniatureLog, chain: Chain, origin: UUID, target: UUID, logged: UUID | None = None) -> None:
    detail: dict[str, Json] = {"from": str(origin), "from_number": 1, "reason": "wrong matter", "to_number": 1}
    case = logged or target
    chain.append(log, custody.REFILED, ANNA_AT_HOME, {**detail, "to": str(target)}, case=case.bytes)


def _away(log: MiniatureLog, chain: Chain) -> None:
    _refile(log, chain, CASE, _OTHER)


def _astray(log: MiniatureLog, chain: Chain) -> None:
    _refile(log, chain, CASE, _OTHER)
    _refile(log, chain, _THIRD, CASE)


def _early(log: MiniatureLog, chain: Chain) -> None:
    _refile(log, chain, CASE, _OTHER)
    chain.append(log, "viewed", ANNA_AT_HOME, QUARTER, case=CASE.bytes)
    _refile(log, chain, _OTHER, CASE)


def _never_here(log: MiniatureLog, chain: Chain) -> None:
    _refile(log, chain, _OTHER, CASE)


def _twice(log: MiniatureLog, chain: Chain) -> None:
    _refile(log, chain, CASE, _OTHER)
    chain.append(log, "viewed", ANNA_AT_HOME, QUARTER, case=_OTHER.bytes)
    _refile(log, chain, _OTHER, CASE)


def _there_and_back() -> Files:
    return _story(_twice)


def _withheld() -> Files:
    return edit(_PATH, lambda told: _withhold(told["events"][3]))(_there_and_back())


def _story(between: Callable[[MiniatureLog, Chain], None], first: UUID = CASE) -> Files:
    """One exhibit with a statement for CASE, received in the case `first`, then what is `between`, then the export."""
    log = MiniatureLog()
    log.append("log.opened", {}, {"origin": ORIGIN, "vkey": LOG_VKEY})
    devices = [device_event(log, "device.paired", 4711)]
    name, content = ORIGINALS[1]
    one = capture(2, name, content, 1, statement.NO_DIGEST)
    chain = Chain(exhibit_id(2))
    received = {2: receive(log, chain, one, DESK_ACTOR, "stream", case=first)}
    between(log, chain)
    chain.append(log, "exported", ANNA_AT_HOME, {"bundle": str(BUNDLE), "purpose": "disclosure"})
    return witnessed(Scenario(log, [one], {2: chain}, received, devices))


def _withhold(event: Any) -> None:
    digest = custody.digest(canonical_json.encode(event["record"]))
    event |= {"record": None, "commitment": digest.hex(), "openings": {"record": event["openings"]["record"]}}
