"""The relay: one encrypted file, the protocol's two calls, a few commands."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_disk.errors import DiskError, FolderInUse
from deedbox_disk.locked_key import KeyFile
from deedbox_relay import cli
from deedbox_relay.errors import SetupError
from deedbox_relay.folder import RelayFolder
from deedbox_relay.store import RelayStore
from deedbox_relay.web import Service, relay_app
from deedbox_sync import note
from deedbox_sync.errors import FormatError
from deedbox_sync.witness import BURST, FORK, MAX_KEPT, MAX_REQUEST, SIZE_TYPE, UNPROVEN, Answer, encode_request
from kit.local_relay import LocalRelay
from memory_witness import LOG_VKEY, NOON, ORIGIN, WITNESS, TinyLog, log_of

NAME = "relay.example/w1"


@pytest.fixture
def folder(tmp_path: Path) -> RelayFolder:
    return RelayFolder(tmp_path / "relay")


@pytest.fixture
def way(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "key")


@pytest.fixture
def store(folder: RelayFolder, way: KeyFile) -> Iterator[RelayStore]:
    made = folder.create(way, NAME)
    made.watch(LOG_VKEY)
    yield made
    made.close()


def show(store: RelayStore, log: TinyLog, old: int, now: int = NOON) -> Answer:
    return store.add_checkpoint(encode_request(log.request(old)), now)


def test_what_it_cosigned_and_its_key_survive_a_restart(folder: RelayFolder, way: KeyFile, store: RelayStore) -> None:
    answer = show(store, log_of(5), 0)
    signed = note.parse_note(log_of(5).checkpoint() + answer.text)
    assert note.verify_note(signed, [store.identity.vkey]) == {NAME: NOON}
    again = folder.open(way)
    assert again.identity.vkey == store.identity.vkey
    assert show(again, log_of(5, "other"), 0).text == "5\n"
    assert show(again, log_of(7), 5).status == 200
    assert show(store, log_of(7, "other"), 5).text == "7\n"
    again.close()


def test_a_fork_is_kept_with_both_notes_and_a_spoilt_proof_as_unproven(store: RelayStore) -> None:
    show(store, log_of(5), 0)
    show(store, log_of(5, "other"), 5, NOON + 1)
    show(store, log_of(6, "other"), 5, NOON + 2)
    unproven, fork = store.misbehaviour()
    assert (fork.kind, fork.held, fork.note) == (FORK, log_of(5).checkpoint(), log_of(5, "other").checkpoint())
    assert (unproven.kind, unproven.size, unproven.held_size) == (UNPROVEN, 6, 5)
    for size in range(6, 100):
        store.add_checkpoint(encode_request(replace(log_of(size).request(5), proof=())), NOON)
    assert len(store.misbehaviour()) == 1 + MAX_KEPT


def test_a_log_taken_off_the_list_is_unknown_and_when_put_back_goes_on_where_it_was(store: RelayStore) -> None:
    show(store, log_of(5), 0)
    assert store.unwatch(ORIGIN)
    assert not store.unwatch(ORIGIN)
    assert show(store, log_of(6), 5).status == 404
    assert store.watch(LOG_VKEY).size == 5
    assert show(store, log_of(6), 5).status == 200


def test_a_log_keeps_its_key_and_a_witness_is_no_log(store: RelayStore) -> None:
    other = note.encode_vkey(ORIGIN, note.ED25519, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    with pytest.raises(SetupError, match="another key"):
        store.watch(other)
    with pytest.raises(SetupError, match="witness"):
        store.watch(WITNESS.vkey)
    with pytest.raises(FormatError):
        store.watch("nonsense")
    assert [log.origin for log in store.logs()] == [ORIGIN]


def test_its_file_holds_no_plaintext_and_opens_with_its_key_only(
    folder: RelayFolder, way: KeyFile, store: RelayStore, tmp_path: Path
) -> None:
    show(store, log_of(5), 0)
    for path in folder.path.iterdir():
        data = path.read_bytes()
        assert ORIGIN.encode() not in data
        assert NAME.encode() not in data
    other = KeyFile(tmp_path / "other")
    other.path.write_bytes(bytes(32))
    other.path.chmod(0o600)
    with pytest.raises(DiskError):
        folder.open(other)


def test_a_relay_is_made_once_and_one_cut_short_is_finished(
    folder: RelayFolder, way: KeyFile, store: RelayStore
) -> None:
    with pytest.raises(SetupError, match="already"):
        folder.create(way, NAME)
    store.close()
    for path in folder.path.glob("relay.db*"):
        path.unlink()
    folder.create(way, NAME).close()
    with pytest.raises(SetupError, match="no relay"):
        RelayFolder(folder.path / "elsewhere").open(way)


def test_a_name_that_no_key_can_carry_makes_nothing(folder: RelayFolder, way: KeyFile) -> None:
    with pytest.raises(FormatError):
        folder.create(way, "two words")
    folder.create(way, NAME).close()


# --- over HTTP


@pytest.fixture
async def client(folder: RelayFolder, way: KeyFile, store: RelayStore) -> AsyncIterator[httpx.AsyncClient]:
    service = Service(lambda: folder.open(way))
    transport = httpx.ASGITransport(relay_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="https://relay.test") as made:
        yield made
    service.close()


async def test_it_answers_as_the_protocol_says(client: httpx.AsyncClient, store: RelayStore) -> None:
    key = await client.get("/key")
    assert key.text == store.identity.vkey + "\n"
    answer = await client.post("/add-checkpoint", content=encode_request(log_of(5).request(0)))
    assert answer.status_code == 200
    assert NAME in note.verify_note(note.parse_note(log_of(5).checkpoint() + answer.text), [key.text.strip()])
    conflict = await client.post("/add-checkpoint", content=encode_request(log_of(6).request(0)))
    assert (conflict.status_code, conflict.headers["content-type"], conflict.text) == (409, SIZE_TYPE, "5\n")
    for body, status in ((b"nonsense", 400), (b"x" * (MAX_REQUEST + 1), 413)):
        assert (await client.post("/add-checkpoint", content=body)).status_code == status
    assert (await client.get("/elsewhere")).status_code == 404


async def test_who_asks_too_often_waits(client: httpx.AsyncClient) -> None:
    answers = [await client.post("/add-checkpoint", content=b"") for _ in range(int(BURST) + 3)]
    assert answers[0].status_code == 400
    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "30")


async def test_of_two_histories_shown_at_once_only_one_is_cosigned(client: httpx.AsyncClient) -> None:
    questions = [log_of(size, word).request(0) for size in range(1, 13) for word in ("entry", "other")]
    answers = await asyncio.gather(
        *(client.post("/add-checkpoint", content=encode_request(question)) for question in questions)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 23


async def test_a_fault_of_its_own_says_nothing_of_it(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Answer:
        raise DiskError("/secret/path is full")

    monkeypatch.setattr(RelayStore, "add_checkpoint", fail)
    answer = await client.post("/add-checkpoint", content=encode_request(log_of(5).request(0)))
    assert (answer.status_code, answer.text) == (503, "The relay cannot answer now.\n")


# --- commands


def run(
    capsys: pytest.CaptureFixture[str], folder: RelayFolder, way: KeyFile, word: str, *rest: str
) -> tuple[int, str]:
    status = cli.main([word, "--data", str(folder.path), "--key-file", str(way.path), *rest])
    told = capsys.readouterr()
    return status, told.out + told.err


def test_the_commands_make_it_and_keep_its_list(
    folder: RelayFolder, way: KeyFile, capsys: pytest.CaptureFixture[str]
) -> None:
    status, vkey = run(capsys, folder, way, "init", "--name", NAME)
    assert status == 0
    assert note.parse_vkey(vkey.strip()).name == NAME
    assert run(capsys, folder, way, "key") == (0, vkey)
    assert run(capsys, folder, way, "init", "--name", NAME)[0] == 2
    assert run(capsys, folder, way, "watch", LOG_VKEY) == (0, f"{ORIGIN} will be cosigned from 0 entries on.\n")
    assert run(capsys, folder, way, "watch", "nonsense")[0] == 2
    store = folder.open(way)
    show(store, log_of(5), 0)
    status, listed = run(capsys, folder, way, "logs")
    assert (status, listed.split()[0]) == (0, "5")
    show(store, log_of(5, "other"), 5)
    store.close()
    status, listed = run(capsys, folder, way, "logs", "--notes")
    assert status == 1
    assert "was forked at 5 entries" in listed
    assert log_of(5, "other").checkpoint() in listed
    assert run(capsys, folder, way, "unwatch", ORIGIN)[0] == 0
    assert run(capsys, folder, way, "unwatch", ORIGIN)[0] == 2


def test_it_serves_with_a_certificate_or_plainly_when_told_so_and_alone(
    folder: RelayFolder, way: KeyFile, store: RelayStore, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = run(capsys, folder, way, "serve", "--listen", "127.0.0.1:0")
    assert (status, "--plain" in told) == (2, True)
    missing = str(folder.path / "none.pem")
    assert run(capsys, folder, way, "serve", "--listen", "127.0.0.1:0", "--certificate", missing)[0] == 2
    with folder.lock():
        assert run(capsys, folder, way, "serve", "--listen", "127.0.0.1:0", "--plain")[0] == 2
        with pytest.raises(FolderInUse):
            folder.lock()


def test_it_speaks_tls_13_with_the_certificate_that_it_is_given(tmp_path: Path) -> None:
    relay = LocalRelay(tmp_path / "relay")
    vkey = relay.create()
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=relay", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *name, "-out", certificate, "-keyout", key], check=True, capture_output=True)
    relay.start("--certificate", str(certificate), "--private-key", str(key))
    try:
        trusted = ssl.create_default_context(cafile=str(certificate))
        address = f"https://127.0.0.1:{relay.port}/key"
        assert httpx.get(address, verify=trusted).text == vkey + "\n"
        trusted.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(httpx.ConnectError):
            httpx.get(address, verify=trusted)
        assert relay.stop() == 0
    finally:
        relay.kill()
