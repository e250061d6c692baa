"""A drand network of our own: one key, rounds signed as quicknet signs them, told over real HTTP on loopback.

    with DrandNetwork() as network:
        one, two = network.endpoint(), network.endpoint()
        two.behaviour = "lying"

An endpoint is `honest`, `absent` (drops the connection), `slow` (answers after ten seconds), `lying` (a signature that is none),
`stale` (a round of two hours ago), `wrong-round` (the newest signature under the next number), `garbage` or `ill` (status 500).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from types import TracebackType
from typing import Any, Literal

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from deedbox_sync.beacon import Beacon, Chain, chain_members, round_at
from kit.loopback_http import Asked, LoopbackServer, Told

Behaviour = Literal["honest", "absent", "slow", "lying", "stale", "wrong-round", "garbage", "ill"]

SLOW = 10.0  # seconds
_DOMAIN = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_STALE_ROUNDS = 2_400  # two hours
_GENESIS = 1_600_000_000
_PERIOD = 3


class DrandNetwork:
    """`clock` is the network's own; set it to make the network disagree with the box."""

    def __init__(self, name: str = "a network of our own") -> None:
        seed = sha256(name.encode()).digest()
        self._key = Scalar.from_be_bytes(bytes([0]) + seed[1:])  # below the order of the group
        public = bytes((G2Point() * self._key).to_compressed_bytes())
        self.chain = Chain(sha256(public).digest(), public, _GENESIS, _PERIOD)
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.ended = threading.Event()
        self._servers = ExitStack()

    @property
    def setting(self) -> str:
        """As the box's `beacon_chain` and a trust file name the chain."""
        return json.dumps(chain_members(self.chain))

    def endpoint(self, behaviour: Behaviour = "honest") -> Endpoint:
        made = Endpoint(self, behaviour)
        self._servers.callback(made.close)
        return made

    def latest(self) -> int:
        return round_at(self.chain, self.clock())

    def beacon(self, round_: int | None = None) -> Beacon:
        number = self.latest() if round_ is None else round_
        return Beacon(self.chain.hash, number, self.sign(number))

    def sign(self, round_: int) -> bytes:
        point = G1Point.hash_to_curve(sha256(round_.to_bytes(8)).digest(), _DOMAIN)
        return bytes((point * self._key).to_compressed_bytes())

    def close(self) -> None:
        self.ended.set()
        self._servers.close()

    def __enter__(self) -> DrandNetwork:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Endpoint:
    """One of the network's HTTP interfaces; `asked` are the paths that it was asked for."""

    def __init__(self, network: DrandNetwork, behaviour: Behaviour) -> None:
        self.behaviour: Behaviour = behaviour
        self.asked: list[str] = []
        self._network = network
        self._server = LoopbackServer(self._answer)
        self.url = self._server.url

    def close(self) -> None:
        self._server.close()

    def _answer(self, asked: Asked) -> Told | None:
        self.asked.append(asked.path)
        network, latest = self._network, self._network.latest()
        match self.behaviour:
            case "absent":
                return None
            case "slow":
                network.ended.wait(SLOW)
            case "ill":
                return Told(500, "text/plain", b"out of order")
            case "garbage":
                return Told(200, "application/json", b'{"round": "yesterday"')
        chain = network.chain.hash.hex()
        match asked.path.removeprefix("/").split("/"):
            case [hash_, "info"] if hash_ == chain:
                return _json(dict(chain_members(network.chain)))
            case [hash_, "public", "latest"] if hash_ == chain:
                return self._told(latest - _STALE_ROUNDS if self.behaviour == "stale" else latest)
            case [hash_, "public", number] if hash_ == chain and number.isdecimal() and 0 < int(number) <= latest:
                return self._told(int(number))
        return Told(404, "text/plain", b"no such round")

    def _told(self, round_: int) -> Told:
        signature = self._network.sign(round_)
        if self.behaviour == "lying":
            signature = self._network.sign(round_ + 7)
        if self.behaviour == "wrong-round":
            round_ += 1
        randomness = sha256(signature).hexdigest()
        return _json({"round": round_, "randomness": randomness, "signature": signature.hex()})


def _json(members: dict[str, Any]) -> Told:
    return Told(200, "application/json", json.dumps(members).encode())
