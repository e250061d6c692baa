"""`deedbox-fallback`: make, set up and run the service that mints identifiers while the box cannot be reached."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from deedbox_disk import durable
from deedbox_disk.errors import DiskError
from deedbox_disk.memory import forbid_core_dumps
from deedbox_disk.unlocking import add_unlock_arguments, ask_way, read_secret
from deedbox_fallback.access import SECRET_BYTES, make_caller
from deedbox_fallback.box_access import keep_access, make_access
from deedbox_fallback.certificates import authority
from deedbox_fallback.errors import SetupError
from deedbox_fallback.folder import ServiceFolder
from deedbox_fallback.serving import Serving, serve
from deedbox_fallback.store import Store
from deedbox_sync import timestamp
from deedbox_sync.beacon import QUICKNET, Chain, read_chain
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import SyncError

DONE, CANNOT = 0, 2

#: Of the League of Entropy and of Cloudflare; both tell quicknet.
BEACON_ENDPOINTS: Final = ("https://api.drand.sh", "https://drand.cloudflare.com")
_MAX_FILE: Final = 64 << 10  # bytes of any file that is named on the command line
_MAX_NAME: Final = 100  # characters of a caller's name


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: done; 2: could not be done, and one sentence says why."""
    forbid_core_dumps()
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it tells every call
    try:
        options.run(options, ServiceFolder(options.data))
    except (SetupError, DiskError, SyncError) as error:
        print(f"deedbox-fallback: {error}", file=sys.stderr)
        return CANNOT
    except OSError as error:
        print(f"deedbox-fallback: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        return CANNOT
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="deedbox-fallback", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, required=True, metavar="DIR", help="the service's data folder")
    add_unlock_arguments(shared)
    words = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, words_of_help: str) -> argparse.ArgumentParser:
        made = words.add_parser(name, parents=[shared], help=words_of_help)
        made.set_defaults(run=_COMMANDS[name])
        return made

    command("init", "make the service and its key")
    command("key", "the public key and namespace, to be registered at the box")
    command("ca", "the certificate that callers pin, as PEM")
    add = command("add-key", "an API key for a caller of this service")
    add.add_argument("--name", required=True, help="whose it is")
    add.add_argument(
        "--into", type=Path, metavar="FILE", help="write the key there, mode 0600, and not to the terminal"
    )
    command("keys", "list the callers' keys")
    remove = command("remove-key", "a caller's key is refused from the next call on")
    remove.add_argument("id", type=UUID)
    box = command("set-box", "say which box this stands in for, and the API key to act by there")
    box.add_argument("--url", required=True, help="https://HOST:PORT of the box's people's listener")
    box.add_argument(
        "--ca", type=Path, required=True, metavar="FILE", help="the box's CA certificate: no other is believed"
    )
    box.add_argument("--key-id", type=UUID, required=True, help="the id of the API key")
    box.add_argument("--api-key-file", type=Path, required=True, metavar="FILE", help="the API key itself")
    run = command("serve", "answer until told to stop")
    run.add_argument("--listen", type=_address, required=True, metavar="HOST:PORT")
    run.add_argument("--host", action="append", default=[], metavar="NAME", help="another name that callers use")
    run.add_argument(
        "--beacon", action="append", metavar="URL", help="a drand endpoint instead of the usual ones; repeatable"
    )
    run.add_argument("--no-beacon", action="store_true", help="call nobody but the box")
    run.add_argument("--beacon-chain", type=Path, metavar="FILE", help="another chain than quicknet, as JSON")
    run.add_argument("--ready-file", type=Path, metavar="FILE", help="gets the address once the service answers")
    return parser


def _init(options: argparse.Namespace, folder: ServiceFolder) -> None:
    store = folder.create(ask_way(options, "service", new=not folder.is_made))
    _tell_key(store)
    store.close()


def _key(options: argparse.Namespace, folder: ServiceFolder) -> None:
    store = folder.open(ask_way(options, "service"))
    _tell_key(store)
    store.close()


def _tell_key(store: Store) -> None:
    print(json.dumps({"key": store.key.hex(), "namespace": store.namespace}))


def _ca(options: argparse.Namespace, folder: ServiceFolder) -> None:
    store = folder.open(ask_way(options, "service"))
    own = authority(store)
    store.close()
    if own is None:
        raise SetupError("This service was not made completely: remove its folder and run `deedbox-fallback init`.")
    print(own.pem, end="")


def _add_key(options: argparse.Namespace, folder: ServiceFolder) -> None:
    if not 0 < len(options.name) <= _MAX_NAME or not options.name.isprintable():
        raise SetupError(f"A name has 1 to {_MAX_NAME} printable characters.")
    store = folder.open(ask_way(options, "service"))
    caller, text = make_caller(options.name, os.urandom(SECRET_BYTES), uuid4(), int(time.time()))
    told = {"id": str(caller.id), "name": caller.name}
    if options.into is not None:
        durable.write_file(options.into, f"{text}\n".encode())
    else:
        told["key"] = text
    store.add_caller(caller)
    store.close()
    print(json.dumps(told, ensure_ascii=False))


def _keys(options: argparse.Namespace, folder: ServiceFolder) -> None:
    store = folder.open(ask_way(options, "service"))
    for caller in store.callers():
        created = timestamp.encode(datetime.fromtimestamp(caller.created, UTC))
        print(json.dumps({"created": created, "id": str(caller.id), "name": caller.name}, ensure_ascii=False))
    store.close()


def _remove_key(options: argparse.Namespace, folder: ServiceFolder) -> None:
    store = folder.open(ask_way(options, "service"))
    found = store.remove_caller(options.id)
    store.close()
    if not found:
        raise SetupError("There is no key with this id.")


def _set_box(options: argparse.Namespace, folder: ServiceFolder) -> None:
    access = make_access(options.url, _text(options.ca), options.key_id, read_secret(options.api_key_file))
    store = folder.open(ask_way(options, "service"))
    keep_access(store, access)
    store.close()


def _serve(options: argparse.Namespace, folder: ServiceFolder) -> None:
    host, port = options.listen
    endpoints = () if options.no_beacon else tuple(options.beacon or BEACON_ENDPOINTS)
    chain = QUICKNET if options.beacon_chain is None else _chain(options.beacon_chain)
    way = ask_way(options, "service")
    if not folder.is_made:
        raise SetupError(f"There is no service in {folder.path}: make one with `deedbox-fallback init`.")
    with folder.lock():
        serving = Serving(host, port, tuple(options.host), endpoints, chain, options.ready_file)
        asyncio.run(serve(lambda: folder.open(way), serving))


_COMMANDS: Final = {
    "init": _init,
    "key": _key,
    "ca": _ca,
    "add-key": _add_key,
    "keys": _keys,
    "remove-key": _remove_key,
    "set-box": _set_box,
    "serve": _serve,
}


def _chain(path: Path) -> Chain:
    try:
        told = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{path} is not JSON.") from error
    if not isinstance(told, dict):
        raise SetupError(f"{path} is not the JSON object of a chain.")
    return read_chain(Fields(told, "beacon chain"))


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(_MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise SetupError(f"{path} is too large for what it should be.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SetupError(f"{path} is not text.") from error


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 1 << 16:
        raise argparse.ArgumentTypeError("write HOST:PORT; port 0 takes any that is free")
    return host.removeprefix("[").removesuffix("]"), int(port)
