"""What one look after the other makes of a folder, without a disk and without a clock."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from deedbox_desktop.engine.model import FileRow, FileState, Original
from deedbox_desktop.engine.watch.rules import IgnoreRules
from deedbox_desktop.engine.watch.scan import Entry, Kind, Scan
from deedbox_desktop.engine.watch.tracker import RETRY_S, Look, Moment, Tracker

DAY = 86_400 * 10**9


class Folder:
    """A folder that is only told of: entries by path, a wall clock and a tick that move when they are asked to."""

    def __init__(self, quiet_s: float = 2.0) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.blind: list[bytes] = []
        self.seconds = 0.0
        self.tracker = Tracker(1, IgnoreRules(), quiet_s, count(1).__next__)

    def put(
        self, path: bytes, size: int = 1, *, modified: float | None = None, inode: int = 7, kind: Kind = Kind.FILE
    ) -> None:
        at = DAY + int((self.seconds if modified is None else modified) * 1e9)
        self.entries[path] = Entry(path, kind, size, at, at, inode)

    def look(self, later: float = 0.0, *, trusted: bool = True) -> Look:
        self.seconds += later
        return self.tracker.look(Scan(list(self.entries.values()), list(self.blind)), self.now(trusted))

    def now(self, trusted: bool = True) -> Moment:
        return Moment(DAY + int(self.seconds * 1e9), self.seconds, trusted)

    def capture(self, later: float = 10.0) -> FileRow:
        """Look until the one file is handed out, and tell that it was captured."""
        [ready] = self.look(later).ready
        ready.row.sequence = 1
        self.tracker.captured(ready.row, ready.row)
        return ready.row


def test_a_file_is_handed_out_once_it_was_left_alone_for_the_quiet_period() -> None:
    folder = Folder()
    folder.put(b"a")
    first = folder.look()
    assert [row.state for row in first.put] == [FileState.WAITING]
    assert (first.ready, first.due, first.waiting) == ([], 2.0, 1)
    assert folder.look(1.9).ready == []
    assert [ready.row.path for ready in folder.look(0.1).ready] == [b"a"]


def test_a_file_whose_times_say_that_it_was_left_alone_long_ago_is_handed_out_at_once() -> None:
    folder = Folder()
    folder.put(b"a", modified=-100)
    assert len(folder.look().ready) == 1


def test_times_of_another_machines_clock_are_not_believed() -> None:
    folder = Folder()
    folder.put(b"a", modified=-100)
    assert folder.look(trusted=False).ready == []
    assert len(folder.look(2.0, trusted=False).ready) == 1


def test_times_in_the_future_do_not_hold_a_file_back_for_ever() -> None:
    folder = Folder()
    folder.put(b"a", modified=10**6)
    folder.look()
    assert len(folder.look(2.0).ready) == 1


def test_each_change_starts_the_quiet_period_anew() -> None:
    folder = Folder()
    for size in range(1, 10):
        folder.put(b"a", size)
        assert folder.look(1.0).ready == []
    assert len(folder.look(3.0).ready) == 1


def test_a_file_that_is_handed_out_is_left_alone_until_the_outcome_is_told() -> None:
    folder = Folder()
    folder.put(b"a")
    [ready] = folder.look(5).ready
    folder.put(b"a", 99)
    look = folder.look(5)
    assert (look.put, look.ready, look.waiting) == ([], [], 1)
    folder.tracker.captured(ready.row, ready.row)
    assert [row.original for row in folder.look().put] == [Original.REPLACED, Original.HERE]


def test_a_file_that_changed_while_it_was_read_waits_again() -> None:
    folder = Folder()
    folder.put(b"a")
    [ready] = folder.look(5).ready
    folder.tracker.changed(ready.row, folder.now())
    folder.put(b"a", 2)
    assert folder.look(0.1).ready == []
    assert len(folder.look(5).ready) == 1


def test_an_unreadable_file_is_tried_again_later_and_when_it_changes() -> None:
    folder = Folder()
    folder.put(b"a")
    [ready] = folder.look(5).ready
    [row] = folder.tracker.unreadable(ready.row, "no", folder.now())
    assert row.state is FileState.UNREADABLE
    assert folder.look(RETRY_S - 1).ready == []
    assert len(folder.look(1.0).ready) == 1
    folder.tracker.unreadable(ready.row, "no", folder.now())
    folder.put(b"a", 2)
    folder.look()
    assert len(folder.look(2.0).ready) == 1


def test_a_file_saved_again_is_a_new_row_after_the_old_one() -> None:
    folder = Folder()
    folder.put(b"a")
    old = folder.capture()
    folder.put(b"a", 2)
    before, after = folder.look().put
    assert before is old
    assert (before.current, before.original) == (False, Original.REPLACED)
    assert (after.supersedes, after.state) == (old.id, FileState.WAITING)


def test_a_capture_that_turns_out_to_be_the_same_bytes_leaves_the_old_row() -> None:
    folder = Folder()
    folder.put(b"a")
    old = folder.capture()
    folder.put(b"a")
    folder.look()
    [ready] = folder.look(5).ready
    rows, removed = folder.tracker.same(ready)
    assert (rows, removed) == ([old], [ready.row.id])
    assert (old.current, old.original) == (True, Original.HERE)
    assert folder.look().put == []


def test_a_renamed_file_is_handed_out_to_be_compared_and_moves_its_row() -> None:
    folder = Folder()
    folder.put(b"a", modified=0)
    old = folder.capture()
    del folder.entries[b"a"]
    folder.put(b"b", modified=0)
    [ready] = folder.look().ready
    assert (ready.before, ready.renamed) == (old, True)
    folder.tracker.same(ready)
    assert (old.path, old.was, old.original) == (b"b", b"a", Original.RENAMED)
    assert folder.look().put == []


def test_a_hard_link_is_a_file_of_its_own() -> None:
    folder = Folder()
    folder.put(b"a", modified=0)
    folder.capture()
    folder.put(b"b", modified=0)
    [ready] = folder.look().ready
    assert ready.before is None


def test_a_file_that_is_gone_is_told_once_and_found_again() -> None:
    folder = Folder()
    folder.put(b"a", modified=0)
    folder.capture()
    entry = folder.entries.pop(b"a")
    assert [row.original for row in folder.look().put] == [Original.VANISHED]
    assert folder.look().put == []
    folder.entries[b"a"] = entry
    assert [row.original for row in folder.look().put] == [Original.HERE]
    assert folder.look().put == []


def test_a_file_that_is_gone_before_it_was_captured_is_told_too() -> None:
    folder = Folder()
    folder.put(b"a")
    folder.look()
    del folder.entries[b"a"]
    [row] = folder.look().put
    assert row.state is FileState.VANISHED
    folder.put(b"a")
    [row] = folder.look().put
    assert row.state is FileState.WAITING


def test_what_is_in_a_folder_that_cannot_be_read_is_not_taken_for_gone() -> None:
    folder = Folder()
    folder.put(b"sub/a", modified=0)
    row = folder.capture()
    del folder.entries[b"sub/a"]
    folder.blind = [b"sub/"]
    folder.put(b"sub", kind=Kind.CLOSED)
    assert [one.state for one in folder.look().put] == [FileState.UNREADABLE]
    assert row.original is Original.HERE
    folder.blind = []
    del folder.entries[b"sub"]
    folder.put(b"sub/a", modified=0)
    assert [one.state for one in folder.look().put] == [FileState.IGNORED]
    assert folder.look().put == []


def test_new_ignore_rules_count_for_files_that_wait() -> None:
    folder = Folder()
    folder.put(b"a.bak")
    folder.look()
    folder.tracker.rules = IgnoreRules(["*.bak"])
    assert [row.state for row in folder.look().put] == [FileState.IGNORED]
    folder.tracker.rules = IgnoreRules()
    assert [row.state for row in folder.look().put] == [FileState.WAITING]


Changes = list[tuple[bytes, str, int]]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"c"]), st.sampled_from(["write", "remove", "wait", "link"]), st.integers(1, 3)
    ),
    max_size=40,
)


@given(CHANGES)
def test_whatever_happens_a_quiet_folder_ends_with_every_file_captured_once_as_it_is(
    changes: list[tuple[bytes, str, int]],
) -> None:
    folder = Folder()
    captured: dict[bytes, tuple[int, int]] = {}

    def settle(seconds: float) -> None:
        for ready in folder.look(seconds).ready:
            row = ready.row
            assert row.id not in {one for _, one in captured.values()}
            captured[row.path] = (row.size, row.id)
            folder.tracker.captured(row, row)

    for path, what, size in changes:
        if what == "write":
            folder.put(path, size, inode=path[0])
        elif what == "link":
            folder.put(path, size, kind=Kind.LINK)
        elif what == "remove":
            folder.entries.pop(path, None)
        settle(3.0 if what == "wait" else 0.5)
    settle(3.0)
    settle(3.0)
    for path, entry in folder.entries.items():
        if entry.kind is Kind.FILE:
            assert captured[path][0] == entry.size
    assert folder.look().waiting == 0
