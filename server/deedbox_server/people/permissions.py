"""What each principal may do: registries of roles and operations, one question, and the wall for queries.

Denied unless a rule allows it. Decided from who asks (person, device, the scopes of a key, how they signed in and from where),
their role in the case that it is about, and the operation. A case that a principal may not see answers exactly as one that does
not exist, and the wall stands in the query itself, so that counts and timings do not tell either. The roles and rules of this box
are in `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Denied, NotFound, SecondFactorNeeded
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.principal import Principal

_COLUMN: Final = re.compile(r"[a-z_]+(\.[a-z_]+)?")
_MEMBER: Final = "case_member WHERE case_member.account = {} AND (case_member.until IS NULL OR case_member.until > {})"
_BARRED: Final = (
    "case_wall WHERE case_wall.account = {} AND case_wall.lifted IS NULL "
    "AND (case_wall.opened_until IS NULL OR case_wall.opened_until <= {})"
)
_ROW: Final = "<row>"  # where the column of the row stands in a condition that is asked for each
_MANY: Final = (
    250  # cases: from about here on SQLite is quicker to pass over others' cases than to collect and sort one's own
)


@dataclass(frozen=True)
class Role:
    """What somebody is, in the firm (`standing`) or in a case. Who does not see all cases sees those it is a member of."""

    name: str
    standing: bool
    outside: bool = False
    sees_all_cases: bool = False


@dataclass(frozen=True)
class Rule:
    """Who may do an operation: accounts of these roles; their devices too, without a person, if `devices`.

    `in_case`: it is about one case, the question must name it, and the role *in that case* counts. `scope`: what an API key
    must have been given. `strong`: only in a session whose second factor was shown of late. `sensitive`: only from the networks
    that the firm allows.
    """

    roles: frozenset[str]
    scope: str
    devices: bool = False
    in_case: bool = False
    strong: bool = False
    sensitive: bool = False


@dataclass(frozen=True)
class Permit:
    """That it may, and as what: the roles in the case that allow it, or the standing role. `outside`: only as an outsider, to
    whom nothing is shown but what was shared."""

    roles: frozenset[str]
    outside: bool


@dataclass(frozen=True)
class Wall:
    """A condition that holds for the cases a principal sees: `on(column)` or `at(column)` is SQL, and `args` fill its places.

    Both say the same. `on` collects the cases of the principal first, and is the path of a query that has no other; `at` asks
    for each row that another path has found, and costs nothing where that is one case.
    """

    args: tuple[object, ...]
    _conditions: tuple[str, ...]
    _for_each: tuple[str, ...]

    def on(self, column: str) -> str:
        """The condition on a column that holds a case's id, with `{}` for each of `args`, in order."""
        if not _COLUMN.fullmatch(column):
            raise ValueError(f"{column!r} is not a column")
        return f"({' AND '.join(f'{column} {one}' for one in self._conditions)})" if self._conditions else "(1 = 1)"

    def at(self, column: str) -> str:
        """The same condition on a column with its table's name, asked row by row."""
        if not _COLUMN.fullmatch(column) or "." not in column:
            raise ValueError(f"{column!r} is not a column with its table")
        return f"({' AND '.join(one.replace(_ROW, column) for one in self._for_each)})" if self._for_each else "(1 = 1)"


