"""The box's own errors: each is one problem document (RFC 9457), and the web layer turns them into one in one place.

DeedboxError
├── BadRequest            400   the request cannot be understood
├── Unauthenticated       401   nobody is signed in
├── Denied                403   this one may not
│   ├── DeviceRevoked, SecondFactorNeeded
├── NotFound              404   not there, or not for these eyes: the two look alike on purpose
├── Conflict              409   against the present state
│   ├── OffsetMismatch, JournalGap, JournalConflict, LogBehind, OnHold
├── PreconditionFailed    412   it has changed since it was read
├── PreconditionRequired  428   say which version is meant
├── TooLarge              413
├── TooMany               429   wait, then again
├── NotYet                501   a call that a later capability will answer
├── StatementProblem      422   about one capture statement
│   ├── BadStatement, BadSignature, WrongDevice, UnknownCase, HashMismatch, SizeMismatch
├── Suspended             503   the log signs nothing until an administrator has acted
├── Unavailable           503   try again later
└── DiskFull              507   wait, try again
"""

from collections.abc import Mapping
from typing import ClassVar


class DeedboxError(Exception):
    """An outcome that a caller is told about. `detail` and `extra` leave the box: no names, no contents, no paths."""

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The box could not do this"

    def __init__(self, detail: str = "", **extra: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra: Mapping[str, object] = extra


class BadRequest(DeedboxError):
    slug, status, title = "bad-request", 400, "The request cannot be understood"


class Unauthenticated(DeedboxError):
    """`challenge` is the scheme that would do (RFC 9110 11.6.1)."""

    slug, status, title = "unauthenticated", 401, "Sign in first"
    challenge: ClassVar[str] = "Bearer"


class Denied(DeedboxError):
    slug, status, title = "denied", 403, "Not allowed"


class DeviceRevoked(Denied):
    slug, title = "device-revoked", "This device has been revoked"


class SecondFactorNeeded(Denied):
    """Allowed, but only shortly after the second factor was shown."""

    slug, title = "second-factor-needed", "Show your second factor first"


class NotFound(DeedboxError):
    slug, status, title = "not-found", 404, "Nothing is here"


class Conflict(DeedboxError):
    slug, status, title = "conflict", 409, "This does not fit the present state"


class OffsetMismatch(Conflict):
    """Bytes for an upload that do not start where the upload ends."""

    slug, title = "offset-mismatch", "The upload continues elsewhere"

    def __init__(self, offset: int) -> None:
        super().__init__(f"continue from {offset}", offset=offset)


class JournalGap(Conflict):
    """A statement whose journal number is ahead of what the box has taken from this device."""

    slug, title = "journal-gap", "Statements are missing before this one"

    def __init__(self, expected: int) -> None:
        super().__init__(f"the next number is {expected}", expected=expected)


class JournalConflict(Conflict):
    slug, title = "journal-conflict", "Another statement has this journal number"


class LogBehind(Conflict):
    slug, title = "log-behind", "The box was shown its own signature on a larger log"


class OnHold(Conflict):
    """A legal hold is over it: nothing under it is deleted by anyone. Whose and why, those see who may read holds."""

    slug, title = "on-hold", "A legal hold is on this: nothing under it can be deleted"


class PreconditionFailed(DeedboxError):
    """`If-Match` names another version than there is: somebody was faster."""

    slug, status, title = "precondition-failed", 412, "This has changed since it was read"


class PreconditionRequired(DeedboxError):
    slug, status, title = "precondition-required", 428, "Say with If-Match which version is meant"


class TooMany(DeedboxError):
    """More calls than allowed; `retry_after` are the seconds after which the next one is."""

    slug, status, title = "too-many", 429, "Too many calls"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail, retry_after=retry_after)


class NotYet(DeedboxError):
    slug, status, title = "not-yet", 501, "The box cannot do this yet"


class TooLarge(DeedboxError):
    slug, status, title = "too-large", 413, "This is larger than allowed"


class StatementProblem(DeedboxError):
    slug, status, title = "bad-statement", 422, "The statement cannot be taken"


class BadStatement(StatementProblem):
    title = "The statement cannot be read"


class BadSignature(StatementProblem):
    slug, title = "bad-signature", "The statement's signature does not hold"


class WrongDevice(StatementProblem):
    slug, title = "wrong-device", "The statement names another device"


class UnknownCase(StatementProblem):
    slug, title = "unknown-case", "The statement names no case that this device may send to"


class HashMismatch(StatementProblem):
    slug, title = "hash-mismatch", "The bytes are not those of the statement"


class SizeMismatch(StatementProblem):
    slug, title = "size-mismatch", "There are more or fewer bytes than the statement says"


class Unavailable(DeedboxError):
    slug, status, title = "unavailable", 503, "The box cannot do this now"


class Suspended(DeedboxError):
    slug, status, title = "log-suspended", 503, "The log is suspended until an administrator has acted"


class DiskFull(DeedboxError):
    slug, status, title = "disk-full", 507, "The box's disk is full"
