"""A log that its owner rewrites, the log key in hand, after a witness, a desk and a time-stamp authority have seen it: each way
that one can try, and who notices.

The forger does all that the log key and the box's data allow: entries, chain, tree, checkpoints and head agree with each other,
and the box's program runs on over them. What he does not have are the keys of the outsiders. Either he takes out what they had
said, and then nothing of it counts before today; or he leaves it, and then it contradicts the rest.
"""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import deedbox_server.app.box
from deedbox_desktop.engine.sync.log_line import LogLine
from deedbox_server.app.box import open_box
from deedbox_server.app.parts import Box
from deedbox_server.cases import Case
from deedbox_server.errors import LogBehind
from deedbox_server.people.principal import Principal
from deedbox_server.settings import Settings
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.unlock import KeyFile
from deedbox_sync import note, timestamp
from deedbox_sync.witness import FORK
from deedbox_verify.command import main as verify
from kit import forger
from kit.forger import Change
from kit.onlookers import audit_says, desk_says, witness_says
from kit.open_box import Office, office
from kit.tsa_server import TsaServer
from kit.witness_server import WitnessServer, witness_server

pytestmark = pytest.mark.anyio

NEW_KEY = Ed25519PrivateKey.from_private_bytes(bytes([77]) * 32)
FILES = {"a.txt": b"first", "b.txt": b"second", "c.txt": b"third"}
LAST = {"d.txt": b"came after the stamp"}


@dataclass
class Story:
    """What happened before the log was rewritten: the box at rest, and what each outsider holds of it."""

    folder: Path
    settings: dict[str, Any]
    principal: Principal
    case: Case
    vkey: str
    stamped: int
    seen: int
    highest: str
    witness: WitnessServer
    root: str
    ended: str  # the time, on the wire

    @property
    def origin(self) -> str:
        return note.parse_vkey(self.vkey).name

    def key(self) -> Ed25519PrivateKey:
        keyring = Keyring.open(Settings(data=self.folder / "box").keys_folder, KeyFile(self.folder / "key"))
        return Ed25519PrivateKey.from_private_bytes(keyring.named("notary"))


@dataclass(frozen=True)
class Attempt:
    """One way to rewrite. `forge` gives the change; `key` and `epoch` are what the log goes on under; `forget` are exhibits to
    remove; `anew` begins with an empty box. Then who says what: the witness when asked (state, status, what it keeps against the
    log), the desk, and the verifier where what outsiders had signed was left in.
    """

    name: str
    forge: Callable[[Story], Change]
    witness: tuple[str, int, str | None]
    desk: str
    verifier: frozenset[str] = frozenset({"stamp.consistency"})
    key: Ed25519PrivateKey | None = None
    epoch: int = 1
    forget: tuple[str, ...] = ()
    anew: bool = False

    def origin(self, story: Story) -> str:
        return note.encode_origin(note.parse_origin(story.origin)[0], self.epoch)


def renamed(epoch: int) -> Callable[[Story], Change]:
    def forge(story: Story) -> Change:
        origin = note.encode_origin(note.parse_origin(story.origin)[0], epoch)
        return forger.opened_as(origin, note.encode_vkey(origin, note.ED25519, NEW_KEY.public_key().public_bytes_raw()))

    return forge


ATTEMPTS = [
    Attempt(  # the newest entry says another time: two trees of the size that the witness cosigned
        "fork",
        lambda story: forger.at_another_time(story.seen - 1, timedelta(microseconds=1)),
        witness=("refuses", 409, FORK),
        desk="log-fork",
    ),
    Attempt(  # the last exhibit never came
        "truncation",
        lambda story: forger.cut(story.stamped + 1),
        forget=("d.txt",),
        witness=("refuses", 409, None),
        desk="log-backwards",
        # What is left is true, and a bundle cannot tell what came after it: desk and witness can.
        verifier=frozenset(),
    ),
    Attempt(
        "back-dating",
        lambda _: forger.back_dated(timedelta(days=30)),
        witness=("refuses", 409, FORK),
        desk="log-fork",
    ),
    Attempt(  # the second exhibit came first
        "exchange",
        lambda _: forger.exchanged("exhibit.received"),
        witness=("refuses", 409, FORK),
        desk="log-fork",
    ),
    Attempt(
        "key replacement",
        renamed(1),
        key=NEW_KEY,
        witness=("refuses", 403, None),
        desk="log-key",
        verifier=frozenset({"log.unpinned", "stamp.note"}),
    ),
    Attempt(
        "new epoch",
        renamed(2),
        key=NEW_KEY,
        epoch=2,
        witness=("silent", 404, None),
        desk="log-key",
        verifier=frozenset({"log.unpinned", "stamp.note"}),
    ),
    Attempt(  # a new box under the old name and key takes in the same files
        "re-creation from scratch",
        lambda story: forger.opened_as(story.origin, story.vkey),
        anew=True,
        witness=("refuses", 409, None),
        desk="log-backwards",
        verifier=frozenset(),  # nothing of the outsiders' is over it: "intact", and anchored by nobody
    ),
]


