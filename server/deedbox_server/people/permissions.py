"""What each principal may do: registries of roles and operations, one question, and the wall for queries.

Denied unless a rule allows it. A case that a principal may not see answers exactly as one that does not exist, and the
wall stands in the query itself, so that counts and timings do not tell either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Denied, NotFound
from deedbox_server.people.principal import Principal

OWNER: Final = "owner"
MEMBER: Final = "member"

_COLUMN: Final = re.compile(r"[a-z_]+(\.[a-z_]+)?")


@dataclass(frozen=True)
class Role:
    """A kind of account. Who does not see all cases sees those it is a member of."""

    name: str
    sees_all_cases: bool


@dataclass(frozen=True)
class Rule:
    """Who may do an operation: accounts of these roles; their devices too, without a person, if `devices`.

    `in_case`: the operation is about one case, and the question must name it.
    """

    roles: frozenset[str]
    devices: bool = False
    in_case: bool = False


@dataclass(frozen=True)
class Wall:
    """A condition that holds for the cases a principal sees: `on(column)` is SQL, and `args` fill its places."""

    args: tuple[object, ...]
    _member: bool
    _confined: int | None

    def on(self, column: str) -> str:
        """The condition on a column that holds a case's id, with `{}` for each of `args`, in order."""
        if not _COLUMN.fullmatch(column):
            raise ValueError(f"{column!r} is not a column")
        conditions = []
        if self._member:
            conditions.append(f"{column} IN (SELECT case_member.case_id FROM case_member WHERE account = {{}})")
        if self._confined is not None:
            places = ", ".join(["{}"] * self._confined)
            conditions.append(f"{column} IN ({places})" if places else "1 = 0")
        return f"({' AND '.join(conditions)})" if conditions else "(1 = 1)"


class Permissions:
    """The registries, filled once at start-up; a name is registered once."""

    def __init__(self) -> None:
        self._roles: dict[str, Role] = {}
        self._rules: dict[str, Rule] = {}

    def register_role(self, role: Role) -> None:
        if role.name in self._roles:
            raise ValueError(f"role {role.name} is registered already")
        self._roles[role.name] = role

    def register(self, operation: str, rule: Rule) -> None:
        if operation in self._rules:
            raise ValueError(f"operation {operation} is registered already")
        if unknown := rule.roles - self._roles.keys():
            raise ValueError(f"operation {operation} names unknown roles {sorted(unknown)}")
        self._rules[operation] = rule

    def has_role(self, name: str) -> bool:
        return name in self._roles

    async def permit(self, db: Database, principal: Principal, operation: str, *, case: UUID | None = None) -> None:
        """Returns if the principal may; else Denied, or NotFound for a case that it may not see or that is none."""
        rule = self.require(principal, operation)
        if rule.in_case and case is None:
            raise ValueError(f"operation {operation} is about a case: name it")
        if case is not None:
            wall = self.visible_cases(principal)
            sql = f"SELECT legal_case.id FROM legal_case WHERE legal_case.id = {{}} AND {wall.on('legal_case.id')}"
            if await db.fetch_one(sql, case, *wall.args) is None:
                raise NotFound

    def require(self, principal: Principal, operation: str) -> Rule:
        """The operation's rule if the principal's role allows it in some case; else Denied. For queries over many cases, which
        then carry the wall themselves."""
        rule = self._rules.get(operation)
        if rule is None or not _allows(rule, principal):
            raise Denied("this account or device may not do this")
        return rule

    def visible_cases(self, principal: Principal) -> Wall:
        """The wall for any query that touches what belongs to cases."""
        role = self._roles.get(principal.role)
        all_cases = principal.kind == "system" or (role is not None and role.sees_all_cases)
        args: list[object] = [] if all_cases else [principal.account]
        confined = None
        if principal.cases is not None:
            args += sorted(principal.cases)
            confined = len(principal.cases)
        return Wall(tuple(args), not all_cases, confined)

    async def visible_case_ids(self, db: Database, principal: Principal) -> frozenset[UUID]:
        """The same wall as ids, for a query that is not made in this database."""
        wall = self.visible_cases(principal)
        rows = await db.fetch(f"SELECT id FROM legal_case WHERE {wall.on('legal_case.id')}", *wall.args)
        return frozenset(row["id"] for row in rows)


def standard_permissions() -> Permissions:
    """Roles and operations of the spine. A later package registers its own beside them."""
    permissions = Permissions()
    permissions.register_role(Role(OWNER, sees_all_cases=True))
    permissions.register_role(Role(MEMBER, sees_all_cases=False))
    everyone, owners = frozenset({OWNER, MEMBER}), frozenset({OWNER})
    for operation in ("account.self", "case.create", "search"):
        permissions.register(operation, Rule(everyone))
    for operation in ("identifier.mint", "identifier.verify"):
        permissions.register(operation, Rule(everyone))
    for operation in ("case.list", "identifier.reconcile", "log.read"):
        permissions.register(operation, Rule(everyone, devices=True))
    for operation in (
        "evidence.read",
        "evidence.download",
        "evidence.verify",
        "evidence.export",
        "paper.make",
        "paper.read",
    ):
        permissions.register(operation, Rule(everyone, in_case=True))
    permissions.register("evidence.send", Rule(everyone, devices=True, in_case=True))
    for operation in (
        "device.pair",
        "device.revoke",
        "device.list",
        "key.rotate",
        "time.read",
        "time.stamp",
        "witness.manage",
    ):
        permissions.register(operation, Rule(owners))
    for operation in ("identifier.issuers", "metrics.read"):
        permissions.register(operation, Rule(owners))
    return permissions


def _allows(rule: Rule, principal: Principal) -> bool:
    if principal.kind == "system":
        return True
    return principal.role in rule.roles and (principal.kind == "account" or rule.devices)
