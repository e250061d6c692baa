"""The roles of this box and what each may do: the one table. A later package adds its own lines here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.permissions import OUTSIDER, Permissions, Role, Rule

ADMINISTRATOR: Final = "administrator"
ATTORNEY: Final = "attorney"
PARALEGAL: Final = "paralegal"
INVESTIGATOR: Final = "investigator"
AUDITOR: Final = "auditor"
PARTY: Final = "party"
OPPOSING_COUNSEL: Final = "opposing-counsel"
MEDIATOR: Final = "mediator"
COURT: Final = "court"

CONFLICTS_OFFICER: Final = "conflicts-officer"
DUTIES: Final = frozenset({CONFLICTS_OFFICER})  # what an account does for the firm beside its role

_ADMIN: Final = frozenset({ADMINISTRATOR})
_WATCHERS: Final = frozenset({ADMINISTRATOR, AUDITOR})
LAWYERS: Final = frozenset({ADMINISTRATOR, ATTORNEY})
_DESK: Final = LAWYERS | {PARALEGAL}
_WORKERS: Final = _DESK | {INVESTIGATOR}
_FIRM: Final = _WORKERS | {AUDITOR}
OUTSIDE_ROLES: Final = frozenset({PARTY, OPPOSING_COUNSEL, MEDIATOR, COURT})
_IN_CASE: Final = _FIRM | OUTSIDE_ROLES
_EVERYONE: Final = _FIRM | {OUTSIDER}

ROLES: Final = (
    Role(ADMINISTRATOR, standing=True, sees_all_cases=True),
    Role(ATTORNEY, standing=True),
    Role(PARALEGAL, standing=True),
    Role(INVESTIGATOR, standing=True),
    Role(AUDITOR, standing=True, sees_all_cases=True),
    Role(OUTSIDER, standing=True, outside=True),
    *(Role(name, standing=False, outside=True) for name in (PARTY, OPPOSING_COUNSEL, MEDIATOR, COURT)),
)

# In the box as a whole: the standing role counts.
_BOX: Final = {
    "account.self": Rule(_EVERYONE, "account"),
    "account.security": Rule(_EVERYONE, "account:security"),  # factors, sessions, keys: never given to a key by default
    "account.names": Rule(_FIRM, "people:read"),
    "account.list": Rule(_WATCHERS, "people:read"),
    "account.manage": Rule(_ADMIN, "people:manage", strong=True, sensitive=True),
    "key.manage": Rule(_ADMIN, "people:manage", sensitive=True),
    "case.create": Rule(_DESK, "case:write"),
    "case.list": Rule(_EVERYONE, "case:read", devices=True),
    "conflict.check": Rule(_DESK, "case:read"),
    "conflict.settle": Rule(LAWYERS, "case:write"),  # and the duty of a conflicts officer
    "wall.manage": Rule(_ADMIN, "people:manage", strong=True, sensitive=True),
    "glass.ask": Rule(LAWYERS, "people:manage", strong=True),
    "glass.approve": Rule(LAWYERS, "people:manage", strong=True, sensitive=True),
    "search": Rule(_FIRM, "evidence:read"),
    "evidence.find": Rule(_FIRM, "evidence:read"),
    "identifier.mint": Rule(_WORKERS, "identifier"),
    "identifier.verify": Rule(_FIRM, "identifier"),
    "identifier.reconcile": Rule(_WORKERS, "identifier", devices=True),
    "identifier.issuers": Rule(_ADMIN, "box:manage", sensitive=True),
    "log.read": Rule(_FIRM, "log:read", devices=True),
    "audit.read": Rule(_WATCHERS, "audit:read"),
    "events.listen": Rule(_EVERYONE, "case:read"),
    "person.export": Rule(_ADMIN, "people:manage", strong=True, sensitive=True),
    "person.erase": Rule(_ADMIN, "people:manage", strong=True, sensitive=True),
    "paper.kinds": Rule(_FIRM, "case:read"),
    "retention.read": Rule(_FIRM, "case:read"),
    "retention.manage": Rule(LAWYERS, "box:manage", strong=True, sensitive=True),
    "device.list": Rule(_WATCHERS, "box:read"),
    "device.pair": Rule(_ADMIN, "box:manage", sensitive=True),
    "device.revoke": Rule(_ADMIN, "box:manage", sensitive=True),
    "key.rotate": Rule(_ADMIN, "box:manage", sensitive=True),
    "time.read": Rule(_WATCHERS, "box:read"),
    "time.stamp": Rule(_ADMIN, "box:manage"),
    "witness.read": Rule(_WATCHERS, "box:read"),
    "witness.manage": Rule(_ADMIN, "box:manage", sensitive=True),
    "metrics.read": Rule(_WATCHERS, "box:read"),
}

# In one case: the role in that case counts.
_CASE: Final = {
    "case.read": Rule(_IN_CASE, "case:read", in_case=True),
    "case.write": Rule(_DESK, "case:write", in_case=True),
    "case.members": Rule(_FIRM, "case:read", in_case=True),
    "case.grant": Rule(LAWYERS, "people:manage", in_case=True),
    "case.export": Rule(LAWYERS, "evidence:export", in_case=True),
    "case.audit": Rule(LAWYERS | {AUDITOR}, "audit:read", in_case=True),
    "party.read": Rule(_FIRM, "case:read", in_case=True),
    "party.write": Rule(_DESK, "case:write", in_case=True),
    "event.read": Rule(_IN_CASE, "case:read", in_case=True),  # an outsider: what is shared
    "event.write": Rule(_WORKERS, "case:write", in_case=True),
    "artifact.read": Rule(_IN_CASE, "case:read", in_case=True),  # an outsider: what is shared
    "artifact.write": Rule(_WORKERS, "case:write", in_case=True),
    "timeline.read": Rule(_IN_CASE, "case:read", in_case=True),  # an outsider: what is shared
    "evidence.read": Rule(_FIRM, "evidence:read", in_case=True),
    "evidence.download": Rule(_FIRM, "evidence:read", in_case=True),
    "evidence.verify": Rule(_FIRM, "evidence:read", in_case=True),
    "evidence.export": Rule(_DESK, "evidence:export", in_case=True),
    "evidence.send": Rule(_WORKERS, "evidence:write", devices=True, in_case=True),
    "evidence.refile": Rule(LAWYERS, "evidence:write", in_case=True),
    "item.read": Rule(_FIRM, "evidence:read", in_case=True),
    "item.write": Rule(_WORKERS, "evidence:write", in_case=True),
    "paper.make": Rule(_DESK, "evidence:export", in_case=True),
    "paper.read": Rule(_FIRM, "evidence:read", in_case=True),
    "hold.read": Rule(_FIRM, "case:read", in_case=True),
    "hold.place": Rule(_DESK, "case:write", in_case=True),
    "hold.lift": Rule(LAWYERS, "case:write", in_case=True, strong=True),
    "disposal.ask": Rule(LAWYERS, "case:write", in_case=True),
    "disposal.approve": Rule(LAWYERS, "case:write", in_case=True, strong=True, sensitive=True),
}


def standard_permissions(networks: Sequence[str] = (), clock: Clock = system_clock) -> Permissions:
    """The registries of this box. `networks`: where sensitive operations may come from; none means anywhere."""
    permissions = Permissions(networks, clock)
    for role in ROLES:
        permissions.register_role(role)
    for operation, rule in (_BOX | _CASE).items():
        permissions.register(operation, rule)
    return permissions
