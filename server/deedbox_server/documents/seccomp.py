"""The kernel calls a worker is refused, as a classic BPF program for bubblewrap (`--seccomp`).

Namespaces take away what a worker could reach; this takes away kernel code that a reader of documents never needs and that
has been the way out of sandboxes: sockets of any family, new namespaces, mounts, io_uring, bpf, ptrace, keyrings, and memory
outside the limits (memfd, System V). Numbers are from the kernel's unistd.h of each architecture; seccomp(2), linux/filter.h.
"""

import errno
import struct

# linux/audit.h: machine number | 64 bit | little endian.
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMNS = ("x86_64", "aarch64")

_REFUSED: dict[str, tuple[int, int]] = {
    "socket": (41, 198),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "vmsplice": (278, 75),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "lookup_dcookie": (212, 18),
    "fanotify_init": (300, 262),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
}
_CLONE = (56, 220)
_CLONE3 = (435, 435)
# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of sched.h.
_NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
# x32 calls of x86_64 have this bit: the same kernel code under other numbers.
_X32 = 0x40000000

_LOAD, _AND = 0x20, 0x54  # BPF_LD|W|ABS, BPF_ALU|AND|K
_IF_EQUAL, _IF_AT_LEAST = 0x15, 0x35  # BPF_JMP|JEQ|K, BPF_JMP|JGE|K
_RETURN = 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # struct seccomp_data; both machines are little endian
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def supported(machine: str) -> bool:
    """Whether there is a filter for this machine (as `platform.machine()` names it)."""
    return machine in _ARCHITECTURES


def program(machine: str) -> bytes:
    """The filter for this machine: an array of struct sock_filter. Refused calls fail with EPERM, clone3 with ENOSYS."""
    column = _COLUMNS.index(machine)
    steps = [
        _step(_LOAD, _ARCHITECTURE_AT),
        _step(_IF_EQUAL, _ARCHITECTURES[machine], 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
        _step(_IF_AT_LEAST, _X32, 0, 1),
        _step(_RETURN, _KILL),
        # clone3 hides its flags behind a pointer, where a filter cannot look; C libraries fall back to clone on ENOSYS.
        _step(_IF_EQUAL, _CLONE3[column], 0, 1),
        _step(_RETURN, _refuse(errno.ENOSYS)),
    ]
    for numbers in _REFUSED.values():
        steps += [_step(_IF_EQUAL, numbers[column], 0, 1), _step(_RETURN, _refuse(errno.EPERM))]
    steps += [
        _step(_IF_EQUAL, _CLONE[column], 0, 4),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_AND, _NEW_NAMESPACES),
        _step(_IF_EQUAL, 0, 1, 0),
        _step(_RETURN, _refuse(errno.EPERM)),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(steps)


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, when_true, when_false, value)


def _refuse(number: int) -> int:
    return 0x00050000 | number  # SECCOMP_RET_ERRNO