@pytest.fixture(scope="module")
async def story(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    with TsaServer(folder / "tsa") as tsa, witness_server("witness.example/w1") as watching:
        (folder / "root.pem").write_text(tsa.tsa.root)
        settings = {
            "outside": True,
            "beacon_urls": (),
            "stamp_urls": (tsa.url,),
            "stamp_roots": (str(folder / "root.pem"),),
        }
        async with office(folder, None, **settings) as made:
            box = made.box
            watching.watch(box.notary.vkey)
            await box.witnesses.add(watching.vkey, watching.url)
            await capture(made, FILES)
            stamped = (await box.notary.head()).size
            await box.witnesses.step()
            assert all(state.fault is None for state in await box.stamps.stamp_now())
            await capture(made, LAST)
            seen = (await box.notary.head()).size
            await box.witnesses.step()
            line = LogLine(box.notary.vkey, None)
            assert await desk_says(line, box) == "follows"
            assert line.highest is not None
            told = Story(
                folder,
                settings,
                made.principal,
                made.case,
                box.notary.vkey,
                stamped,
                seen,
                line.highest,
                watching,
                tsa.tsa.root,
                timestamp.encode(datetime.now(UTC)),
            )
        await asyncio.sleep(1.01)  # stamps tell whole seconds: a later one is to tell a later second
        yield told


@pytest.fixture
def watching(story: Story) -> Any:
    """The witness as it was when the story ended; what an attempt leaves it with is forgotten."""
    before = copy.deepcopy(story.witness.peer.logs)
    yield story.witness
    story.witness.peer.logs = before


async def capture(made: Office, files: dict[str, bytes]) -> None:
    items = [made.desk.item(name, content) for name, content in files.items()]
    await made.box.intake.batch(made.desk.sender(made.owner.id), items, wait=0)
    await made.settle()


@dataclass
class Forged:
    """The box after an attempt, and who exports from it."""

    box: Box
    principal: Principal
    case: Case


@asynccontextmanager
async def forged_box(story: Story, attempt: Attempt, folder: Path, *, left: bool) -> AsyncIterator[Forged]:
    """`left`: stamps and cosignatures stay, and the notes that they are over; else all of that is taken out."""
    principal, case, source = story.principal, story.case, story.folder
    if attempt.anew:
        source = folder / "anew"
        async with office(source, None, **story.settings) as made:
            await capture(made, {**FILES})
            principal, case = made.principal, made.case
            await made.box.witnesses.add(story.witness.vkey, story.witness.url)
    shutil.copytree(source / "box", folder / "box")
    settings = Settings(data=folder / "box", **story.settings)
    keyring = Keyring.open(settings.keys_folder, KeyFile(source / "key"))
    key, origin = attempt.key or story.key(), attempt.origin(story)
    async with open_box(settings, keyring) as box:
        leave = (story.stamped, story.seen) if left else ()
        await forger.rewrite(box.database, origin, key, attempt.forge(story), leave=leave)
        name = note.parse_origin(origin)[0].hex
        await box.database.execute("UPDATE setting SET value = {} WHERE name = 'box_id'", name)
        for exhibit in attempt.forget:
            await forget(box, exhibit)
        if not left:
            for table in ("time_stamp", "cosignature"):
                await box.database.execute(f"DELETE FROM {table}")
    keyring._named["notary"] = key.private_bytes_raw()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deedbox_server.app.box, "FIRST_EPOCH", attempt.epoch)
        async with open_box(settings, keyring) as box:
            yield Forged(box, principal, case)


async def forget(box: Box, name: str) -> None:
    """As if this exhibit had never been, its log entries being gone already."""
    row = await box.database.fetch_one("SELECT id, statement FROM exhibit WHERE name = {}", name)
    assert row is not None
    for table, column, value in (
        ("custody_event", "exhibit", row["id"]),
        ("statement", "digest", row["statement"]),
        ("exhibit", "id", row["id"]),
    ):
        await box.database.execute(f"DELETE FROM {table} WHERE {column} = {{}}", value)


