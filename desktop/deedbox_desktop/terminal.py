"""What the command line shows: aligned columns, sentences, one progress line that redraws only on a terminal."""

import sys
import time
from datetime import datetime
from typing import TextIO

from deedbox_desktop.engine.engine import Progress
from deedbox_desktop.engine.status import DeskStatus, FileStatus, Shown, shown_path
from deedbox_sync import canonical_json, note, timestamp
from deedbox_sync.canonical_json import Json
from deedbox_sync.errors import SyncError

_SHAPES = {
    Shown.WAITING: "·",
    Shown.CAPTURED: "○",
    Shown.SENDING: "◐",
    Shown.RECEIPTED: "●",
    Shown.HELD: "△",
    Shown.UNREADABLE: "△",
    Shown.IGNORED: "–",
    Shown.VANISHED: "–",
}
_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_STEP = 1000


def size_words(size: int) -> str:
    value = float(size)
    for unit in _UNITS:
        if value < _STEP or unit == _UNITS[-1]:
            return f"{size} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= _STEP
    raise AssertionError("the last unit takes everything")


def grouped(digest: bytes) -> str:
    """A digest in groups of four, for eyes."""
    text = digest.hex()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def local_time(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def status_lines(status: DeskStatus) -> list[str]:
    """The whole status for a person."""
    lines = list(_head_lines(status))
    for one in status.folders:
        mine = [file for file in status.files if file.folder == shown_path(one.folder.path)]
        lines += ["", f"{printable(shown_path(one.folder.path))}  ({len(mine)})"]
        if one.problem:
            lines.append(f"  △ {one.problem}")
        width = min(60, max((len(printable(file.path)) for file in mine), default=0))
        sizes = max((len(size_words(file.size)) for file in mine), default=0)
        lines += [_file_line(file, width, sizes) for file in mine]
    return lines


def printable(text: str) -> str:
    """A name in one line: what would move the cursor is shown as its escape."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def status_json(status: DeskStatus) -> dict[str, Json]:
    """The whole status for machines."""
    box, greeting = status.box, status.greeting
    return {
        "alarms": list(greeting.alarms) if greeting else [],
        "box": None
        if box is None
        else {
            "account": box.account_name,
            "address": box.device_url,
            "apart_ms": greeting.box_offset_ms if greeting else None,
            "backed_up_to": greeting.backed_up_to if greeting else None,
            "backup_configured": greeting.backup_configured if greeting else None,
            "last_seen": timestamp.encode(greeting.seen) if greeting else None,
            "log_size": _log_size(status),
            "name": greeting.box_name if greeting else None,
            "origin": box.origin,
        },
        "counts": {shown.value: count for shown, count in status.counts().items()},
        "device": None if box is None else {"id": str(box.device), "name": box.device_name},
        "files": [_file_json(file) for file in status.files],
        "folders": [
            {
                "case": str(one.folder.case),
                "ignore": list(one.folder.ignore),
                "path": shown_path(one.folder.path),
                "problem": one.problem,
                "quiet_ms": one.folder.quiet_ms,
            }
            for one in status.folders
        ],
        "identifiers": {
            "due": status.identifiers.due,
            "minted": status.identifiers.minted,
            "refused": status.identifiers.refused,
            "waiting": status.identifiers.waiting,
        },
        "journal": {"digest": status.head.digest.hex(), "sequence": status.head.sequence},
        "state": "unpaired" if box is None else "stopped" if status.stop else "paired",
        "stop": None
        if status.stop is None
        else {"kind": status.stop.kind, "since": timestamp.encode(status.stop.since), "words": status.stop.words},
        "troubles": dict(status.troubles),
    }


class ProgressLine:
    """Redraws one line on a terminal; elsewhere says each change of the numbers once a minute at most."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._last = ""
        self._said = float("-inf")

    def show(self, progress: Progress) -> None:
        text = progress_words(progress)
        if self._live and text != self._last:
            self._stream.write(f"\r\x1b[K{text[:200]}")
            self._stream.flush()
        elif not self._live and text != self._last and time.monotonic() - self._said > 60:
            self._stream.write(f"{text}\n")
            self._stream.flush()
            self._said = time.monotonic()
        self._last = text

    def done(self) -> None:
        if self._live and self._last:
            self._stream.write("\n")


def progress_words(progress: Progress) -> str:
    parts = [f"{progress.receipted} receipted"]
    if progress.under_way:
        parts.append(f"{progress.under_way} captured, on their way")
    if not progress.looked:
        parts.append("looking at the folders")
    elif progress.waiting:
        parts.append(f"{progress.waiting} waiting")
    if progress.held:
        parts.append(f"{progress.held} held: see status")
    for transfer in progress.transfers[:2]:
        share = transfer.sent * 100 // transfer.size if transfer.size else 100
        parts.append(f"sending {size_words(transfer.size)}, {share} %")
    if progress.stopped:
        parts.append("stopped: see status")
    elif progress.reached is False:
        parts.append("no box in reach")
    return " · ".join(parts)


def _head_lines(status: DeskStatus) -> list[str]:
    box, greeting = status.box, status.greeting
    if box is None:
        return ["This desk is not paired with a box yet."]
    seen = f"last seen {local_time(greeting.seen)}" if greeting else "not seen yet"
    named = f"{printable(greeting.box_name)}, " if greeting else ""
    lines = [
        f"Desk      {printable(box.device_name)}, for {printable(box.account_name)}",
        f"Box       {named}{box.device_url}, {seen}",
        f"Journal   {status.head.sequence} statements, ends with {grouped(status.head.digest)}",
    ]
    if status.identifiers.minted:
        waiting = f", {status.identifiers.waiting} not yet known to the box" if status.identifiers.waiting else ""
        lines.append(f"Named     {status.identifiers.minted} identifiers minted here{waiting}")
    if greeting is not None and not greeting.backup_configured:
        lines.append("Backup    none at the box: spooled copies are freed as soon as the receipt is verified")
    if status.stop is not None:
        lines.append(f"Stopped   {status.stop.words}")
        lines.append("          When that is cleared up: deedbox-desktop resume")
    lines += [f"△         {words}" for words in dict.fromkeys(status.troubles.values())]
    lines += [f"△         The box says: {printable(words)}" for words in (greeting.alarms if greeting else ())]
    counts = status.counts()
    lines.append(
        "Files     " + (", ".join(f"{counts[one]} {one.value}" for one in Shown if counts.get(one)) or "none yet")
    )
    return lines


def _file_line(file: FileStatus, width: int, sizes: int) -> str:
    name = printable(file.path)
    return f"  {_SHAPES[file.state]} {name:<{width}}  {size_words(file.size):>{sizes}}  {file.words}"


def _file_json(file: FileStatus) -> Json:
    return {
        "canonical": file.canonical,
        "captured": timestamp.encode(file.captured) if file.captured else None,
        "content": file.content.hex() if file.content else None,
        "folder": file.folder,
        "identifier": file.identifier,
        "log_index": file.log_index,
        "original": file.original.value,
        "path": file.path,
        "path_hex": file.path_bytes.hex() if file.path_bytes else None,
        "receipted": timestamp.encode(file.receipted) if file.receipted else None,
        "sequence": file.sequence,
        "size": file.size,
        "spooled": file.spooled,
        "state": file.state.value,
        "statement": file.statement.hex() if file.statement else None,
        "superseded": file.superseded,
        "words": file.words,
    }


def _log_size(status: DeskStatus) -> int | None:
    if status.checkpoint is None:
        return None
    try:
        return note.parse_checkpoint(note.parse_note(status.checkpoint).body).size
    except SyncError:
        return None


def json_line(value: dict[str, Json]) -> str:
    return canonical_json.encode(value).decode()
