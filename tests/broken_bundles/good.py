"""Bundles without a fault, in every shape; some do not meet what is required of them, and are intact all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from cryptography.x509 import ReasonFlags

from broken_bundles.authority import Authority
from broken_bundles.cases import GOOD, Case, Expected, Make, broken
from broken_bundles.spoiling import edited, put, spoiled, taken
from broken_bundles.story import (
    DRAND,
    FIRST,
    LONG_LASTING,
    ML_DSA,
    ML_DSA_NAME,
    NOT_FOR_STAMPS,
    OUTDATED,
    RESTAMPED,
    SECOND,
    WITNESSES,
    Plan,
    base,
    base_files,
    beacon_at,
    cosigned,
    tell,
    witnessed,
)
from broken_bundles.zips import Member, Zip
from bundle_maker import Files, MadeToken, Scenario, Seen, bagged
from deedbox_sync import note
from deedbox_sync.beacon import QUICKNET, Beacon
from deedbox_sync.bundle import layout
from kit.drand_network import DrandNetwork
from miniature_log import DESK, NOON, key

_HOUR = timedelta(hours=1)
# Round 1000 of drand's quicknet, as its network published it (https://api.drand.sh/CHAIN/public/1000).
_QUICKNET_1000 = bytes.fromhex(
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)
_UNANCHORED = "intact,attributed"


def good_cases() -> Iterator[Case]:
    yield from _shapes()
    yield from _pinned()
    yield from _witnesses()
    yield from _stamps()
    yield from _revocations()
    yield from _beacons()
    yield from _clocks()
    yield from _claims()


def good(name: str, make: Make, *, trust: str = "all", folder: bool = False) -> Case:
    return Case(f"good-{name}", "", make, GOOD, folder, trust)


def unanchored(name: str, make: Make, answer: str, *, trust: str = "all") -> Iterator[Case]:
    """Intact and attributed: enough where no anchor is required, and not enough where one is."""
    told = Expected(0, "yes", answer, "yes")
    yield Case(f"good-{name}", "", make, told, trust=trust, require=_UNANCHORED)
    yield Case(f"good-{name}-required", "", make, replace(told, status=1), trust=trust)


def _shapes() -> Iterator[Case]:
    yield Case("good", "", base_files, GOOD)
    yield good("folder", base_files, folder=True)
    yield good("other-top-folder", lambda: Zip.of(base_files(), "Example bundle – Müller").encode())
    yield good("zip-folders", _with_folders)
    yield good("zip-descriptors", _zip(lambda one: one.each(described=True)))
    yield good("zip-64", _zip(_in_64_bits))
    yield good("zip-shuffled", _shuffled)
    yield good("one-exhibit", lambda: witnessed(_only(1)))
    yield good("without-desk", lambda: witnessed(_only(3)))
    yield good("second-half", lambda: witnessed(_only(2, 3)))
    yield good("without-runs", lambda: base().but(runs=()).files())
    yield good("more-entries", lambda: base().but(proven=(2, 3, 4, 6, 10, 11, 12, 20)).files())
    yield good("without-stamp-entries", lambda: base().but(proven=()).files())


def _zip(change: Callable[[Zip], None]) -> Callable[[], bytes]:
    def make() -> bytes:
        archive = Zip.of(base_files())
        change(archive)
        return archive.encode()

    return make


def _in_64_bits(archive: Zip) -> None:
    archive.end64 = True
    archive.each(wide=True)


def _with_folders() -> bytes:
    archive = Zip.of(base_files())
    top = archive.members[0].name.partition(b"/")[0]
    archive.members.insert(0, Member(top + b"/data/", b"", mode=0o040755))
    archive.members.insert(0, Member(top + b"/", b"", mode=0o040755))
    return archive.encode()


def _shuffled() -> bytes:
    archive = Zip.of(base_files())
    archive.members.reverse()
    return archive.encode()


def _only(*numbers: int) -> Scenario:
    """The story, of which the bundle has only these exhibits; a device that signed none of them is no fault."""
    story = tell().story
    story.exhibits = [one for one in story.exhibits if one.number in numbers]
    story.chains = {number: chain for number, chain in story.chains.items() if number in numbers}
    return story


def _pinned() -> Iterator[Case]:
    yield from unanchored("nothing-pinned", base_files, "unchecked", trust="nothing")
    yield from unanchored("log-pinned", base_files, "unchecked", trust="log")
    fault = "the log's key is not the one that is pinned"
    yield broken("pinned-other-log", fault, base_files, "log.unpinned", trust="other-log")
    fault = "the desk's key is not the one that is pinned"
    yield broken("pinned-other-device", fault, base_files, "device.unpinned", trust="other-device")


def _without_stamps(checkpoint: str, *seen: Seen) -> Callable[[], Files]:
    return lambda: base().but(checkpoint=checkpoint, seen=seen).files()


def _witnesses() -> Iterator[Case]:
    log = base().story.log
    own, at = log.checkpoint(), (NOON + _HOUR, NOON + _HOUR)
    both = cosigned(log, None, at)
    one = cosigned(log, None, at[:1])
    yield from unanchored("nobody-outside", _without_stamps(own), "none")
    yield good("witnesses-only", _without_stamps(both))
    yield from unanchored("quorum-not-met", _without_stamps(one), "none")
    yield good("quorum-of-one", _without_stamps(one), trust="quorum-1")
    older = Seen(RESTAMPED, cosigned(log, RESTAMPED, at[:1], WITNESSES[1:]))
    yield good("quorum-over-two-trees", _without_stamps(one, older))
    yield good("seen-whole", _without_stamps(own, Seen(21, both)))
    stranger = cosigned(log, None, (*at, NOON + _HOUR), (*WITNESSES, "witness.example/three"))
    yield good("stranger-too", _without_stamps(stranger))
    renamed = _renamed(both)
    yield from unanchored("known-name-other-key", _without_stamps(renamed), "unchecked")
    yield from unanchored("without-time", _without_stamps(_timeless()), "none")
    mixed = note.cosign(note.parse_note(one).body, ML_DSA_NAME, ML_DSA, int((NOON + _HOUR).timestamp()))
    text = one + mixed
    yield good("ml-dsa", _without_stamps(text), trust="ml-dsa")
    yield from unanchored("ml-dsa-not-pinned", _without_stamps(text), "unchecked")
    false = note.parse_note(text)
    line = false.signatures[2]
    lines = (*false.signatures[:2], replace(line, value=line.value[:-1] + bytes([line.value[-1] ^ 1])))
    made = _without_stamps(note.encode_note(replace(false, signatures=lines)))
    fault = "a cosignature by ML-DSA-44 does not hold"
    yield broken("cosignature-ml-dsa", fault, made, "witness.signature", anchored="none", trust="ml-dsa")


def _renamed(text: str) -> str:
    """The second witness's name over another's key: nobody that is pinned, and so nobody."""
    parsed = note.parse_note(text)
    line = note.cosign(parsed.body, WITNESSES[1], key("another"), int(NOON.timestamp()))
    return note.encode_note(replace(parsed, signatures=parsed.signatures[:2])) + line


def _timeless() -> str:
    """The second witness does not say when (c2sp.org/tlog-cosignature: time 0)."""
    parsed = note.parse_note(cosigned(base().story.log, None, (NOON + _HOUR, NOON + _HOUR)))
    signed = key(WITNESSES[1]).sign(f"cosignature/v1\ntime 0\n{parsed.body}".encode())
    line = replace(parsed.signatures[2], value=bytes(8) + signed)
    return note.encode_note(replace(parsed, signatures=(*parsed.signatures[:2], line)))


def _stamped(*tokens: MadeToken) -> Callable[[], Files]:
    """Nothing but these stamps of the tree of 19 vouches for anything."""
    log = base().story.log
    return _without_stamps(log.checkpoint(), Seen(RESTAMPED, log.checkpoint(RESTAMPED), tokens))


def _token(authority: Authority, crls: tuple[bytes, ...] = (), tenths: int = 0, **options: str) -> MadeToken:
    text = base().story.log.checkpoint(RESTAMPED)
    return MadeToken(text, authority.token(text.encode(), NOON + _HOUR, tenths=tenths, **options), crls)


def _stamps() -> Iterator[Case]:
    yield good("one-stamp", _stamped(_token(SECOND)))
    yield good("two-stamps", _stamped(_token(SECOND), _token(FIRST)))
    yield good("stamp-sha-512", _stamped(_token(SECOND, digest="sha512")))
    yield good("stamp-with-a-fraction", _stamped(_token(SECOND, tenths=4)))
    stranger = Authority("Nobody Knows")
    yield good("stamps-of-a-stranger-too", _stamped(_token(stranger), _token(FIRST)))
    yield from unanchored("stamp-of-a-stranger", _stamped(_token(stranger)), "unchecked")
    yield from unanchored("stamp-outdated", _stamped(_token(OUTDATED)), "unchecked")
    yield from unanchored("stamp-by-another-trade", _stamped(_token(NOT_FOR_STAMPS)), "unchecked")
    mods = _stamped(_token(SECOND, status="granted_with_mods"))
    yield from unanchored("stamp-with-modifications", mods, "unchecked")
    yield good("stamp-renewed", _renewed)
    yield good("sixteen-stamps", _stamped(*[_token(SECOND)] * 16))


def _renewed() -> Files:
    """The second stamp's certificate lasts longer."""
    tale = base()
    text = tale.outside.seen[1].tokens[0].text
    long = MadeToken(text, LONG_LASTING.token(text.encode(), NOON + _HOUR), LONG_LASTING.crls(NOON + _HOUR))
    return tale.but(seen=(tale.outside.seen[0], replace(tale.outside.seen[1], tokens=(long,)))).files()


