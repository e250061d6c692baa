"""Who may notice that a log was rewritten: a desk, a witness, the box's own audit; each says what it makes of it."""

from __future__ import annotations

from deedbox_desktop.engine.errors import TrustLost
from deedbox_desktop.engine.sync.log_line import LogLine
from deedbox_server.app.parts import Box
from deedbox_server.audit.log import LogAudit
from deedbox_server.audit.report import Report
from deedbox_server.audit.witnesses import audit_witnesses
from deedbox_sync import note
from deedbox_sync.hello import LogAnswer
from kit.witness_server import WitnessServer


async def desk_says(line: LogLine, box: Box) -> str:
    """A desk that is answered by a box whose program was changed to defend the forgery; the code of what it says."""

    async def answer(shown: str | None) -> LogAnswer:
        newest = await box.notary.checkpoint()
        size = note.parse_checkpoint(note.parse_note(newest).body).size
        old = 0 if shown is None else note.parse_checkpoint(note.parse_note(shown).body).size
        return LogAnswer(newest, tuple(await box.notary.consistency(old, size)) if old <= size else ())

    steps = line.extend()
    try:
        shown = next(steps)
        while True:
            shown = steps.send(await answer(shown))
    except StopIteration:
        return "follows"
    except TrustLost as lost:
        return lost.kind


async def witness_says(box: Box, watching: WitnessServer) -> tuple[str, int, str | None]:
    """How the box's witness stands once it was asked, and what it keeps against the log."""
    watching.peer.answers.clear()
    await box.witnesses.step()
    (asked,) = await box.witnesses.all()
    against = [answer.against for answer in watching.peer.answers if answer.against is not None]
    return asked.state, asked.status, against[0] if against else None


async def audit_says(box: Box) -> list[str]:
    """What the log's part of the audit finds."""
    report = Report()
    await LogAudit(box.database, box.notary.vkey, report).run()
    await audit_witnesses(box.database, report)
    return [found.what for found in report.findings]
