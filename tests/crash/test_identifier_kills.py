"""A box that is killed while it mints: what it answered it has, whole batches only, and no counter is ever given again."""

import http.client
import json
import random
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbox_checkout.local_box import LocalBox
from deedbox_sync import entry, identifier
from kit.bad_network import free_port
from kit.box_at_rest import log, open_database, unlocked
from kit.instants import await_instant
from kit.signed_http import VERIFY, SignedHttp

pytestmark = pytest.mark.crash

BATCH = 30  # enough for the processes beside the box to take part


@pytest.fixture
def box(tmp_path: Path) -> Iterator[LocalBox]:
    ports = {"people_port": free_port(), "device_port": free_port()}
    made = LocalBox(tmp_path / "box", tmp_path / "secrets", **ports)
    made.create()
    yield made
    made.kill()


def test_a_box_killed_while_it_mints_has_what_it_answered_and_no_counter_twice(
    box: LocalBox, rng: random.Random, rounds: int
) -> None:
    answered: list[dict[str, object]] = []
    box.start()
    caller = SignedHttp.of(box)
    for number in range(max(3, rounds // 3)):
        if not box.running:
            box.start()
        key = f"round {number}"
        killed_while_minting(box, caller, rng, answered)
        box.start()
        first, again = (caller.mint(BATCH, key) for _ in range(2))
        assert first == again
        answered += json.loads(first)["records"]
    for record in answered[-3:]:
        assert json.loads(caller.call("GET", f"{VERIFY}{record['id']}"))["record"] == record
    caller.close()
    box.stop()
    at_rest(box, answered)


def test_the_processes_beside_a_killed_box_end_by_themselves(box: LocalBox) -> None:
    box.start()
    caller = SignedHttp.of(box)
    caller.mint(BATCH)
    caller.close()
    assert box.process is not None
    beside = children(box.process.pid)
    assert beside
    box.process.kill()  # the box alone, not its group
    box.process.wait()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{process}").exists() for process in beside) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [process for process in beside if is_prover(process)]
    box.process = None


def killed_while_minting(
    box: LocalBox, caller: SignedHttp, rng: random.Random, answered: list[dict[str, object]]
) -> None:
    """Ask and ask; kill after some writes; keep what was answered."""

    def kill() -> None:
        files = list(box.data.rglob("*.db-wal"))
        await_instant(files, rng, most_writes=12, most_seconds=5, ended=lambda: not box.running)
        box.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        while True:
            answered += json.loads(caller.mint(BATCH))["records"]
    except (OSError, http.client.HTTPException):
        pass
    finally:
        killer.join()


def at_rest(box: LocalBox, answered: list[dict[str, object]]) -> None:
    """Read from the files: rows, batches and entries agree."""
    keyring = unlocked(box)
    database = open_database(box, keyring)
    held = log(database)
    held.verify_order()
    rows = list(database.execute("SELECT made_in, record FROM identifier ORDER BY made_in, place"))
    batches = {batch for (batch,) in database.execute("SELECT id FROM identifier_batch")}
    database.close()
    records = [identifier.parse(bytes(record)) for _, record in rows]
    assert {record["id"] for record in answered} <= {record.id for record in records}
    counters = [record.counter for record in records]
    assert len(set(counters)) == len(counters), "a counter was given twice"
    sizes = {batch: sum(made_in == batch for made_in, _ in rows) for batch in batches}
    assert set(sizes.values()) == {BATCH}, "a batch is there whole or not at all"
    minted = [parsed for parsed in map(entry.parse, held.entries) if parsed.kind == "id.minted"]
    assert len(minted) == len(batches)


def children(process: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split() if is_prover(int(word))]


def is_prover(process: int) -> bool:
    try:
        return b"prover_process" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
