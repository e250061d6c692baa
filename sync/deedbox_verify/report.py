"""The verdict as a person reads it in a terminal: plain words, aligned columns, a shape beside every colour."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from deedbox_sync.bundle.names import shown
from deedbox_verify.bag_check import size_in_words
from deedbox_verify.findings import CHECKS, Finding
from deedbox_verify.outside_time import HeldStamp
from deedbox_verify.verdict import ExhibitVerdict, Verdict

_TOLD_PER_CHECK = 12  # a broken bundle can have thousands of faults; --json has them all
_TOLD_EXHIBITS = 100
_NAME_WIDTH = 34
_LABEL_WIDTH = 14
_WIDTH = 118  # of what is told in sentences


@dataclass(frozen=True)
class Style:
    """The shapes of LOOK.md and, where the terminal shows colour, its colours."""

    verified: str = "✓"
    refused: str = "✕"
    attention: str = "△"
    nothing: str = "○"
    colour: bool = False

    def paint(self, shape: str, text: str) -> str:
        if not self.colour:
            return text
        code = {self.verified: "32", self.refused: "31", self.attention: "33"}.get(shape, "2")
        return f"\x1b[{code}m{text}\x1b[0m"


#: What a reader must not take from any verdict (formats/bundle.md, Limits).
NOT_PROVEN = (
    "Not proven by any bundle: that what was captured is true; the case's number and title, the exhibits' numbers and the",
    "day the bundle was made; custody.pdf and VERIFY.md, which are for reading; that no entry which this bundle leaves out",
    "revoked a device. Times are those of desk and box, but where an outside time is given.",
)

#: For terminals whose encoding lacks the shapes.
PLAIN = Style(verified="ok", refused="NO", attention="!!", nothing="--")


def report(verdict: Verdict, style: Style) -> str:
    return "\n".join(_lines(verdict, style)) + "\n"


def _lines(verdict: Verdict, style: Style) -> Iterator[str]:
    yield f"Bundle {verdict.bundle or 'without a readable index'}"
    if verdict.case is not None:
        yield f"Case   {shown(verdict.case.number)}  {shown(verdict.case.title)}"
    yield ""
    yield from _checks(verdict, style)
    yield ""
    if verdict.exhibits:
        yield from _exhibits(verdict, style)
        yield ""
    if verdict.stamps:
        yield from _stamps(verdict, style)
        yield ""
    yield from _answers(verdict, style)
    yield ""
    for remark in verdict.remarks:
        yield from _note(remark)
    yield from NOT_PROVEN


def _note(text: str) -> Iterator[str]:
    """Folded, what follows the first line under its first word."""
    yield from textwrap.wrap(shown(text), _WIDTH, initial_indent="Note: ", subsequent_indent="      ")


def _checks(verdict: Verdict, style: Style) -> Iterator[str]:
    for number, name in CHECKS.items():
        faults = [finding for finding in verdict.findings if finding.check == number]
        if faults:
            yield from _faults(name, faults, style)
        elif number not in verdict.counted:
            yield _row(style, style.nothing, name, "could not be checked")
        elif number == _OUTSIDE_TIME and verdict.anchored.before is None:
            yield _row(style, style.nothing, name, verdict.counted[number])
        else:
            yield _row(style, style.verified, name, verdict.counted[number])


_OUTSIDE_TIME = 9


def _faults(name: str, faults: list[Finding], style: Style) -> Iterator[str]:
    for place, fault in enumerate(faults[:_TOLD_PER_CHECK]):
        text = f"{shown(fault.where)} {shown(fault.what)}"
        yield _row(style, style.refused, name, text) if place == 0 else _more(style, text)
    if len(faults) > _TOLD_PER_CHECK:
        yield _more(style, f"and {len(faults) - _TOLD_PER_CHECK} more faults (--json tells all)")


def _row(style: Style, shape: str, label: str, text: str) -> str:
    return f"  {style.paint(shape, shape)} {label:<{_LABEL_WIDTH}}{text}"


def _more(style: Style, text: str) -> str:
    return f"  {' ' * len(style.verified)} {'':<{_LABEL_WIDTH}}{text}"


def _exhibits(verdict: Verdict, style: Style) -> Iterator[str]:
    rows: list[Sequence[str]] = [
        ("Exhibit", "Name", "Size", "Desk's clock, UTC", "Not before, UTC", "Not after, UTC", "By")
    ]
    rows += [_exhibit_row(exhibit) for exhibit in verdict.exhibits[:_TOLD_EXHIBITS]]
    yield from _table(rows, style)
    if len(verdict.exhibits) > _TOLD_EXHIBITS:
        yield f"  and {len(verdict.exhibits) - _TOLD_EXHIBITS} more exhibits (--json tells all)"


def _table(rows: Sequence[Sequence[str]], style: Style) -> Iterator[str]:
    """Aligned columns under faded headings; the last column is as wide as it is."""
    last = len(rows[0]) - 1
    widths = [max(_width(row[column]) for row in rows) for column in range(last)]
    for place, row in enumerate(rows):
        cells = [_pad(cell, width) for cell, width in zip(row[:last], widths, strict=True)]
        line = "  " + "  ".join([*cells, row[last]]).rstrip()
        yield style.paint("", line) if place == 0 else line


def _exhibit_row(exhibit: ExhibitVerdict) -> tuple[str, ...]:
    bracket = exhibit.anchored
    return (
        str(exhibit.number),
        _fit(shown(exhibit.name), _NAME_WIDTH),
        size_in_words(exhibit.size),
        "received only" if exhibit.captured is None else _cell(exhibit.captured),
        "–" if bracket.after is None else _cell(bracket.after),
        "–" if bracket.before is None else _cell(bracket.before),
        _by(exhibit),
    )


def _stamps(verdict: Verdict, style: Style) -> Iterator[str]:
    rows: list[Sequence[str]] = [("Time stamp", "Over entries", "Time, UTC", "Its certificate lasts until", "By")]
    rows += [_stamp_row(stamp) for stamp in verdict.stamps[:_TOLD_EXHIBITS]]
    yield from _table(rows, style)
    if len(verdict.stamps) > _TOLD_EXHIBITS:
        yield f"  and {len(verdict.stamps) - _TOLD_EXHIBITS} more time stamps (--json tells all)"


def _stamp_row(stamp: HeldStamp) -> tuple[str, ...]:
    until = f"{stamp.expires:%Y-%m-%d}"
    if stamp.renewed is not None:
        until += f", renewed until {stamp.renewed_until:%Y-%m-%d}"
    return (f"{stamp.size}-{stamp.number}", f"0 … {stamp.size - 1}", _cell(stamp.time), until, shown(stamp.authority))


def _by(exhibit: ExhibitVerdict) -> str:
    found = exhibit.attributed
    if not found.yes:
        return "not proven"
    who = f"{shown(found.operator or 'nobody named')} ({_authenticated(found.authenticated)})"
    return f"{who}, on {shown(found.device_name or str(found.device))}" if found.captured else f"{who}, to the box"


def _authenticated(word: str | None) -> str:
    return "not authenticated" if word in (None, "none") else str(word).replace("-", " ")


def _answers(verdict: Verdict, style: Style) -> Iterator[str]:
    intact = verdict.intact
    if intact.yes and intact.pinned:
        yield _row(style, style.verified, "intact", "yes: bytes, signatures and order agree, under a log key you trust")
    elif intact.yes:
        yield _row(style, style.verified, "intact", "yes, self-consistent only")
        yield _more(style, "No log key was pinned: whoever forges everything can make such a bundle too. Use --trust.")
    else:
        yield _row(style, style.refused, "intact", "no: " + (verdict.stopped or _faults_in_words(intact.faults)))
    yield from _anchored(verdict, style)
    yield from _attributed(verdict, style)


def _faults_in_words(count: int) -> str:
    return "one fault, told above" if count == 1 else f"{count} faults, told above"


def _anchored(verdict: Verdict, style: Style) -> Iterator[str]:
    anchored = verdict.anchored
    after = None if anchored.after is None else f"after {_time(anchored.after)} by {shown(anchored.after_by or '')}"
    if anchored.before is not None:
        text = f"before {_time(anchored.before)} by {shown(anchored.by or '')}"
        yield _row(style, style.verified, "anchored", after or text)
        if after is not None:
            yield _more(style, text)
        return
    without = "no outside anchor: only the box's own clock says " + ("when" if after is None else "by when")
    text = "unchecked" if anchored.unchecked else without
    yield _row(style, style.nothing, "anchored", after or text)
    if after is not None:
        yield _more(style, text)
    for reason in anchored.unchecked:
        yield _more(style, shown(reason))


def _attributed(verdict: Verdict, style: Style) -> Iterator[str]:
    broken = [exhibit for exhibit in verdict.exhibits if not exhibit.attributed.yes]
    if not verdict.exhibits:
        yield _row(style, style.refused, "attributed", "no: nothing could be attributed")
    elif broken:
        yield _row(style, style.refused, "attributed", f"no: {len(broken)} of {len(verdict.exhibits)} exhibits are not")
        for exhibit in broken[:_TOLD_PER_CHECK]:
            yield _more(style, f"exhibit {exhibit.number}: {'; '.join(exhibit.attributed.reasons)}")
    else:
        captured = sum(exhibit.attributed.captured for exhibit in verdict.exhibits)
        received = len(verdict.exhibits) - captured
        parts = [f"{captured} captured by paired devices"] if captured else []
        parts += [f"{received} received by the box without a desk"] if received else []
        yield _row(style, style.verified, "attributed", "yes: " + ", ".join(parts))
        if not verdict.intact.pinned:
            yield _more(style, "As far as the log can be trusted, whose key was not pinned.")


def _cell(value: datetime) -> str:
    """A time in a column that names its zone."""
    return value.strftime("%Y-%m-%d %H:%M:%S")


def _time(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC")


def _width(text: str) -> int:
    """Columns in a terminal: wide letters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _fit(text: str, width: int) -> str:
    """At most `width` columns; the middle goes, since names differ at their ends."""
    if _width(text) <= width:
        return text
    head, tail = text, text
    while _width(head) > width // 2:
        head = head[:-1]
    while _width(tail) > width - width // 2 - 1:
        tail = tail[1:]
    return f"{head}…{tail}"
