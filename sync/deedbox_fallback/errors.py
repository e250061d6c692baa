"""What callers are told, each as one problem document (RFC 9457), and what stops the program.

FallbackError
├── BadRequest         400   the request cannot be understood
├── Unsigned           401   signature-missing, -malformed, -false, -expired, nonce-replayed
├── TooLarge           413
├── TooMany            429   wait as many seconds as Retry-After says
├── Unavailable        503   too much waits for the box already
└── DiskFull           507
SetupError                   the program cannot start; one sentence for a person
"""

from collections.abc import Mapping
from typing import ClassVar


class SetupError(Exception):
    """The message says what is missing or wrong, and what to do."""


class FallbackError(Exception):
    """`detail` and `extra` leave the process: no keys, no contents, no paths."""

    slug: str = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The service could not do this"

    def __init__(self, detail: str = "", **extra: object) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra: Mapping[str, object] = extra


class BadRequest(FallbackError):
    slug, status, title = "bad-request", 400, "The request cannot be understood"


class Unsigned(FallbackError):
    """One of the refusals of `formats/message-signature.md`, named by its slug."""

    status, title = 401, "The call is not signed as it must be"

    def __init__(self, slug: str, detail: str = "", **extra: object) -> None:
        super().__init__(detail, **extra)
        self.slug = slug


class TooLarge(FallbackError):
    slug, status, title = "too-large", 413, "This is larger than allowed"


class TooMany(FallbackError):
    slug, status, title = "too-many-requests", 429, "This key asks for too much"


class Unavailable(FallbackError):
    slug, status, title = "unavailable", 503, "The service cannot do this now"


class DiskFull(FallbackError):
    slug, status, title = "disk-full", 507, "The service's disk is full"
