"""What a key may: never more than who makes it, whatever is asked for."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.errors import BadRequest, Denied
from deedbox_server.people.key_rights import SECURITY, KeyRights, Wanted, expand, grant, presets, stronger
from deedbox_server.people.rules import standard_permissions

KNOWN = standard_permissions().scopes
CASES = [UUID(int=number) for number in range(1, 5)]
NETWORKS = ["10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/24", "2001:db8::/32", "2001:db8:1::/48"]
TIMES = [datetime(2026, month, 1, tzinfo=UTC) for month in (4, 5, 6)]

rights = st.builds(
    KeyRights,
    scopes=st.none() | st.frozensets(st.sampled_from(sorted(KNOWN)), min_size=1),
    cases=st.none() | st.frozensets(st.sampled_from(CASES), min_size=1),
    networks=st.lists(st.sampled_from(NETWORKS), unique=True, max_size=3).map(tuple),
    pace=st.none() | st.tuples(st.integers(1, 1000), st.integers(1, 2000)),
    signed_only=st.booleans(),
    expires=st.none() | st.sampled_from(TIMES),
)
wishes = st.builds(
    Wanted,
    scopes=st.none() | st.lists(st.sampled_from([*sorted(KNOWN), "read", "capture", "full"]), min_size=1).map(tuple),
    cases=st.none() | st.frozensets(st.sampled_from(CASES), min_size=1),
    networks=st.none() | st.lists(st.sampled_from(NETWORKS), min_size=1).map(tuple),
    rate=st.none() | st.integers(1, 1000),
    burst=st.none() | st.integers(1, 2000),
    signed_only=st.none() | st.booleans(),
    expires=st.none() | st.sampled_from(TIMES),
)


@given(wishes, rights)
def test_no_key_makes_one_that_is_stronger_in_anything(wanted: Wanted, own: KeyRights) -> None:
    try:
        made = grant(wanted, own, KNOWN)
    except (Denied, BadRequest):
        return
    assert stronger(made, own, KNOWN) is None


@given(rights)
def test_nothing_asked_for_is_the_makers_own_but_for_the_accounts_safety(own: KeyRights) -> None:
    mine = (KNOWN if own.scopes is None else own.scopes) - {SECURITY}
    if not mine:
        with pytest.raises(BadRequest):
            grant(Wanted(), own, KNOWN)
        return
    made = grant(Wanted(), own, KNOWN)
    assert made.scopes == mine
    assert (made.cases, made.networks, made.pace) == (own.cases, own.networks, own.pace)
    assert (made.signed_only, made.expires) == (own.signed_only, own.expires)


@given(rights)
def test_every_key_is_as_strong_as_itself_and_no_stronger(one: KeyRights) -> None:
    assert stronger(one, one, KNOWN) is None
    assert stronger(one, KeyRights(), KNOWN) is None


def test_the_accounts_safety_is_in_no_preset() -> None:
    assert all(SECURITY not in scopes for scopes in presets(KNOWN).values())
    assert all(scopes <= KNOWN for scopes in presets(KNOWN).values())
    assert expand(["read", SECURITY], KNOWN) == presets(KNOWN)["read"] | {SECURITY}


def test_what_only_looks_changes_nothing() -> None:
    read = presets(KNOWN)["read"]
    assert not any(scope.endswith((":write", ":manage")) for scope in read)


@pytest.mark.parametrize(
    ("wanted", "own"),
    [
        (Wanted(scopes=("full",)), KeyRights(scopes=frozenset({"case:read"}))),
        (Wanted(cases=frozenset(CASES[:2])), KeyRights(cases=frozenset(CASES[:1]))),
        (Wanted(networks=("10.0.0.0/8",)), KeyRights(networks=("10.1.0.0/16",))),
        (Wanted(networks=("0.0.0.0/0",)), KeyRights(networks=("2001:db8::/32",))),
        (Wanted(rate=10), KeyRights(pace=(5, 10))),
        (Wanted(rate=5, burst=11), KeyRights(pace=(5, 10))),
        (Wanted(signed_only=False), KeyRights(signed_only=True)),
        (Wanted(expires=TIMES[1]), KeyRights(expires=TIMES[0])),
    ],
)
def test_each_bound_is_kept(wanted: Wanted, own: KeyRights) -> None:
    with pytest.raises(Denied, match="may more than itself"):
        grant(wanted, own, KNOWN)


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(scopes=()),
        Wanted(scopes=("emperor",)),
        Wanted(cases=frozenset()),
        Wanted(cases=frozenset(UUID(int=number) for number in range(1001))),
        Wanted(networks=()),
        Wanted(networks=("10.0.0.1/8",)),
        Wanted(networks=("example.org",)),
        Wanted(networks=tuple(f"10.0.{number}.0/24" for number in range(65))),
        Wanted(rate=0),
        Wanted(rate=1001),
        Wanted(rate=1, burst=0),
        Wanted(rate=1, burst=10_001),
        Wanted(burst=5),
    ],
)
def test_a_confinement_that_is_none_is_a_bad_request(wanted: Wanted) -> None:
    with pytest.raises(BadRequest):
        grant(wanted, KeyRights(), KNOWN)
