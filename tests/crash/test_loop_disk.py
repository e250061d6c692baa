"""The disks of these tests fail as real ones do: without power what was not synced is gone, full is full for everybody."""

import errno
import os

import pytest

from deedbox_disk import durable
from kit.loop_disk import Kind, NewDisk


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_power_cut_takes_what_was_not_synced_and_nothing_else(new_disk: NewDisk, kind: Kind) -> None:
    disk = new_disk("disk", 320, kind)
    durable.write_file(disk.folder / "synced", b"kept" * 1000)
    (disk.folder / "not synced").write_bytes(b"lost" * 1000)

    disk.cut_power()
    with pytest.raises(OSError) as refused:
        (disk.folder / "after").write_bytes(b"too late")
    disk.restore()

    assert refused.value.errno == errno.EIO
    assert (disk.folder / "synced").read_bytes() == b"kept" * 1000
    left = disk.folder / "not synced"
    assert not left.exists() or left.read_bytes() != b"lost" * 1000
    assert not (disk.folder / "after").exists()


def test_a_full_disk_takes_nothing_until_there_is_room_again(new_disk: NewDisk) -> None:
    disk = new_disk("disk", 64)
    disk.fill()
    with pytest.raises(OSError) as refused:
        (disk.folder / "more").write_bytes(os.urandom(1 << 20))
    assert refused.value.errno == errno.ENOSPC
    disk.make_room()
    (disk.folder / "more").write_bytes(os.urandom(1 << 20))


def test_a_disk_is_filled_but_for_what_is_to_be_left(new_disk: NewDisk) -> None:
    disk = new_disk("disk", 64)
    disk.fill(leave=8 << 20)
    assert 7 << 20 < disk.free() <= 8 << 20
