"""`key`: API keys of agents and programs, whosever they are."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deedbox_disk import durable
from deedbox_server.cli import finding
from deedbox_server.cli.administer import opened
from deedbox_server.cli.telling import add_json, done, local, moment, show
from deedbox_server.cli.unlocking import UnlockArguments
from deedbox_server.people.api_key import KeyText
from deedbox_server.people.key_rights import KeyRights, Wanted, grant, presets
from deedbox_server.people.key_rows import ApiKey
from deedbox_server.people.principal import SYSTEM
from deedbox_server.people.rules import standard_permissions
from deedbox_server.settings import Settings
from deedbox_sync import timestamp


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = commands.add_parser("key", help="API keys").add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="all keys that are not revoked")
    listed.add_argument("--user", help="only this account's")
    listed.set_defaults(run=_list)
    make = actions.add_parser("make", help="a new key; its text is shown once")
    make.add_argument("user", help="the account that it acts for")
    make.add_argument("--label", default="command line", help="what it is for")
    make.add_argument("--scope", action="append", help="a scope or preset (`key scopes`); default: full")
    make.add_argument(
        "--case", action="append", metavar="NUMBER", help="confine it to this case; more than once: to these"
    )
    make.add_argument("--network", action="append", help="usable from here only, such as 192.168.1.0/24")
    make.add_argument("--rate", type=int, help="calls a second")
    make.add_argument("--burst", type=int, help="calls at once")
    make.add_argument(
        "--signed-only", action="store_true", help="opens nothing as a bearer token, only calls it signed"
    )
    end = make.add_mutually_exclusive_group()
    end.add_argument("--expires", type=moment, help="a date or time")
    end.add_argument("--days", type=int, help="for so many days")
    make.set_defaults(run=_make)
    rotate = actions.add_parser("rotate", help="a new secret for a key; its text is shown once")
    rotate.add_argument("key", help="handle or id")
    rotate.add_argument("--overlap-hours", type=int, default=0, help="for how long the old secret opens too")
    rotate.set_defaults(run=_rotate)
    for command in (make, rotate):
        command.add_argument("--into", type=Path, help="a file, mode 0600, that the key is written to instead of shown")
    revoke = actions.add_parser("revoke", help="for good: the next call is refused")
    revoke.add_argument("key", help="handle or id")
    revoke.set_defaults(run=_revoke)
    scopes = actions.add_parser("scopes", help="what a key can be given; needs no box")
    scopes.set_defaults(without_box=_scopes)
    for command in (listed, make, rotate, revoke, scopes):
        add_json(command)


async def _list(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        if options.user is not None:
            found = await box.api_keys.of((await finding.account(box, options.user)).id)
        else:
            found, following = await box.api_keys.everybodys()
            while following is not None:
                page, following = await box.api_keys.everybodys(following)
                found += page
    items = [_key(one, options) for one in found]
    show(options, items, ("handle", "name", "account", "scopes", "expires", "last_used", "id"), "There are no keys.")
    return 0


async def _make(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    expires: datetime | None = options.expires
    if options.days is not None:
        expires = datetime.now(UTC) + timedelta(days=min(options.days, 100_000))
    async with opened(settings, unlock) as box:
        whose = await finding.account(box, options.user)
        cases = None if options.case is None else frozenset([await finding.case(box, one) for one in options.case])
        wanted = Wanted(
            None if options.scope is None else tuple(options.scope),
            cases,
            None if options.network is None else tuple(options.network),
            options.rate,
            options.burst,
            options.signed_only,
            expires,
        )
        rights = grant(wanted, KeyRights(), box.permissions.scopes)
        made, text = await box.api_keys.create(whose.id, options.label, rights=rights, by=SYSTEM)
    _tell(options, made, text)
    return 0


async def _rotate(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.key(box, options.key)
        overlap = timedelta(hours=max(-1, min(options.overlap_hours, 100_000)))
        made, text = await box.api_keys.rotate(SYSTEM, found.account, found.id, overlap)
    _tell(options, made, text)
    return 0


async def _revoke(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.key(box, options.key)
        await box.api_keys.revoke(found.account, found.id, by=SYSTEM)
    done(options, _key(found, options), f"The key {found.handle} ({found.name}) opens nothing any more.")
    return 0


def _scopes(options: argparse.Namespace) -> int:
    known = standard_permissions().scopes
    items: list[dict[str, Any]] = [{"name": name, "is": "scope", "gives": [name]} for name in sorted(known)]
    items += [{"name": name, "is": "preset", "gives": sorted(given)} for name, given in presets(known).items()]
    show(options, items, ("name", "is", "gives"), "")
    return 0


def _tell(options: argparse.Namespace, made: ApiKey, text: KeyText) -> None:
    told = _key(made, options)
    if options.into is not None:
        durable.write_file(options.into, f"{text.text}\n".encode())
        done(options, told, f"The key is in {options.into}. Calls that it signs name it {made.id}.")
    else:
        done(options, told | {"key": text.text}, f"{text.text}\nis shown once. Calls that it signs name it {made.id}.")


def _key(key: ApiKey, options: argparse.Namespace) -> dict[str, Any]:
    def time(one: datetime | None) -> str | None:
        return None if one is None else timestamp.encode(one) if options.json else local(one)

    rights = key.rights
    return {
        "id": str(key.id),
        "handle": key.handle,
        "name": key.name,
        "account": key.account_name,
        "scopes": ["all"] if rights.scopes is None else sorted(rights.scopes),
        "cases": None if rights.cases is None else sorted(map(str, rights.cases)),
        "networks": list(rights.networks),
        "rate": None if rights.pace is None else rights.pace[0],
        "burst": None if rights.pace is None else rights.pace[1],
        "signed_only": rights.signed_only,
        "created": time(key.created),
        "expires": time(rights.expires),
        "last_used": time(key.last_used),
        "former_until": time(key.former_until),
    }
