"""A box opened inside the test's own process, on either database."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deedbox_server.app.box import make_folders, open_box
from deedbox_server.app.parts import Box
from deedbox_server.cases import Case
from deedbox_server.people.accounts import Account
from deedbox_server.people.passwords import PasswordCost
from deedbox_server.people.principal import Principal
from deedbox_server.settings import Settings
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.unlock import KeyFile
from kit.field_desk import FieldDesk, paired_desk
from kit.listening import box_closed
from kit.migrated import put_migrated

QUICK = PasswordCost(memory_kib=64, iterations=1, lanes=1)  # what a guess costs is tried where passwords are tried


@dataclass(frozen=True)
class Office:
    """A box with an owner, a case and one paired desk."""

    box: Box
    owner: Account
    principal: Principal
    case: Case
    desk: FieldDesk

    def run_sequencer(self) -> "asyncio.Task[None]":
        """Sequence in the background until the task is cancelled."""
        return asyncio.create_task(self.box.sequencer.run())

    async def settle(self) -> None:
        """Let everything that is staged reach the log."""
        while await self.box.sequencer.step():
            pass


@asynccontextmanager
async def office(data: Path, database_url: str | None = None, **changes: Any) -> AsyncIterator[Office]:
    """A new box in `data`, its key file beside it; it calls nobody outside, unless `changes` to its settings say so."""
    settings = _settings(data, database_url, changes)
    make_folders(settings)
    keyring = Keyring.create(settings.keys_folder, KeyFile.create(data / "key"))
    if database_url is None:
        await put_migrated(settings.database_file, keyring.named("database"))
    async with open_box(settings, keyring) as box:
        box.accounts.cost = QUICK
        owner = await box.accounts.create_owner("Olivia Owner", "correct horse battery staple")
        principal = Principal("account", owner.id, None, owner.name, "password", owner.role)
        case = await box.cases.open(principal, "2026-0001", "Ödegård v. Müller")
        desk = await paired_desk(box, owner.id, case.id)
        made = Office(box, owner, principal, case, desk)
        await made.settle()
        try:
            yield made
        finally:
            box_closed(box)


@asynccontextmanager
async def reopened(data: Path, database_url: str | None = None, **changes: Any) -> AsyncIterator[Box]:
    """The box of an earlier `office`, as after a restart."""
    settings = _settings(data, database_url, changes)
    async with open_box(settings, Keyring.open(settings.keys_folder, KeyFile(data / "key"))) as box:
        await box.vault.sweep(await box.uploads.unfinished())
        yield box


def _settings(data: Path, database_url: str | None, changes: Mapping[str, Any]) -> Settings:
    given = {"database_url": database_url, "postgres_volume_encrypted": True, "outside": False}
    return Settings(data=data / "box", **{**given, **changes})


__all__ = ["Office", "office", "reopened"]
