"""The root key: made once, opened by what it was made for, damaged loudly."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from deedbox_server.errors import Conflict
from deedbox_server.vault.errors import CannotUnlock, DamagedKeys
from deedbox_server.vault.keyring import LATER_NAMES, NAMES, KeyFile, Keyring, Passphrase
from deedbox_server.vault.root_file import read_root_file, write_root_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    return KeyFile.create(tmp_path / "key")


def named(keyring: Keyring) -> dict[str, bytes]:
    return {name: keyring.named(name) for name in NAMES}


def test_a_passphrase_opens_what_it_locked(folder: Path) -> None:
    made = Keyring.create(folder, Passphrase("seven brass hinges"))
    opened = Keyring.open(folder, Passphrase("seven brass hinges"))
    assert opened.root_id == made.root_id
    assert named(opened) == named(made)


def test_the_same_letters_typed_on_another_keyboard_are_the_same_passphrase(folder: Path) -> None:
    Keyring.create(folder, Passphrase("Ma\u0308rz"))  # a + combining diaeresis
    Keyring.open(folder, Passphrase("M\u00e4rz"))


def test_a_key_file_opens_what_it_locked(folder: Path, key_file: KeyFile) -> None:
    assert named(Keyring.create(folder, key_file)) == named(Keyring.open(folder, key_file))


def test_each_of_several_ways_opens(folder: Path, key_file: KeyFile) -> None:
    Keyring.create(folder, Passphrase("one"), Passphrase("two"), key_file)
    for way in (Passphrase("one"), Passphrase("two"), key_file):
        Keyring.open(folder, way)


@pytest.mark.parametrize("wrong", [Passphrase("Seven brass hinges"), Passphrase("")])
def test_another_passphrase_opens_nothing(folder: Path, wrong: Passphrase) -> None:
    Keyring.create(folder, Passphrase("seven brass hinges"))
    with pytest.raises(CannotUnlock):
        Keyring.open(folder, wrong)


def test_another_key_file_opens_nothing(folder: Path, key_file: KeyFile, tmp_path: Path) -> None:
    Keyring.create(folder, key_file)
    with pytest.raises(CannotUnlock):
        Keyring.open(folder, KeyFile.create(tmp_path / "other"))


def test_a_way_without_a_slot_is_told_so(folder: Path, key_file: KeyFile) -> None:
    Keyring.create(folder, key_file)
    with pytest.raises(CannotUnlock, match="no slot"):
        Keyring.open(folder, Passphrase("anything"))


def test_an_empty_passphrase_is_refused_at_once(folder: Path) -> None:
    with pytest.raises(CannotUnlock):
        Keyring.create(folder, Passphrase(""))


def test_existing_keys_are_never_replaced_by_new_ones(folder: Path, key_file: KeyFile) -> None:
    Keyring.create(folder, key_file)
    with pytest.raises(Conflict):
        Keyring.create(folder, key_file)
    with pytest.raises(FileExistsError):
        KeyFile.create(key_file.path)


def test_named_keys_are_32_bytes_all_different_and_ca_is_a_p256_scalar(folder: Path, key_file: KeyFile) -> None:
    keys = named(Keyring.create(folder, key_file))
    assert {len(key) for key in keys.values()} == {32}
    assert len(set(keys.values())) == len(NAMES)
    ec.derive_private_key(int.from_bytes(keys["ca"]), ec.SECP256R1())


def test_a_box_of_before_gets_the_later_keys_once_and_for_good(folder: Path, key_file: KeyFile) -> None:
    made = Keyring.create(folder, key_file)
    file = read_root_file(folder)
    first = {name: wrapped for name, wrapped in file.keys.items() if name not in LATER_NAMES}
    write_root_file(folder, replace(file, keys=first))
    opened = named(Keyring.open(folder, key_file))
    assert {name: opened[name] for name in first} == {name: made.named(name) for name in first}
    assert named(Keyring.open(folder, key_file)) == opened
    ec.derive_private_key(int.from_bytes(opened["papers"]), ec.SECP256R1())


def test_files_with_keys_are_for_their_owner_alone(folder: Path, key_file: KeyFile) -> None:
    Keyring.create(folder, key_file)
    for path in (folder / "root.json", key_file.path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_key_file_that_others_can_read_is_refused(folder: Path, key_file: KeyFile) -> None:
    Keyring.create(folder, key_file)
    key_file.path.chmod(0o640)
    with pytest.raises(CannotUnlock, match="0600"):
        Keyring.open(folder, key_file)


@pytest.mark.parametrize("data", [b"", b"x" * 31, b"x" * 33])
def test_a_key_file_of_another_length_is_refused(folder: Path, key_file: KeyFile, data: bytes) -> None:
    Keyring.create(folder, key_file)
    key_file.path.write_bytes(data)
    with pytest.raises(CannotUnlock, match="32 bytes"):
        Keyring.open(folder, key_file)


def test_a_missing_key_file_cannot_unlock(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotUnlock):
        Keyring.create(folder, KeyFile(tmp_path / "nowhere"))


def test_no_root_json_is_damage_not_a_fresh_start(folder: Path, key_file: KeyFile) -> None:
    with pytest.raises(DamagedKeys, match=r"no root\.json"):
        Keyring.open(folder, key_file)


def test_named_keys_cannot_be_exchanged_for_each_other(folder: Path, key_file: KeyFile) -> None:
    Keyring.create(folder, key_file)
    file = read_root_file(folder)
    keys = dict(file.keys) | {"notary": file.keys["intake"]}
    write_root_file(folder, replace(file, keys=keys))
    with pytest.raises(DamagedKeys, match="key/notary"):
        Keyring.open(folder, key_file)


def test_a_missing_named_key_is_noticed(folder: Path, key_file: KeyFile) -> None:
    Keyring.create(folder, key_file)
    file = read_root_file(folder)
    write_root_file(folder, replace(file, keys={name: key for name, key in file.keys.items() if name != "ca"}))
    with pytest.raises(DamagedKeys, match="ca"):
        Keyring.open(folder, key_file)


def test_what_the_root_key_wraps_is_bound_to_its_name(folder: Path, key_file: KeyFile) -> None:
    keyring = Keyring.create(folder, key_file)
    wrapped = keyring.wrap("case-key/a", bytes(32))
    assert keyring.unwrap("case-key/a", wrapped, root=keyring.root_id) == bytes(32)
    with pytest.raises(DamagedKeys):
        keyring.unwrap("case-key/b", wrapped, root=keyring.root_id)


def test_secrets_do_not_show_in_representations(key_file: KeyFile) -> None:
    assert "hinges" not in repr(Passphrase("seven brass hinges"))
    assert key_file.read().hex() not in repr(key_file)
