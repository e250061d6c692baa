"""A witness on loopback over real HTTP, by the standard library's server: follows logs truly, or answers whatever a test says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_sync import note
from deedbox_sync.witness import Answer, WatchedLog, Witness
from memory_witness import MemoryWitness


@dataclass
class WitnessServer:
    """`answer`, where a test sets it, is given instead of the true one; `delay` comes before each."""

    name: str
    port: int = 0
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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = made.take(self.rfile.read(int(self.headers["content-length"])))
            time.sleep(made.delay)
            body = answer.text.encode()
            self.send_response(answer.status if self.path == "/add-checkpoint" else 404)
            self.send_header("content-type", answer.media_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
