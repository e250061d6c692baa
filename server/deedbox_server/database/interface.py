"""One door to the box's database, whichever it is: SQL in, plain Python values out, transactions that belong to a
task.

SQL has `{}` where a value goes (nowhere else, not even in quotes) and names columns as `max(created) AS "latest
[timestamptz]"` where SQLite could not know an expression's type (`uuid`, `timestamptz`, `boolean`); the column is
then called `latest` in both dialects. Values are UUID, bytes, aware datetime, int (64 bit), float, bool, str,
None; a value never travels inside the SQL text.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from deedbox_server.database.errors import DatabaseError

Dialect = Literal["sqlite", "postgres"]
_IN_VALUES = 10_000  # both dialects take at most 32,766 values in a statement
Row = dict[str, Any]


class Session(ABC):
    """One connection for as long as a transaction lasts; statements are in the dialect's own form."""

    @abstractmethod
    async def run(self, sql: str, args: Sequence[Any]) -> list[Row]:
        """Run one statement and return its rows, if it has any."""

    @abstractmethod
    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row of values."""

    @abstractmethod
    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows the fastest way there is."""

    @abstractmethod
    async def end(self, *, commit: bool) -> None:
        """Commit or roll back, and give the connection back whatever happens."""


class _Transaction:
    __slots__ = ("after_commit", "broken", "session", "task")

    def __init__(self, session: Session, task: "asyncio.Task[Any] | None") -> None:
        self.session = session
        self.task = task
        self.after_commit: list[Callable[[], None]] = []
        self.broken = False


class Database(ABC):
    """Made by `open_database`; used from one event loop. Each call outside a transaction is a transaction of its
    own.
    """

    dialect: Dialect

    def __init__(self) -> None:
        self._current: ContextVar[_Transaction | None] = ContextVar("deedbox_transaction", default=None)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All or nothing for what this task does inside; inside another transaction it joins that one.

        What returned from here is durable. An exception (or cancellation) rolls back; one from the commit itself, a
        lost connection, may leave either outcome, so callers repeat with idempotent keys. A statement that failed
        dooms the whole transaction, as on Postgres, even where its error was caught. Only the task that opened it
        takes part: `gather` and `wait_for` inside run other tasks, which would wait for this one; use
        `asyncio.timeout`.
        """
        if self._mine() is not None:
            yield
            return
        transaction = _Transaction(await self._begin(), asyncio.current_task())
        token = self._current.set(transaction)
        try:
            yield
            if transaction.broken:
                raise DatabaseError("a statement of this transaction failed: it cannot be committed")
        except BaseException:
            self._current.reset(token)
            await _to_the_end(transaction.session.end(commit=False))
            raise
        self._current.reset(token)
        await _to_the_end(transaction.session.end(commit=True), then=transaction.after_commit)

    async def fetch(self, sql: str, *args: Any) -> list[Row]:
        """Rows of a query, or of a statement with RETURNING, in full: page what may be large."""
        return await self._statement(self._prepared(sql, len(args)), args)

    async def fetch_one(self, sql: str, *args: Any) -> Row | None:
        """The only row or None; more than one row is an error of the caller."""
        rows = await self.fetch(sql, *args)
        if len(rows) > 1:
            raise DatabaseError("more than one row where at most one was expected")
        return rows[0] if rows else None

    async def fetch_in(self, sql: str, values: Sequence[Any], *args: Any, suffix: str = "") -> list[Row]:
        """Rows of a query that ends in `IN` and is given its list of values, in as many statements as the list needs.

        `args` are the values that stand before the list. No values, no rows.
        """
        rows: list[Row] = []
        for start in range(0, len(values), _IN_VALUES):
            part = values[start : start + _IN_VALUES]
            marks = ", ".join(["{}"] * len(part))
            rows += await self.fetch(f"{sql} ({marks}){suffix}", *args, *part)
        return rows

    async def execute(self, sql: str, *args: Any) -> None:
        """One statement whose rows, if any, are of no interest."""
        await self._statement(self._prepared(sql, len(args)), args)

    async def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for many rows of values, one hop, all or nothing."""
        if not rows:
            return
        prepared = self._prepared(sql, len(rows[0]))
        await self._in_transaction(lambda session: session.run_many(prepared, rows))

    async def insert_many(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows whose values stand in the order of `columns`; one hop, all or nothing. Duplicates raise
        UniqueViolation.
        """
        if rows:
            await self._in_transaction(lambda session: session.insert(table, columns, rows))

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call this once the outermost transaction of this task has committed, not if it rolls back; at once outside
        of one.

        For waking those who wait. It is lost with the process: nothing may depend on it but promptness.
        """
        transaction = self._mine()
        if transaction is None:
            callback()
        else:
            transaction.after_commit.append(callback)

    @abstractmethod
    async def purge(self, tables: Sequence[str]) -> bool:
        """What was deleted from these tables leaves the files too; outside a transaction, and it takes its time. False where
        somebody who reads keeps it from that: try again later.
        """

    @property
    def in_transaction(self) -> bool:
        """Whether this task is inside a transaction."""
        return self._mine() is not None

    @abstractmethod
    async def close(self) -> None:
        """Wait for what runs and close every connection."""

    @abstractmethod
    async def _begin(self) -> Session:
        """A session whose statements will be one transaction."""

    @abstractmethod
    async def _alone(self, sql: str, args: Sequence[Any]) -> list[Row]:
        """Run one statement as its own transaction."""

    @abstractmethod
    def _prepared(self, sql: str, values: int) -> str:
        """This SQL in the dialect's form; DatabaseError unless it has as many `{}` as there are values."""

    async def run_native(self, sql: str, args: Sequence[Any]) -> list[Row]:
        """One statement already in the dialect's own form. For Piccolo, which writes its own."""
        return await self._statement(sql, args)

    def _mine(self) -> _Transaction | None:
        """This task's transaction. A task started inside one inherits its context but must not write into it: it may
        end any time.
        """
        transaction = self._current.get()
        if transaction is None or transaction.task is not asyncio.current_task():
            return None
        return transaction

    async def _statement(self, sql: str, args: Sequence[Any]) -> list[Row]:
        transaction = self._mine()
        if transaction is None:
            return await self._alone(sql, args)
        with _dooming(transaction):
            return await transaction.session.run(sql, args)

    async def _in_transaction(self, work: Callable[[Session], Awaitable[None]]) -> None:
        async with self.transaction():
            transaction = self._mine()
            assert transaction is not None
            with _dooming(transaction):
                await work(transaction.session)


@contextmanager
def _dooming(transaction: _Transaction) -> Iterator[None]:
    if transaction.broken:
        raise DatabaseError("an earlier statement of this transaction failed")
    try:
        yield
    except BaseException:
        transaction.broken = True
        raise


async def _to_the_end(work: Coroutine[Any, Any, None], then: Sequence[Callable[[], None]] = ()) -> None:
    """Run the end of a transaction to its own end even when this task is cancelled meanwhile: half a commit is no
    outcome.
    """
    ending = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not ending.done():
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as error:
            cancelled = error
        except BaseException:  # noqa: S110 - raised below, by result()
            pass
    ending.result()
    for callback in then:
        callback()
    if cancelled is not None:
        raise cancelled
