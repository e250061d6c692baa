"""What a process that holds keys must not let the system write down."""

import resource


def forbid_core_dumps() -> None:
    """A crash of this process, or of one that it starts, leaves no image of its memory on disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
