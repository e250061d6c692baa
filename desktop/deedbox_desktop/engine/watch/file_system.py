"""What kind of file system a folder is on: from a network drive no events come, and its clock is another's."""

import os
import sys
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        *("9p", "afpfs", "afs", "ceph", "cifs", "davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone", "fuse.sshfs"),
        *(
            "fuse.vmhgfs-fuse",
            "gfs2",
            "lustre",
            "ncpfs",
            "nfs",
            "nfs4",
            "smb3",
            "smbfs",
            "vboxsf",
            "virtiofs",
            "vmhgfs",
        ),
    }
)
_DRIVE_REMOTE = 4


def is_network(path: bytes) -> bool:
    """Whether another machine serves the drive a folder is on. Where that cannot be told, no: rescans find what events miss."""
    real = os.path.realpath(path)
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 # windll is only there on Windows

        drive = os.path.splitdrive(os.fsdecode(real))[0] + "\\"
        remote: bool = drive.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(drive) == _DRIVE_REMOTE
        return remote
    try:
        return mount_type(real, _MOUNTS.read_bytes()) in _NETWORK
    except OSError:  # not Linux
        return False


def mount_type(path: bytes, mountinfo: bytes) -> str:
    """The type of the file system that holds an absolute path, after proc(5), mountinfo; empty if none is listed."""
    best, found = b"", ""
    for line in mountinfo.splitlines():
        fields = line.split(b" ")
        if len(fields) < 5 or b"-" not in fields:
            continue
        point = _unescape(fields[4])
        holds = path == point or path.startswith(point.rstrip(b"/") + b"/")
        if holds and len(point) >= len(best):
            best, found = point, fields[fields.index(b"-") + 1].decode("ascii", "replace")
    return found


def _unescape(field: bytes) -> bytes:
    """Space, tab, newline and backslash stand as three octal digits."""
    for escaped, plain in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        field = field.replace(escaped, plain)
    return field
