"""The commands of `deedbox-desktop`, one function each; what they return is the exit status."""

import argparse
import getpass
import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import apsw

from deedbox_desktop.engine import pairing
from deedbox_desktop.engine.box.client import HttpsBox
from deedbox_desktop.engine.engine import Engine, Progress, connect
from deedbox_desktop.engine.errors import DeskError, KeysLocked, NotPaired
from deedbox_desktop.engine.journal import facts, files, identifiers, statements
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_desktop.engine.keys import DeskKeys, create_keys, needs_passphrase, open_keys
from deedbox_desktop.engine.model import QUIET_MS, CaseFacts
from deedbox_desktop.engine.os_keyring import find_keyring
from deedbox_desktop.engine.state_folder import StateFolder
from deedbox_desktop.engine.status import Shown, read_status, shown_path
from deedbox_desktop.engine.watch.watcher import watchable
from deedbox_desktop.terminal import (
    ProgressLine,
    grouped,
    json_line,
    printable,
    progress_words,
    status_json,
    status_lines,
)
from deedbox_disk.folder_lock import FolderLock
from deedbox_sync import timestamp
from deedbox_sync.canonical_json import Json
from deedbox_sync.identifier import Minter, MintRecord, desk_seed

PASSPHRASE_ENV = "DEEDBOX_DESKTOP_PASSPHRASE_FILE"  # noqa: S105 # names a variable that names a file

DONE, FAILED, NO_BOX, NEEDS_PERSON, STOPPED = 0, 1, 3, 4, 5

_MOST_PASSPHRASE = 4096
_TICK_S = 0.1


@dataclass(frozen=True)
class Call:
    """What every command is given."""

    state: StateFolder
    json: bool
    passphrase_file: Path | None

    def say(self, words: str, **members: Json) -> None:
        print(json_line({**members, "words": words}) if self.json else words)


class WrongUse(DeskError):
    """The command does not fit what is there."""


def pair(call: Call, options: argparse.Namespace) -> int:
    call.state.make()
    with FolderLock(call.state.lock):
        keys = _keys(call) if call.state.keys.exists() else _new_keys(call)
        with _journal(call, keys) as journal:
            box = pairing.pair(options.url, options.code, options.name, keys, call.state, journal)
    call.say(
        f"Paired as “{box.device_name}” for {box.account_name}. Next: deedbox-desktop add-folder FOLDER --case NUMBER",
        account=box.account_name,
        device=str(box.device),
        origin=box.origin,
    )
    return DONE


def add_folder(call: Call, options: argparse.Namespace) -> int:
    if not options.folder.is_dir():
        raise WrongUse(f"{options.folder} is not a folder.")
    path = watchable(options.folder)
    quiet_ms = QUIET_MS if options.quiet is None else max(0, round(options.quiet * 1000))
    keys = _keys(call)
    with _journal(call, keys) as journal:
        _require_apart(path, call.state, [folder.path for folder in journal.read(files.folders)])
        case = _find_case(call, keys, journal, options.case)
        journal.write(lambda db: files.add_folder(db, path, case, options.ignore, quiet_ms))
    call.say(f"Watching {shown_path(path)}", case=str(case), folder=shown_path(path))
    return DONE


def run(call: Call, options: argparse.Namespace) -> int:
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    keys = _keys(call)
    with FolderLock(call.state.lock), _journal(call, keys) as journal:
        engine = Engine(call.state, keys, journal)
        engine.start()
        try:
            progress = _follow(engine, ending, options)
        finally:
            engine.close()
        status = journal.read(read_status)
    if call.json:
        print(json_line(status_json(status)))
    else:
        print(progress_words(progress))
        if progress.stopped:
            print(progress.stopped, file=sys.stderr)
    if progress.stopped:
        return STOPPED
    if options.once and not progress.settled:
        return NO_BOX
    needs_person = status.counts().keys() & {Shown.HELD, Shown.UNREADABLE}
    return NEEDS_PERSON if options.once and needs_person else DONE


def status(call: Call, options: argparse.Namespace) -> int:
    with _journal(call, _keys(call)) as journal:
        found = journal.read(read_status)
    print(json_line(status_json(found)) if call.json else "\n".join(status_lines(found)))
    return STOPPED if found.stop else DONE


def journal_head(call: Call, options: argparse.Namespace) -> int:
    with _journal(call, _keys(call)) as journal:
        head, box = journal.read(statements.head), journal.read(facts.box)
    if box is None:
        raise NotPaired
    call.say(
        f"Device     {box.device}\nStatement  {head.sequence}\nDigest     {grouped(head.digest)}",
        device=str(box.device),
        digest=head.digest.hex(),
        sequence=head.sequence,
        time=timestamp.encode(datetime.now(UTC)),
    )
    return DONE


def mint(call: Call, options: argparse.Namespace) -> int:
    """Identifiers for files as they are now. Nothing is captured: an identifier names bytes, it does not keep them."""
    keys = _keys(call)
    with _journal(call, keys) as journal:
        box, greeting = journal.read(facts.box), journal.read(facts.greeting)
        if box is None:
            raise NotPaired
        minter = Minter(desk_seed(keys.statement), f"device/{box.device}")
        contents = [(path, _content(path)) for path in options.files]

        def work(db: apsw.Connection) -> list[MintRecord]:
            first = identifiers.reserve(db, len(contents))
            known = greeting.beacon if greeting else None
            made = [minter.mint(content, known, first + at) for at, (_, content) in enumerate(contents)]
            identifiers.add(db, made)
            return made

        records = journal.write(work)
    named = [(record, shown_path(os.fsencode(path))) for record, (path, _) in zip(records, contents, strict=True)]
    call.say(
        "\n".join(f"{record.id}  {printable(name)}" for record, name in named),
        minted=[{"content": record.content.hex(), "file": name, "id": record.id} for record, name in named],
    )
    return DONE


