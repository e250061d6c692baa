"""The custody paper: one page an exhibit, for reading in court (LOOK.md, Papers). What proves it lies beside it in the bundle.

Set by typst in memory. Everything that people typed reaches typst as data, never as markup.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from uuid import UUID

from deedbox_server.evidence import typesetting
from deedbox_server.evidence.life_line import Moment, in_words, positions
from deedbox_server.evidence.paper_words import (
    byte_count,
    grouped,
    in_lines,
    moment,
    second,
    short,
    utc_offset,
    visible,
)
from deedbox_sync import clock
from deedbox_sync.bundle.bracket import Bracket
from deedbox_sync.canonical_json import Fields
from deedbox_sync.clock import ClockFinding
from deedbox_sync.custody import CustodyRecord
from deedbox_sync.statement import CaptureStatement

_LABELLED = 0.2  # of the line's width: what a word and a time above it need
_MARKED = 0.018  # a shape without words
_TABLE_ROWS = 8  # what a page has room for; more are told by their number
_BRANCHES = 4
_NAME_LENGTH = 110  # characters of a name that the page shows; the statement has all of it
_PART = 25  # exhibits set at once: typst needs about a MiB a page while it works

_BAND = frozenset(["not-before", "not-after"])

_METHODS = {
    "command": "by command",
    "courier": "brought in by courier file",
    "upload": "uploaded to the box",
    "watched-folder": "from a watched folder",
}


@dataclass(frozen=True)
class PaperExhibit:
    """One page. `records` are the custody events in order, None for each one withheld."""

    number: int
    captured: CaptureStatement
    statement: bytes
    by_desk: bool
    received: int
    records: tuple[CustodyRecord | None, ...]
    bracket: Bracket | None


@dataclass(frozen=True)
class CustodyPaper:
    """A whole paper. Nothing on it is proof by itself. `holder` says what `bundle` is the id of."""

    bundle: UUID
    made: datetime
    case_number: str
    case_title: str
    log: str
    log_size: int
    exhibits: tuple[PaperExhibit, ...]
    holder: str = "bundle"


def render_custody(paper: CustodyPaper) -> bytes:
    """The PDF: PDF/A-2b where every letter has a glyph in the fonts at hand, else plain PDF. Takes some 5 ms a page.

    Long papers are set in parts, so that memory does not grow with them. The same paper gives the same bytes.
    """
    parts = [paper.exhibits[at : at + _PART] for at in range(0, len(paper.exhibits), _PART)]
    counts = [len(part) for part in parts]  # an exhibit has one page, unless its words are very long
    while True:
        documents = [
            typesetting.typeset(_template(), _paper(paper, part, sum(counts[:place]) + 1, sum(counts)), paper.made)
            for place, part in enumerate(parts)
        ]
        found = [typesetting.page_count(document) for document in documents]
        if found == counts:
            return documents[0] if len(documents) == 1 else typesetting.joined(documents)
        counts = found


@cache
def _template() -> bytes:
    return files("deedbox_server.evidence").joinpath("custody_paper.typ").read_bytes()


def _paper(paper: CustodyPaper, part: Sequence[PaperExhibit], first_page: int, pages: int) -> dict[str, object]:
    return {
        "bundle": f"{paper.holder} {paper.bundle}",
        "made": moment(paper.made),
        "case": visible(f"{paper.case_number} · {paper.case_title}", _NAME_LENGTH),
        "first_page": first_page,
        "pages": str(pages),
        "exhibits": [_page(paper, exhibit) for exhibit in part],
    }


def _page(paper: CustodyPaper, exhibit: PaperExhibit) -> dict[str, object]:
    captured = exhibit.captured
    return {
        "number": str(exhibit.number),
        "name": visible(captured.file.name, _NAME_LENGTH),
        "object": object_rows(captured),
        "acquisition": acquisition_rows(exhibit),
        "digests": [
            ["File’s SHA-256", in_lines(captured.content)],
            ["Statement’s SHA-256", in_lines(exhibit.statement)],
        ],
        "content": grouped(captured.content),
        "time": time_rows(exhibit, paper.log, paper.log_size),
        "line": _line(exhibit),
        "events": _event_rows(exhibit),
        "events_note": _events_note(exhibit),
    }


def object_rows(captured: CaptureStatement) -> list[list[str]]:
    source = captured.source
    taken = [text for text in (source.medium, source.make) if text]
    taken += [f"serial number {source.serial}"] if source.serial else []
    taken += [f"account {source.account}"] if source.account else []
    return [
        ["Size", byte_count(captured.file.size)],
        ["Folder", visible(" / ".join(captured.file.path), _NAME_LENGTH) or _no_folder(captured)],
        ["Source", visible(", ".join(taken), _NAME_LENGTH) or "not stated"],
        ["Last changed", _last_changed(captured.file.modified_ns)],
    ]


def acquisition_rows(exhibit: PaperExhibit) -> list[list[str]]:
    captured = exhibit.captured
    first = exhibit.records[0] if exhibit.records else None
    exceptions = [f"{item.kind.replace('-', ' ')}: {item.detail}" for item in captured.exceptions]
    rows = []
    if exhibit.by_desk:
        who = f"{captured.operator.name}, {authenticated_words(captured.operator.authenticated)}"
        rows.append(["Captured", f"{local_time(captured)}, by the desk’s clock,"])
        rows.append(["", f"which is {moment(captured.captured.time)}"])
        rows.append(["By", visible(f"{who}, at {captured.device.name}", _NAME_LENGTH)])
    else:
        who = "not told" if first is None else f"{first.actor.name} ({first.actor.via})"
        rows.append(["Captured", "not by a desk of the firm: the box received the bytes as they are"])
        rows.append(["Sent by", visible(who, _NAME_LENGTH)])
    tool = f"{captured.tool.name} {captured.tool.version}"
    rows.append(["How", visible(f"{_METHODS.get(captured.method, captured.method)}, {tool}", _NAME_LENGTH)])
    if captured.purpose:
        rows.append(["Purpose", visible(captured.purpose, _NAME_LENGTH)])
    if captured.place:
        rows.append(["Place", visible(captured.place, _NAME_LENGTH)])
    rows.append(["Exceptions", visible("; ".join(exceptions), 2 * _NAME_LENGTH) or "none while reading"])
    return rows


def time_rows(exhibit: PaperExhibit, log: str, log_size: int) -> list[list[str]]:
    first = exhibit.records[0] if exhibit.records else None
    logged = "" if first is None else f", {moment(first.time)} by the box’s clock"
    rows = [
        ["Logged", f"entry {exhibit.received:,}{logged}"],
        ["Log", f"{log}, {log_size:,} entries when this was made"],
    ]
    if (finding := _clock(exhibit)) is not None:
        rows.append(["Desk’s clock", clock.sentence(finding).removeprefix("The desk’s clock ").removesuffix(".")])
    bracket = exhibit.bracket
    if bracket is None or (bracket.not_before is None and bracket.not_after is None):
        rows.append(["Outside time", "no outside time stamp: only the firm’s own clocks say when"])
        return rows
    for label, time, by in (
        ("Not before", bracket.not_before, bracket.not_before_by),
        ("Not after", bracket.not_after, bracket.not_after_by),
    ):
        rows.append([label, "no outsider says" if time is None else visible(f"{moment(time)}, by {by}", _NAME_LENGTH)])
    return rows


def _clock(exhibit: PaperExhibit) -> ClockFinding | None:
    """What the box found of the desk's clock when it received the exhibit."""
    first = exhibit.records[0] if exhibit.records else None
    found = first.detail.get("clock") if first is not None and first.kind == "received" else None
    return clock.read(Fields(found, "clock")) if isinstance(found, Mapping) else None


