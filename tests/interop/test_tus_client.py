"""tuspy, a client that knows nothing of us, against a real box over TLS: also while the box is killed under it."""

import gc
import hashlib
import http.client
import io
import json
import os
import random
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from tusclient.uploader import Uploader

from deedbox_checkout.local_box import LocalBox
from deedbox_sync import receipt

MIB = 1 << 20

# tuspy leaves the sockets of connections that were cut under it to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")


class Firm:
    """A box with one case, and what it takes to send to it."""

    def __init__(self, box: LocalBox, case: str) -> None:
        self.box = box
        self.case = case

    def uploader(self, file: Path, **more: object) -> Uploader:
        client = TusClient(f"{self.box.url}/api/v1/uploads", headers={"Authorization": f"Bearer {self.box.api_key}"})
        stream = io.BytesIO(file.read_bytes())  # files that tuspy opens itself it leaves to the garbage collector
        return client.uploader(file_stream=stream, metadata={"case": self.case, "filename": file.name}, **more)

    def exhibits(self) -> list[dict[str, object]]:
        return list(self.box.ask(f"/api/v1/evidence?case={self.case}&limit=500")["items"])

    def vkey(self) -> str:
        with self.box.request("/log/key") as answer:
            return str(answer.read().decode().strip())

    def assert_receipted(self, exhibit: dict[str, object]) -> None:
        with self.box.request(f"/api/v1/evidence/{exhibit['id']}/receipt") as answer:
            parsed = receipt.parse(answer.read())
        statement, content = (bytes.fromhex(str(exhibit[name])) for name in ("statement", "content"))
        receipt.verify_receipt(parsed, self.vkey(), statement=statement, content=content)


@pytest.fixture(autouse=True)
def sockets_of_cut_connections() -> Iterator[None]:
    """Collected here, where their warning is expected, and not in some later test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBox]:
    folder = tmp_path_factory.mktemp("tus")
    box = LocalBox(folder / "box", folder / "secrets")
    box.create()
    box.start()
    yield box
    box.kill()


@pytest.fixture
def firm(running_box: LocalBox, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """A case of the test's own. tuspy takes other authorities than the world's only from the environment."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(running_box.ca_file))
    case = running_box.ask("/api/v1/cases", {"number": request.node.name, "title": "Uploads"})
    return Firm(running_box, case["id"])


@pytest.mark.parametrize("size", [0, 1, 3 * MIB, 3 * MIB + 17])
@pytest.mark.parametrize("checksum", [False, True], ids=["plain", "checksum"])
def test_a_file_of_any_size_arrives_whole_in_chunks(firm: Firm, tmp_path: Path, size: int, checksum: bool) -> None:
    file = tmp_path / "Beweis № 1 – фото.bin"
    file.write_bytes(os.urandom(size))
    firm.uploader(file, chunk_size=MIB, upload_checksum=checksum).upload()
    (exhibit,) = firm.exhibits()
    assert (exhibit["name"], exhibit["size"]) == (file.name, size)
    assert exhibit["content"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert exhibit["captured_by_desk"] is False
    firm.assert_receipted(exhibit)


def test_an_upload_is_resumed_by_who_has_its_address(firm: Firm, tmp_path: Path) -> None:
    file = tmp_path / "half.bin"
    file.write_bytes(os.urandom(2 * MIB))
    first = firm.uploader(file, chunk_size=MIB)
    first.upload_chunk()
    again = firm.uploader(file, chunk_size=MIB, url=first.url)
    assert again.offset == MIB
    again.upload()
    (exhibit,) = firm.exhibits()
    assert exhibit["content"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_wrong_checksum_is_told_as_such(firm: Firm, tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"some bytes")
    uploader = firm.uploader(file, upload_checksum=True)
    uploader._BaseUploader__checksum_algorithm = lambda _: hashlib.sha1(b"others")  # a client that miscounts
    with pytest.raises(TusUploadFailed) as failed:
        uploader.upload()
    assert failed.value.status_code == 460
    assert uploader.get_offset() == 0


def send(firm: Firm, file: Path, chunk: int) -> None:
    """As a person would: again and again until it is through, always the same upload once there is one."""
    uploader = firm.uploader(file, chunk_size=chunk)
    while True:
        try:
            if uploader.url is not None:
                uploader.offset = uploader.get_offset()
            uploader.upload()
        except (TusCommunicationError, TusUploadFailed):
            time.sleep(0.05)
        else:
            return


@pytest.mark.crash
def test_each_upload_is_one_exhibit_however_often_the_box_is_killed(firm: Firm, tmp_path: Path) -> None:
    chance = random.Random(20)
    files = []
    for number in range(24):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(chance.randbytes(6 * MIB if number % 8 == 0 else chance.randint(1, 200_000)))
        files.append(file)
    done = threading.Event()

    def sending() -> None:
        for file in files:
            send(firm, file, MIB)
        done.set()

    sender = threading.Thread(target=sending, daemon=True)
    sender.start()
    kills = 0
    while kills < 5 and not done.wait(chance.uniform(0.05, 0.4)):
        firm.box.kill()
        kills += 1
        firm.box.start()
    sender.join(120)
    assert done.is_set()
    found = firm.exhibits()
    assert kills >= 1, "the uploads were too fast to be disturbed"
    assert sorted(str(one["content"]) for one in found) == sorted(
        hashlib.sha256(file.read_bytes()).hexdigest() for file in files
    )
    assert [one["number"] for one in found] == list(range(1, len(files) + 1))
    for one in found:
        firm.assert_receipted(one)
    told = json.loads(firm.box.command("audit", "--json").stdout)
    assert told["findings"] == []


def test_a_large_form_streams_through_the_box_in_constant_memory(firm: Firm) -> None:
    size, piece = 160 * MIB, os.urandom(MIB)

    def form() -> Iterator[bytes]:
        yield b'--B\r\ncontent-disposition: form-data; name="case"\r\n\r\n' + firm.case.encode() + b"\r\n"
        yield b'--B\r\ncontent-disposition: form-data; name="file"; filename="film.mov"\r\n\r\n'
        for _ in range(size // MIB):
            yield piece
        yield b"\r\n--B--\r\n"

    process = firm.box.process
    assert process is not None
    before = resident_peak(process.pid)
    place = urlsplit(firm.box.url)
    context = ssl.create_default_context(cafile=str(firm.box.ca_file))
    connection = http.client.HTTPSConnection(place.hostname or "", place.port, context=context, timeout=120)
    headers = {
        "Authorization": f"Bearer {firm.box.api_key}",
        "Content-Type": "multipart/form-data; boundary=B",
        "Transfer-Encoding": "chunked",
    }
    connection.request("POST", "/api/v1/evidence", form(), headers, encode_chunked=True)
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert (answer.status, body["size"]) == (201, size)
    assert resident_peak(process.pid) - before < 48 * MIB  # a few blocks of 4 MiB, whatever the size


def resident_peak(process: int) -> int:
    """Bytes that the process ever had in memory at once."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the system tells no peak")