def switch_identifiers(call: Call, options: argparse.Namespace) -> int:
    with _journal(call, _keys(call)) as journal:
        journal.write(lambda db: identifiers.switch(db, on=options.switch == "on"))
    words = "Each capture gets an identifier." if options.switch == "on" else "Captures get no identifiers."
    call.say(f"{words} It holds from the next capture on.", identifiers=options.switch)
    return DONE


def resume(call: Call, options: argparse.Namespace) -> int:
    with _journal(call, _keys(call)) as journal:
        stop = journal.write(facts.clear_stop)
        journal.write(facts.ask_retry)
    call.say(
        "Sync goes on." if stop else "Nothing was stopped. Held files are tried again.", was=stop.kind if stop else None
    )
    return DONE


def _follow(engine: Engine, ending: threading.Event, options: argparse.Namespace) -> Progress:
    """Show progress until asked to end, or, with --once, until there is nothing more to be done."""
    line = ProgressLine()
    patient_until = time.monotonic() + options.patience
    try:
        while True:
            progress = engine.progress()
            line.show(progress)
            if options.once:
                done_here = progress.captured and not progress.nameless
                lost = progress.reached is False and done_here and time.monotonic() >= patient_until
                if (
                    (progress.settled and progress.reached is not None)
                    or lost
                    or (progress.stopped and progress.captured)
                ):
                    return progress
            if ending.wait(_TICK_S):
                return engine.progress()
    finally:
        line.done()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise WrongUse(f"{path} cannot be read: {error.strerror}.") from error


def _find_case(call: Call, keys: DeskKeys, journal: Journal, wanted: str) -> UUID:
    """By number, from what the box says now, or said when it was last seen; an id is taken as it is."""
    try:
        return UUID(wanted)
    except ValueError:
        pass
    box, greeting = journal.read(facts.box), journal.read(facts.greeting)
    if box is None:
        raise NotPaired
    known = greeting.cases if greeting else ()
    if not any(case.number == wanted for case in known):
        with closing(connect(box, keys, call.state)) as peer:
            hello = HttpsBox(peer, box.ca).hello()
        known = tuple(CaseFacts(UUID(case.id), case.number, case.title) for case in hello.cases)
    found = [case.id for case in known if case.number == wanted]
    if not found:
        raise WrongUse(f"The box knows no case “{wanted}” that this desk may send to.")
    return found[0]


def _require_apart(path: bytes, state: StateFolder, watched: list[bytes]) -> None:
    """A file must not be seen through two folders, nor the desk watch its own state."""
    own = watchable(state.root)
    for other, words in [(own, "this desk's own state folder"), *((one, shown_path(one)) for one in watched)]:
        if other != path and (_within(path, other) or _within(other, path)):
            raise WrongUse(f"One of the two folders is inside the other: {shown_path(path)} and {words}.")
    if path == own:
        raise WrongUse("This desk's own state folder cannot be watched.")


def _within(inner: bytes, outer: bytes) -> bool:
    separator = os.fsencode(os.sep)
    return inner.startswith(outer.rstrip(separator) + separator)


@contextmanager
def _journal(call: Call, keys: DeskKeys) -> Iterator[Journal]:
    journal = Journal(call.state.journal, keys.journal)
    try:
        yield journal
    finally:
        journal.close()


def _keys(call: Call) -> DeskKeys:
    if not call.state.keys.exists():
        raise NotPaired
    passphrase = None
    if needs_passphrase(call.state.keys):
        passphrase = _passphrase_from_file(call)
        if passphrase is None:
            passphrase = _prompt("Passphrase: ")
    return open_keys(call.state.keys, passphrase=passphrase, keyring=find_keyring())


def _new_keys(call: Call) -> DeskKeys:
    """Under the given passphrase, else in this computer's keyring, else under a passphrase that is asked for."""
    passphrase, keyring = _passphrase_from_file(call), find_keyring()
    if passphrase is None and keyring is None:
        passphrase = _prompt("This computer has no keyring that encrypts. Choose a passphrase for this desk's keys: ")
        if passphrase is not None and passphrase != _prompt("Once more: "):
            raise KeysLocked("The two passphrases are not the same.")
    return create_keys(call.state.keys, passphrase=passphrase, keyring=keyring)


def _passphrase_from_file(call: Call) -> str | None:
    named = call.passphrase_file or os.environ.get(PASSPHRASE_ENV)
    if not named:
        return None
    try:
        with Path(named).open("rb") as file:
            data = file.read(_MOST_PASSPHRASE + 1)
    except OSError as error:
        raise KeysLocked(f"The passphrase file cannot be read: {error.strerror}.") from error
    if len(data) > _MOST_PASSPHRASE:
        raise KeysLocked("The passphrase file is too long to be one.")
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise KeysLocked("The passphrase file is not text.") from error


def _prompt(words: str) -> str | None:
    """What a person types, unseen; None where nobody can be asked."""
    return getpass.getpass(words) if sys.stdin.isatty() else None
