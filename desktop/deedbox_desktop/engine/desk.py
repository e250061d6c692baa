"""What the engine's threads share."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from deedbox_desktop.engine.box.interface import Box
from deedbox_desktop.engine.capture.scene import Scene
from deedbox_desktop.engine.capture.signer import Signer
from deedbox_desktop.engine.contents import Contents
from deedbox_desktop.engine.errors import TrustLost
from deedbox_desktop.engine.journal import facts, files, receipts
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.link import Link
from deedbox_desktop.engine.model import BoxFacts, Stop
from deedbox_desktop.engine.spool import Spool
from deedbox_desktop.engine.watch.file_system import is_network


@dataclass(frozen=True)
class Desk:
    """One paired desk at work. Everything in it may be used from any thread."""

    facts: BoxFacts
    journal: Journal
    spool: Spool
    signer: Signer
    scene: Scene
    box: Box
    link: Link
    contents: Contents = field(default_factory=Contents)

    def free_spool(self) -> None:
        """Let go of spooled copies that the box will not lose: receipted, and in a backup where the box has one."""
        greeting = self.link.greeting
        if greeting is None or (greeting.backup_configured and greeting.backed_up_to is None):
            return
        limit = greeting.backed_up_to if greeting.backup_configured else None
        self.spool.remove(self.journal.write(lambda db: receipts.free_spool(db, limit)))

    def trouble(self, place: str, words: str | None) -> None:
        """Tell `status` what holds a part up for now, or that nothing does."""
        self.journal.write(lambda db: facts.put_trouble(db, place, words))

    def halt(self, lost: TrustLost) -> None:
        """Send nothing from now on, over restarts too, until a person clears it."""
        stop = Stop(lost.kind, str(lost), datetime.now(UTC))
        self.link.halt(stop)
        self.journal.write(lambda db: facts.put_stop(db, stop))

    def original_of(self, file: int) -> tuple[bytes, bool] | None:
        """Where a captured file lies now, and whether on a drive of this machine; None if the journal has no such file."""
        row = self.journal.read(lambda db: files.one_file(db, file))
        if row is None:
            return None
        folder = next((one for one in self.journal.read(files.folders) if one.id == row.folder), None)
        return None if folder is None else (folder.at(row.path), not is_network(folder.path))
