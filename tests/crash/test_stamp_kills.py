"""A box that is killed around an authority's answer: a stamp and its log entry are there together, or neither."""

import json
import random
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from deedbox_checkout.local_box import LocalBox
from deedbox_sync import entry
from deedbox_sync.stamp import verify_stamp
from kit.bad_network import free_port
from kit.box_at_rest import log, open_database, unlocked
from kit.tsa_server import TsaServer

pytestmark = pytest.mark.crash

_LONGEST = 0.1  # seconds from a request for a stamp to the kill; answer, checks and commit take some fifty milliseconds


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[TsaServer]:
    with TsaServer(tmp_path / "authority") as made:
        yield made


@pytest.fixture
def box(tmp_path: Path, authority: TsaServer) -> Iterator[LocalBox]:
    environment = {
        "DEEDBOX_BOX_OUTSIDE": "true",
        "DEEDBOX_BOX_BEACON_URLS": "",
        "DEEDBOX_BOX_STAMP_URLS": authority.url,
        "DEEDBOX_BOX_STAMP_ROOTS": str(authority.tsa.root_file),
    }
    ports = {"people_port": free_port(), "device_port": free_port()}
    made = LocalBox(tmp_path / "box", tmp_path / "secrets", environment=environment, **ports)
    made.create()
    yield made
    made.kill()


def test_a_box_killed_around_an_authoritys_answer_has_each_stamp_with_its_entry(
    box: LocalBox, authority: TsaServer, rng: random.Random, rounds: int
) -> None:
    for _ in range(max(4, rounds // 2)):
        box.start()
        authority.before_answer = killing(box, rng)
        until_killed(box)
    authority.before_answer = lambda: None
    box.start()
    told = box.ask("/api/v1/time/stamp", {})["stamps"]
    assert [stamp["fault"] for stamp in told] == [None]
    box.stop()
    database = open_database(box, unlocked(box))
    held = log(database)
    held.verify_order()
    entries = [parsed.data for parsed in map(entry.parse, held.entries) if parsed.kind == "time.stamp"]
    rows = list(database.execute("SELECT token, note, size FROM time_stamp ORDER BY created"))
    crls = [der for (der,) in database.execute("SELECT der FROM revocation_list")]
    database.close()
    assert rows
    assert [told["token"] for told in entries] == [sha256(token).hexdigest() for token, _, _ in rows]
    for told, (token, note, size) in zip(entries, rows, strict=True):
        assert (told["size"], told["checkpoint"]) == (size, sha256(note.encode()).hexdigest())
        verify_stamp(token, note.encode(), [authority.root], crls)


def killing(box: LocalBox, rng: random.Random) -> Callable[[], None]:
    """Kills the process that runs now, a moment after its first request, and none that comes after it."""
    delay, killer = rng.uniform(0, _LONGEST), threading.Thread(target=lambda: (time.sleep(delay), box.kill()))
    once = threading.Lock()

    def kill() -> None:
        if once.acquire(blocking=False):
            killer.start()

    return kill


def until_killed(box: LocalBox) -> None:
    """Ask for stamps until nobody answers any more."""
    while box.running:
        try:
            box.ask("/api/v1/time/stamp", {})
        except (OSError, urllib.error.URLError, json.JSONDecodeError):
            time.sleep(0.05)
