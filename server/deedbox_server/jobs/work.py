"""Jobs as values: what is asked for, what is leased, what is seen of it. Nothing but ids is ever part of one."""

import json
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

Id: TypeAlias = str | int
Ids: TypeAlias = Mapping[str, Id | Sequence[Id]]

DEFAULT_PRIORITY = 100  # lower goes first
DEFAULT_ATTEMPTS = 5  # without progress; then a person has to look

_ID = re.compile(
    r"[0-9A-Za-z_.:-]{1,128}"
)  # UUIDs, digests, names of our own: no blanks, so no titles and no file names
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TOO_LARGE = "too_large"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in (JobState.DONE, JobState.FAILED, JobState.TOO_LARGE)


@dataclass(frozen=True, slots=True)
class JobDraft:
    """Work to be done on a subject. `dedup` (say, `read:` and an id) makes it once for ever, however often it is
    asked for.

    ValueError when something in it is not an id: a job's row may be seen where contents may not.
    """

    kind: str
    subject: uuid.UUID
    args: Ids = field(default_factory=dict)
    priority: int = DEFAULT_PRIORITY
    dedup: str | None = None
    max_attempts: int = DEFAULT_ATTEMPTS
    not_before: datetime | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.kind):
            raise ValueError("the kind of a job is a short lower-case name")
        if self.dedup is not None and not _ID.fullmatch(self.dedup):
            raise ValueError("dedup is made of ids")
        encode_ids(self.args)


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job that one runner holds, with the outputs of the steps that are done."""

    id: uuid.UUID
    kind: str
    subject: uuid.UUID
    args: Ids
    attempts: int
    max_attempts: int
    steps: Mapping[str, Ids]


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as people may see it. `error` is the kind and place of a failure, never its text."""

    id: uuid.UUID
    kind: str
    subject: uuid.UUID
    state: JobState
    attempts: int
    progress: float
    error: str
    created: datetime
    finished: datetime | None


class JobContext(Protocol):
    """What a handler gets."""

    @property
    def job(self) -> LeasedJob:
        """The job as it was leased."""

    async def step(self, name: str, work: Callable[[], Awaitable[Ids | None]]) -> Ids:
        """Do `work` unless it was done before; either way give its output.

        Its output is durable when this returns. A crash between the work and that repeats the work: let it be
        repeatable, or put its traces into the database with `commit_step`. LeaseLost when the job is no longer
        this runner's.
        """

    async def commit_step(self, name: str, work: Callable[[], Awaitable[Ids | None]]) -> Ids:
        """The same with `work` inside the transaction that records it: what it writes to the database happens
        exactly once.

        Keep it short: on SQLite all other writers wait.
        """

    def progress(self, fraction: float) -> None:
        """How much of the job is done, 0 to 1; written with the next heartbeat."""


def encode_ids(ids: Ids) -> str:
    """The JSON of these ids; ValueError for anything that is not one."""
    for name, value in ids.items():
        values = [value] if isinstance(value, str | int) else list(value)
        if not _NAME.fullmatch(name) or not all(isinstance(one, int) or _is_id(one) for one in values):
            raise ValueError("a job holds ids only: put contents where its subject is")
    return json.dumps(dict(ids), separators=(",", ":"))


def decode_ids(text: str) -> Ids:
    """What `encode_ids` made."""
    ids: Ids = json.loads(text)
    return ids


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None
