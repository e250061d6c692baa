"""Where a call comes from behind reverse proxies, and that nobody talks the box into another address."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.people.networks import FORWARDED, MAX_HOPS, X_FORWARDED_FOR, caller_address

PROXIES = tuple(map(ip_network, ("10.0.0.0/24", "fd00::/64")))


def address(peer: str | None, *values: str, header: str = X_FORWARDED_FOR) -> str | None:
    return caller_address(peer, header, values, PROXIES)


@pytest.mark.parametrize(
    ("values", "caller"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the left one is what the caller said
        (["203.0.113.9", "198.51.100.7, 10.0.0.9"], "198.51.100.7"),  # through two of ours
        (["10.0.0.9, 203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # naming our proxy helps nobody
        (["198.51.100.7:51234"], "198.51.100.7"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["2001:db8::1"], "2001:db8::1"),
        ([], "10.0.0.1"),
        ([""], "10.0.0.1"),
        (["unknown"], "10.0.0.1"),
        (["198.51.100.7, garbage"], "10.0.0.1"),  # past what is no address nothing is believed
        (["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxys_counts(values: list[str], caller: str) -> None:
    assert address("10.0.0.1", *values) == caller


@pytest.mark.parametrize("peer", ["198.51.100.1", "10.0.1.1", "fd01::1"])
def test_a_stranger_is_who_connects_whatever_it_says(peer: str) -> None:
    assert address(peer, "10.0.0.9") == peer


def test_without_proxies_nothing_is_believed() -> None:
    assert caller_address("10.0.0.1", X_FORWARDED_FOR, ["198.51.100.7"], ()) == "10.0.0.1"
    assert address(None, "198.51.100.7") is None


def test_a_proxy_that_comes_as_ipv6_is_the_ipv4_one() -> None:
    assert address("::ffff:10.0.0.1", "198.51.100.7") == "198.51.100.7"


@pytest.mark.parametrize(
    ("value", "caller"),
    [
        ("for=198.51.100.7", "198.51.100.7"),
        ('For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("for=192.0.2.43, for=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7"),
        ('proto=https;for="198.51.100.7:8080"', "198.51.100.7"),
        ('for="a,b";x="for=203.0.113.9", for=198.51.100.7', "198.51.100.7"),
        ("for=unknown", "10.0.0.1"),
        ("for=_hidden", "10.0.0.1"),
        ("by=198.51.100.7", "10.0.0.1"),
        ('for="198.51.100.7', "10.0.0.1"),
    ],
)
def test_the_standard_header_reads_the_same(value: str, caller: str) -> None:
    assert address("10.0.0.1", value, header=FORWARDED) == caller


def test_an_endless_row_is_not_read_to_its_left_end() -> None:
    assert address("10.0.0.1", ", ".join(["198.51.100.7", *["10.0.0.9"] * (MAX_HOPS + 5)])) == "10.0.0.9"


@given(st.lists(st.text(max_size=40), max_size=5), st.sampled_from([FORWARDED, X_FORWARDED_FOR]))
def test_whatever_is_written_there_the_answer_is_an_address(values: list[str], header: str) -> None:
    found = address("10.0.0.1", *values, header=header)
    assert found is not None
    ip_network(found)


@given(st.lists(st.text(alphabet='0123456789abcdef.:, []"=;for', max_size=60), max_size=4))
def test_what_the_caller_wrote_left_of_the_proxys_word_changes_nothing(said: list[str]) -> None:
    assert address("10.0.0.1", *said, "198.51.100.7") == "198.51.100.7"
