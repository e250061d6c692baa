"""The fallback service beside a real box that goes and comes back: identifiers at once, reconciled by themselves, resolving."""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from deedbox_checkout.local_box import LocalBox
from deedbox_fallback.box_watch import WATCH_SECONDS
from deedbox_sync import beacon, identifier, message_signature
from deedbox_sync.canonical_json import Fields
from kit.bad_network import free_port
from kit.drand_network import DrandNetwork
from kit.local_fallback import LocalFallback
from kit.waiting import until

AT_ONCE = 2.0  # seconds
BACK = 6 * WATCH_SECONDS  # in which a loaded machine too has looked, and sent


@pytest.fixture(scope="module")
def network() -> Iterator[DrandNetwork]:
    with DrandNetwork() as made:
        yield made


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, network: DrandNetwork) -> Iterator[LocalBox]:
    folder = tmp_path_factory.mktemp("box")
    made = LocalBox(folder / "data", folder / "secrets", people_port=free_port(), device_port=free_port())
    made.environment = {"DEEDBOX_BOX_BEACON_CHAIN": network.setting}
    made.create()
    made.start()
    yield made
    made.kill()


class SignedOwner:
    """The owner's program: signs its calls to the box."""

    def __init__(self, box: LocalBox) -> None:
        made = box.ask("/api/v1/keys", {"name": "signed calls"})
        self.id, self.text = UUID(made["id"]), made["key"]
        self._box = box

    def resolve(self, text: str) -> dict[str, Any]:
        path = f"/api/v2/chittyid/verify/{text}"
        key, empty = message_signature.message_key(self.text), message_signature.body_digest(b"")
        headers = message_signature.sign(
            "GET", path, "", empty, self.id, key, int(time.time()), message_signature.new_nonce()
        )
        context = ssl.create_default_context(cafile=str(self._box.ca_file))
        with httpx.Client(verify=context, trust_env=False) as client:
            answer = client.get(self._box.url + path, headers=headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture(scope="module")
def owner(box: LocalBox) -> SignedOwner:
    return SignedOwner(box)


@pytest.fixture
def fallback(box: LocalBox, owner: SignedOwner, network: DrandNetwork, tmp_path: Path) -> Iterator[LocalFallback]:
    """Not started, and not known to the box."""
    chain = tmp_path / "chain.json"
    chain.write_text(network.setting)
    lying, honest = network.endpoint("lying"), network.endpoint()
    arguments = ("--beacon", lying.url, "--beacon", honest.url, "--beacon-chain", str(chain))
    made = LocalFallback(tmp_path / "data", tmp_path / "secrets", arguments)
    made.create()
    made.stand_in_for(box.url, box.ca_file, str(owner.id), owner.text)
    yield made
    made.kill()
    if not box.running:
        box.start()


def register(box: LocalBox, fallback: LocalFallback) -> None:
    told = json.loads(fallback.command("key"))
    box.ask("/api/v1/identifier-issuers", {"name": "the fallback service"} | told)


def test_identifiers_come_while_the_box_is_away_and_resolve_when_it_is_back(
    box: LocalBox, owner: SignedOwner, fallback: LocalFallback, network: DrandNetwork
) -> None:
    register(box, fallback)
    fallback.start()
    until(lambda: fallback.status()["box"]["reachable"], "the service sees the box", seconds=BACK)
    until(lambda: fallback.status()["beacon"], "a beacon", seconds=BACK)
    box.kill()

    contents = [os.urandom(32) for _ in range(600)]
    began = time.monotonic()
    (first,) = fallback.records(contents[0])
    assert time.monotonic() - began < AT_ONCE
    records = [first, *fallback.records(*contents[1:])]
    until(lambda: not fallback.status()["box"]["reachable"], "the service sees that the box is gone", seconds=BACK)
    assert fallback.status()["waiting"] == len(contents)

    box.start()
    until(lambda: fallback.status()["waiting"] == 0, "the box has all", seconds=BACK, tell=fallback.log.read_text)
    for content, record in list(zip(contents, records, strict=True))[::60]:
        read = identifier.read_record(Fields(record, "record"))
        assert read.content == content
        assert read.beacon is not None
        beacon.verify_beacon(read.beacon, network.chain)
        told = owner.resolve(record["id"])
        assert told["known"]
        assert told["record"] == record
        assert (told["issuer"]["kind"], told["issuer"]["key"]) == ("fallback", record["key"])
        assert told["canonical"] != record["id"]
        assert record["id"] in owner.resolve(told["canonical"])["aliases"]


def test_what_was_minted_before_a_kill_is_reconciled_by_the_next_life(
    box: LocalBox, owner: SignedOwner, fallback: LocalFallback
) -> None:
    register(box, fallback)
    box.kill()
    fallback.start()
    (record,) = fallback.records(os.urandom(32))
    fallback.kill()
    box.start()
    fallback.start()
    until(lambda: fallback.status()["waiting"] == 0, "the box has it", seconds=BACK, tell=fallback.log.read_text)
    assert owner.resolve(record["id"])["known"]


def test_a_service_that_the_box_does_not_know_is_refused_until_it_is_registered(
    box: LocalBox, owner: SignedOwner, fallback: LocalFallback
) -> None:
    fallback.start()
    (record,) = fallback.records(os.urandom(32))
    until(lambda: fallback.status()["refused"] == 1, "the box refuses", seconds=BACK, tell=fallback.log.read_text)
    assert not owner.resolve(record["id"])["known"]
    register(box, fallback)
    assert fallback.stop() == 0
    fallback.start()
    until(lambda: fallback.status()["waiting"] == 0, "the box has it", seconds=BACK, tell=fallback.log.read_text)
    assert owner.resolve(record["id"])["known"]


def test_a_box_under_another_authority_is_not_believed(
    box: LocalBox, owner: SignedOwner, fallback: LocalFallback
) -> None:
    """Somebody else at the box's address gets no record and no signed call."""
    fallback.stand_in_for(box.url, fallback.secrets / "ca.pem", str(owner.id), owner.text)
    fallback.start()
    fallback.records(os.urandom(32))
    since = until(lambda: fallback.status()["box"]["since"], "the service has looked", seconds=BACK)
    status = fallback.status()
    assert since
    assert (status["box"]["reachable"], status["waiting"]) == (False, 1)
