"""Reading originals: nobody writes them, nothing about them changes, and what the system will not tell is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deedbox_desktop.engine.capture.original import (
    MOST_ATTRIBUTES,
    FileBusy,
    FileGone,
    FileUnreadable,
    OpenOriginal,
)


def opened(path: Path) -> OpenOriginal:
    return OpenOriginal(os.fsencode(path))


def test_it_is_read_whole_with_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"evidence")
    path.chmod(0o640)
    with opened(path) as original:
        assert original.read_whole() == b"evidence"
        facts, exceptions = original.file_facts(b"sub/a.txt")
        original.verify_unchanged()
    assert (facts.name, facts.path, facts.size, facts.mode) == ("a.txt", ("sub",), 8, 0o640)
    assert (facts.modified_ns, facts.name_bytes, exceptions) == (path.stat().st_mtime_ns, None, ())


def test_reading_leaves_the_original_untouched(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"evidence")
    os.utime(path, ns=(1, 2))
    before = path.stat()
    with opened(path) as original:
        original.read_whole()
        original.file_facts(b"a.txt")
        original.verify_unchanged()
    assert path.stat() == before


def test_a_file_open_for_writing_elsewhere_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    with path.open("ab"), pytest.raises(FileBusy):
        opened(path)
    with opened(path):
        pass


def test_somebody_who_begins_to_write_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    with opened(path) as original, path.open("ab"), pytest.raises(FileBusy):
        original.verify_unchanged()


@pytest.mark.parametrize("change", ["write", "truncate", "mode", "times", "link"])
def test_any_change_while_it_is_read_is_noticed(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"12345")
    times = path.stat()
    with opened(path) as original:
        original.read_whole()
        match change:
            case "write":
                path.write_bytes(b"54321")
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            case "truncate":
                os.truncate(path, 2)
            case "mode":
                path.chmod(0o600 if times.st_mode & 0o777 != 0o600 else 0o640)
            case "times":
                os.utime(path, ns=(1, 1))
            case "link":
                (tmp_path / "b.txt").hardlink_to(path)
        with pytest.raises(FileBusy):
            original.verify_unchanged()


def test_a_file_that_shrank_or_grew_between_opening_and_reading_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for size in (2, 9):
        path.write_bytes(b"12345")
        with opened(path) as original:
            os.truncate(path, size)
            with pytest.raises(FileBusy):
                original.read_whole()


def test_what_is_not_there_or_became_something_else_is_gone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    for name in ("missing", "link", "pipe", "file/below"):
        with pytest.raises(FileGone):
            opened(tmp_path / name)
    with pytest.raises(FileGone):
        opened(tmp_path)


def test_what_the_system_refuses_is_unreadable_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FileUnreadable, match="may not be read by you"):
        opened(tmp_path / "a.txt")


def test_a_read_error_of_the_drive_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")

    def fail(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    with opened(tmp_path / "a.txt") as original:
        monkeypatch.setattr(os, "read", fail)
        with pytest.raises(FileUnreadable, match="read error"):
            original.read_whole()


def test_attributes_are_kept_up_to_their_limit_and_the_rest_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    os.setxattr(path, "user.a", b"1")
    os.setxattr(path, "user.b", b"2" * 3000)
    with opened(path) as original:
        facts, exceptions = original.file_facts(b"a.txt")
    assert facts.attributes == {"user.a": b"1", "user.b": b"2" * 3000}
    assert exceptions == ()
    assert MOST_ATTRIBUTES * 4 // 3 < 65_536 // 2


def test_a_name_that_is_not_unicode_is_kept_raw_beside_what_can_be_shown(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xe9.txt")
    path.write_bytes(b"x")
    with opened(path) as original:
        facts, _ = original.file_facts(b"\xff/\xe9.txt")
    assert (facts.name, facts.path) == ("\ufffd.txt", ("\ufffd",))
    assert (facts.name_bytes, facts.path_bytes) == (b"\xe9.txt", (b"\xff",))


def test_a_writer_that_meets_our_lease_does_not_end_this_process(tmp_path: Path) -> None:
    """The kernel signals a lease's holder: SIGIO would end it, SIGURG is ignored."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"x")
    code = f"""
import fcntl, os, signal, subprocess, sys
from deedbox_desktop.engine.capture import original
real = fcntl.fcntl
def slow(descriptor, command, argument):
    if command == fcntl.F_SETLEASE and argument == fcntl.F_UNLCK:
        writer = subprocess.Popen([sys.executable, "-c", "open({str(path)!r}, 'ab')"])
        try: writer.wait(0.5)
        except subprocess.TimeoutExpired: pass
        done = real(descriptor, command, argument)
        writer.wait()
        return done
    return real(descriptor, command, argument)
fcntl.fcntl = slow
original.OpenOriginal({os.fsencode(path)!r})
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 0
