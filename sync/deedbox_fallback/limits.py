"""How much may be asked of the service."""

from typing import Final

from deedbox_sync.identifier import MAX_BATCH

MAX_BODY: Final = 128 << 10  # bytes; 1,000 items of some 80
MAX_WAITING: Final = 500_000  # identifiers; half a gigabyte of disk, and an hour of the box's work when it is back
MAX_CONNECTIONS: Final = 200  # at once; a firm has some ten programs that ask

PER_SECOND: Final = 500  # identifiers of one key; more would keep others from the one thread that makes them
BURST: Final = 5 * MAX_BATCH
