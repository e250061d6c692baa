"""Every call of the people's listener, as its own OpenAPI document names it, and everybody who might make it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from deedbox_server.errors import Unauthenticated
from deedbox_server.people.permissions import OUTSIDER
from deedbox_server.people.rules import OUTSIDE_ROLES, ROLES
from kit.open_box import Office
from kit.signed_caller import signed_caller

METHODS = ("get", "post", "put", "patch", "delete")
MARK, OPEN = "x-deedbox-operation", "x-deedbox-open"
PASSPHRASE = "a long enough passphrase"
_PLACE = re.compile(r"\{([^}]+)\}")


@dataclass(frozen=True)
class Call:
    """One operation of the document. `rule` is what it says of itself: `name`, `roles`, `in_case`, …, None where it is `open` and
    says why."""

    method: str
    path: str
    rule: Mapping[str, Any] | None
    open: str
    query: Mapping[str, str]
    signed: bool

    @property
    def names_case(self) -> bool:
        return "{case}" in self.path

    @property
    def asks_case(self) -> bool:
        return "case" in self.query

    def wanted(self, case: UUID) -> dict[str, str]:
        """The query: what must be said, and the case where it can be."""
        return {**self.query, "case": str(case)} if self.asks_case else dict(self.query)

    def at(self, case: UUID, exhibit: UUID) -> str:
        """The address for this case and exhibit; whatever else it names does not exist."""

        def place(found: re.Match[str]) -> str:
            return str({"case": case, "exhibit": exhibit}.get(found[1]) or uuid4())

        return _PLACE.sub(place, self.path)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True)
class Somebody:
    """`role` is the one that counts in the case, None for who is not on it or is barred from it."""

    name: str
    account: UUID
    standing: str
    role: str | None
    tokens: list[str] = field(default_factory=list)


def calls(document: Mapping[str, Any]) -> Iterator[Call]:
    """By address."""
    for path, item in sorted(document["paths"].items()):
        for method, told in item.items():
            if method in METHODS:
                signed = [list(one) for one in told.get("security", [])] == [["signature"]]
                yield Call(method, path, told.get(MARK), told.get(OPEN, ""), _query(told), signed)


def allows(call: Call, somebody: Somebody) -> bool:
    """What the document says: whether this one may do it, in the case where it is about one."""
    assert call.rule is not None
    if call.rule["in_case"]:
        return somebody.role in call.rule["roles"]
    return somebody.standing in call.rule["roles"]


async def everybody(office: Office) -> list[Somebody]:
    """One of each role on the case, and one of each standing role that is not on it or is barred from it."""
    box, case = office.box, office.case.id
    found = []
    for role in (one for one in ROLES if one.standing and one.name != OUTSIDER):
        for inside in (True, False):
            name = f"{role.name} {'inside' if inside else 'outside'}"
            account = await box.accounts.create(name, role.name, PASSPHRASE)
            if inside and not role.sees_all_cases:
                await _join(office, account.id, role.name)
            if not inside and role.sees_all_cases:
                await box.database.execute(
                    "INSERT INTO case_wall (id, case_id, account, reason, made_by, created) VALUES ({}, {}, {}, {}, {}, {})",
                    *(uuid4(), case, account.id, "kin of a party", "box", office.case.created),
                )
            found.append(Somebody(name, account.id, role.name, role.name if inside else None))
    for outside in sorted(OUTSIDE_ROLES):
        account = await box.accounts.create(outside, OUTSIDER, PASSPHRASE)
        await _join(office, account.id, outside)
        found.append(Somebody(outside, account.id, OUTSIDER, outside))
    nobodys = await box.accounts.create("outsider outside", OUTSIDER, PASSPHRASE)
    return [*found, Somebody("outsider outside", nobodys.id, OUTSIDER, None)]


async def ask(
    client: httpx.AsyncClient, office: Office, somebody: Somebody, call: Call, case: UUID, exhibit: UUID
) -> httpx.Response:
    """Make the call with a fresh second factor, and a body that says nothing; signed, where nothing else would do."""
    path, body = call.at(case, exhibit), b"" if call.method in ("get", "delete") else b"{}"
    headers = {"If-Match": '"v999999"'} | ({"Content-Type": "application/json"} if body else {})
    if call.signed:
        signer = await signed_caller(office, client, somebody.account)
        headers |= signer.sign(call.method.upper(), path, body)
    else:
        headers["Authorization"] = f"Bearer {await _token(office, somebody)}"
    return await client.request(call.method.upper(), path, params=call.wanted(case), headers=headers, content=body)


async def _token(office: Office, somebody: Somebody) -> str:
    """A session's: the one there is, or another where a call before ended that."""
    if somebody.tokens:
        with contextlib.suppress(Unauthenticated):
            await office.box.sessions.by_token(somebody.tokens[-1], None)
            return somebody.tokens[-1]
    somebody.tokens.append((await office.box.sessions.start(somebody.account, "password", True, None, "tests")).token)
    return somebody.tokens[-1]


def _query(told: Mapping[str, Any]) -> dict[str, str]:
    """Something for each parameter that must be given, and for `case` in any event."""
    found = {}
    for one in told.get("parameters", []):
        if one.get("in") == "query" and (one.get("required") or one["name"] == "case"):
            found[one["name"]] = str(uuid4()) if one["schema"].get("format") == "uuid" else "x"
    return found


async def _join(office: Office, account: UUID, role: str) -> None:
    await office.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(office.case.id, account, role)]
    )