def _event_rows(exhibit: PaperExhibit) -> list[list[str]]:
    """What changed hands or form; views are told apart, by their number. Where rows are many, runs of a kind become one."""
    told = [record for record in exhibit.records if record is not None and record.kind != "viewed"]
    rows = [_event_row([one]) for one in told]
    if len(rows) > _TABLE_ROWS:
        runs = itertools.groupby(told, lambda one: (one.kind, one.actor.id))
        rows = [_event_row(list(run)) for _, run in runs]
    if len(rows) > _TABLE_ROWS:
        left_out = len(rows) - _TABLE_ROWS + 1
        rows = [*rows[: _TABLE_ROWS - 2], ["", "…", "", "", f"{left_out} rows more, in custody.json"], rows[-1]]
    return rows


def _event_row(run: list[CustodyRecord]) -> list[str]:
    """One event, or several of a kind by one hand: the first number and time, and what they came to."""
    first, last = run[0], run[-1]
    number = str(first.number) if len(run) == 1 else f"{first.number} …"
    what = event_words(first)
    if len(run) > 1 and first.kind == "derived":
        what = ", ".join(str(one.detail["form"]).replace("-", " ") for one in run)
    elif len(run) > 1:
        what = f"{len(run)} times, last on {second(last.time)} ({last.number})"
    return [number, first.kind, second(first.time), visible(first.actor.name, 30), visible(what, 80)]


def event_words(record: CustodyRecord) -> str:
    detail: Mapping[str, object] = record.detail
    if record.kind == "received":
        return "from the desk" if detail["captured"] else "without a desk"
    if record.kind == "derived":
        return f"{str(detail['form']).replace('-', ' ')}, made by {detail['producer']}"
    if record.kind == "refiled":
        return f"exhibit {detail['from_number']} of another case before"
    if record.kind == "exported":
        return str(detail["purpose"] or "a bundle")
    return ""


