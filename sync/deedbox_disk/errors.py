"""What can go wrong between this program and its disk."""


class DiskError(Exception):
    """The disk did not do what was asked."""


class OutOfSpace(DiskError):
    """The volume (or the quota on it) is full: nothing is damaged, the same step may be tried again when there is
    room.
    """


class FolderInUse(DiskError):
    """Another process owns this folder."""


class SealBroken(DiskError):
    """The encrypted database does not open or read under this key: a wrong key, or bytes that were changed."""


class KeyLocked(DiskError):
    """The key that everything else is under does not open; the message is for a person."""
