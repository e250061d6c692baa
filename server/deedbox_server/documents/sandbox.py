"""The walls around a worker, built by bubblewrap: read-only programs, an empty private scratch in memory, no network.

Two ways lead into the same walls. As an ordinary user, bubblewrap makes a user namespace. As root it needs none, and the
worker drops to a user id of its own slot before it reads a byte, because the kernel does not count root's processes.
"""

import math
import os
import platform
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import deedbox_server
import deedbox_sync
from deedbox_server.documents import seccomp
from deedbox_server.documents.limits import WorkerLimits

# Unused by Debian's own ranges (adduser ends at 59999, systemd's dynamic users start at 61184) and present in containers that map
# 65,536 ids. One id a slot, so that one worker's processes do not count against another's.
_FIRST_USER = 60100
# Not /tmp, where a checkout may lie and would be covered.
SCRATCH = Path("/scratch")
_DEVICE_FILES_BYTES = 64 * 1024  # /dev holds a few nodes and links
# What programs in /usr read besides /usr itself, where it exists: the linker's cache, font and Ghostscript configuration, and the
# fonts that Debian's Ghostscript keeps in /var.
_EXTRA = (
    Path("/etc/ld.so.cache"),
    Path("/etc/ld.so.conf"),
    Path("/etc/ld.so.conf.d"),
    Path("/etc/alternatives"),
    Path("/etc/fonts"),
    Path("/etc/ghostscript"),
    Path("/var/lib/ghostscript"),
    Path("/var/cache/fontconfig"),
)
_ROOT_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


class SandboxUnavailable(Exception):
    """There is no way to shut a worker in here; says why. Nothing is read without walls."""


@dataclass(frozen=True)
class Sandbox:
    """How to start a program inside the walls. Made by `find_sandbox`."""

    bwrap: Path
    visible: tuple[Path, ...]
    hidden: tuple[Path, ...]
    as_root: bool

    def command(self, argv: tuple[str, ...], *, limits: WorkerLimits, slot: int, seccomp_fd: int) -> tuple[str, ...]:
        """The full command line; the program gets stdin, stdout and stderr from the caller and nothing else.

        Slots that run at the same time differ: a slot's processes are counted together.
        """
        return (
            str(self.bwrap),
            *self._namespaces(),
            *("--die-with-parent", "--new-session", "--clearenv", "--seccomp", str(seccomp_fd)),
            *self._files(),
            *("--dev", "/dev", "--remount-ro", "/dev"),
            *("--perms", "1777", "--size", str(limits.scratch_bytes), "--tmpfs", str(SCRATCH)),
            *("--remount-ro", "/", "--chdir", str(SCRATCH)),
            *self._environment(),
            "--",
            *self._lower_rights(slot),
            *_bounds(limits),
            *argv,
        )

    def _lower_rights(self, slot: int) -> tuple[str, ...]:
        if not self.as_root:
            return ()  # the user namespace took every right already
        user = str(_FIRST_USER + slot)
        return (
            *("/usr/bin/setpriv", "--reuid", user, "--regid", user, "--clear-groups"),
            # Leaving root gives up all capabilities, and with no-new-privs none comes back: the bounding set need not be emptied,
            # which Debian 13's setpriv cannot do without CAP_SETPCAP and /proc.
            *("--inh-caps=-all", "--no-new-privs"),
        )

    def _namespaces(self) -> tuple[str, ...]:
        shared = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
        if self.as_root:
            return (*shared, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
        return (*shared, "--unshare-user", "--disable-userns", "--cap-drop", "ALL")

    def _files(self) -> tuple[str, ...]:
        shown: list[Path] = []
        made: set[Path] = set()
        parts: list[str] = []
        for path in self.visible:
            if any(path.is_relative_to(whole) for whole in shown):
                continue
            # bubblewrap makes missing parents with mode 0700, which the dropped user could not pass.
            for parent in reversed(path.parents[:-1]):
                if parent not in made:
                    parts += ["--perms", "0755", "--dir", str(parent)]
                    made.add(parent)
            parts += ["--ro-bind", str(path), str(path)]
            shown.append(path)
        for name in _ROOT_LINKS:
            link = Path("/", name)
            if link.is_symlink():
                parts += ["--symlink", str(link.readlink()), str(link)]
            elif link.is_dir():
                parts += ["--ro-bind", str(link), str(link)]
        for path in self.hidden:
            if any(path.is_relative_to(shown) for shown in self.visible):
                parts += ["--perms", "0000", "--size", str(_DEVICE_FILES_BYTES), "--tmpfs", str(path)]
        return tuple(parts)

    @staticmethod
    def _environment() -> tuple[str, ...]:
        values = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(SCRATCH),
            "TMPDIR": str(SCRATCH),
            "LANG": "C.UTF-8",
            "OMP_THREAD_LIMIT": "1",  # FINDINGS: unset, Tesseract is 6.6 times slower on two cores
            "MALLOC_ARENA_MAX": "2",  # each arena reserves 64 MiB of the address space that is limited
        }
        return tuple(part for name, value in values.items() for part in ("--setenv", name, value))


def _bounds(limits: WorkerLimits) -> tuple[str, ...]:
    """Hard limits of each process (util-linux, which every Debian has), and the lowest claim to the processor."""
    seconds = math.ceil(limits.seconds)
    return (
        "/usr/bin/prlimit",
        f"--as={limits.memory_bytes}",
        f"--cpu={seconds}",
        f"--fsize={limits.scratch_bytes}",
        f"--nproc={limits.processes}",
        "--nofile=256",
        "--core=0",
        "--memlock=0",
        "--msgqueue=0",
        *("/usr/bin/nice", "-n", "10"),
    )


def find_sandbox(*, hidden: tuple[Path, ...]) -> Sandbox:
    """The sandbox of this machine, in which `hidden` (the data folder) can never be seen.

    SandboxUnavailable says what is missing. That bubblewrap is there does not yet mean that it may make namespaces: the first
    worker shows that.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxUnavailable("bubblewrap is not installed (Debian package bubblewrap)")
    if not seccomp.supported(platform.machine()):
        raise SandboxUnavailable(f"there is no system call filter for {platform.machine()} machines")
    return Sandbox(
        bwrap=Path(found),
        visible=tuple(sorted(_programs())),
        hidden=tuple(path.resolve() for path in hidden),
        as_root=os.geteuid() == 0,
    )


def _programs() -> set[Path]:
    """Everything a worker runs: the system's programs, this Python, its libraries, and our own code where it lies elsewhere."""
    own = {Path(package.__path__[0]) for package in (deedbox_server, deedbox_sync)}
    python = {Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("purelib"))}
    system = {path for path in _EXTRA if path.exists()}
    return {Path("/usr"), *own, *python, *system}