class Permissions:
    """The registries, filled once at start-up; a name is registered once. `networks`: where sensitive operations may come from;
    none means anywhere."""

    def __init__(self, networks: Sequence[str] = (), clock: Clock = system_clock) -> None:
        self._roles: dict[str, Role] = {}
        self._rules: dict[str, Rule] = {}
        self._networks = tuple(ip_network(one) for one in networks)
        self._clock = clock

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

    @property
    def roles(self) -> tuple[Role, ...]:
        return tuple(self._roles.values())

    @property
    def rules(self) -> dict[str, Rule]:
        """Every operation there is, with its rule."""
        return dict(self._rules)

    @property
    def scopes(self) -> frozenset[str]:
        """What an API key can be given."""
        return frozenset(rule.scope for rule in self._rules.values())

    def has_role(self, name: str, *, standing: bool) -> bool:
        """Whether an account (`standing`) or a member of a case can have this role."""
        role = self._roles.get(name)
        return role is not None and (role.standing if standing else name != OUTSIDER)

    async def permit(self, db: Database, principal: Principal, operation: str, *, case: UUID | None = None) -> Permit:
        """Returns if the principal may; else Denied, or NotFound for a case that it may not see or that is none."""
        rule = self.require(principal, operation)
        if rule.in_case and case is None:
            raise ValueError(f"operation {operation} is about a case: name it")
        if case is None:
            return self._as(frozenset({principal.role}))
        roles = await self.roles_in(db, principal, case)
        if not rule.in_case or principal.kind == "system":
            return self._as(frozenset({principal.role}))
        if not roles & rule.roles:
            raise Denied("your role in this case does not allow this")
        return self._as(roles & rule.roles)

    def require(self, principal: Principal, operation: str) -> Rule:
        """The operation's rule if the principal could be allowed it; else Denied. For queries over many cases, which
        then carry `wall(principal, operation)` themselves."""
        rule = self._rules.get(operation)
        if rule is None or (principal.role not in self._roles and principal.kind != "system"):
            raise Denied("this account or device may not do this")
        if principal.kind == "system":
            return rule
        if principal.kind == "device" and not rule.devices:
            raise Denied("this account or device may not do this")
        if not rule.in_case and principal.role not in rule.roles:
            raise Denied("this account or device may not do this")
        if principal.scopes is not None and rule.scope not in principal.scopes:
            raise Denied(f"this API key was not given the scope {rule.scope}")
        if rule.sensitive and not self._is_allowed_from(principal.address):
            raise Denied("this is not allowed from this address")
        if rule.strong and not principal.strong:
            raise SecondFactorNeeded("show your second factor again, then repeat this")
        return rule

    async def roles_in(self, db: Database, principal: Principal, case: UUID) -> frozenset[str]:
        """The principal's roles in a case, its own as one who sees all cases among them; NotFound where it sees none such."""
        wall = self.wall(principal)
        rows = await db.fetch(
            "SELECT legal_case.id, case_member.role AS role FROM legal_case LEFT JOIN case_member"
            " ON case_member.case_id = legal_case.id AND case_member.account = {}"
            " AND (case_member.until IS NULL OR case_member.until > {})"
            f" WHERE legal_case.id = {{}} AND {wall.at('legal_case.id')}",
            principal.account,
            self._clock(),
            case,
            *wall.args,
        )
        if not rows:
            raise NotFound
        member = {row["role"] for row in rows if row["role"] is not None}
        return frozenset(member | ({principal.role} if self._sees_all(principal) else set()))

    def wall(self, principal: Principal, operation: str | None = None) -> Wall:
        """The wall for any query that touches what belongs to cases: those where the principal's role allows `operation`,
        or, without one, those that it sees at all."""
        conditions: list[str] = []
        for_each: list[str] = []
        args: list[object] = []
        if principal.kind != "system":
            rule = None if operation is None else self._rules.get(operation)
            roles = None if rule is None or not rule.in_case else rule.roles
            now = self._clock()
            if not self._sees_all(principal) or (roles is not None and principal.role not in roles):
                member = _MEMBER
                args += [principal.account, now]
                if roles is not None:
                    marks = ", ".join(["{}"] * len(roles))
                    member += f" AND case_member.role IN ({marks})" if roles else " AND 1 = 0"
                    args += sorted(roles)
                conditions.append(f"IN (SELECT case_member.case_id FROM {member})")
                for_each.append(f"EXISTS (SELECT 1 FROM {member} AND case_member.case_id = {_ROW})")
            conditions.append(f"NOT IN (SELECT case_wall.case_id FROM {_BARRED})")
            for_each.append(f"NOT EXISTS (SELECT 1 FROM {_BARRED} AND case_wall.case_id = {_ROW})")
            args += [principal.account, now]
        if principal.cases is not None:
            places = ", ".join(["{}"] * len(principal.cases))
            conditions.append(f"IN ({places})" if places else "IS NULL")
            for_each.append(f"{_ROW} {conditions[-1]}")
            args += sorted(principal.cases)
        return Wall(tuple(args), tuple(conditions), tuple(for_each))

    async def is_on_many(self, db: Database, principal: Principal) -> bool:
        """Whether it is on so many cases that a list of them does better to ask `at` each case in its order."""
        if principal.account is None or self._sees_all(principal):
            return True
        counted = f"SELECT 1 AS one FROM case_member WHERE account = {{}} LIMIT {_MANY:d}"
        row = await db.fetch_one(f"SELECT COUNT(*) AS cases FROM ({counted}) AS counted", principal.account)
        return row is not None and row["cases"] >= _MANY

    async def visible_case_ids(
        self, db: Database, principal: Principal, operation: str | None = None
    ) -> frozenset[UUID]:
        """The same wall as ids, for a query that is not made in this database."""
        wall = self.wall(principal, operation)
        rows = await db.fetch(f"SELECT id FROM legal_case WHERE {wall.on('legal_case.id')}", *wall.args)
        return frozenset(row["id"] for row in rows)

    def _sees_all(self, principal: Principal) -> bool:
        role = self._roles.get(principal.role)
        return principal.kind == "system" or (role is not None and role.sees_all_cases)

    def _as(self, roles: frozenset[str]) -> Permit:
        known = [self._roles[name] for name in roles if name in self._roles]
        return Permit(roles, bool(known) and all(role.outside for role in known))

    def _is_allowed_from(self, address: str | None) -> bool:
        """Whoever has no address is in the box's own process."""
        return not self._networks or address is None or is_within(address, self._networks)


OUTSIDER: Final = "outsider"  # the standing role of whoever is not of the firm; what they are, their cases say


def is_within(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether an IP address is in one of these networks; an IPv4 address that came as an IPv6 one is the IPv4 one."""
    found = ip_address(address.split("%", 1)[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)
