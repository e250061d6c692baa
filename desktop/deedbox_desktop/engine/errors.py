"""What can go wrong on the desk, each with a sentence for the person at it.

DeskError
├── NotPaired         this desk has no box yet
├── KeysLocked        the keys cannot be opened: no keyring, no passphrase, a wrong one
├── Interrupted       the engine is asked to end; whoever waits lets go
├── BoxError
│   ├── BoxUnreachable    no answer: network, name, handshake, time-out, a cut connection
│   ├── BoxRefused        an answer that says no, as a problem document
│   └── BoxUnintelligible an answer that is none: not ours, or broken
└── TrustLost         what the box said cannot be true; sync stops until a person clears it
"""

from datetime import datetime

from deedbox_sync.transfer import Problem


class DeskError(Exception):
    """Every refusal of the desk's engine; the text is a whole sentence."""


class NotPaired(DeskError):
    """There is no box yet."""

    def __init__(self) -> None:
        super().__init__("This desk is not paired with a box yet. Ask an administrator for a code, then pair.")


class KeysLocked(DeskError):
    """The desk's keys cannot be opened or made."""


class Interrupted(DeskError):
    """The engine is ending."""


class BoxError(DeskError):
    """The box did not do what was asked."""


class BoxUnreachable(BoxError):
    """No answer came. Whatever was asked may or may not have been done: the same step again is safe."""


class BoxRefused(BoxError):
    """The box answered with a problem. `status` is the HTTP status, `offset` comes with `offset-mismatch` only, `time` is the
    box's own, where two clocks that are too far apart were the reason."""

    def __init__(self, problem: Problem, status: int, offset: int | None = None, time: datetime | None = None) -> None:
        super().__init__(problem.detail or f"The box refused: {problem.slug}.")
        self.problem = problem
        self.status = status
        self.offset = offset
        self.time = time


class BoxUnintelligible(BoxError):
    """The answer does not parse, is too long, or answers something else."""


class TrustLost(DeskError):
    """A proof does not hold, or the box went backwards. Nothing is sent until a person clears it; `kind` is for machines."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind
