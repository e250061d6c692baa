"""A tool validation, run now on this very box: known files through the real intake, checked by independent tools.

Each check says what was expected and what came. Nothing is left out of the result: what fails, or could not be run, is a
deviation.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from uuid import UUID

from deedbox_server.evidence.bundling import Bundling
from deedbox_server.evidence.deskless import Deskless
from deedbox_server.evidence.exhibits import Exhibits
from deedbox_server.evidence.verifying import Verifying
from deedbox_server.people.principal import Principal
from deedbox_sync import uuid7

_TOOL_SECONDS = 120.0  # for a command over a few MiB, on a busy machine
_PIECE = 1 << 18
_MIB = 1 << 20
# SHA-256 of "", "abc" and a million times "a": FIPS 180-2, appendix B, and NIST's known answers.
_KNOWN_ANSWERS = (
    (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
)
_TOOLS = ("sha256sum", "openssl")
_VERIFIER = (sys.executable, "-I", "-c", "import sys; from deedbox_verify.command import main; sys.exit(main())")


@dataclass(frozen=True)
class TestFile:
    """A file of known content. `why` says what it is for."""

    name: str
    data: bytes
    why: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Check:
    """One test case. `passed` None: it could not be run."""

    number: str
    what: str
    expected: str
    found: str
    passed: bool | None


@dataclass(frozen=True)
class Validation:
    """A whole run."""

    began: datetime
    ended: datetime
    environment: tuple[tuple[str, str], ...]
    files: tuple[TestFile, ...]
    exhibits: tuple[UUID, ...]
    checks: tuple[Check, ...]

    @property
    def deviations(self) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if not check.passed)


def known_files() -> tuple[TestFile, ...]:
    """The same files in every run: whoever has this software can make them again."""
    noise = hashlib.shake_256(b"deedbox validation 1").digest(3 * _MIB + 17)
    return (
        TestFile("empty.bin", b"", "no bytes at all"),
        TestFile("abc.txt", b"abc", "the example of the standard (FIPS 180)"),
        TestFile("million-a.txt", b"a" * 1_000_000, "the long example of the standard"),
        TestFile("one-byte.bin", b"\x00", "a single zero byte"),
        TestFile("segment.bin", noise[:_MIB], "exactly one MiB, the length of an encrypted segment and its header"),
        TestFile("segment-and-one.bin", noise[: _MIB + 1], "one byte more"),
        TestFile("noise.bin", noise, "over three MiB of pseudo-random bytes (SHAKE-256), no multiple of anything"),
        TestFile("Übung – 証拠 – دليل.txt", "Ödegård v. Müller\n".encode(), "a name beyond ASCII, in three scripts"),
    )


class ValidationRun:
    """One run in one case; its test exhibits stay there."""

    def __init__(self, deskless: Deskless, exhibits: Exhibits, verifying: Verifying, bundling: Bundling) -> None:
        self._deskless = deskless
        self._exhibits = exhibits
        self._verifying = verifying
        self._bundling = bundling
        self._checks: list[Check] = []

    async def run(self, principal: Principal, case: UUID) -> Validation:
        began = datetime.now(UTC)
        files = known_files()
        environment = await _environment()
        await self._known_answers()
        taken = [await self._capture(principal, case, file) for file in files]
        for number, (file, exhibit) in enumerate(zip(files, taken, strict=True), start=1):
            await self._file(principal, f"{number}", file, exhibit)
        await self._again(principal, case, files[1])
        await self._bundle(principal, case, taken)
        return Validation(began, datetime.now(UTC), environment, files, tuple(taken), tuple(self._checks))

    def _check(self, number: str, what: str, expected: str, found: str) -> None:
        self._checks.append(Check(number, what, expected, found, found == expected))

    async def _known_answers(self) -> None:
        """T1: this machine's SHA-256 and the independent tools' against published values."""
        for at, (data, digest) in enumerate(_KNOWN_ANSWERS, start=1):
            self._check(
                f"T1.{at}",
                f"SHA-256 of {len(data):,} known bytes, by the system",
                digest,
                hashlib.sha256(data).hexdigest(),
            )
            for tool in _TOOLS:
                await self._tool(f"T1.{at}", f"the same by {tool}", digest, tool, data)

    async def _tool(self, number: str, what: str, expected: str, tool: str, data: bytes) -> None:
        found = await _digest_by(tool, data)
        if found is None:
            self._checks.append(Check(number, what, expected, f"{tool} is not on this machine", None))
        else:
            self._check(number, what, expected, found)

    async def _capture(self, principal: Principal, case: UUID, file: TestFile) -> UUID:
        """Through the intake that takes evidence without a desk: streamed, hashed, encrypted, stored, put into the log."""
        metadata = {"case": str(case).encode(), "filename": file.name.encode(), "labels": b"validation"}
        taken = await self._deskless.take(
            principal, metadata, _pieces(file.data), announced=len(file.data), key=str(uuid7.new())
        )
        return taken.exhibit

    async def _file(self, principal: Principal, number: str, file: TestFile, exhibit: UUID) -> None:
        """T2: recorded digest; T3: bytes read back; T4: statement, log and stored bytes as the system checks them."""
        recorded = (await self._exhibits.get(principal, exhibit)).content.hex()
        for tool in _TOOLS:
            await self._tool(
                f"T2.{number}", f"digest recorded of {file.name}, against {tool}", recorded, tool, file.data
            )
        _, reader = await self._exhibits.open(principal, exhibit, "viewed")
        try:
            back = b"".join([piece async for piece in reader.read(0, reader.size)])
        finally:
            reader.close()
        self._check(
            f"T3.{number}",
            f"{file.name} read back",
            "identical bytes",
            "identical bytes" if back == file.data else "other bytes",
        )
        report = await self._verifying.verify(principal, exhibit)
        found = "holds" if report.intact else " ".join(report.findings)
        self._check(f"T4.{number}", f"signature, log and stored bytes of {file.name}", "holds", found)

    async def _again(self, principal: Principal, case: UUID, file: TestFile) -> None:
        """T5: one request sent twice is one exhibit."""
        metadata = {"case": str(case).encode(), "filename": b"sent-twice.txt", "labels": b"validation"}
        key = str(uuid7.new())
        first = await self._deskless.take(principal, metadata, _pieces(file.data), key=key)
        second = await self._deskless.take(principal, metadata, _pieces(file.data), key=key)
        found = "one exhibit" if first.exhibit == second.exhibit else "two exhibits"
        self._check("T5", "the same request sent twice", "one exhibit", found)

    async def _bundle(self, principal: Principal, case: UUID, exhibits: Sequence[UUID]) -> None:
        """T6: the stand-alone verifier on a bundle; T7: on the same bundle with one bit of one exhibit changed."""
        prepared = await self._bundling.prepare(principal, case, exhibits, "tool validation")
        whole = bytearray()
        async for piece in prepared.stream():
            whole += piece
        verdict = await _verdict(bytes(whole))
        self._check(
            "T6", "deedbox-verify, in a process of its own, on an export of the test exhibits", "intact", verdict
        )
        at = bytes(whole).find(hashlib.shake_256(b"deedbox validation 1").digest(64))
        whole[at] ^= 1
        verdict = await _verdict(bytes(whole))
        self._check("T7", "the same after one bit of one exhibit was changed", "not intact", verdict)


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), _PIECE):
        yield data[at : at + _PIECE]


async def _digest_by(tool: str, data: bytes) -> str | None:
    """By another program, which gets the bytes on its standard input; None where there is no such program."""
    program = shutil.which(tool)
    if program is None:
        return None
    command = [program, "dgst", "-sha256", "-r"] if tool == "openssl" else [program]
    _, out = await _run(command, data)
    return out.decode("ascii", "replace").split(" ", 1)[0].strip().removeprefix("\\")


async def _verdict(bundle: bytes) -> str:
    """What the verifier says of a bundle that lies in memory and nowhere else."""
    descriptor = os.memfd_create("bundle.zip")
    try:
        await asyncio.to_thread(_write_all, descriptor, bundle)
        status, out = await _run([*_VERIFIER, f"/proc/self/fd/{descriptor}", "--json"], b"", descriptor)
    finally:
        os.close(descriptor)
    if status not in (0, 1):
        return f"could not be checked (exit status {status})"
    return "intact" if json.loads(out)["intact"]["answer"] == "yes" else "not intact"


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


async def _run(command: Sequence[str], data: bytes, *descriptors: int) -> tuple[int, bytes]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        pass_fds=descriptors,
    )
    try:
        async with asyncio.timeout(_TOOL_SECONDS):
            out, _ = await process.communicate(data)
    except TimeoutError:
        process.kill()
        await process.wait()
        return -1, b""
    return process.returncode or 0, out


async def _environment() -> tuple[tuple[str, str], ...]:
    """Versions of everything that took part."""
    rows = [
        ("Deedbox", version("deedbox")),
        ("Python", platform.python_version()),
        ("cryptography", version("cryptography")),
        ("System", f"{platform.system()} {platform.release()}, {platform.machine()}"),
    ]
    for tool, argument in (("sha256sum", "--version"), ("openssl", "version")):
        program = shutil.which(tool)
        if program is None:
            rows.append((tool, "not on this machine"))
        else:
            _, out = await _run([program, argument], b"")
            rows.append((tool, out.decode("utf-8", "replace").split("\n", 1)[0]))
    return tuple(rows)
