"""`deedbox-relay`: a witness as a small program of its own. It cosigns the logs that it is told to watch."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deedbox_disk.errors import DiskError
from deedbox_disk.memory import forbid_core_dumps
from deedbox_disk.unlocking import add_unlock_arguments, ask_way
from deedbox_relay.errors import SetupError
from deedbox_relay.folder import RelayFolder
from deedbox_relay.serving import Serving, serve
from deedbox_sync.errors import SyncError

DONE, FOUND, CANNOT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: done; 1 (of `logs`): something speaks against a log; 2: could not be done, and one sentence says why."""
    forbid_core_dumps()
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        return int(options.run(options, RelayFolder(options.data)))
    except (SetupError, DiskError, SyncError) as error:
        print(f"deedbox-relay: {error}", file=sys.stderr)
    except OSError as error:
        print(f"deedbox-relay: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
    return CANNOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deedbox-relay", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, required=True, metavar="DIR", help="the relay's data folder")
    add_unlock_arguments(shared)
    words = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    init = words.add_parser("init", parents=[shared], help="make the relay and its key")
    init.add_argument("--name", help="its name as a witness, best its address without https://; else a random one")
    init.set_defaults(run=_init)
    key = words.add_parser(
        "key", parents=[shared], help="its key as a witness: what those whose logs it cosigns are to pin"
    )
    key.set_defaults(run=_key)
    watch = words.add_parser("watch", parents=[shared], help="cosign this log when it asks")
    watch.add_argument("vkey", metavar="ADD-LOG-VKEY", help="the log's key")
    watch.set_defaults(run=_watch)
    unwatch = words.add_parser(
        "unwatch", parents=[shared], help="cosign this log no more; what was cosigned stays known"
    )
    unwatch.add_argument("origin")
    unwatch.set_defaults(run=_unwatch)
    logs = words.add_parser("logs", parents=[shared], help="the logs it watches, and what was found against them")
    logs.add_argument("--notes", action="store_true", help="with the notes that prove it")
    logs.set_defaults(run=_logs)
    run = words.add_parser("serve", parents=[shared], help="answer until told to stop")
    run.add_argument("--listen", type=_address, required=True, metavar="HOST:PORT")
    run.add_argument("--certificate", type=Path, metavar="FILE", help="the certificate chain for TLS, PEM")
    run.add_argument("--private-key", type=Path, metavar="FILE", help="its private key, PEM")
    run.add_argument("--plain", action="store_true", help="no TLS: a proxy on this machine speaks it")
    run.add_argument("--ready-file", type=Path, metavar="FILE", help="gets the address once the relay answers")
    run.set_defaults(run=_serve)
    return parser


def _init(options: argparse.Namespace, folder: RelayFolder) -> int:
    name = options.name or f"deedbox-relay/{os.urandom(16).hex()}"
    store = folder.create(ask_way(options, "relay", new=not folder.key_file.exists()), name)
    print(store.identity.vkey)
    store.close()
    return DONE


def _key(options: argparse.Namespace, folder: RelayFolder) -> int:
    store = folder.open(ask_way(options, "relay"))
    print(store.identity.vkey)
    store.close()
    return DONE


def _watch(options: argparse.Namespace, folder: RelayFolder) -> int:
    store = folder.open(ask_way(options, "relay"))
    try:
        log = store.watch(options.vkey.strip())
    finally:
        store.close()
    print(f"{log.origin} will be cosigned from {log.size:,} entries on.")
    return DONE


def _unwatch(options: argparse.Namespace, folder: RelayFolder) -> int:
    store = folder.open(ask_way(options, "relay"))
    was = store.unwatch(options.origin)
    store.close()
    if not was:
        raise SetupError("This relay does not watch such a log.")
    return DONE


def _logs(options: argparse.Namespace, folder: RelayFolder) -> int:
    store = folder.open(ask_way(options, "relay"))
    logs, found = store.logs(), store.misbehaviour()
    store.close()
    for log in logs:
        print(f"{log.size:>15,}  {_time(log.cosigned):<20}  {log.origin}")
    for one in found:
        said = "was forked" if one.kind == "fork" else "was not shown to continue"
        print(f"△ {_time(one.seen)}  {one.origin} {said} at {one.size:,} entries (after {one.held_size:,})")
        if options.notes:
            print(f"{one.held}\n{one.note}")
    return FOUND if found else DONE


def _serve(options: argparse.Namespace, folder: RelayFolder) -> int:
    host, port = options.listen
    if options.plain == (options.certificate is not None):
        raise SetupError("Give --certificate and --private-key, or --plain where a proxy in front speaks TLS.")
    way = ask_way(options, "relay")
    folder.open(way).close()  # a wrong passphrase is told before anything listens
    with folder.lock():
        serving = Serving(host, port, options.certificate, options.private_key, options.ready_file)
        asyncio.run(serve(lambda: folder.open(way), serving))
    return DONE


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 1 << 16:
        raise argparse.ArgumentTypeError("write HOST:PORT; port 0 takes any that is free")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _time(posix: int | None) -> str:
    return "not yet" if posix is None else f"{datetime.fromtimestamp(posix, UTC):%Y-%m-%d %H:%M} UTC"
