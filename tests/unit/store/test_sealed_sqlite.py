"""The encrypted database file: what is on the disk, and what another implementation makes of it."""

from pathlib import Path

import pytest
import sqlcipher3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from deedbox_disk import sealed_sqlite
from deedbox_disk.errors import DiskError, SealBroken

KEY = bytes(range(32))
MARK = "privileged-and-confidential"


def filled(path: Path, rows: int = 200) -> None:
    connection = sealed_sqlite.connect(path, KEY)
    connection.execute("CREATE TABLE letter (body TEXT)")
    with connection:
        connection.executemany("INSERT INTO letter VALUES (?)", [(f"{MARK} {number}",) for number in range(rows)])
    connection.close()


def decrypted(file: bytes) -> bytes:
    """Every page in clear, free ones too, by SQLCipher 4's layout: 16 bytes of salt once, then AES-256-CBC a page
    of 4096 bytes that ends with 16 bytes IV and 64 bytes HMAC.
    """
    clear = b""
    for start in range(0, len(file), 4096):
        page = file[start : start + 4096]
        decryptor = Cipher(algorithms.AES256(KEY), modes.CBC(page[-80:-64])).decryptor()
        clear += decryptor.update(page[16 if start == 0 else 0 : -80])
    return clear


def test_settings_that_promises_rest_on(tmp_path: Path) -> None:
    connection = sealed_sqlite.connect(tmp_path / "db", KEY)
    names = ("journal_mode", "synchronous", "temp_store", "secure_delete", "foreign_keys", "trusted_schema")
    assert [connection.pragma(name) for name in names] == ["wal", 2, 2, 1, 1, 0]
    connection.close()


def test_nothing_readable_is_on_the_disk(tmp_path: Path) -> None:
    connection = sealed_sqlite.connect(tmp_path / "db", KEY)
    connection.execute("CREATE TABLE letter (body TEXT)")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(body)")
    for table in ("letter", "words"):
        connection.execute(f"INSERT INTO {table} VALUES (?)", (MARK,))
    files = [file for file in tmp_path.iterdir() if file.name != "db-shm"]  # shared memory holds page numbers only
    assert {file.name for file in files} == {"db", "db-wal"}
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert b"privileged" not in data
        assert b"SQLite format 3" not in data
        assert b"letter" not in data
    connection.close()


@pytest.mark.parametrize("wrong", [bytes(32), KEY[:-1] + b"\0"])
def test_a_wrong_key_does_not_open_it(tmp_path: Path, wrong: bytes) -> None:
    filled(tmp_path / "db")
    with pytest.raises(SealBroken):
        sealed_sqlite.connect(tmp_path / "db", wrong)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_has_32_bytes(tmp_path: Path, length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sealed_sqlite.connect(tmp_path / "db", bytes(length))


def test_sqlcipher_itself_reads_it(tmp_path: Path) -> None:
    filled(tmp_path / "db", rows=3)
    other = sqlcipher3.connect(str(tmp_path / "db"))
    other.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    assert other.execute("SELECT count(*), min(body) FROM letter").fetchall() == [(3, f"{MARK} 0")]
    other.close()


def test_a_flipped_bit_in_any_page_is_noticed(tmp_path: Path) -> None:
    filled(tmp_path / "db", rows=500)
    whole = (tmp_path / "db").read_bytes()
    for offset in range(0, len(whole), 2003):
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << (offset % 8)
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(SealBroken), sealed_sqlite.sealed_errors():
            connection = sealed_sqlite.connect(tmp_path / "damaged", KEY)
            try:
                connection.execute("SELECT sum(length(body)) FROM letter").fetchall()
                connection.pragma("integrity_check")
            finally:
                connection.close()


@pytest.mark.parametrize(("overwritten", "left"), [("on", False), ("off", True)])
def test_deleted_rows_are_overwritten(tmp_path: Path, overwritten: str, left: bool) -> None:
    filled(tmp_path / "db")
    connection = sealed_sqlite.connect(tmp_path / "db", KEY)
    if overwritten == "off":  # shows that the test would see what is left
        connection.pragma("secure_delete", overwritten)
    connection.execute("DELETE FROM letter")
    connection.close()
    assert (MARK.encode() in decrypted((tmp_path / "db").read_bytes())) is left


def test_a_folder_that_is_missing_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="cannot be made"):
        sealed_sqlite.connect(tmp_path / "missing" / "db", KEY)
