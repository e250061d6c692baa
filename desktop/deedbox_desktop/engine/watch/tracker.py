"""From one look to the next: which files are new, changed, whole, renamed, gone. Pure: looks and times in, rows out.

One tracker a folder. It owns the folder's rows in memory; what it changed is handed over to be written, and files that
are whole are handed over to be captured. Until the outcome of a capture is told, the row is left alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deedbox_desktop.engine.model import FileRow, FileState, Original
from deedbox_desktop.engine.watch.rules import IgnoreRules
from deedbox_desktop.engine.watch.scan import Entry, Kind, Scan

RETRY_S = 30.0  # how long an unreadable or held file is left alone before it is tried again

_PASSED_OVER = {
    Kind.LINK: "A link: links are not followed",
    Kind.SPECIAL: "Not a file but a device, pipe or socket",
}
_WAITING = "Being written, or not yet left alone long enough"
_CLOSED = "This folder cannot be read"
_OPEN_AGAIN = "This folder could not be read for a while"


@dataclass(frozen=True)
class Moment:
    """The wall clock and a clock that only goes forward. `trusted`: the folder's file times are by this wall clock."""

    wall_ns: int
    tick: float
    trusted: bool = True


@dataclass(frozen=True)
class Ready:
    """A file to be captured now. `before` is the capture that it would supersede, or, if `renamed`, may be."""

    row: FileRow
    before: FileRow | None = None
    renamed: bool = False


@dataclass
class Look:
    """What one look changed. `due` is the tick at which the next file may be handed out; `waiting` are not captured yet."""

    put: list[FileRow] = field(default_factory=list)
    ready: list[Ready] = field(default_factory=list)
    due: float | None = None
    waiting: int = 0


@dataclass(slots=True)
class _Steady:
    """A file that is not captured yet: since when it looks as it does, and what it may continue."""

    since: float
    before: FileRow | None = None
    renamed: bool = False


