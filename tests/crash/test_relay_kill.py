"""A relay that is killed at random instants: what it cosigned, it remembers; it never signs a fork and never goes back."""

import random
import threading
import time
from pathlib import Path

import httpx
import pytest

from deedbox_sync import note
from deedbox_sync.witness import Reply
from kit.local_relay import LocalRelay
from memory_witness import LOG_VKEY, TinyLog, log_of

pytestmark = pytest.mark.crash

_LONGEST = 0.15  # seconds from the first question of a round to the kill; a question takes some ten milliseconds


def test_a_killed_relay_never_cosigns_two_trees_of_one_size(tmp_path: Path, rng: random.Random, rounds: int) -> None:
    relay = LocalRelay(tmp_path / "relay")
    vkey = relay.create()
    relay.command("watch", LOG_VKEY)
    log, signed = log_of(0), 0  # what the log says, and the largest of it that the relay is known to have cosigned
    for number in range(max(5, rounds // 2)):
        relay.start()
        with httpx.Client(timeout=10) as client:
            size = size_of(relay, client, log)
            assert size >= signed, "it went back"
            log, signed = log.cut(size) if size <= log.size else log, max(signed, size)
            for forged in (TinyLog((*log.entries[: size - 1], "forged")), TinyLog(("forged",) * size)) if size else ():
                for old in (size - 1, size):
                    answer = relay.ask(forged.request(old), client)
                    assert answer.status == 409, "it cosigned another tree of that size"
            killer = threading.Thread(target=lambda: (time.sleep(rng.uniform(0, _LONGEST)), relay.kill()))
            killer.start()
            log, signed = grow_until_killed(relay, client, log, f"round {number}", signed, vkey)
            killer.join()
    assert signed > 0


def size_of(relay: LocalRelay, client: httpx.Client, log: TinyLog) -> int:
    """What the relay remembers, as it tells whoever asks with another old size."""
    probe = TinyLog((*log.entries, "probe", "probe")).request(log.size + 2)
    answer = relay.ask(probe, client)
    assert answer.status == 409
    return int(answer.body)


def grow_until_killed(
    relay: LocalRelay, client: httpx.Client, log: TinyLog, word: str, signed: int, vkey: str
) -> tuple[TinyLog, int]:
    """Show one entry more again and again; the last question may or may not have been heard."""
    while True:
        longer = log.grown(f"{word}: {log.size}")
        try:
            answer: Reply = relay.ask(longer.request(log.size), client)
        except httpx.HTTPError:
            return longer, signed
        if answer.status == 429:
            time.sleep(0.05)
            continue
        assert answer.status == 200
        made = note.parse_note(longer.checkpoint() + answer.body.decode())
        note.verify_note(made, [vkey])
        log, signed = longer, longer.size
