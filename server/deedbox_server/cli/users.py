"""`user`: who may sign in, as what, and what they are signed in with."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any
from uuid import UUID

from deedbox_server.app.parts import Box
from deedbox_server.cli import finding
from deedbox_server.cli.administer import opened
from deedbox_server.cli.telling import add_json, done, local, show
from deedbox_server.cli.unlocking import UnlockArguments
from deedbox_server.errors import BadRequest
from deedbox_server.people.accounts import Account
from deedbox_server.people.invitations import INVITED_FOR, Invitation, NewInvitation
from deedbox_server.people.principal import SYSTEM
from deedbox_server.people.secret_text import SecretText
from deedbox_server.settings import Settings
from deedbox_sync import timestamp

_PAGE = 500


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = commands.add_parser("user", help="accounts: who may sign in, as what").add_subparsers(
        required=True, metavar="ACTION"
    )

    def action(name: str, help: str, run: Any, *, user: bool = True) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=help)
        if user:
            command.add_argument("user", help="name, sign-in name or id")
        add_json(command)
        command.set_defaults(run=run)
        return command

    action("list", "all accounts", _list, user=False)
    invite = action("invite", "a link by which somebody registers; shown once", _invite, user=False)
    invite.add_argument("name", help="what others will see")
    invite.add_argument(
        "--role", required=True, help="administrator, attorney, paralegal, investigator, auditor, outsider"
    )
    invite.add_argument("--email")
    invite.add_argument("--duty", action="append", default=[], help="such as conflicts-officer")
    invite.add_argument("--case", action="append", default=[], metavar="NUMBER=ROLE", help="a case, and the role in it")
    invite.add_argument("--days", type=int, default=INVITED_FOR.days, help="how long the link works")
    action("role", "another standing role", _role).add_argument("role")
    duty = action("duty", "what they do for the firm beside their role", _duty)
    duty.add_argument("duties", nargs="*", help="all of them; none takes them away")
    action("disable", "end sessions; keys and devices open nothing", _disable)
    action("enable", "let them act again", _enable)
    action("reset-factors", "they lost phone, key and paper: let them set up a second factor anew", _reset_factors)
    action("reset-password", "a link by which they choose a new password; shown once", _reset_password)
    action("sessions", "where they are signed in", _sessions)
    action("end-sessions", "sign them out everywhere", _end_sessions)
    action("identities", "who stands for them at other issuers", _identities)
    link = action("link", "let a subject of another issuer stand for them", _link)
    link.add_argument("issuer")
    link.add_argument("subject")
    action("unlink", "end that", _unlink).add_argument("identity", type=UUID)


async def _list(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found: list[Account] = []
        while page := await box.account_changes.page(SYSTEM, _PAGE, found[-1].id if found else None):
            found += page
    items = [_account(one) for one in found]
    show(options, items, ("name", "role", "duties", "disabled", "sign_in", "id"), "There are no accounts.")
    return 0


async def _invite(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        cases = tuple([await _case_role(box, pair) for pair in options.case])
        wanted = NewInvitation(
            options.name, options.role, options.email, frozenset(options.duty), cases, _days(options.days)
        )
        made, token = await box.invitations.invite(SYSTEM, wanted)
    _tell_link(settings, options, made, token, f"{options.name} registers at")
    return 0


async def _role(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.account(box, options.user)
        changed = await box.account_changes.change(SYSTEM, found.id, found.version, role=options.role)
    done(options, _account(changed), f"{changed.name} is {changed.role}.")
    return 0


async def _duty(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.account(box, options.user)
        duties = frozenset(options.duties)
        changed = await box.account_changes.change(SYSTEM, found.id, found.version, duties=duties)
    done(options, _account(changed), f"{changed.name}: {', '.join(sorted(changed.duties)) or 'no duties'}.")
    return 0


async def _disable(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        changed = await box.account_changes.disable(SYSTEM, (await finding.account(box, options.user)).id)
    done(options, _account(changed), f"{changed.name} is disabled: the next request is refused.")
    return 0


async def _enable(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        changed = await box.account_changes.enable(SYSTEM, (await finding.account(box, options.user)).id)
    done(options, _account(changed), f"{changed.name} may act again.")
    return 0


async def _reset_factors(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.account(box, options.user)
        await box.account_changes.reset_factors(SYSTEM, found.id)
    done(options, _account(found), f"{found.name} sets up a second factor at the next sign-in.")
    return 0


async def _reset_password(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.account(box, options.user)
        made, token = await box.invitations.invite_to_reset(SYSTEM, found.id)
    _tell_link(settings, options, made, token, f"{found.name} chooses a new password at")
    return 0


async def _sessions(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.sessions.of((await finding.account(box, options.user)).id)
    items = [
        {
            "handle": one.handle,
            "via": one.via,
            "both_factors": one.whole,
            "address": one.address,
            "used": _time(options, one.used),
            "expires": _time(options, one.expires),
            "agent": one.agent,
        }
        for one in found
    ]
    show(options, items, tuple(items[0]) if items else (), "Not signed in anywhere.")
    return 0


async def _end_sessions(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.account(box, options.user)
        count = await box.sessions.end_all(SYSTEM, found.id)
    done(options, {"ended": count}, f"{count} sessions of {found.name} have ended.")
    return 0


async def _identities(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await box.outside_identities.of((await finding.account(box, options.user)).id)
    items = [
        {"issuer": one.issuer, "subject": one.subject, "last_used": _time(options, one.last_used), "id": str(one.id)}
        for one in found
    ]
    show(options, items, ("issuer", "subject", "last_used", "id"), "Nobody elsewhere stands for them.")
    return 0


async def _link(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.account(box, options.user)
        made = await box.outside_identities.link(SYSTEM, found.id, options.issuer, options.subject)
    done(options, {"id": str(made.id)}, f"{options.subject} of {options.issuer} stands for {found.name}.")
    return 0


async def _unlink(settings: Settings, unlock: UnlockArguments, options: argparse.Namespace) -> int:
    async with opened(settings, unlock) as box:
        found = await finding.account(box, options.user)
        await box.outside_identities.unlink(SYSTEM, found.id, options.identity)
    done(options, {"id": str(options.identity)}, "Unlinked.")
    return 0


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": str(account.id),
        "name": account.name,
        "role": account.role,
        "duties": sorted(account.duties),
        "disabled": account.disabled,
        "sign_in": account.sign_in,
        "email": account.email,
    }


def _tell_link(
    settings: Settings, options: argparse.Namespace, made: Invitation, token: SecretText, words: str
) -> None:
    base = settings.public_url or f"https://{settings.people_host}:{settings.people_port}"
    word = "invitation" if made.kind == "invitation" else "reset"
    link = f"{base.rstrip('/')}/account#{word}={token.text}"
    value = {"id": str(made.id), "link": link, "token": token.text, "expires": timestamp.encode(made.expires)}
    done(options, value, f"Until {local(made.expires)} {words}\n{link}")


async def _case_role(box: Box, pair: str) -> tuple[UUID, str]:
    number, _, role = pair.rpartition("=")
    if not number:
        raise BadRequest(f"{pair} is not NUMBER=ROLE.")
    return await finding.case(box, number), role


def _days(count: int) -> timedelta:
    return timedelta(days=max(-1, min(count, 10_000)))


def _time(options: argparse.Namespace, time: Any) -> str | None:
    if time is None:
        return None
    return timestamp.encode(time) if options.json else local(time)
