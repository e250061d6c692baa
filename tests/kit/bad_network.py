"""A network that can be bad: real sockets between a desk and its box, whose connections are slow, stuck, or cut at any byte."""

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_PIECE: Final = 16 << 10
_OUR_PORTS: Final = (20_000, 32_000)  # below ip_local_port_range, above most services
_LOOK: Final = 0.05  # seconds between looks at the weather while nothing may move


@dataclass(frozen=True)
class Weather:
    """How the network is. `cut_after` is asked once for each new connection: how many bytes, both ways, it may carry."""

    delay: float = 0.0  # seconds that each piece is on its way
    rate: float | None = None  # bytes a second, for each connection and direction
    stuck: bool = False  # connections stand, nothing moves
    refused: bool = False  # nobody answers at the box's address
    cut_after: Callable[[], int | None] = lambda: None


FAIR: Final = Weather()


class Network:
    """Listens in the place of a box and passes everything on to it, through the weather. `weather` may be set at any time."""

    def __init__(self, listen_port: int, box_port: int, host: str = "127.0.0.1") -> None:
        self.weather = FAIR
        self.connections = 0
        self.cuts = 0
        self._box = (host, box_port)
        self._open: set[_Connection] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._listening = socket.create_server((host, listen_port), backlog=128, reuse_port=False)
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="network", daemon=True)
        self._thread.start()

    def cut_all(self) -> None:
        """Break every connection that there is now."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            connection.cut()

    def close(self) -> None:
        self._closed = True
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut_all()
        self._thread.join()

    def ended(self, connection: "_Connection", *, was_cut: bool) -> None:
        with self._lock:
            self._open.discard(connection)
            self.cuts += was_cut

    @property
    def closed(self) -> bool:
        return self._closed

    def _accept(self) -> None:
        while True:
            try:
                desk, _ = self._listening.accept()
            except OSError:
                return
            if self.weather.refused:
                _break(desk)
                continue
            try:
                box = socket.create_connection(self._box, timeout=5)
            except OSError:  # the box is down, and that is how it looks from the desk
                _break(desk)
                continue
            box.settimeout(None)
            connection = _Connection(self, desk, box, self.weather.cut_after())
            with self._lock:
                self._open.add(connection)
                self.connections += 1
            connection.start()


class _Connection:
    """Two sockets and two threads that carry bytes between them."""

    def __init__(self, network: Network, desk: socket.socket, box: socket.socket, allowance: int | None) -> None:
        self._network = network
        self._sides = (desk, box)
        self._allowance = allowance
        self._lock = threading.Lock()
        self._over = False
        self._ended_halves = 0

    def start(self) -> None:
        desk, box = self._sides
        for source, target in ((desk, box), (box, desk)):
            threading.Thread(target=self._carry, args=(source, target), name="network", daemon=True).start()

    def cut(self) -> None:
        """Both ends see a broken connection. What was read and not passed on is lost."""
        with self._lock:
            over, self._over = self._over, True
        if not over:
            for side in self._sides:
                _break(side)
            self._network.ended(self, was_cut=True)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(_PIECE):
                self._travel(len(piece))
                allowed = self._take(len(piece))
                target.sendall(piece[:allowed])
                if allowed < len(piece):
                    self.cut()
                    return
            target.shutdown(socket.SHUT_WR)
        except OSError:
            self._end()
            return
        with self._lock:
            self._ended_halves += 1
        if self._ended_halves == len(self._sides):
            self._end()

    def _travel(self, length: int) -> None:
        """Take as long as the weather wants; time passes in small steps, so that better weather is felt at once."""
        began = time.monotonic()
        while not self._over and not self._network.closed:
            weather = self._network.weather
            wanted = weather.delay + (length / weather.rate if weather.rate else 0.0)
            left = began + wanted - time.monotonic()
            if weather.stuck:
                time.sleep(_LOOK)
            elif left > 0:
                time.sleep(min(left, _LOOK))
            else:
                return

    def _take(self, length: int) -> int:
        with self._lock:
            if self._allowance is None:
                return length
            allowed = min(length, self._allowance)
            self._allowance -= allowed
            return allowed

    def _end(self) -> None:
        with self._lock:
            over, self._over = self._over, True
        if not over:
            for side in self._sides:
                with contextlib.suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
                side.close()
            self._network.ended(self, was_cut=False)


def random_cuts(rng: random.Random, shortest: int, longest: int) -> Callable[[], int]:
    """Cuts anywhere between two numbers of bytes, early ones and late ones alike (evenly by order of magnitude)."""
    span = longest / shortest
    lock = threading.Lock()

    def next_cut() -> int:
        with lock:
            return int(shortest * span ** rng.random())

    return next_cut


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody has now.

    Not one of those that the system hands out: while its owner is down, a client's end of a connection could be given it.
    """
    while True:
        port = random.SystemRandom().randrange(*_OUR_PORTS)
        try:
            with socket.create_server((host, port)):
                return port
        except OSError:
            continue


def _break(side: socket.socket) -> None:
    """Close with a reset: nothing that is still on its way arrives."""
    with contextlib.suppress(OSError):
        side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it
    side.close()
