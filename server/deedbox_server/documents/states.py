"""How a reading can end, and what a person is told about it."""

from enum import StrEnum


class ReadState(StrEnum):
    """The end of one reading. All but READ leave the exhibit findable by name only."""

    READ = "read"
    NOTHING_TO_READ = "nothing-to-read"
    TOO_LARGE = "too-large"
    LOCKED = "locked"
    DAMAGED = "damaged"
    UNSUPPORTED = "unsupported"
    OUT_OF_MEMORY = "out-of-memory"
    OUT_OF_SCRATCH = "out-of-scratch"
    OUT_OF_TIME = "out-of-time"
    WORKER_DIED = "worker-died"
    WORKER_REFUSED = "worker-refused"
    LANGUAGE_MISSING = "language-missing"
    NO_SANDBOX = "no-sandbox"

    @property
    def words(self) -> str:
        return _WORDS[self]

    @property
    def waits_for_people(self) -> bool:
        """Whether the same bytes can be read once an administrator has added what is missing."""
        return self in (ReadState.NO_SANDBOX, ReadState.LANGUAGE_MISSING)

    @property
    def may_pass(self) -> bool:
        """Whether another attempt at the same bytes may end otherwise."""
        return self.waits_for_people or self in (ReadState.OUT_OF_MEMORY, ReadState.WORKER_DIED)


_WORDS = {
    ReadState.READ: "Read.",
    ReadState.NOTHING_TO_READ: "There is no text to read in this kind of file.",
    ReadState.TOO_LARGE: "Too large to be read here. It is kept and proven like every exhibit; its text cannot be searched.",
    ReadState.LOCKED: "Locked with a password. The text cannot be read without it.",
    ReadState.DAMAGED: "Damaged, or not what it says it is. What could be kept is kept as it came.",
    ReadState.UNSUPPORTED: "A form that only its own program can open (for example a fill-in form of an older Acrobat).",
    ReadState.OUT_OF_MEMORY: "Reading it took more memory than a reader may have.",
    ReadState.OUT_OF_SCRATCH: "Reading it took more room than a reader may have.",
    ReadState.OUT_OF_TIME: "Reading it took longer than a reader may take.",
    ReadState.WORKER_DIED: "The reader stopped without an answer. Damaged files, and files made to attack, can do that.",
    ReadState.WORKER_REFUSED: "The reader's answer was not of the form it must have, and was thrown away.",
    ReadState.LANGUAGE_MISSING: "A language set for text recognition is not installed on the box.",
    ReadState.NO_SANDBOX: "Not read: the box cannot shut the reader in (bubblewrap is missing or not permitted).",
}
