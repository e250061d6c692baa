"""kill -9 of the fallback service under load: who was told an identifier finds it kept, and no counter is used twice."""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deedbox_disk.locked_key import Passphrase
from deedbox_fallback.folder import ServiceFolder
from deedbox_sync import identifier
from deedbox_sync.canonical_json import Fields
from kit.local_fallback import LocalFallback

pytestmark = pytest.mark.crash

CLIENTS = 4
LARGEST_BATCH = 40
LONGEST_LIFE = 1.5  # seconds under load before the kill


@pytest.fixture
def fallback(tmp_path: Path) -> Iterator[LocalFallback]:
    service = LocalFallback(tmp_path / "data", tmp_path / "secrets")
    service.create()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        service.stand_in_for(url, tmp_path / "secrets" / "ca.pem", str(uuid4()), "dbx_a-key-of-the-box-that-is-away")
        yield service
        service.kill()


def ask_until_it_ends(fallback: LocalFallback, seed: int, told: list[dict[str, Any]]) -> None:
    dice = random.Random(seed)
    try:
        while True:
            answer = fallback.request(*[os.urandom(32) for _ in range(dice.randint(1, LARGEST_BATCH))])
            if answer.status_code == 200:
                told += answer.json()["records"]
            else:
                time.sleep(0.1)  # more than the key's share: it comes again
    except (httpx.HTTPError, RuntimeError):  # killed, or the client is closed
        return


def test_what_was_told_is_kept_and_no_counter_comes_twice(
    fallback: LocalFallback, rng: random.Random, rounds: int
) -> None:
    told: list[dict[str, Any]] = []
    for number in range(rounds):
        fallback.start()
        clients = [
            threading.Thread(target=ask_until_it_ends, args=(fallback, rng.randrange(1 << 32), told))
            for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        time.sleep(rng.uniform(0.05, LONGEST_LIFE))
        fallback.kill()
        for client in clients:
            client.join()
        print(f"{number + 1}: {len(told)} told")
    assert told

    passphrase = Passphrase((fallback.secrets / "passphrase").read_text().strip())
    store = ServiceFolder(fallback.data).open(passphrase)
    kept = {record.counter: record for record in store.waiting(2**40, 10_000_000)}
    counts = store.counts()
    store.close()
    records = [identifier.read_record(Fields(one, "record")) for one in told]
    assert len({record.counter for record in records}) == len(records)
    assert [record for record in records if kept.get(record.counter) != record] == []
    assert sorted(kept) == list(range(counts.minted))
    for record in records[:: max(1, len(records) // 100)]:
        identifier.verify_record(record)
