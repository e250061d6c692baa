"""Keys at rest: in a keyring that encrypts, else under a passphrase, never in clear."""

import json
from pathlib import Path

import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from deedbox_desktop.engine.errors import KeysLocked
from deedbox_desktop.engine.keys import create_keys, needs_passphrase, open_keys
from deedbox_desktop.engine.os_keyring import OsKeyring, find_keyring


class MemoryBackend(KeyringBackend):
    """A keyring in memory. `drops` forgets what it is given, `locked` refuses to answer."""

    priority = 1

    def __init__(self, *, drops: bool = False, locked: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held: dict[tuple[str, str], str] = {}
        self.drops, self.locked = drops, locked

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.drops:
            self.held[service, username] = password


def backend_called(module: str, name: str, priority: float) -> KeyringBackend:
    made: KeyringBackend = type(name, (MemoryBackend,), {"__module__": module, "priority": priority})()
    return made


def test_keys_under_a_passphrase_open_with_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = create_keys(path, passphrase="correct horse", keyring=None)
    assert needs_passphrase(path)
    assert open_keys(path, passphrase="correct horse", keyring=None) == keys
    for wrong in ("correct horsf", "", None):
        with pytest.raises(KeysLocked):
            open_keys(path, passphrase=wrong, keyring=None)


def test_no_key_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = create_keys(path, passphrase="correct horse", keyring=None)
    for key in (keys.journal, keys.spool, keys.statement, keys.tls):
        assert key not in path.read_bytes()
        assert key.hex() not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len({keys.journal, keys.spool, keys.statement, keys.tls}) == 4


def test_any_change_to_the_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    create_keys(path, passphrase="correct horse", keyring=None)
    good = path.read_bytes()
    for at in range(0, len(good), 29):
        path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(KeysLocked):
            open_keys(path, passphrase="correct horse", keyring=None)


def test_a_changed_file_cannot_make_us_spend_all_memory(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    create_keys(path, passphrase="correct horse", keyring=None)
    said = json.loads(path.read_text())
    said["memory_kib"] = 1 << 40
    path.write_text(json.dumps(said, separators=(",", ":"), sort_keys=True))
    with pytest.raises(KeysLocked):
        open_keys(path, passphrase="correct horse", keyring=None)


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeysLocked):
        create_keys(tmp_path / "keys.json", passphrase="1234567", keyring=None)
    assert not (tmp_path / "keys.json").exists()


def test_keys_in_the_keyring_leave_only_their_name_in_the_folder(tmp_path: Path) -> None:
    path, keyring = tmp_path / "keys.json", OsKeyring(MemoryBackend())
    keys = create_keys(path, passphrase=None, keyring=keyring)
    assert not needs_passphrase(path)
    assert open_keys(path, passphrase=None, keyring=keyring) == keys
    assert set(json.loads(path.read_text())) == {"id", "kind", "v"}


def test_a_keyring_that_is_gone_empty_or_locked_is_said(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    create_keys(path, passphrase=None, keyring=OsKeyring(MemoryBackend()))
    for keyring in (None, OsKeyring(MemoryBackend()), OsKeyring(MemoryBackend(locked=True))):
        with pytest.raises(KeysLocked):
            open_keys(path, passphrase=None, keyring=keyring)


def test_a_keyring_that_does_not_keep_what_it_is_given_is_noticed_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeysLocked):
        create_keys(tmp_path / "keys.json", passphrase=None, keyring=OsKeyring(MemoryBackend(drops=True)))
    assert not (tmp_path / "keys.json").exists()


def test_without_keyring_and_passphrase_no_keys_are_made(tmp_path: Path) -> None:
    with pytest.raises(KeysLocked):
        create_keys(tmp_path / "keys.json", passphrase=None, keyring=None)


def test_only_back_ends_that_encrypt_are_taken() -> None:
    plaintext = backend_called("keyrings.alt.file", "PlaintextKeyring", 99)
    chainer = backend_called("keyring.backends.chainer", "ChainerBackend", 50)
    stranger = backend_called("evil.backends.SecretService", "Keyring", 50)
    assert find_keyring([plaintext, chainer, stranger]) is None


def test_of_several_good_back_ends_the_best_is_taken() -> None:
    service = backend_called("keyring.backends.SecretService", "Keyring", 5)
    wallet = backend_called("keyring.backends.kwallet", "DBusKeyring", 4.9)
    found = find_keyring([wallet, service])
    assert found is not None
    found.store("name", "secret")
    assert list(service.held.values()) == ["secret"]  # type: ignore[attr-defined]
