"""Faults of custody: events left out, retold, reordered, withheld where they must be told; and of derived documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from broken_bundles.cases import Case, broken
from broken_bundles.spoiling import edited, put, replaced, swapped, taken
from broken_bundles.story import Plan, base, tell, witnessed
from bundle_maker import ANNA_AT_HOME, Files, Scenario
from deedbox_sync import custody
from deedbox_sync.bundle import layout
from miniature_log import CASE

_PATH = layout.custody(1)


def custody_cases() -> Iterator[Case]:
    yield from _events()
    yield from _records()
    yield from _openings()
    yield from _by_the_box()
    yield from _derived()


def _of(name: str, fault: str, change: Callable[[Any], Any], *codes: str, attributed: str = "yes") -> Case:
    """In the events of exhibit 1: received, viewed (withheld), derived, exported."""
    make = edited(_PATH, lambda custody: change(custody["events"]))
    return broken(f"custody-{name}", fault, make, *codes, attributed=attributed)


def _events() -> Iterator[Case]:
    number, chain, record = "custody.number", "custody.chain", "custody.record"
    last = "custody.last"
    told: tuple[str, ...] = (number, "custody.order", chain, "derived.event")
    yield _of("reordered", "two events change places", _reorder, *told)
    yield _of("cut", "the last event is left out", lambda events: events.pop(), last)
    yield _of("cut-two", "the last two events are left out", _cut_two, last, "derived.event")
    told = (number, "custody.first", last, "derived.event")
    yield _of("beginning", "the first event is left out", lambda events: events.pop(0), *told, attributed="no")
    told = (number, chain, "derived.event", last)
    yield _of("hole", "the withheld event is left out", lambda events: events.pop(1), *told)
    told = (record, chain, "derived.event", last)
    yield _of("renumbered", "the withheld event is left out, the rest renumbered", _renumber, *told)
    told = (number, "custody.order", chain, last, record)
    yield _of("twice", "an event twice", lambda events: events.append(events[-1]), number, "custody.order", chain, last)
    yield _of(
        "empty",
        "no event at all",
        lambda events: events.clear(),
        "custody.first",
        last,
        "derived.event",
        attributed="no",
    )
    yield broken(
        "custody-swapped",
        "the custody of another exhibit",
        swapped(_PATH, layout.custody(3)),
        "custody.exhibit",
        record,
        "custody.first",
        last,
        "derived.event",
        attributed="no",
    )
    whole = put("exhibit", value=str(UUID(int=CASE.int + 1)))
    yield broken("custody-exhibit", "called another exhibit's", edited(_PATH, whole), "custody.exhibit")
    yield _of("withheld-first", "the first event is withheld", _withhold(0), "custody.first", attributed="no")
    yield _of("withheld-last", "the last event is withheld", _withhold(3), last)
    yield _of("withheld-derived", "the event of a derived document is withheld", _withhold(2), "derived.event")
    yield _of(
        "both",
        "an event told and withheld",
        put(0, "commitment", value="00" * 32),
        "custody.form",
        "derived.event",
        attributed="no",
    )
    yield _of(
        "neither",
        "an event neither told nor withheld",
        put(1, "commitment", value=None),
        "custody.form",
        "derived.event",
        attributed="no",
    )
    commitment = put(1, "commitment", value="11" * 32)
    yield _of("commitment", "another digest of the withheld event", commitment, record, chain)
    index = put(0, "index", value=7)
    told = ("custody.opening", "custody.statement", "custody.content", "custody.case", "custody.person", record)
    yield _of("index", "another exhibit's log entry", index, "custody.opening", "custody.first", attributed="no")
    absent = put(0, "index", value=4)
    yield _of(
        "index-absent", "a log entry that is not there", absent, "custody.entry", "custody.first", attributed="no"
    )
    yield _of(
        "kind",
        "a withheld event at a device's log entry",
        put(1, "index", value=1),
        "custody.kind",
        "custody.opening",
        record,
        "custody.order",
    )


def _reorder(events: Any) -> None:
    events[1], events[2] = events[2], events[1]


def _cut_two(events: Any) -> None:
    del events[2:]


def _renumber(events: Any) -> None:
    del events[1]
    for number, event in enumerate(events, 1):
        event["number"] = number


def _withhold(place: int) -> Callable[[Any], None]:
    def change(events: Any) -> None:
        record = base().story.chains[1].records[place][0]
        openings = {"record": events[place]["openings"]["record"]}
        events[place] |= {"record": None, "commitment": custody.digest(record).hex(), "openings": openings}

    return change


def _records() -> Iterator[Case]:
    """A record that was retold is not the one that the log commits to. The last event's: nothing follows it."""

    def one(name: str, fault: str, change: Callable[[Any], Any], *codes: str) -> Case:
        return _of(f"record-{name}", fault, lambda events: change(events[3]["record"]), *codes, "custody.last")

    record = "custody.record"
    yield one("actor", "another name", put("actor", "name", value="Somebody Else"), record)
    yield one("via", "another way in", put("actor", "via", value="password"), record)
    yield one("actor-id", "another account", put("actor", "id", value="box"), record, "custody.person")
    yield one("time", "another time", put("time", value="2025-03-14T12:00:00.000000Z"), record)
    yield one("salt", "another salt", put("salt", value="11" * 32), record)
    yield one("purpose", "another purpose", put("detail", "purpose", value="none"), record)
    yield one("bundle", "another bundle", put("detail", "bundle", value=str(CASE)), record)
    yield one("number", "another number", put("number", value=5), record)
    yield one("exhibit", "another exhibit", put("exhibit", value=str(CASE)), record)
    yield one("previous", "another record before", put("previous", value="11" * 32), record, "custody.chain")
    yield one("kind", "another kind", put("kind", value="printed"), record, "custody.kind")
    form = "custody.form"
    yield one("kind-detail", "a kind that its detail does not fit", put("kind", value="viewed"), form)
    yield one("version", "version 2", put("v", value=2), form)
    yield one("unknown", "an unknown member", put("unknown", value=1), form)
    yield one("detail-unknown", "an unknown member in the detail", put("detail", "unknown", value=1), form)
    yield one("no-time", "no time", taken("time"), form)
    yield one("person-junk", "an actor that is none", put("actor", "id", value="Anna"), form)

    def first(name: str, fault: str, change: Callable[[Any], Any], *codes: str) -> Case:
        told = (*codes, "custody.first")
        return _of(f"received-{name}", fault, lambda events: change(events[0]["record"]), *told, attributed="no")

    yield first("lane", "another lane", put("detail", "lane", value="spool"), record)
    yield first("lane-none", "a lane that is none", put("detail", "lane", value="post"), form)
    yield first("content", "other bytes", put("detail", "content", value="00" * 32), record, "custody.content")
    yield first(
        "statement", "another statement", put("detail", "statement", value="00" * 32), record, "custody.statement"
    )
    yield first("size", "another size", put("detail", "size", value=1), record)
    behind = {"finding": "behind", "offset_ms": -200_000}
    yield first("clock", "a desk's clock called behind", put("detail", "clock", value=behind), record, "custody.clock")
    wrong = {"finding": "agrees", "offset_ms": -200_000}
    yield first("clock-word", "a finding that its offset contradicts", put("detail", "clock", value=wrong), form)
    yield first("no-clock", "no finding of the clock", put("detail", "clock", value=None), form)


