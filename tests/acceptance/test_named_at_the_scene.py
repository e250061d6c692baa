"""A desk without a network names what it captures; later the box knows the name, and whose it is. Real processes, real TLS."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from deedbox_checkout.local_box import LocalBox
from deedbox_checkout.local_desk import LocalDesk
from deedbox_sync import identifier
from deedbox_sync.canonical_json import Fields
from kit.bad_network import free_port
from kit.signed_http import VERIFY, SignedHttp
from kit.waiting import until

CONTENT = b"What was found in the barn.\n"


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[tuple[LocalBox, LocalDesk]]:
    box = LocalBox(tmp_path / "box", tmp_path / "secrets", people_port=free_port(), device_port=free_port())
    desk = LocalDesk(tmp_path / "desk", tmp_path / "watched", tmp_path / "desk-secrets")
    box.create()
    try:
        box.start()
        box.ask("/api/v1/cases", {"number": "2026-0001", "title": "The barn"})
        desk.pair(box)
        desk.watch("2026-0001", quiet=0.2)
        yield box, desk
    finally:
        desk.kill()
        box.kill()


def test_what_a_desk_named_offline_resolves_at_the_box(firm: tuple[LocalBox, LocalDesk]) -> None:
    box, desk = firm
    box.stop()
    found = desk.watched / "barn.txt"
    found.write_bytes(CONTENT)
    (minted,) = json.loads(desk.command("mint", str(found)).stdout)["minted"]
    assert minted["content"] == sha256(CONTENT).hexdigest()

    box.start()
    desk.start()
    (exhibit,) = until(lambda: box.ask("/api/v1/evidence/")["items"], "the exhibit is there", seconds=90)
    until(
        lambda: desk.status()["identifiers"]["minted"] and not desk.status()["identifiers"]["waiting"],
        "the box knows it",
        seconds=90,
    )
    caller = SignedHttp.of(box)
    told: dict[str, Any] = json.loads(caller.call("GET", VERIFY + minted["id"]))
    assert told["known"]
    assert told["issuer"]["kind"] == "device"
    record = identifier.read_record(Fields(told["record"], "record"))
    identifier.verify_record(record)
    assert record.namespace.startswith("device/")

    named = box.ask(f"/api/v1/evidence/{exhibit['id']}")["identifier"]
    assert (told["exhibit"], told["canonical"]) == (exhibit["id"], named)
    mine = json.loads(caller.call("GET", VERIFY + named))
    assert mine["aliases"] == [minted["id"]]
    assert mine["issuer"]["kind"] == "box"
    caller.close()
