"""Two firms watch each other, and a relay watches both: real boxes over real TLS, each trusting the other's own authority."""

from __future__ import annotations

import json
import shutil
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deedbox_checkout.local_box import LocalBox
from deedbox_sync import entry, note
from kit.local_relay import LocalRelay
from kit.waiting import until

# They call each other and nobody else, and as often as once a second.
ENVIRONMENT = {
    "DEEDBOX_BOX_BEACON_URLS": "",
    "DEEDBOX_BOX_STAMP_URLS": "",
    "DEEDBOX_BOX_WITNESS_QUORUM": "2",
    "DEEDBOX_BOX_WITNESS_SECONDS": "1",
}
SECONDS = 90.0


@pytest.fixture
def firms(tmp_path: Path) -> Iterator[tuple[LocalBox, LocalBox]]:
    made = []
    for name in ("first", "second"):
        folder = tmp_path / name
        box = LocalBox(folder / "box", folder / "secrets", outside=True, environment=ENVIRONMENT)
        box.create()
        box.start()
        made.append(box)
    yield made[0], made[1]
    for box in made:
        box.stop()


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[LocalRelay]:
    made = LocalRelay(tmp_path / "relay")
    made.create()
    made.start()
    yield made
    made.kill()


def test_two_firms_and_a_relay_cosign_each_others_logs_and_refuse_one_that_went_back(
    firms: tuple[LocalBox, LocalBox], relay: LocalRelay, tmp_path: Path
) -> None:
    first, second = firms
    relay_vkey = relay.command("key").stdout.strip()

    # A witness that shows a certificate of another authority than the one given with it is not believed.
    wrong = {"vkey": witness_key(second), "url": witness_url(second), "ca": ca(first)}
    made = first.ask("/api/v1/witnesses", wrong)
    until(lambda: states(first) == ["silent"], "it is not reached", seconds=SECONDS)
    assert first.ask("/api/v1/witnesses")["items"][0]["why"] == "it could not be reached"
    first.command("witness", "remove", made["id"])

    for box, other in ((first, second), (second, first)):
        box.ask("/api/v1/witness/logs", {"vkey": read(other, "/log/key").strip()})
        relay.command("watch", read(box, "/log/key").strip())
        box.ask("/api/v1/witnesses", {"vkey": witness_key(other), "url": witness_url(other), "ca": ca(other)})
        # The relay from the shell, while the box runs.
        box.command("witness", "add", relay_vkey, relay.url)
    for box, other in ((first, second), (second, first)):
        until(lambda box=box: states(box) == ["signs", "signs"], "both witnesses sign", seconds=SECONDS)
        box.ask("/api/v1/cases", {"number": "1", "title": "Something to log"})
        until(
            lambda box=box, other=other: signers(box, [witness_key(other), relay_vkey]) == 2, "k of n", seconds=SECONDS
        )
        assert box.ask("/health/ready")["alarms"] == []

    # The first firm's box is put back to an old copy of itself.
    first.stop()
    shutil.copytree(first.data, tmp_path / "old copy")
    first.start()
    for number in range(2, 5):
        first.ask("/api/v1/cases", {"number": str(number), "title": "Soon forgotten"})
    seen = until(lambda: cosigned_by_all(first), "both saw it", seconds=SECONDS)
    first.stop()
    shutil.rmtree(first.data)
    shutil.copytree(tmp_path / "old copy", first.data)
    first.start()

    until(lambda: states(first) == ["refuses", "refuses"], "both refuse", seconds=SECONDS)
    alarms = first.ask("/health/ready")["alarms"]
    assert sum("it has seen a longer one" in sentence for sentence in alarms) == 2
    until(lambda: len(refusals(first)) == 2, "the log tells of both", seconds=SECONDS)
    assert {(told["status"], told["size"]) for told in refusals(first)} == {(409, seen)}
    told = first.command("witness", "list").stdout
    assert told.count("refuses") >= 2

    # It goes on in its new history, beyond what they had seen: now that is what they refuse, and keep.
    for number in range(2, 7):
        first.ask("/api/v1/cases", {"number": str(number), "title": "Another history"})
    until(lambda: {one["status"] for one in first.ask("/api/v1/witnesses")["items"]} == {422}, "422", seconds=SECONDS)
    kept = second.ask("/api/v1/witness/logs")
    assert {found["kind"] for found in kept["misbehaviour"]} <= {"fork", "unproven"}
    assert kept["items"][0]["size"] == seen
    assert any("which this box watches" in sentence for sentence in second.ask("/health/ready")["alarms"])
    assert relay.command("logs", check=False).returncode == 1
    assert states(second) == ["signs", "signs"]


def read(box: LocalBox, path: str) -> str:
    context = ssl.create_default_context(cafile=str(box.ca_file))
    with urllib.request.urlopen(box.url + path, context=context, timeout=30) as answer:
        return str(answer.read().decode())


def ca(box: LocalBox) -> str:
    return box.ca_file.read_text()


def witness_key(box: LocalBox) -> str:
    return read(box, "/witness/v1/key").strip()


def witness_url(box: LocalBox) -> str:
    return f"{box.url}/witness/v1"


def states(box: LocalBox) -> list[str]:
    return sorted(one["state"] for one in box.ask("/api/v1/witnesses")["items"])


def size(text: str) -> int:
    return note.parse_checkpoint(note.parse_note(text).body).size


def cosigned_by_all(box: LocalBox) -> int | None:
    """The log's size, once every witness has cosigned that one."""
    sizes = {one["size"] for one in box.ask("/api/v1/witnesses")["items"]} | {size(read(box, "/log/checkpoint"))}
    return sizes.pop() if len(sizes) == 1 else None


def signers(box: LocalBox, vkeys: list[str]) -> int:
    """How many of these keys cosigned the newest checkpoint that the box serves; the log's own key must have signed it."""
    held = note.verify_note(note.parse_note(read(box, "/log/checkpoint")), [read(box, "/log/key").strip(), *vkeys])
    return len(held) - 1


def refusals(box: LocalBox) -> list[dict[str, Any]]:
    """What the log says of refusals, read as anybody may read it."""
    count = size(read(box, "/log/checkpoint"))
    context = ssl.create_default_context(cafile=str(box.ca_file))
    with urllib.request.urlopen(f"{box.url}/log/tile/entries/000.p/{count}", context=context, timeout=30) as answer:
        data = answer.read()
    told = []
    while data:
        length = int.from_bytes(data[:2])
        one, data = data[2 : 2 + length], data[2 + length :]
        parsed = entry.parse(one)
        if parsed.kind == "witness.refused":
            told.append(json.loads(one)["data"])
    return told
