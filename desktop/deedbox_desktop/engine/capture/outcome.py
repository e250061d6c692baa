"""What came of trying to capture one file, for the one who watches its folder."""

from dataclasses import dataclass
from enum import Enum

from deedbox_desktop.engine.model import FileRow, Folder
from deedbox_desktop.engine.watch.tracker import Ready


class Kind(Enum):
    CAPTURED = "captured"
    SAME = "same"  # the bytes are those of the capture before
    CHANGED = "changed"  # or gone, while it was read
    UNREADABLE = "unreadable"
    HELD = "held"  # a person must do something first
    DEFERRED = "deferred"  # nothing is wrong with the file


@dataclass(frozen=True)
class Job:
    """A whole file to capture. `local`: on a drive of this machine."""

    folder: Folder
    ready: Ready
    local: bool


@dataclass(frozen=True)
class Outcome:
    """`kept` is the row as the journal has it now, with CAPTURED only; `words` say why, with the last three kinds."""

    job: Job
    kind: Kind
    kept: FileRow | None = None
    words: str | None = None
