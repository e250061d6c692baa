"""Disks of a test's own: file systems in a file, on a loop device. They can lose their power, and they can be full.

A killed process leaves its writes in the page cache, so that a missing fsync goes unseen. Shutting the file system down (the
`shutdown` ioctl of XFS and ext4, without flushing its log) drops everything that was not made durable, as a power cut does.
"""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from kit.waiting import NotInTime, until

Kind = Literal["ext4", "xfs"]

_MIB: Final = 1 << 20
_RELEASE_SECONDS: Final = 20.0  # a killed process lets go of its files when the kernel has buried it
_MAKE: Final[dict[Kind, list[str]]] = {
    # Every block for everybody: a full disk is to be full for root too. Lazy tables would be written beside our tests.
    "ext4": ["mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
}
_BALLAST: Final = "ballast"


def why_not(kind: Kind = "ext4") -> str | None:
    """Why no disks can be had here, in words; None where they can. Having the tools is not enough: containers forbid mounts."""
    if sys.platform != "linux":
        return "loop-mounted disks are a matter of Linux"
    if os.geteuid() != 0:
        return "mounting a loop device needs root"
    missing = [tool for tool in (_MAKE[kind][0], "mount", "umount", "losetup", "xfs_io") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: e2fsprogs, mount, xfsprogs)"
    if not Path("/dev/loop-control").exists():
        return "there are no loop devices here"
    return None


class CannotMount(Exception):
    """The system does not let us mount; the text says what it said."""


class LoopDisk:
    """A mounted file system of `size_mib`, with `folder` as its root. `close` takes it away with all that is on it."""

    def __init__(self, image: Path, folder: Path, size_mib: int, kind: Kind = "ext4") -> None:
        self.folder = folder
        self._image = image
        self._mounted = False
        folder.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(size_mib * _MIB)
        _run([*_MAKE[kind], str(image)])
        self._mount()

    def sync(self) -> None:
        """Make durable what is on it now: the scene is set, the play may begin."""
        _run(["sync", "-f", str(self.folder)])

    def cut_power(self) -> None:
        """From now on nothing reaches the disk, and whoever asks it for something gets an error. What was not durable is lost."""
        _run(["xfs_io", "-x", "-c", "shutdown", str(self.folder)])

    def restore(self) -> None:
        """Power is back: mount again as the last write left it. Whoever had files open on it must have ended."""
        self._unmount()
        self._mount()

    def free(self) -> int:
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize

    def fill(self, leave: int = 0) -> None:
        """Take up all but `leave` bytes."""
        descriptor = os.open(self.folder / _BALLAST, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            while (room := self.free() - leave) > 0:
                size = os.fstat(descriptor).st_size
                try:
                    os.posix_fallocate(descriptor, size, room)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    if not _creep(descriptor, size):
                        return
        finally:
            os.close(descriptor)

    def make_room(self) -> None:
        """Give back what `fill` took."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def close(self) -> None:
        try:
            self._unmount()
        except NotInTime:
            # Somebody of the test's still runs on it. The mount must not outlive the test: others clean up in these folders.
            _run(["umount", "--lazy", str(self.folder)])
            raise
        finally:
            self._image.unlink(missing_ok=True)

    def _mount(self) -> None:
        done = subprocess.run(
            ["mount", "-o", "loop", str(self._image), str(self.folder)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CannotMount(done.stderr.strip())
        self._mounted = True

    def _unmount(self) -> None:
        if not self._mounted:
            return

        def unmounted() -> bool:
            done = subprocess.run(["umount", str(self.folder)], capture_output=True, text=True, check=False)
            return done.returncode == 0

        until(unmounted, f"{self.folder} is let go of", seconds=_RELEASE_SECONDS)
        self._mounted = False
        # A process in a mount namespace of its own may keep the disk mounted there: two mounts of one disk would destroy it.
        until(self._is_detached, f"{self._image} is let go of", seconds=_RELEASE_SECONDS)

    def _is_detached(self) -> bool:
        shown = subprocess.run(["losetup", "-j", str(self._image)], capture_output=True, text=True, check=True)
        return not shown.stdout.strip()


NewDisk = Callable[..., LoopDisk]  # name, size in MiB, kind


def _creep(descriptor: int, size: int) -> bool:
    """Near the end blocks go to the file's own map too: take what there is, a page at a time. False when there is none."""
    try:
        os.posix_fallocate(descriptor, size, 4096)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotMount(f"{command[0]}: {done.stderr.strip()}")
