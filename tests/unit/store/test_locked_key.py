"""The one key of a small service, under a passphrase or a key file."""

from __future__ import annotations

from pathlib import Path

import pytest

from deedbox_disk.errors import KeyLocked
from deedbox_disk.locked_key import KeyFile, Passphrase, Way, create_key, open_key

WORDS = Passphrase("Größe und Maß")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "key.json"


@pytest.fixture(params=["passphrase", "key file"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    return WORDS if request.param == "passphrase" else KeyFile(tmp_path / "secret")


def test_what_was_made_opens_again_and_is_not_in_the_file(kept: Path, way: Way) -> None:
    key = create_key(kept, way)
    assert open_key(kept, way) == key
    assert key not in kept.read_bytes()
    assert key.hex().encode() not in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_two_keyboards_give_one_passphrase(kept: Path) -> None:
    assert create_key(kept, Passphrase("Gro\u0308ße und Maß")) == open_key(kept, Passphrase("Größe und Maß"))


@pytest.mark.parametrize("other", [Passphrase("another one"), KeyFile(Path("absent"))], ids=["words", "kind"])
def test_another_way_does_not_open_it(kept: Path, other: Way) -> None:
    create_key(kept, WORDS)
    with pytest.raises(KeyLocked):
        open_key(kept, other)


def test_a_key_file_that_others_may_read_is_refused(kept: Path, tmp_path: Path) -> None:
    way = KeyFile(tmp_path / "secret")
    create_key(kept, way)
    way.path.chmod(0o640)
    with pytest.raises(KeyLocked, match="0600"):
        open_key(kept, way)


def test_each_flipped_bit_is_noticed(kept: Path, tmp_path: Path) -> None:
    way = KeyFile(tmp_path / "secret")
    create_key(kept, way)
    good = kept.read_bytes()
    for at in range(len(good)):
        kept.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(KeyLocked):
            open_key(kept, way)


def test_a_changed_file_cannot_make_us_spend_all_memory(kept: Path) -> None:
    create_key(kept, WORDS)
    kept.write_bytes(kept.read_bytes().replace(b'"memory_kib":65536', b'"memory_kib":999999999'))
    with pytest.raises(KeyLocked, match="memory_kib"):
        open_key(kept, WORDS)


def test_a_short_passphrase_and_a_second_key_are_refused(kept: Path) -> None:
    with pytest.raises(KeyLocked, match="too short"):
        create_key(kept, Passphrase("1234567"))
    create_key(kept, WORDS)
    with pytest.raises(FileExistsError):
        create_key(kept, WORDS)