def _revocations() -> Iterator[Case]:
    """Of the authority's certificate (formats/time.md, Revocation data)."""
    made, after, before = NOON + timedelta(days=9), NOON + timedelta(days=1), NOON - timedelta(days=1)

    def crls(revoked: datetime, reason: ReasonFlags | None) -> MadeToken:
        return _token(FIRST, FIRST.crls(made, revoked, reason))

    spoils = {
        "key": crls(after, ReasonFlags.key_compromise),
        "ca": crls(after, ReasonFlags.ca_compromise),
        "no-reason": crls(after, None),
        "unspecified": crls(after, ReasonFlags.unspecified),
        "before": crls(before, ReasonFlags.cessation_of_operation),
    }
    for name, token in spoils.items():
        yield from unanchored(f"revoked-{name}", _stamped(token), "none")
    yield good("revoked-and-witnessed", partial(_revoked_and_witnessed, spoils["key"]))
    yield good("revoked-and-another", _stamped(spoils["key"], _token(SECOND)))
    yield good("revoked-superseded", _stamped(crls(after, ReasonFlags.superseded)))
    yield good("revoked-closed", _stamped(crls(after, ReasonFlags.cessation_of_operation)))
    not_its = FIRST.crls(made, before, ReasonFlags.key_compromise, signer="A Stranger")
    yield good("revoked-by-a-stranger", _stamped(_token(FIRST, not_its)))
    yield good("revocation-junk", _stamped(_token(FIRST, (b"junk",))))
    yield good("revoked-another", _stamped(_token(FIRST, SECOND.crls(made, before, ReasonFlags.key_compromise))))


