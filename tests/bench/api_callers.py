"""Callers of a box, in processes of their own: so many calls a second whether or not the answers come (an open loop).

A call's time runs from the instant at which it was due, so that a box that falls behind is charged for all who wait. What the
callers themselves cost is kept small: one TLS connection each thread, requests made beforehand, answers counted and not parsed.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

_PROCESSES: Final = 2
_THREADS: Final = 8  # of each process: as many calls can be under way
_LEAD: Final = 1.5  # seconds until all have connected
_RECEIVE: Final = 1 << 16


class Orders(msgspec.Struct, frozen=True):
    """What one process is to do: call `paths` in turn, each with the key beside it, one every `interval` seconds from `first` on
    the monotonic clock."""

    port: int
    ca: str
    keys: list[str]
    paths: list[str]
    first: float
    interval: float


@dataclass(frozen=True)
class Answers:
    """Seconds of each call, in order of length, and the bytes of all answers' bodies."""

    seconds: tuple[float, ...]
    bytes: int

    def at(self, share: float) -> float:
        """Milliseconds within which this share of the calls was answered."""
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * share))] * 1e3


def drive(port: int, ca: Path, keys: Sequence[str], paths: Sequence[str], rate: float) -> Answers:
    """Call all of these at this rate, with each key in turn. RuntimeError for any answer but 200."""
    turns = [keys[number % len(keys)] for number in range(len(paths))]
    first = time.monotonic() + _LEAD
    running = []
    for process in range(_PROCESSES):
        orders = Orders(
            port=port,
            ca=str(ca),
            keys=turns[process::_PROCESSES],
            paths=list(paths[process::_PROCESSES]),
            first=first + process / rate,
            interval=_PROCESSES / rate,
        )
        command = [sys.executable, "-m", "bench.api_callers"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        caller = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert caller.stdin is not None
        caller.stdin.write(msgspec.json.encode(orders))
        caller.stdin.close()
        running.append(caller)
    seconds: list[float] = []
    size = 0
    for caller in running:
        assert caller.stdout is not None
        told = caller.stdout.read()
        if caller.wait() != 0:
            raise RuntimeError("a caller failed: see above")
        times, received = msgspec.json.decode(told, type=tuple[list[float], int])
        seconds += times
        size += received
    return Answers(tuple(sorted(seconds)), size)


def main() -> int:
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    context = ssl.create_default_context(cafile=orders.ca)
    times: list[float] = []
    sizes: list[int] = []
    faults: list[BaseException] = []
    turn = iter(range(len(orders.paths)))
    lock = threading.Lock()

    def caller() -> None:
        try:
            with socket.create_connection(("127.0.0.1", orders.port)) as plain:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                    while True:
                        with lock:
                            number = next(turn, None)
                        if number is None or faults:
                            return
                        due = orders.first + number * orders.interval
                        time.sleep(max(0.0, due - time.monotonic()))
                        size = _call(connection, orders.paths[number], orders.keys[number])
                        times.append(time.monotonic() - due)
                        sizes.append(size)
        except BaseException as fault:  # told by the thread that waits for this one
            faults.append(fault)

    threads = [threading.Thread(target=caller) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    sys.stdout.buffer.write(msgspec.json.encode((times, sum(sizes))))
    return 0


def _call(connection: ssl.SSLSocket, path: str, key: str) -> int:
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        piece = connection.recv(_RECEIVE)
        if not piece:
            raise RuntimeError("the box hung up")
        data += piece
    head = data[:end].lower()
    body = bytearray(data[end + 4 :])
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(_RECEIVE)
    if not head.startswith(b"http/1.1 200 "):
        raise RuntimeError(f"{path} answered {head[:30]!r}: {bytes(body[:300])!r}")
    return length


if __name__ == "__main__":
    raise SystemExit(main())
