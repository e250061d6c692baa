"""Which passwords are taken: long ones that nobody else knows, whatever signs are in them."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from deedbox_checkout.common_passwords import TARGET, common_passwords
from deedbox_server.errors import BadRequest, Unavailable
from deedbox_server.people.breached import BreachedList
from deedbox_server.people.password_rules import PasswordRules
from deedbox_server.settings import SettingsError

RULES = PasswordRules()


LONG = ["correct horse battery", "nur kleine buchstaben", "ÄÖÜ äöü ß éàè", "это длинный пароль", "  spaces  count  "]
LONG += ["密码密碼パスワード비밀번호입니다", "🐎🔋📎 and so on"]


@pytest.mark.parametrize("password", LONG)
def test_a_long_one_is_taken_without_digits_or_signs(password: str) -> None:
    RULES.check(password, "Ada Lovelace", "ada")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "at least 12"),
        ("short one", "at least 12"),
        ("a" * 20, "first that anybody"),
        ("121212121212", "first that anybody"),
        ("Password1234", "first that anybody"),
        ("PASSWORDpassword", "first that anybody"),
        ("qwertyuiopasdf", "first that anybody"),
        ("123456789012", "first that anybody"),
        ("Ada Lovelace", "your name"),
        ("adaadaadaada", "your name"),
        ("ada.lovelace!", "your name"),
        ("Lovelace1815!", "your name"),
    ],
)
def test_what_anybody_would_try_is_not(password: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        RULES.check(password, "Ada Lovelace", "ada")


def test_a_name_within_a_long_one_is_no_matter() -> None:
    RULES.check("ada rode nineteen horses", "Ada Lovelace", "ada")
    RULES.check("talc always falls", "Al")


def test_the_shipped_list_is_the_scripts() -> None:
    listed = TARGET.read_text("utf-8").splitlines()
    assert listed == common_passwords()
    assert all(len(one) >= 12 and one == one.casefold() for one in listed)


def digest(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def written(path: Path, digests: list[str], end: str = "\r\n") -> Path:
    counts = random.Random(7)
    path.write_bytes("".join(f"{one}:{counts.randint(1, 10**6)}{end}" for one in sorted(digests)).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_line_of_a_list_is_found_and_no_other(tmp_path: Path, end: str) -> None:
    stolen = [digest(f"stolen password {number}") for number in range(999)]
    listed = BreachedList.open(written(tmp_path / "list", stolen, end))
    assert all(listed.holds(f"stolen password {number}") for number in range(999))
    assert not any(listed.holds(f"own password {number}") for number in range(999))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_short_lists_too(tmp_path: Path, count: int) -> None:
    listed = BreachedList.open(written(tmp_path / "list", [digest(f"p{n}") for n in range(count)]))
    assert [listed.holds(f"p{n}") for n in range(4)] == [n < count for n in range(4)]


def test_without_counts_in_small_letters_and_without_a_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("\n".join(sorted(digest(f"p{n}").lower() for n in range(50))))
    assert all(BreachedList.open(path).holds(f"p{n}") for n in range(50))


class Counting:
    """A file that says how much of it was read."""

    def __init__(self, file):  # type: ignore[no-untyped-def]
        self.file, self.read_bytes = file, 0

    def seek(self, *where):  # type: ignore[no-untyped-def]
        return self.file.seek(*where)

    def tell(self):  # type: ignore[no-untyped-def]
        return self.file.tell()

    def readline(self, size):  # type: ignore[no-untyped-def]
        line = self.file.readline(size)
        self.read_bytes += len(line)
        return line


def test_a_list_of_any_size_is_never_read_whole(tmp_path: Path) -> None:
    """A sparse file of 38 GB would do as well: it takes as many lines as the size has bits."""
    from deedbox_server.people import breached

    path = written(tmp_path / "list", [digest(f"p{n}") for n in range(50_000)])
    with path.open("rb") as file:
        counting = Counting(file)
        assert breached._find(counting, digest("p4711").encode())  # type: ignore[arg-type]
    assert counting.read_bytes < 5_000 < path.stat().st_size / 400


@pytest.mark.parametrize("content", [b"", b"not a list\n", b"\0" * 100, b"5BAA61E4:3\n", b"<html>"])
def test_another_file_is_refused_at_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(SettingsError, match="breached_passwords"):
        BreachedList.open(tmp_path / "list")
    with pytest.raises(SettingsError):
        BreachedList.open(tmp_path / "none")


def test_a_list_that_is_gone_or_spoiled_lets_no_password_pass(tmp_path: Path) -> None:
    path = written(tmp_path / "list", [digest(f"p{n}") for n in range(50)])
    rules = PasswordRules(BreachedList.open(path))
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(Unavailable):
        rules.check("a good enough password")
    path.unlink()
    with pytest.raises(Unavailable):
        rules.check("a good enough password")


def test_a_stolen_password_is_not_taken(tmp_path: Path) -> None:
    rules = PasswordRules(BreachedList.open(written(tmp_path / "list", [digest("hunter2 hunter2")])))
    with pytest.raises(BadRequest, match="stolen"):
        rules.check("hunter2 hunter2")
    rules.check("hunter3 hunter3 and so on")