def _revoked_and_witnessed(token: MadeToken) -> Files:
    log = base().story.log
    seen = Seen(RESTAMPED, cosigned(log, RESTAMPED, (NOON + _HOUR,) * 2), (token,))
    return base().but(checkpoint=log.checkpoint(), seen=(seen,)).files()


def _beacons() -> Iterator[Case]:
    real = Beacon(QUICKNET.hash, 1000, _QUICKNET_1000)
    yield good("quicknet", lambda: tell(Plan(first_beacon=real)).files())
    yield good("quicknet-captured", lambda: tell(Plan(captured_beacon=real)).files())
    yield good("beacon-chain-not-pinned", base_files, trust="no-beacons")
    other = DrandNetwork("somebody else's").beacon(30_000_000)
    yield good("beacon-of-a-stranger", lambda: tell(Plan(first_beacon=other)).files())
    yield good("without-capture-beacon", lambda: tell(Plan(captured_beacon=None)).files())
    soon = beacon_at(NOON + timedelta(seconds=10 + 45))
    yield good("beacon-within-the-minute", lambda: tell(Plan(first_beacon=soon)).files())
    older = DRAND.beacon(1)
    yield good("beacon-of-long-ago", lambda: tell(Plan(second_beacon=older)).files())


def _clocks() -> Iterator[Case]:
    """A desk's clock that was wrong is told, and is no fault: the bracket stands without it."""
    behind = Plan(captured=NOON - timedelta(days=730), behind=timedelta(days=730))
    yield good("clock-two-years-behind", lambda: tell(behind).files())
    ahead = Plan(captured=NOON + timedelta(days=400))
    yield good("clock-a-year-ahead", lambda: tell(ahead).files())
    first = Plan(captured=datetime(1970, 1, 1, tzinfo=UTC), captured_beacon=None)
    yield good("clock-of-1970", lambda: tell(first).files())


def _claims() -> Iterator[Case]:
    """What no bundle proves may be what it likes."""

    def index(name: str, change: Callable[[object], object]) -> Case:
        return good(name, edited(layout.INDEX, change))

    yield index("case-number", put("case", "number", value="2026-0043"))
    yield index("case-title", put("case", "title", value="\u202eDoe v. \x1b[2JExample"))
    yield index("made-later-that-day", put("made", value="2026-03-14T23:59:59.999999Z"))
    yield good("person-not-opened", edited(layout.device_record(DESK), taken("records", 0, "openings", "person")))
    yield good("paper", spoiled(partial(_paper)))


def _paper(files: Files) -> Files:
    return bagged({**files, layout.CUSTODY_PAPER: b"another paper"})