def _openings() -> Iterator[Case]:
    def one(name: str, fault: str, change: Callable[[Any], Any], *codes: str) -> Case:
        told = ("custody.opening", "custody.first", *codes)
        return _of(f"opening-{name}", fault, lambda events: change(events[0]["openings"]), *told, attributed="no")

    for field in ("case", "content", "person", "record", "statement"):
        yield one(f"no-{field}", f"{field} is not opened", taken(field))
        yield one(f"salt-{field}", f"another salt of {field}", put(field, "salt", value="00" * 32))
    yield one("value-case", "another case opened", put("case", "value", value="00" * 16))
    yield one("value-person", "another person opened", put("person", "value", value=b"box".hex()))
    yield one("value-long", "a digest opened with 33 bytes", put("content", "value", value="00" * 33))
    withheld = "the withheld event is not opened"
    change = taken(1, "openings", "record")
    yield _of("opening-withheld", withheld, change, "custody.record")
    salt = put(1, "openings", "record", "salt", value="00" * 32)
    yield _of(
        "opening-withheld-salt", "the withheld event's salt is another", salt, "custody.opening", "custody.record"
    )


def _by_the_box() -> Iterator[Case]:
    """The log proves it all, and still it does not fit: the box itself wrote what it may not."""
    yield broken(
        "logged-other-case",
        "an event logged for another case",
        lambda: witnessed(_other_case()),
        "custody.case",
        "custody.last",
    )
    yield broken(
        "logged-no-previous",
        "an event that does not name the one before",
        lambda: witnessed(_no_previous()),
        "custody.chain",
    )
    yield broken(
        "logged-clock",
        "a clock found behind, and the log entry says nothing of it",
        _silent_clock,
        "custody.clock",
        "custody.first",
        attributed="no",
    )


def _other_case() -> Scenario:
    story = tell().story
    chain = story.chains[1]
    record = chain.records[-1][0]
    other = UUID(int=CASE.int + 1).bytes
    values = {"record": custody.digest(record), "case": other, "person": ANNA_AT_HOME.id.encode()}
    chain.records[-1] = (record, story.log.append("exhibit.exported", values))
    return story


def _no_previous() -> Scenario:
    """The export of exhibit 1 is told again, its record naming another one before it."""
    story = tell().story
    chain = story.chains[1]
    parsed = custody.parse(chain.records[-1][0])
    record = custody.encode(replace(parsed, previous=bytes(31) + b"\1"))
    values = {"record": custody.digest(record), "case": CASE.bytes, "person": ANNA_AT_HOME.id.encode()}
    chain.records[-1] = (record, story.log.append("exhibit.exported", values))
    return story


def _silent_clock() -> Files:
    """`tell` logs the finding; here the box left it out of the public entry."""
    return tell(Plan(behind=timedelta(days=730), silent=True)).files()


def _derived() -> Iterator[Case]:
    path = layout.derived(1, "text.txt")
    yield broken(
        "derived-changed", "a derived document is another", replaced(path, b"another text\n"), "derived.content"
    )
    yield broken("derived-emptied", "a derived document is empty", replaced(path, b""), "derived.content")
