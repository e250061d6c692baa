"""Writing, making durable, taking back, dying, finishing in any order: the bytes are right, no nonce seals two texts."""

import asyncio
import hashlib
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deedbox_server.database import open_sqlite
from deedbox_sync.tink_stream import HEADER, SEGMENT, TAG
from nonce_ledger import NonceLedger
from vault_box import VaultBox

KEY = bytes(range(32))
FIRST, LATER = SEGMENT - HEADER - TAG, SEGMENT - TAG
TEXT = random.Random(2).randbytes(16 << 20)
AMOUNTS = st.sampled_from([1, 100, FIRST, LATER, LATER + 1, 4 * LATER]) | st.integers(1, 3 * SEGMENT)
STEPS = st.lists(
    st.tuples(st.just("write"), AMOUNTS)
    | st.tuples(st.just("garbage"), AMOUNTS)
    | st.sampled_from([("durable", 0), ("durable", 0), ("die", 0), ("finish and die", 0)]),
    max_size=12,
)


@given(steps=STEPS)
@example(steps=[("write", 100), ("durable", 0), ("write", 100), ("finish and die", 0), ("write", 1)])
@example(
    steps=[("write", 100), ("durable", 0), ("garbage", 100), ("write", 1), ("die", 0), ("write", 1), ("durable", 0)]
)
@example(steps=[("write", LATER), ("durable", 0), ("write", LATER), ("die", 0), ("write", LATER), ("die", 0)])
@settings(max_examples=40)
def test_whatever_happens_the_bytes_are_those_that_were_kept(
    steps: list[tuple[str, int]], sqlite_template: Path
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        ledger = NonceLedger(Path(folder) / "ledger")
        ledger.install(patch.setattr)
        shutil.copyfile(sqlite_template, Path(folder) / "box.db")
        asyncio.run(_live(Path(folder), steps))
        ledger.close()
        ledger.check()


async def _live(folder: Path, steps: list[tuple[str, int]]) -> None:
    database = await open_sqlite(folder / "box.db", KEY)
    box = await VaultBox.make(folder, database)
    writer = await box.begin()
    kept = durable = 0
    for step, amount in steps:
        match step:
            case "write":
                await writer.write(TEXT[kept : kept + amount])
                kept = min(len(TEXT), kept + amount)
            case "durable":
                durable = await writer.durable()
                assert durable == kept
            case "garbage":
                await writer.write(bytes(amount))
                kept = await writer.roll_back()
                assert kept == durable
            case _:
                if step == "finish and die":
                    await writer.finish()
                else:
                    await writer.abandon()  # waits for its threads, as dying here cannot stop them
                box = await box.die()
                writer = await box.begin(writer.blob)
                # Finishing fixes its bytes where an earlier point would otherwise say how the part ends.
                assert writer.offset == durable or (step == "finish and die" and writer.offset == kept)
                kept = durable = writer.offset
    stored = await writer.finish()
    await box.insert([stored])
    assert stored.size == kept
    assert stored.sha256 == hashlib.sha256(TEXT[:kept]).digest()
    assert await box.vault.verify_blob(stored.blob) == (stored.sha256, kept)
    await box.close()
    await database.close()
