"""The machine's own limit: read, SHA-256, AES-256-GCM, write and fsync at both ends, without a network or a protocol between.

Two processes at once, each of which does all of it with every byte: past the page cache, synced in the end, or, with small
files, which go into one, every few hundred of them. Reading, hashing and sealing have a thread of their own in each, and
buffers that are used again. The slower end is the limit.
"""

from __future__ import annotations

import hashlib
import mmap
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.contender import Run
from bench.material import Material

_SEGMENT: Final = 1 << 20
_BLOCK: Final = 4 * _SEGMENT
_TAG: Final = 16
_BUFFERS: Final = 4
_GROUP: Final = 500  # small files that share a sync, as they share a commit
_DIRECT: Final = getattr(os, "O_DIRECT", 0)


class Limit:
    name = "this machine's limit"
    ends_with = "every byte is read, hashed, encrypted, written and synced at both ends, without a network"

    def missing(self) -> str | None:
        return None

    def run(self, material: Material, scratch: Path) -> Run:
        fork = multiprocessing.get_context("fork")
        ready = fork.Barrier(3)
        ends = [fork.Process(target=_end, args=(material.paths(), scratch / end, ready)) for end in ("desk", "box")]
        for end in ends:
            end.start()
        ready.wait()
        began = time.monotonic()
        for end in ends:
            end.join()
        seconds = time.monotonic() - began
        if any(end.exitcode for end in ends):
            raise RuntimeError("an end of the limit failed")
        return Run(seconds)


def _end(paths: list[Path], out: Path, ready: Barrier) -> None:
    writer = _Writer(_create(out))
    free: queue.SimpleQueue[mmap.mmap] = queue.SimpleQueue()
    for _ in range(_BUFFERS):
        free.put(mmap.mmap(-1, _BLOCK))
    to_hash: queue.SimpleQueue[tuple[memoryview, bool, threading.Semaphore] | None] = queue.SimpleQueue()
    to_seal: queue.SimpleQueue[tuple[mmap.mmap, int, int, threading.Semaphore] | None] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_hash, args=(to_hash,)),
        threading.Thread(target=_seal, args=(to_seal, free, writer)),
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    for number, buffer, length, last in _blocks(paths, free):
        hashed = threading.Semaphore(0)
        to_hash.put((memoryview(buffer)[:length], last, hashed))
        to_seal.put((buffer, length, number, hashed))
    to_hash.put(None)
    to_seal.put(None)
    for thread in threads:
        thread.join()
    writer.sync()


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        return os.open(path, flags | _DIRECT, 0o600)
    except OSError:  # a file system without
        return os.open(path, flags, 0o600)


def _blocks(paths: list[Path], free: queue.SimpleQueue[mmap.mmap]) -> Iterator[tuple[int, mmap.mmap, int, bool]]:
    """Every block of every file: the file's number, the bytes, how many, and whether the file ends with them."""
    room = _BLOCK - 4 * _TAG
    for number, path in enumerate(paths):
        descriptor = os.open(path, os.O_RDONLY)
        left = os.fstat(descriptor).st_size
        while left:
            buffer = free.get()
            with memoryview(buffer) as view:
                length = os.readv(descriptor, [view[: min(room, left)]])
            left -= length
            yield number, buffer, length, not left
        os.close(descriptor)


def _hash(work: queue.SimpleQueue[tuple[memoryview, bool, threading.Semaphore] | None]) -> None:
    digest = hashlib.sha256()
    while (item := work.get()) is not None:
        piece, last, done = item
        digest.update(piece)
        if last:
            digest.digest()
            digest = hashlib.sha256()
        done.release()


def _seal(
    work: queue.SimpleQueue[tuple[mmap.mmap, int, int, threading.Semaphore] | None],
    free: queue.SimpleQueue[mmap.mmap],
    writer: _Writer,
) -> None:
    out = memoryview(mmap.mmap(-1, _BLOCK))
    number, key, nonce, filled = -1, AESGCM(os.urandom(32)), 0, 0
    while (item := work.get()) is not None:
        buffer, length, file, hashed = item
        if file != number:
            number, key = file, AESGCM(os.urandom(32))
            if number and number % _GROUP == 0:
                writer.write(out[:filled])
                writer.sync()
                filled = 0
        if filled + length + 4 * _TAG > _BLOCK:
            writer.write(out[:filled])
            filled = 0
        with memoryview(buffer) as plain:
            for start in range(0, length, _SEGMENT - _TAG):
                piece = plain[start : min(start + _SEGMENT - _TAG, length)]
                nonce += 1
                room = out[filled : filled + len(piece) + _TAG]
                filled += key.encrypt_into(nonce.to_bytes(12), piece, None, room)
        hashed.acquire()
        free.put(buffer)
    writer.write(out[:filled])


class _Writer:
    """Appends whole pages, what follows the data included, past the page cache where the file system can."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def write(self, data: memoryview) -> None:
        padded = -(-len(data) // mmap.PAGESIZE) * mmap.PAGESIZE
        with memoryview(data.obj) as whole:  # the block's own bytes behind the data are padding
            os.pwrite(self._descriptor, whole[:padded], self._at)
        self._at += padded

    def sync(self) -> None:
        os.fdatasync(self._descriptor)
