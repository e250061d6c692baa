"""What a process and all its descendants hold in memory, read from /proc (proc(5)).

Limits of the kernel are for each process; this sees the sum, so that many small processes cannot do together what one may not.
"""

from pathlib import Path

_PROC = Path("/proc")
_OWN_MEMORY = ("RssAnon:", "RssShmem:")  # in kB; pages of programs on disk are shared and do not count
_BOUND = 4096  # processes looked at; a worker may have far fewer


def resident_bytes(root: int) -> int:
    """Memory of `root` and all its descendants. Processes that end meanwhile count as nothing."""
    total, waiting, seen = 0, [root], 0
    while waiting and seen < _BOUND:
        process = waiting.pop()
        seen += 1
        total += _own_bytes(process)
        waiting += _children(process)
    return total


def _own_bytes(process: int) -> int:
    try:
        status = (_PROC / str(process) / "status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(_OWN_MEMORY))


def _children(process: int) -> list[int]:
    found: list[int] = []
    try:
        for task in (_PROC / str(process) / "task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:
        return found
    return found