# --- the stranger who has a bundle and pinned keys


async def verifier_says(
    forged: Forged, story: Story, folder: Path, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """The stand-alone verifier on a bundle of the case, with the keys that a stranger pinned before."""
    sequencing = asyncio.create_task(forged.box.sequencer.run())
    try:
        prepared = await forged.box.bundling.prepare(forged.principal, forged.case.id, None, "trial")
    finally:
        sequencing.cancel()
    path = folder / prepared.file_name
    with path.open("wb") as file:
        async for piece in prepared.stream():
            file.write(piece)
    trust = folder / "trust.json"
    pins = {"logs": [story.vkey], "witnesses": [story.witness.vkey], "tsa_roots": [story.root], "devices": {}}
    trust.write_text(json.dumps(pins))
    capsys.readouterr()
    verify([str(path), "--trust", str(trust), "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def codes(told: dict[str, Any]) -> set[str]:
    return {found["code"] for found in told["findings"]}


async def grow(box: Box) -> None:
    """Something comes in, as it does in any box."""
    await box.notary.publish("refusals", {"unknown": 1})
    while await box.sequencer.step():
        pass


async def test_the_true_log_convinces_everybody(
    story: Story, watching: WitnessServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = Attempt("truth", lambda _: forger.unchanged, witness=("signs", 200, None), desk="follows")
    async with forged_box(story, truth, tmp_path, left=True) as forged:
        assert await witness_says(forged.box, watching) == truth.witness
        assert await desk_says(LogLine(story.vkey, story.highest), forged.box) == truth.desk
        await forged.box.notary.compare(story.highest)
        assert await audit_says(forged.box) == []
        told = await verifier_says(forged, story, tmp_path, capsys)
        assert (codes(told), told["intact"]["answer"], told["anchored"]["answer"]) == (set(), "yes", "before")


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
async def test_who_takes_the_outsiders_signatures_out_gets_no_others_for_what_was(
    story: Story, watching: WitnessServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], attempt: Attempt
) -> None:
    async with forged_box(story, attempt, tmp_path, left=False) as forged:
        box = forged.box
        assert await witness_says(box, watching) == attempt.witness
        assert await desk_says(LogLine(story.vkey, story.highest), box) == attempt.desk
        # By itself the forgery is perfect: only the witness's refusal stands in the audit.
        assert all("refuses" in found for found in await audit_says(box))
        await grow(box)
        state, status, _ = await witness_says(box, watching)
        assert state == attempt.witness[0]
        assert status in {attempt.witness[1], 409, 422}
        assert await box.witnesses.cosigned(0, 1) is None
        # A stamp that is asked for now is of now, whatever the entries say of their time.
        await box.stamps.stamp_now()
        told = await verifier_says(forged, story, tmp_path, capsys)
        assert (told["anchored"]["before"] or "9999") > story.ended
        # The box's own program, unchanged, believes the desk and signs nothing more.
        with pytest.raises(LogBehind):
            await box.notary.compare(story.highest)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
async def test_who_leaves_the_outsiders_signatures_in_contradicts_them(
    story: Story, watching: WitnessServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], attempt: Attempt
) -> None:
    async with forged_box(story, attempt, tmp_path, left=True) as forged:
        box = forged.box
        await grow(box)
        state, status, _ = await witness_says(box, watching)
        assert (state, status in {403, 409, 422}) in {(attempt.witness[0], True), ("silent", False)}
        assert await desk_says(LogLine(story.vkey, story.highest), box) != "follows"
        assert await audit_says(box) != []
        told = await verifier_says(forged, story, tmp_path, capsys)
        assert attempt.verifier <= codes(told)
        assert bool(codes(told)) == bool(attempt.verifier)


async def test_a_witness_keeps_the_two_notes_that_prove_a_fork_to_anybody(
    story: Story, watching: WitnessServer, tmp_path: Path
) -> None:
    (fork, *_) = ATTEMPTS
    async with forged_box(story, fork, tmp_path, left=False) as forged:
        shown = note.parse_note(await forged.box.notary.checkpoint())
        held = note.parse_note(story.highest)
        assert await witness_says(forged.box, watching) == ("refuses", 409, FORK)
    for one in (shown, held):
        assert story.origin in note.verify_note(one, [story.vkey])
    first, second = note.parse_checkpoint(shown.body), note.parse_checkpoint(held.body)
    assert (first.size, first.root == second.root) == (second.size, False)
