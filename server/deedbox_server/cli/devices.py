"""`device`: the paired desks."""

from __future__ import annotations

import argparse

from deedbox_server.cli import finding
from deedbox_server.cli.administer import opened
from deedbox_server.cli.telling import add_json, done, local, show
from deedbox_server.cli.unlocking import UnlockArguments
from deedbox_server.people.principal import SYSTEM
from deedbox_server.settings import Settings
from deedbox_sync import timestamp


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = commands.add_parser("device", help="the paired desks").add_subparsers(required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="all desks, revoked ones too")
    listed.set_defaults(run=_list)
    code = actions.add_parser("pair-code", help="a one-time code for a new desk")
    code.add_argument("user", help="whose desk it will be")
    code.add_argument(
        "--case", action="append", metavar="NUMBER", help="confine it to this case; more than once: to these"
    )
    code.set_defaults(run=_pair_code)
    revoke = actions.add_parser("revoke", help="for good: its next request is refused")
    revoke.add_argument("device", help="name or id")
    revoke.set_defaults(run=_revoke)
    for command in (listed, code, revoke):
        add_json(command)


async def _list(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.devices.all()
    items = [
        {
            "id": str(one.id),
            "name": one.name,
            "account": one.account_name,
            "platform": one.platform,
            "cases": None if one.cases is None else sorted(map(str, one.cases)),
            "state": "revoked" if one.revoked is not None else f"until {one.certified_until:%Y-%m-%d}",
            "revoked": None if one.revoked is None else timestamp.encode(one.revoked),
        }
        for one in found
    ]
    show(options, items, ("name", "account", "state", "platform", "id"), "No desk is paired.")
    return 0


async def _pair_code(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        whose = await finding.account(box, options.user)
        cases = None if options.case is None else frozenset([await finding.case(box, one) for one in options.case])
        issued = await box.pairing.issue(SYSTEM, whose.id, cases)
    value = {"code": issued.code.text, "account": whose.name, "expires": timestamp.encode(issued.expires)}
    done(options, value, f"{issued.code.text}\nfor a desk of {whose.name}, once, until {local(issued.expires)}.")
    return 0


async def _revoke(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.device(box, options.device)
        await box.devices.revoke(found.id, SYSTEM)
    done(options, {"id": str(found.id), "name": found.name}, f"{found.name} is revoked: its next request is refused.")
    return 0
