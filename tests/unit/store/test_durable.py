"""Files that survive, the folder lock and the end of the disk."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deedbox_disk import durable, space
from deedbox_disk.errors import FolderInUse, OutOfSpace
from deedbox_disk.folder_lock import FolderLock


class SystemCalls:
    """Records the order of what reaches the disk, by file name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        fsync, rename = os.fsync, Path.replace

        def recorded_fsync(descriptor: int) -> None:
            self.calls.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
            fsync(descriptor)

        def recorded_rename(source: Path, target: Path) -> Path:
            self.calls.append(("rename", target.name))
            return rename(source, target)

        monkeypatch.setattr(os, "fsync", recorded_fsync)
        monkeypatch.setattr(Path, "replace", recorded_rename)


def test_a_file_is_synced_then_renamed_then_its_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = SystemCalls(monkeypatch)
    durable.write_file(tmp_path / "head", b"bytes")
    assert system.calls == [("fsync", "head.part"), ("rename", "head"), ("fsync", tmp_path.name)]


def test_a_file_has_the_bytes_and_the_mode_whatever_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"old and longer")
    path.chmod(0o644)
    path.with_name("secret.part").write_bytes(b"left by a crash, and longer still")
    durable.write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    durable.write_file(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_the_old_file_stays_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    durable.write_file(path, b"old")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutOfSpace):
        durable.write_file(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_move_between_folders_syncs_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "from" / "file", tmp_path / "to" / "file"
    durable.make_folder(source.parent)
    durable.make_folder(target.parent)
    source.write_bytes(b"bytes")
    system = SystemCalls(monkeypatch)
    durable.move_file(source, target)
    assert system.calls == [("rename", "file"), ("fsync", "to"), ("fsync", "from")]


def test_folders_are_made_private_and_each_name_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = SystemCalls(monkeypatch)
    durable.make_folder(tmp_path / "a" / "b")
    assert system.calls == [("fsync", tmp_path.name), ("fsync", "a")]
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    durable.make_folder(tmp_path / "a" / "b")
    assert len(system.calls) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_full_quota_are_one_error(number: int, tmp_path: Path) -> None:
    with pytest.raises(OutOfSpace), space.space_errors(tmp_path):
        raise OSError(number, "full")


def test_other_errors_of_the_disk_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), space.space_errors(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_room_is_asked_for_beside_the_reserve(tmp_path: Path) -> None:
    free = space.free_bytes(tmp_path)
    space.require_free(tmp_path, free // 2, reserve=0)
    with pytest.raises(OutOfSpace):
        space.require_free(tmp_path, free // 2, reserve=free)


def test_one_folder_has_one_owner(tmp_path: Path) -> None:
    with FolderLock(tmp_path / "lock"), pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        FolderLock(tmp_path / "lock")
    FolderLock(tmp_path / "lock").close()


def test_a_killed_owner_leaves_the_folder_free(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from deedbox_disk.folder_lock import FolderLock;"
        "lock = FolderLock(pathlib.Path(sys.argv[1])); print('mine', flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"mine\n"
        with pytest.raises(FolderInUse, match=f"process {owner.pid}"):
            FolderLock(tmp_path / "lock")
        owner.kill()
        owner.wait()
        FolderLock(tmp_path / "lock").close()