class Tracker:
    """All that is known of one folder. `new_id` numbers new rows."""

    def __init__(
        self,
        folder: int,
        rules: IgnoreRules,
        quiet_s: float,
        new_id: Callable[[], int],
        rows: Iterable[FileRow] = (),
        before: dict[int, FileRow] | None = None,
    ) -> None:
        self._folder = folder
        self.rules = rules
        self.quiet_s = quiet_s
        self._new_id = new_id
        self._rows = {row.path: row for row in rows}
        self._steady: dict[int, _Steady] = {
            row.id: _Steady(float("-inf"), (before or {}).get(row.supersedes or 0), row.was is not None)
            for row in self._rows.values()
            if row.state in (FileState.WAITING, FileState.UNREADABLE, FileState.HELD)
        }
        self._busy: set[int] = set()

    def look(self, scan: Scan, now: Moment) -> Look:
        """Compare one look with what is known."""
        look = Look()
        unknown: list[Entry] = []
        seen: set[bytes] = set()
        rows, busy = self._rows, self._busy
        for entry in scan.entries:
            seen.add(entry.path)
            row = rows.get(entry.path)
            if row is None:
                unknown.append(entry)
            elif row.id not in busy:
                self._known(row, entry, now, look)
        missing = [row for path, row in rows.items() if path not in seen and row.id not in busy]
        if scan.blind:
            missing = [row for row in missing if not row.path.startswith(tuple(scan.blind))]
        self._add(unknown, missing, now, look)
        for row in missing:
            self._gone(row, look)
        look.waiting += len(self._busy)
        return look

    # --- outcomes of captures, told by the one who captured

    def captured(self, row: FileRow, kept: FileRow) -> None:
        """The row is in the journal as `kept` has it: with the facts and the number it was captured with."""
        self._busy.discard(row.id)
        self._steady.pop(row.id, None)
        row.state, row.reason, row.was = FileState.CAPTURED, None, None
        row.size, row.modified_ns, row.inode = kept.size, kept.modified_ns, kept.inode
        row.sequence, row.supersedes = kept.sequence, kept.supersedes

    def same(self, ready: Ready) -> tuple[list[FileRow], list[int]]:
        """The bytes are those of the capture before: no new one. Gives rows to write and a row to remove."""
        row, before = ready.row, ready.before
        assert before is not None
        self._busy.discard(row.id)
        self._steady.pop(row.id, None)
        if ready.renamed:
            self._rows.pop(before.path, None)
            before.was = before.was or before.path
            before.path = row.path
        before.original = Original.RENAMED if before.was not in (None, before.path) else Original.HERE
        before.size, before.modified_ns, before.inode = row.size, row.modified_ns, row.inode
        before.current = True
        self._rows[before.path] = before
        return [before], [row.id]

    def changed(self, row: FileRow, now: Moment) -> None:
        """It changed while it was read, or is gone: it has to be left alone again first."""
        self._busy.discard(row.id)
        if row.id in self._steady:
            self._steady[row.id].since = now.tick

    def unreadable(self, row: FileRow, words: str, now: Moment) -> list[FileRow]:
        """It could not be read; it is tried again later, or when something about it changes."""
        self.changed(row, now)
        row.state, row.reason = FileState.UNREADABLE, words
        return [row]

    def held(self, row: FileRow, words: str, now: Moment) -> list[FileRow]:
        """It is not captured before a person has done something; it is tried again later all the same."""
        self.changed(row, now)
        row.state, row.reason = FileState.HELD, words
        return [row]

    def deferred(self, row: FileRow, words: str | None, now: Moment) -> list[FileRow]:
        """Nothing is wrong with the file; the desk could not take it now. It is handed out again after the quiet period."""
        self.changed(row, now)
        if row.reason == words:
            return []
        row.reason = words
        return [row]

    # --- one look

    def _known(self, row: FileRow, entry: Entry, now: Moment, look: Look) -> None:
        same = row.size == entry.size and row.modified_ns == entry.modified_ns and row.inode == entry.inode
        if row.state is FileState.CAPTURED:
            if entry.kind is not Kind.FILE:
                self._gone(row, look)
            elif not same:
                self._saved_again(row, entry, now, look)
            elif row.original is Original.VANISHED:
                row.original = Original.RENAMED if row.was is not None else Original.HERE
                look.put.append(row)
            return
        passed = self._passed_over(entry)
        if passed is not None:
            if (row.state, row.reason) != passed:
                row.state, row.reason = passed
                self._steady.pop(row.id, None)
                look.put.append(row)
            return
        steady = self._steady.get(row.id)
        if steady is None:  # it was passed over or gone until now
            steady = self._steady[row.id] = _Steady(now.tick)
            same = False
        if not same:
            steady.since = now.tick
            row.size, row.modified_ns, row.inode = entry.size, entry.modified_ns, entry.inode
            row.state, row.reason, row.original = FileState.WAITING, _WAITING, Original.HERE
            look.put.append(row)
        self._wait(row, steady, entry, now, look)

    def _wait(self, row: FileRow, steady: _Steady, entry: Entry, now: Moment, look: Look) -> None:
        """Hand the file out once it has been left alone for the quiet period, as seen by us or by its own times."""
        patience = self.quiet_s
        if row.state in (FileState.UNREADABLE, FileState.HELD):
            patience = max(RETRY_S, patience)
        due = steady.since + patience
        touched = max(entry.modified_ns, entry.changed_ns)
        if row.state is FileState.WAITING and now.trusted and entry.changed_ns and touched <= now.wall_ns:
            due = min(due, now.tick + patience - (now.wall_ns - touched) / 1e9)
        if due <= now.tick:
            self._busy.add(row.id)
            look.ready.append(Ready(row, steady.before, steady.renamed))
            return
        look.waiting += row.state is FileState.WAITING
        if look.due is None or due < look.due:
            look.due = due

    def _saved_again(self, before: FileRow, entry: Entry, now: Moment, look: Look) -> None:
        before.current = False
        before.original = Original.REPLACED
        look.put.append(before)
        self._begin(entry, now, look, before=before)

    def _begin(
        self, entry: Entry, now: Moment, look: Look, *, before: FileRow | None = None, renamed: bool = False
    ) -> None:
        passed = self._passed_over(entry)
        row = FileRow(
            id=self._new_id(),
            folder=self._folder,
            path=entry.path,
            size=entry.size,
            modified_ns=entry.modified_ns,
            inode=entry.inode,
            state=passed[0] if passed else FileState.WAITING,
            reason=passed[1] if passed else _WAITING,
            was=before.path if before is not None and renamed else None,
            supersedes=before.id if before is not None else None,
        )
        self._rows[entry.path] = row
        look.put.append(row)
        if passed is None:
            steady = self._steady[row.id] = _Steady(now.tick, before, renamed)
            self._wait(row, steady, entry, now, look)

    def _passed_over(self, entry: Entry) -> tuple[FileState, str] | None:
        if entry.kind is Kind.CLOSED:
            return FileState.UNREADABLE, _CLOSED
        words = _PASSED_OVER.get(entry.kind) or self.rules.reason(entry.path)
        return None if words is None else (FileState.IGNORED, words)

    def _add(self, unknown: list[Entry], missing: list[FileRow], now: Moment, look: Look) -> None:
        by_inode = (
            {row.inode: row for row in missing if row.state is FileState.CAPTURED and row.inode} if unknown else {}
        )
        for entry in unknown:
            found = by_inode.get(entry.inode) if entry.kind is Kind.FILE else None
            if found is not None and (found.size, found.modified_ns) == (entry.size, entry.modified_ns):
                del by_inode[entry.inode]
                self._begin(entry, now, look, before=found, renamed=True)
            else:
                self._begin(entry, now, look)

    def _gone(self, row: FileRow, look: Look) -> None:
        if row.state is FileState.VANISHED or row.original is Original.VANISHED or row.reason == _OPEN_AGAIN:
            return
        self._steady.pop(row.id, None)
        if row.state is FileState.CAPTURED:
            row.original = Original.VANISHED
        elif row.reason == _CLOSED:
            row.state, row.reason = FileState.IGNORED, _OPEN_AGAIN
        else:
            row.state, row.reason = FileState.VANISHED, "Gone before it could be captured"
        look.put.append(row)
