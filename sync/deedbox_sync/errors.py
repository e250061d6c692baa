"""What can be wrong with bytes from elsewhere.

SyncError
├── FormatError   the bytes do not parse, or a value cannot be written in the format
└── ProofError    they parse, but a signature, digest or proof does not hold
"""


class SyncError(ValueError):
    """Every refusal of this package; nothing else is raised for bad input."""


class FormatError(SyncError):
    """The bytes are not the format; `where` names the place, `what` the fault."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class ProofError(SyncError):
    """Well-formed, but it does not prove what it should; `what` says which step failed."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
