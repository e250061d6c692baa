"""Uploads over real sockets to a real box: connections that die, stall or lie; and what of all that is ever on its disk."""

import base64
import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbox_checkout.local_box import LocalBox
from kit.waiting import until

MIB = 1 << 20
SECRET = b"the marked content that must not lie open anywhere"
SECRET_NAME = "marked-name-of-a-witness"
SECRET_LABEL = "marked-label-of-a-matter"


class Wire:
    """HTTP by hand, as no client would on purpose."""

    def __init__(self, box: LocalBox, case: str) -> None:
        self.box = box
        self.case = case

    @contextlib.contextmanager
    def connected(self) -> Iterator[ssl.SSLSocket]:
        context = ssl.create_default_context(cafile=str(self.box.ca_file))
        plain = socket.create_connection(("127.0.0.1", self.box.people_port), timeout=30)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            yield secure

    def head(self, method: str, path: str, **headers: object) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: box.test", f"Authorization: Bearer {self.box.api_key}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "Tus-Resumable: 1.0.0", "", ""]).encode()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: object) -> tuple[int, dict[str, str]]:
        with self.connected() as connection:
            connection.sendall(self.head(method, path, Content_Length=len(body), **headers) + body)
            return answer(connection)

    def create(self, size: int) -> str:
        pairs = {"case": self.case, "filename": SECRET_NAME, "labels": SECRET_LABEL}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())
        status, headers = self.ask("POST", "/api/v1/uploads", Upload_Length=size, Upload_Metadata=metadata)
        assert status == 201
        return headers["location"]

    def offset(self, upload: str) -> int:
        status, headers = self.ask("HEAD", upload)
        assert status == 200
        return int(headers["upload-offset"])

    def patch_head(self, upload: str, offset: int, length: int) -> bytes:
        kind = "application/offset+octet-stream"
        return self.head("PATCH", upload, Upload_Offset=offset, Content_Type=kind, Content_Length=length)


def answer(connection: ssl.SSLSocket) -> tuple[int, dict[str, str]]:
    """The status and headers of an answer; its body, if any, stays unread."""
    held = b""
    while b"\r\n\r\n" not in held:
        piece = connection.recv(65_536)
        assert piece, f"the box hung up after {held!r}"
        held += piece
    first, *lines = held.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(first.split(" ")[1]), {name.lower(): value for name, _, value in pairs}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the box would put temporary files."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory, scratch: Path) -> Iterator[LocalBox]:
    folder = tmp_path_factory.mktemp("wire")
    box = LocalBox(folder / "box", folder / "secrets")
    box.create()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TMPDIR", str(scratch))
        box.start()
    yield box
    box.kill()


@pytest.fixture
def wire(running_box: LocalBox, request: pytest.FixtureRequest) -> Wire:
    case = running_box.ask("/api/v1/cases", {"number": request.node.name, "title": "Wires"})
    return Wire(running_box, case["id"])


def test_what_came_before_a_cut_is_kept_and_is_no_fault_of_the_box(wire: Wire) -> None:
    upload = wire.create(8 * MIB)
    with wire.connected() as connection:
        connection.sendall(wire.patch_head(upload, 0, 8 * MIB) + os.urandom(3 * MIB))
        time.sleep(0.3)  # nothing tells what the other side has read
    kept = until(lambda: wire.offset(upload), "bytes were kept", seconds=10)
    assert 2 * MIB <= kept <= 3 * MIB
    assert "incident" not in (wire.box.secrets / "box.log").read_text()
    status, _ = wire.ask("PATCH", upload, bytes(8 * MIB - kept), **typed(kept))
    assert status == 204


def typed(offset: int) -> dict[str, object]:
    return {"Upload_Offset": offset, "Content_Type": "application/offset+octet-stream"}


def test_a_stalled_connection_holds_nobody_up(wire: Wire) -> None:
    upload = wire.create(2 * MIB)
    with wire.connected() as stalled:
        stalled.sendall(wire.patch_head(upload, 0, 2 * MIB) + bytes(MIB))
        time.sleep(0.3)
        begun = time.monotonic()
        assert wire.offset(upload) == MIB
        status, headers = wire.ask("PATCH", upload, bytes(MIB), **typed(MIB))
        assert (status, headers["upload-offset"]) == (204, str(2 * MIB))
        assert time.monotonic() - begun < 5
        assert answer(stalled)[0] == 409


def test_more_chunks_than_announced_are_refused_and_the_connection_serves_on(wire: Wire) -> None:
    upload = wire.create(10)
    kind = "application/offset+octet-stream"
    with wire.connected() as connection:
        connection.sendall(
            wire.head("PATCH", upload, Upload_Offset=0, Content_Type=kind, Transfer_Encoding="chunked")
            + b"8\r\n01234567\r\n"
        )
        time.sleep(0.2)
        connection.sendall(b"8\r\n89abcdef\r\n0\r\n\r\n")
        assert answer(connection)[0] == 413
    assert wire.offset(upload) == 8
    assert wire.ask("PATCH", upload, b"89", **typed(8))[0] == 204


def test_the_box_s_own_options_are_told_and_not_the_framework_s(wire: Wire) -> None:
    for path in ("/api/v1/uploads", "/api/v1/uploads/", f"/api/v1/uploads/{'0' * 32}"):
        status, headers = wire.ask("OPTIONS", path)
        assert (status, headers["tus-version"]) == (204, "1.0.0")


def test_neither_content_nor_name_lies_open_on_the_disk_at_any_moment(wire: Wire, scratch: Path) -> None:
    marked = SECRET * (MIB // len(SECRET))
    upload = wire.create(2 * len(marked))
    assert wire.ask("PATCH", upload, marked, **typed(0))[0] == 204
    boundary = "B"
    form = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="case"\r\n\r\n{wire.case}\r\n'
        f'--{boundary}\r\ncontent-disposition: form-data; name="labels"\r\n\r\n{SECRET_LABEL}\r\n'
        f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{SECRET_NAME}"\r\n\r\n'
    ).encode()
    end = f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    length = len(form) + 12 * len(marked) + len(end)
    with wire.connected() as connection:
        head = wire.head("POST", "/api/v1/evidence", Content_Type=kind, Content_Length=length)
        connection.sendall(head + form + 6 * marked)
        time.sleep(0.5)
        assert_nothing_open(wire.box, scratch)  # with one upload half there and a form half read
        connection.sendall(6 * marked + end)
        assert answer(connection)[0] == 201
    assert wire.ask("PATCH", upload, marked, **typed(len(marked)))[0] == 204
    assert_nothing_open(wire.box, scratch)


def assert_nothing_open(box: LocalBox, scratch: Path) -> None:
    marks = (SECRET, SECRET_NAME.encode(), SECRET_LABEL.encode(), base64.b64encode(SECRET_NAME.encode()))
    looked = 0
    for folder in (box.data, box.secrets, scratch):
        for path in folder.rglob("*"):
            try:
                data = path.read_bytes() if path.is_file() else b""
            except FileNotFoundError:  # what a worker had for a moment
                continue
            looked += len(data)
            assert not any(mark in data for mark in marks), path
    assert looked > MIB