def _events_note(exhibit: PaperExhibit) -> str:
    viewed = [record for record in exhibit.records if record is not None and record.kind == "viewed"]
    withheld = sum(record is None for record in exhibit.records)
    parts = []
    if viewed:
        people = len({record.actor.id for record in viewed})
        by = "one person" if people == 1 else f"{people} persons"
        times = "once" if len(viewed) == 1 else f"{len(viewed)} times"
        parts.append(f"Viewed {times} by {by}, last on {moment(viewed[-1].time)}.")
    if withheld:
        parts.append("One event is withheld." if withheld == 1 else f"{withheld} events are withheld.")
    count = len(exhibit.records)
    parts.append(
        "The bundle’s custody.json has this one event."
        if count == 1
        else f"All {count} events, each naming the digest of the one before, the withheld ones as digests alone, are in the "
        "bundle’s custody.json: none can be left out unseen."
    )
    return " ".join(parts)


@dataclass(frozen=True)
class _Mark:
    """A shape on the life line: one event, or several of a kind in a row."""

    kind: str
    time: datetime
    label: str
    count: int = 1

    @property
    def moment(self) -> Moment:
        return Moment(self.kind, self.time, _LABELLED if self.label else _MARKED)


def _marks(exhibit: PaperExhibit) -> list[_Mark]:
    """What the line shows, in order; views in a row become one mark, so that a much read exhibit stays readable."""
    told = [record for record in exhibit.records if record is not None]
    exports = [record for record in told if record.kind == "exported"]
    marks = [_Mark("captured", exhibit.captured.captured.time, "captured")] if exhibit.by_desk else []
    for one in told:
        label = one.kind if one.kind == "received" or one in exports[-1:] else ""
        before = marks[-1] if marks else None
        if before is not None and before.kind == one.kind != "derived" and not label and not before.label:
            marks[-1] = replace(before, count=before.count + 1)
        else:
            marks.append(_Mark(one.kind, one.time, label))
    bracket = exhibit.bracket
    if bracket is not None and bracket.not_before is not None:
        order = sum(mark.time < bracket.not_before for mark in marks)
        marks.insert(order, _Mark("not-before", bracket.not_before, ""))
    if bracket is not None and bracket.not_after is not None:
        order = sum(mark.time <= bracket.not_after for mark in marks)
        marks.insert(order, _Mark("not-after", bracket.not_after, ""))
    return marks


def _line(exhibit: PaperExhibit) -> dict[str, object]:
    """The life line: shapes with their places from 0 to 1, words between, the band, branches for what was derived."""
    marks = _marks(exhibit)
    places = positions([mark.moment for mark in marks])
    forms = [
        str(record.detail["form"]).replace("-", " ")
        for record in exhibit.records
        if record is not None and record.kind == "derived"
    ]
    shapes: list[dict[str, object]] = []
    branches: list[dict[str, object]] = []
    band: dict[str, object] = {}
    for mark, place in zip(marks, places, strict=True):
        if mark.kind in _BAND:
            band[mark.kind] = place
        elif mark.kind != "derived":
            time = short(mark.time) if mark.label else ""
            count = f"{mark.count}×" if mark.count > 1 else ""
            shapes.append({"x": place, "kind": mark.kind, "label": mark.label, "time": time, "count": count})
        elif len(branches) < _BRANCHES:
            branches.append({"x": place, "label": forms[len(branches)]})
    if len(forms) > _BRANCHES:
        branches[-1]["label"] = f"{forms[_BRANCHES - 1]}, and {len(forms) - _BRANCHES} more"
    named = [(mark, place) for mark, place in zip(marks, places, strict=True) if mark.label]
    finding = _clock(exhibit)
    disagrees = finding is not None and finding.disagrees
    gaps = [
        {"x": (place + next_place) / 2, "text": _gap(mark, after, disagrees)}
        for (mark, place), (after, next_place) in itertools.pairwise(named)
    ]
    return {"shapes": shapes, "branches": branches, "band": band or None, "gaps": gaps}


def _gap(mark: _Mark, after: _Mark, clocks_disagree: bool) -> str:
    """How long it was between two marks; between two clocks that disagree, nobody can say."""
    return "clocks disagree" if clocks_disagree and mark.kind == "captured" else in_words(after.time - mark.time)


def authenticated_words(word: str) -> str:
    return "not authenticated" if word == "none" else f"authenticated by {word.replace('-', ' ')}"


def _no_folder(captured: CaptureStatement) -> str:
    return "not told" if captured.method == "upload" else "the watched folder itself"


def _last_changed(count: int | None) -> str:
    return "not told" if count is None else f"{moment(_from_ns(count))}, by the file’s own date"


def _from_ns(count: int) -> datetime:
    """Clipped to what a calendar holds: files can claim any date."""
    limit = 253_402_300_799
    return datetime.fromtimestamp(min(max(count // 1_000_000_000, -62_135_596_800), limit), UTC)


def local_time(captured: CaptureStatement) -> str:
    """The desk's own wall clock, with its distance from UTC."""
    clock = captured.captured
    local = clock.time.astimezone(timezone(timedelta(seconds=clock.utc_offset_s)))
    zone = f" {clock.zone}" if clock.zone else ""
    return f"{local:%B} {local.day}, {local.year}, {local:%H:%M:%S}{zone} (UTC{utc_offset(clock.utc_offset_s)})"
