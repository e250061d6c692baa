"""./deedbox bench: figures of this machine, beside others and beside what it could do at best. No test, and no promise."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

from deedbox_checkout.places import CHECKOUT, state_folder
from deedbox_checkout.telling import Teller

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SIZE = re.compile(r"(\d{1,9})([kmg]?)(?:i?b)?", re.IGNORECASE)


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("bench", help="measure: sync (beside Syncthing and rclone), notary, ids or api")
    kinds = command.add_subparsers(required=True, metavar="KIND")
    sync = kinds.add_parser("sync", help="one large file and many small ones, from drop to verified receipt")
    sync.add_argument("--size", type=_size, default=4 << 30, help="of the large file: 4GiB (default), 512MiB, …")
    sync.add_argument("--files", type=int, default=10_000, help="how many small ones of 20 KiB (default 10000)")
    sync.add_argument("--rounds", type=int, default=1, help="how often; the median is shown")
    sync.set_defaults(run=_sync)
    notary = kinds.add_parser("notary", help="durable log entries, receipts and proofs")
    notary.add_argument("--entries", type=int, default=100_000, help="log entries to write (default 100000)")
    notary.add_argument(
        "--size", "--proofs", type=int, default=1_000_000, help="of the log that proofs are made of (default 1000000)"
    )
    notary.set_defaults(run=_notary)
    ids = kinds.add_parser(
        "ids", help="identifiers minted in signed calls, beside the proofs that the machine could make"
    )
    ids.add_argument("--count", type=int, default=20_000, help="how many (default 20000)")
    ids.set_defaults(run=_ids)
    api = kinds.add_parser(
        "api", help="lists, searches and timelines in a firm's worth of rows, and in a hundredth of it"
    )
    api.add_argument("--cases", type=int, default=10_000, help="how many (default 10000)")
    api.add_argument("--exhibits", type=int, default=1_000_000, help="rows of exhibits (default 1000000)")
    api.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    api.add_argument("--seconds", type=float, default=10.0, help="of each kind of call (default 10)")
    api.add_argument("--rate", type=int, default=200, help="calls a second (default 200)")
    api.set_defaults(run=_api)
    for kind in (sync, notary, ids, api):
        kind.add_argument("--json", action="store_true", help="make the last line one JSON object")
        kind.add_argument(
            "--folder", type=Path, default=state_folder() / "bench", help="where; on the disk that counts"
        )
        kind.set_defaults(takes_rest=False)


def _sync(options: argparse.Namespace, _rest: list[str]) -> int:
    _find_bench()
    from bench import sync  # noqa: PLC0415 # the benches belong to the tests, which only a checkout has

    tell = Teller(quiet=options.json)
    report = sync.run(options.folder, size=options.size, files=options.files, rounds=options.rounds, tell=tell.step)
    for line in sync.lines(report):
        tell.say(line)
    if options.json:
        print(json.dumps(report.as_json()))
    return 0


def _notary(options: argparse.Namespace, _rest: list[str]) -> int:
    _find_bench()
    from bench import notary  # noqa: PLC0415 # as above

    tell = Teller(quiet=options.json)
    report = notary.run(options.folder, entries=options.entries, size=options.size, tell=tell.step)
    for line in notary.lines(report):
        tell.say(line)
    if options.json:
        print(json.dumps({"bench": "notary", **asdict(report), "aims": notary.AIMS}))
    return 0


def _ids(options: argparse.Namespace, _rest: list[str]) -> int:
    _find_bench()
    from bench import identifiers  # noqa: PLC0415 # as above

    tell = Teller(quiet=options.json)
    report = identifiers.run(options.folder, count=options.count, tell=tell.step)
    for line in identifiers.lines(report):
        tell.say(line)
    if options.json:
        print(
            json.dumps(
                {
                    "bench": "ids",
                    **asdict(report),
                    "limit": report.limit,
                    "share": report.share,
                    "aims": identifiers.AIMS,
                }
            )
        )
    return 0


def _api(options: argparse.Namespace, _rest: list[str]) -> int:
    _find_bench()
    from bench import api  # noqa: PLC0415 # as above

    tell = Teller(quiet=options.json)
    report = api.run(
        options.folder,
        cases=options.cases,
        exhibits=options.exhibits,
        databases=("sqlite", "postgres") if options.database == "both" else (options.database,),
        seconds=options.seconds,
        rate=options.rate,
        tell=tell.step,
    )
    for line in api.lines(report):
        tell.say(line)
    if options.json:
        print(json.dumps({"bench": "api", **asdict(report), "aims": api.AIMS}))
    return 0


def _find_bench() -> None:
    tests = str(CHECKOUT / "tests")
    if tests not in sys.path:
        sys.path.insert(0, tests)


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a size like 4GiB or 512MiB")
    return int(found[1]) * _UNITS[found[2].lower()]
