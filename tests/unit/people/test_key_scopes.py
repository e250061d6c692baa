"""What a key may: every operation there is, walked with every scope there is. A new operation is walked by itself."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from deedbox_server.errors import Denied, SecondFactorNeeded
from deedbox_server.people.key_rights import presets
from deedbox_server.people.permissions import Permissions, Rule
from deedbox_server.people.principal import Principal
from deedbox_server.people.rules import ROLES, standard_permissions

PERMISSIONS = standard_permissions()
RULES = PERMISSIONS.rules


def holder(role: str, scopes: frozenset[str] | None) -> Principal:
    return Principal("account", UUID(int=1), None, "agent", "api-key:aa", role, scopes=scopes)


def some_role(rule: Rule) -> str:
    """A standing role that the rule lets, or, in a case, any at all: there the role in the case is asked later."""
    standing = [role.name for role in ROLES if role.standing]
    return next((role for role in standing if role in rule.roles), standing[0])


def outcome(permissions: Permissions, principal: Principal, operation: str) -> str:
    try:
        permissions.require(principal, operation)
    except SecondFactorNeeded:
        return "second factor"
    except Denied as refused:
        return "scope" if "was not given the scope" in refused.detail else "denied"
    return "allowed"


@pytest.mark.parametrize("operation", sorted(RULES))
def test_out_of_scope_is_refused_whoever_the_account_is(operation: str) -> None:
    rule = RULES[operation]
    for scope in PERMISSIONS.scopes - {rule.scope}:
        assert outcome(PERMISSIONS, holder(some_role(rule), frozenset({scope})), operation) == "scope"
    assert outcome(PERMISSIONS, holder(some_role(rule), frozenset()), operation) == "scope"


@pytest.mark.parametrize("operation", sorted(RULES))
def test_in_scope_a_key_may_what_its_account_may_but_for_what_needs_a_person(operation: str) -> None:
    rule = RULES[operation]
    expected = "second factor" if rule.strong else "allowed"
    assert outcome(PERMISSIONS, holder(some_role(rule), frozenset({rule.scope})), operation) == expected


@pytest.mark.parametrize("operation", sorted(RULES))
def test_a_scope_lends_no_role(operation: str) -> None:
    rule = RULES[operation]
    if rule.in_case:
        return
    for role in (role.name for role in ROLES if role.standing and role.name not in rule.roles):
        assert outcome(PERMISSIONS, holder(role, frozenset({rule.scope})), operation) == "denied"
        assert outcome(PERMISSIONS, holder(role, None), operation) == "denied"


@pytest.mark.parametrize("operation", sorted(name for name, rule in RULES.items() if rule.sensitive))
def test_what_is_sensitive_comes_from_the_firms_networks_only(operation: str) -> None:
    permissions, rule = standard_permissions(["10.0.0.0/8", "fd00::/8"]), RULES[operation]
    principal = replace(holder(some_role(rule), None), strong=True)
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1"):
        assert outcome(permissions, replace(principal, address=address), operation) == "allowed"
    for address in ("192.0.2.1", "11.0.0.1", "::ffff:192.0.2.1", "fe80::1%eth0"):
        assert outcome(permissions, replace(principal, address=address), operation) == "denied"


def test_the_presets_say_what_they_mean() -> None:
    given = presets(PERMISSIONS.scopes)
    looking = {name for name, rule in RULES.items() if rule.scope in given["read"]}
    assert {"case.read", "evidence.read", "audit.read"} <= looking
    assert not looking & {"case.write", "evidence.send", "account.security", "account.manage", "device.revoke"}
    assert {"evidence.send", "identifier.mint"} <= {n for n, rule in RULES.items() if rule.scope in given["capture"]}
    assert all(name != "account.security" for name, rule in RULES.items() if rule.scope in given["full"])
