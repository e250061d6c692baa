"""`case`: matters, who is on them, whom a wall bars, holds."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import Any
from uuid import UUID

from deedbox_server.app.parts import Box
from deedbox_server.cases.case import Case, NewCase
from deedbox_server.cli import finding
from deedbox_server.cli.administer import opened
from deedbox_server.cli.telling import add_json, done, local, moment, show
from deedbox_server.cli.unlocking import UnlockArguments
from deedbox_server.errors import NotFound
from deedbox_server.people.principal import SYSTEM
from deedbox_server.settings import Settings
from deedbox_sync import timestamp


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = commands.add_parser("case", help="matters and who may see them").add_subparsers(
        required=True, metavar="ACTION"
    )

    def action(name: str, help: str, run: Any, *, case: bool = True, user: bool = False) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=help)
        if case:
            command.add_argument("case", help="matter number or id")
        if user:
            command.add_argument("user", help="name, sign-in name or id")
        add_json(command)
        command.set_defaults(run=run)
        return command

    action("list", "all cases", _list, case=False)
    new = action("open", "a new case", _open, case=False)
    new.add_argument("title")
    new.add_argument("--number", help="else the next one by the firm's pattern")
    new.add_argument("--client")
    action("show", "one case", _show)
    action("members", "who is on it, as what, until when", _members)
    grant = action("grant", "put somebody on it, or change as what", _grant, user=True)
    grant.add_argument("role", help="attorney, paralegal, …; for outsiders party, opposing-counsel, mediator, court")
    grant.add_argument("--until", type=moment, help="a date or time")
    action("withdraw", "take somebody off it", _withdraw, user=True)
    action("walls", "whom a wall bars from it", _walls)
    action("wall", "bar somebody from it, administrators too", _wall, user=True).add_argument("--reason", required=True)
    action("unwall", "let them see it again", _unwall, user=True)
    action("hold", "nothing of it is deleted from now on", _hold).add_argument("--reason", required=True)
    action("holds", "the holds that stand", _holds)
    action("close", "work on it has ended", _close).add_argument("--reason", required=True)


async def _list(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        items = [_case(one) for one in await box.cases.visible(SYSTEM)]
    show(options, items, ("number", "title", "state", "client", "id"), "There are no cases.")
    return 0


async def _open(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        made = await box.cases.create(SYSTEM, NewCase(options.title, number=options.number, client=options.client))
    done(options, _case(made), f"{made.number} is open. `case grant {made.number} NAME ROLE` puts somebody on it.")
    return 0


async def _show(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = _case(await box.cases.get(SYSTEM, await finding.case(box, options.case)))
    if options.json:
        done(options, found, "")
        return 0
    show(options, [{"what": name.replace("_", " "), "is": value} for name, value in found.items()], ("what", "is"), "")
    return 0


async def _members(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.membership.members(SYSTEM, await finding.case(box, options.case))
    items = [
        {
            "name": one.name,
            "role": one.role,
            "standing": one.standing,
            "until": _time(options, one.until),
            "id": str(one.account),
        }
        for one in found
    ]
    show(options, items, ("name", "role", "standing", "until", "id"), "Nobody is on this case.")
    return 0


async def _grant(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        case, whose = await _both(box, options)
        made = await box.membership.grant(SYSTEM, case, whose, options.role, options.until)
    done(options, {"name": made.name, "role": made.role}, f"{made.name} is on {options.case} as {made.role}.")
    return 0


async def _withdraw(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        case, whose = await _both(box, options)
        await box.membership.withdraw(SYSTEM, case, whose)
    done(options, {"id": str(whose)}, f"{options.user} is not on {options.case} any more.")
    return 0


async def _walls(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.walls.walls(SYSTEM, await finding.case(box, options.case))
    items = [
        {
            "name": one.account_name,
            "since": _time(options, one.created),
            "open_until": _time(options, one.opened_until),
            "reason": one.reason,
            "id": str(one.id),
        }
        for one in found
    ]
    show(options, items, ("name", "since", "open_until", "reason"), "Nobody is barred from this case.")
    return 0


async def _wall(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        case, whose = await _both(box, options)
        made = await box.walls.bar(SYSTEM, case, whose, options.reason)
    done(options, {"id": str(made.id)}, f"To {made.account_name} there is no case {options.case} any more.")
    return 0


async def _unwall(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        case, whose = await _both(box, options)
        wall = next((one for one in await box.walls.walls(SYSTEM, case) if one.account == whose), None)
        if wall is None:
            raise NotFound(f"No wall bars {options.user} from {options.case}.")
        await box.walls.lift(SYSTEM, case, wall.id)
    done(options, {"id": str(wall.id)}, f"{wall.account_name} sees {options.case} as their role allows.")
    return 0


async def _hold(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        case = await finding.case(box, options.case)
        made = await box.holds.place(SYSTEM, case, "case", case, options.reason)
    done(options, {"id": str(made.id)}, f"Nothing of {options.case} is deleted while this hold stands.")
    return 0


async def _holds(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.holds.of_case(SYSTEM, await finding.case(box, options.case))
    items = [
        {
            "kind": one.kind,
            "placed": _time(options, one.placed),
            "by": one.placed_by_name,
            "reason": one.reason,
            "id": str(one.id),
        }
        for one in found
    ]
    show(options, items, ("kind", "placed", "by", "reason", "id"), "No hold stands on this case.")
    return 0


async def _close(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.cases.get(SYSTEM, await finding.case(box, options.case))
        closed = await box.cases.step(SYSTEM, found.id, "close", options.reason, found.version)
    done(options, _case(closed), f"{closed.number} is {closed.state}.")
    return 0


async def _both(box: Box, options: argparse.Namespace) -> tuple[UUID, UUID]:
    return await finding.case(box, options.case), (await finding.account(box, options.user)).id


def _case(case: Case) -> dict[str, Any]:
    return {
        "id": str(case.id),
        "number": case.number,
        "title": case.title,
        "state": case.state,
        "kind": case.kind,
        "client": case.client,
        "court": case.court,
        "docket": case.docket,
        "labels": list(case.labels),
        "opened": None if case.opened is None else case.opened.isoformat(),
        "created": timestamp.encode(case.created),
    }


def _time(options: argparse.Namespace, time: datetime | None) -> str | None:
    if time is None:
        return None
    return timestamp.encode(time) if options.json else local(time)
