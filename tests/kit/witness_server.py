"""A witness on loopback over real HTTP: follows logs truly, or answers whatever a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_sync import note
from deedbox_sync.witness import Answer, WatchedLog, Witness
from kit.loopback_http import Asked, LoopbackServer, Told
from memory_witness import MemoryWitness


@dataclass
class WitnessServer:
    """`answer`, where a test sets it, is given instead of the true one; `delay` comes before each."""

    name: str
    url: str = ""
    peer: MemoryWitness = field(init=False)
    answer: Answer | None = None
    delay: float = 0.0
    asked: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        key = Ed25519PrivateKey.from_private_bytes(self.name.encode().ljust(32, b"-")[:32])
        self.peer = MemoryWitness({}, Witness(self.name, key))

    @property
    def vkey(self) -> str:
        return self.peer.identity.vkey

    def watch(self, vkey: str) -> None:
        self.peer.logs[note.parse_vkey(vkey).name] = WatchedLog(vkey)

    def take(self, data: bytes) -> Answer:
        with self.lock:
            self.asked.append(data)
            if self.answer is not None:
                return self.answer
            self.peer.now = int(time.time())
            return self.peer.take(data)


@contextmanager
def witness_server(name: str, *vkeys: str) -> Iterator[WitnessServer]:
    """One that watches the logs of these keys, until the block ends."""
    made = WitnessServer(name)
    for vkey in vkeys:
        made.watch(vkey)

    def answer(asked: Asked) -> Told:
        answer = made.take(asked.content)
        time.sleep(made.delay)
        status = answer.status if (asked.method, asked.path) == ("POST", "/add-checkpoint") else 404
        return Told(status, answer.media_type, answer.text.encode())

    with closing(LoopbackServer(answer)) as server:
        made.url = server.url
        yield made
