"""Time stamps: whose, over which bytes, until when their certificates last, and whether revocation spoils them."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ReasonFlags
from hypothesis import given
from hypothesis import strategies as st

from broken_bundles.authority import ENDED, Authority
from deedbox_sync.stamp import StampError, StampRevokedError, StampUnavailableError, verify_stamp

NOTE = b"a signed note\n"
TIME = datetime(2026, 3, 14, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DIRECT = Authority("Example Time Stamping")
BETWEEN = Authority("Example With An Intermediate", intermediate=True)
TOKEN = BETWEEN.token(NOTE, TIME)


def roots(*authorities: Authority) -> list[x509.Certificate]:
    return [x509.load_pem_x509_certificate(one.root_pem.encode()) for one in authorities]


@pytest.mark.parametrize("authority", [DIRECT, BETWEEN], ids=lambda one: one.name)
def test_it_says_when_by_whom_and_until_when(authority: Authority) -> None:
    stamp = verify_stamp(authority.token(NOTE, TIME), NOTE, roots(DIRECT, BETWEEN))
    assert (stamp.time, stamp.authority, stamp.expires) == (TIME, authority.name, ENDED)
    assert stamp.unrevoked is None


def test_its_certificates_lead_from_the_authority_to_the_root() -> None:
    stamp = verify_stamp(TOKEN, NOTE, roots(BETWEEN))
    names = [x509.load_der_x509_certificate(der).subject.rfc4514_string() for der in stamp.certificates]
    assert names == [f"CN={BETWEEN.name}", f"CN={BETWEEN.name} between", f"CN={BETWEEN.name} root"]


def test_the_first_certificate_to_end_counts() -> None:
    short = Authority("Short", ended=TIME + DAY)
    assert verify_stamp(short.token(NOTE, TIME), NOTE, roots(short)).expires == TIME + DAY


def test_a_part_of_a_second_is_rounded_up() -> None:
    token = DIRECT.token(NOTE, TIME, tenths=4)
    assert TIME.strftime("%Y%m%d%H%M%S.4Z").encode() in token
    assert verify_stamp(token, NOTE, roots(DIRECT)).time == TIME + timedelta(seconds=1)


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_it_may_be_over_any_digest_of_the_family(digest: str) -> None:
    assert verify_stamp(DIRECT.token(NOTE, TIME, digest=digest), NOTE, roots(DIRECT)).time == TIME


@pytest.mark.parametrize(
    ("token", "note"),
    [
        (TOKEN, b"other"),
        (b"junk", NOTE),
        (b"", NOTE),
        (TOKEN[:-1], NOTE),
        (DIRECT.token(NOTE, TIME, digest="sha1"), NOTE),
    ],
    ids=["other bytes", "junk", "nothing", "cut short", "a digest that is not taken"],
)
def test_what_is_no_stamp_of_these_bytes_is_broken(token: bytes, note: bytes) -> None:
    with pytest.raises(StampError) as caught:
        verify_stamp(token, note, roots(BETWEEN, DIRECT))
    assert caught.value.broken


@pytest.mark.parametrize(
    "token",
    [
        Authority("Nobody Knows").token(NOTE, TIME),
        DIRECT.token(NOTE, ENDED + DAY),
        DIRECT.token(NOTE, TIME, status="granted_with_mods"),
        Authority(DIRECT.name, purpose=False).token(NOTE, TIME),
    ],
    ids=["a stranger's", "out of its certificates' time", "with modifications", "by a certificate for other things"],
)
def test_what_proves_nothing_is_not_broken(token: bytes) -> None:
    with pytest.raises(StampError) as caught:
        verify_stamp(token, NOTE, roots(DIRECT))
    assert not caught.value.broken


def test_without_a_root_or_without_the_extra_it_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StampUnavailableError, match="no authority is pinned"):
        verify_stamp(TOKEN, NOTE, ())
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    with pytest.raises(StampUnavailableError, match=r"deedbox\[time\]"):
        verify_stamp(TOKEN, NOTE, roots(BETWEEN))


def test_crls_of_the_whole_chain_clear_it() -> None:
    crls = BETWEEN.crls(TIME + DAY)
    assert verify_stamp(TOKEN, NOTE, roots(BETWEEN), crls).unrevoked == TIME + DAY
    assert verify_stamp(TOKEN, NOTE, roots(BETWEEN), crls[:1]).unrevoked is None


@pytest.mark.parametrize(
    ("revoked", "reason"),
    [
        (TIME + DAY, ReasonFlags.key_compromise),
        (TIME + DAY, ReasonFlags.ca_compromise),
        (TIME + DAY, ReasonFlags.unspecified),
        (TIME + DAY, None),
        (TIME - DAY, ReasonFlags.superseded),
        (TIME, ReasonFlags.cessation_of_operation),
    ],
    ids=str,
)
def test_a_revocation_spoils_what_the_key_may_not_have_signed(revoked: datetime, reason: ReasonFlags | None) -> None:
    with pytest.raises(StampRevokedError):
        verify_stamp(TOKEN, NOTE, roots(BETWEEN), BETWEEN.crls(TIME + 9 * DAY, revoked, reason))


@pytest.mark.parametrize("reason", [ReasonFlags.superseded, ReasonFlags.cessation_of_operation], ids=str)
def test_a_revocation_of_later_that_tells_of_no_lost_key_does_not(reason: ReasonFlags) -> None:
    crls = BETWEEN.crls(TIME + 9 * DAY, TIME + DAY, reason)
    assert verify_stamp(TOKEN, NOTE, roots(BETWEEN), crls).time == TIME


def test_a_crl_counts_only_by_its_certificates_issuer() -> None:
    false = BETWEEN.crls(TIME, TIME - DAY, ReasonFlags.key_compromise, signer="A Stranger")
    of_another = DIRECT.crls(TIME, TIME - DAY, ReasonFlags.key_compromise)
    assert verify_stamp(TOKEN, NOTE, roots(BETWEEN), (*false, *of_another, b"junk")).unrevoked is None


@pytest.mark.filterwarnings("ignore")  # the parser warns of serial numbers below zero, and the like
@given(st.data())
def test_whatever_comes_it_is_judged(data: st.DataObject) -> None:
    """Some parts of certificates and CRLs are parsed only when they are asked for."""
    token, crls = bytearray(TOKEN), [bytearray(one) for one in BETWEEN.crls(TIME, TIME, None)]
    for part in data.draw(st.lists(st.sampled_from([token, *crls]), max_size=4)):
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(StampError):
        verify_stamp(bytes(token), NOTE, roots(BETWEEN), [bytes(one) for one in crls])
