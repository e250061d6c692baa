"""Who, where and when: what the desk says of itself and its clock in each statement."""

import getpass
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deedbox_desktop.engine.model import BoxFacts, Greeting
from deedbox_sync import clock
from deedbox_sync.statement import Captured, Operator, ReadException

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_ZONE_FILE = Path("/etc/timezone")
_LOCAL_TIME = Path("/etc/localtime")


@dataclass(frozen=True)
class Scene:
    """What stays the same while the engine runs."""

    zone: str | None
    boot: bytes | None
    operator: Operator

    def captured(self, greeting: Greeting | None) -> Captured:
        """The time now, with all that is known about this clock."""
        now = datetime.now(UTC)
        offset = now.astimezone().utcoffset()
        return Captured(
            time=now,
            zone=self.zone,
            utc_offset_s=int(offset.total_seconds()) if offset is not None else 0,
            monotonic_ns=time.monotonic_ns(),
            boot=self.boot,
            box_offset_ms=greeting.box_offset_ms if greeting else None,
            box_seen=greeting.seen if greeting else None,
            beacon=greeting.beacon if greeting else None,
        )

    def exceptions(self, greeting: Greeting | None) -> tuple[ReadException, ...]:
        """What is wrong at the scene itself, to be told in each statement: a clock that is known to be off."""
        if greeting is None or not clock.disagrees(greeting.box_offset_ms):
            return ()
        apart = clock.apart_from("the box's", greeting.box_offset_ms)
        return (ReadException(clock.DISAGREES, f"This computer's clock was {apart} when it last saw the box"),)


def this_scene(box: BoxFacts) -> Scene:
    """The machine and the person as the system knows them. The account is the one the desk was paired for."""
    return Scene(_zone(), _boot(), Operator(_person(), box.account, "os-session"))


def _person() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no name for this user id
        return f"user {os.getuid()}" if sys.platform != "win32" else "unknown"


def _boot() -> bytes | None:
    try:
        return bytes.fromhex(_BOOT.read_text().strip().replace("-", ""))
    except (OSError, ValueError):
        return None


def _zone() -> str | None:
    """The zone's IANA name, as far as the system says it anywhere."""
    named = os.environ.get("TZ", "").removeprefix(":")
    if "/" in named or named == "UTC":
        return named
    try:
        target = _LOCAL_TIME.readlink().as_posix()
        if "zoneinfo/" in target:
            return target.rpartition("zoneinfo/")[2]
        return _ZONE_FILE.read_text().strip() or None
    except OSError:
        return time.tzname[0] or None
