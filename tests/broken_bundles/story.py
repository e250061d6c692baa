"""The story behind the set: a case with everything that a bundle can have, and all outsiders that can vouch for it.

Log entries of `tell()`:

     0 log.opened             7 exhibit.received 2      14 exhibit.received 3, without desk
     1 device.paired   DESK   8 exhibit.viewed   1 (*)  15 exhibit.viewed   2
     2 case.opened            9 exhibit.derived  1      16 exhibit.exported 1
     3 time.beacon           10 time.stamp              17 exhibit.exported 2
     4 refusals              11 time.stamp              18 exhibit.exported 3
     5 exhibit.received 1    12 time.beacon             19 device.revoked   DESK
     6 time.beacon, absent   13 device.renewed   DESK   20 refusals

(*) withheld. Two authorities stamped the tree of 10, the first one also that of 19; two witnesses cosigned the tree of 19
and, later, the whole. Exhibit 1's statement has a beacon. Runs lead from entry 3 to 7 and from 12 to 14.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from broken_bundles.authority import Authority
from bundle_maker import (
    ANNA_AT_HOME,
    DERIVED,
    DESK_ACTOR,
    ORIGINALS,
    TEXT,
    Files,
    MadeToken,
    Outside,
    Scenario,
    Seen,
    bundle_of,
    capture,
    device_event,
    receive,
)
from deedbox_sync import beacon as beacons
from deedbox_sync import note, statement, timestamp
from deedbox_sync.beacon import Beacon, round_at
from deedbox_sync.bundle.outside import Run
from deedbox_sync.canonical_json import Json
from deedbox_sync.custody import Actor
from kit.drand_network import DrandNetwork
from miniature_log import BUNDLE, CASE, LOG_VKEY, NOON, ORIGIN, Chain, MiniatureLog, exhibit_id, key, public

DRAND = DrandNetwork("broken bundles")
FIRST = Authority("Example Time Stamping", intermediate=True)
SECOND = Authority("Another Authority")
LONG_LASTING = Authority("Long Lasting Stamps", ended=datetime(2040, 1, 1, tzinfo=UTC))
OUTDATED = Authority("Outdated Stamps", ended=datetime(2026, 1, 1, tzinfo=UTC))
NOT_FOR_STAMPS = Authority("Another Trade", purpose=False)
ML_DSA_NAME = "witness.example/lattice"
ML_DSA = MLDSA44PrivateKey.from_seed_bytes(sha256(ML_DSA_NAME.encode()).digest())
WITNESSES = ("witness.example/one", "witness.example/two")
WITNESS_VKEYS = tuple(note.encode_vkey(name, note.COSIGNATURE_V1, public(name)) for name in WITNESSES)
STAMPED, RESTAMPED = 10, 19
BEACON_1, BEACON_2 = 3, 12
RECEIVED = {1: 5, 2: 7, 3: 14}
QUARTER: Mapping[str, Json] = {"quarter": "2026-03-14T12:00:00.000000Z"}


def beacon_at(time: datetime) -> Beacon:
    """The round of the set's own chain that was the newest at this time."""
    return DRAND.beacon(round_at(DRAND.chain, time))


@dataclass(frozen=True)
class Plan:
    """Where a story may differ.

    `behind`: what the box found of the desk's clock, `silent`: and did not log. `times` are those of the two stamps of the tree
    of 10, and of the one of 19; `authority` makes the first, `crls` are kept with it, `stamp_entry` changes what is logged
    of them.
    """

    name: str = "log"
    first_beacon: Beacon = field(default_factory=lambda: beacon_at(NOON))
    second_beacon: Beacon = field(default_factory=lambda: beacon_at(NOON + timedelta(seconds=12)))
    captured_beacon: Beacon | None = field(default_factory=lambda: beacon_at(NOON - timedelta(minutes=5)))
    captured: datetime | None = None
    behind: timedelta | None = None
    silent: bool = False
    absent: Mapping[str, Json] = field(
        default_factory=lambda: {"absent": "unreachable", "chain": DRAND.chain.hash.hex()}
    )
    times: tuple[datetime, datetime, datetime] = (
        NOON + timedelta(seconds=10),
        NOON + timedelta(seconds=11),
        NOON + timedelta(minutes=30),
    )
    crls: tuple[bytes, ...] | None = None
    authority: Authority = FIRST
    stamp_entry: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Tale:
    """A story with what outsiders say of it."""

    story: Scenario
    outside: Outside

    def files(self) -> Files:
        return bundle_of(self.story, outside=self.outside)

    def but(self, **changes: object) -> Tale:
        """With another outside."""
        return Tale(self.story, replace(self.outside, **changes))  # type: ignore[arg-type]


def tell(plan: Plan | None = None) -> Tale:
    plan = plan or Plan()
    log = MiniatureLog(plan.name)
    log.append("log.opened", {}, {"origin": ORIGIN, "vkey": vkey(plan.name)})
    devices = [device_event(log, "device.paired", 4711)]
    log.append("case.opened", {"case": CASE.bytes})
    log.append("time.beacon", {}, beacons.members(plan.first_beacon))
    log.append("refusals", {}, {"minute": "2026-03-14T12:00:00.000000Z", "handshakes": 1})
    (name1, content1), (name2, content2), (name3, content3) = ORIGINALS
    one = capture(1, name1, content1, 1, statement.NO_DIGEST, time=plan.captured, beacon=plan.captured_beacon)
    two = capture(2, name2, content2, 2, one.digest)
    three = capture(3, name3, content3, 1, statement.NO_DIGEST, by_desk=False)
    chains = {number: Chain(exhibit_id(number)) for number in (1, 2, 3)}
    received = {1: receive(log, chains[1], one, DESK_ACTOR, "stream", plan.behind, silent=plan.silent)}
    log.append("time.beacon", {}, plan.absent)
    received[2] = receive(log, chains[2], two, DESK_ACTOR, "batch")
    chains[1].append(log, "viewed", ANNA_AT_HOME, QUARTER)
    made: dict[str, Json] = {"derived": str(DERIVED), "form": "text", "content": sha256(TEXT).hexdigest()}
    made |= {"size": len(TEXT), "producer": "tesseract 5.3"}
    chains[1].append(log, "derived", Actor("box", "box", "worker"), made, content=sha256(TEXT).digest())
    tokens = _stamped(log, plan)
    log.append("time.beacon", {}, beacons.members(plan.second_beacon))
    devices.append(device_event(log, "device.renewed", 4712))
    received[3] = receive(log, chains[3], three, ANNA_AT_HOME, "upload")
    chains[2].append(log, "viewed", ANNA_AT_HOME, QUARTER)
    for number in (1, 2, 3):
        chains[number].append(log, "exported", ANNA_AT_HOME, {"bundle": str(BUNDLE), "purpose": "disclosure"})
    devices.append(device_event(log, "device.revoked", None))
    log.append("refusals", {}, {"minute": "2026-03-14T12:01:00.000000Z", "handshakes": 2})
    return Tale(Scenario(log, [one, two, three], chains, received, devices), _outside(log, plan, tokens))


def _stamped(log: MiniatureLog, plan: Plan) -> tuple[MadeToken, MadeToken]:
    """Two stamps of the log as it is, and their entries."""
    text = log.checkpoint()
    when, also, _ = plan.times
    tokens = (
        MadeToken(
            text, plan.authority.token(text.encode(), when), FIRST.crls(when) if plan.crls is None else plan.crls
        ),
        MadeToken(text, SECOND.token(text.encode(), also), SECOND.crls(also)),
    )
    for token, time, authority in zip(tokens, (when, also), (plan.authority, SECOND), strict=True):
        told: dict[str, Json] = {
            "authority": authority.name,
            "checkpoint": sha256(text.encode()).hexdigest(),
            "size": STAMPED,
            "time": timestamp.encode(time),
            "token": sha256(token.token).hexdigest(),
        }
        log.append("time.stamp", {}, {**told, **plan.stamp_entry})
    return tokens


def _outside(log: MiniatureLog, plan: Plan, tokens: tuple[MadeToken, MadeToken]) -> Outside:
    text, last = log.checkpoint(RESTAMPED), plan.times[2]
    again = MadeToken(text, FIRST.token(text.encode(), last), FIRST.crls(last))
    return Outside(
        checkpoint=cosigned(log, None, (NOON + timedelta(hours=1), NOON + timedelta(hours=1, seconds=30))),
        seen=(
            Seen(STAMPED, tokens[0].text, tokens),
            Seen(RESTAMPED, cosigned(log, RESTAMPED, (NOON + timedelta(minutes=40),) * 2), (again,)),
        ),
        runs=(run(log, BEACON_1, RECEIVED[2]), run(log, BEACON_2, RECEIVED[3])),
        proven=(STAMPED, STAMPED + 1),
    )


def witnessed(story: Scenario) -> Files:
    """A story's bundle without stamps and runs, its checkpoint seen by two witnesses."""
    times = (NOON + timedelta(hours=1), NOON + timedelta(hours=1, seconds=30))
    return bundle_of(story, outside=Outside(cosigned(story.log, None, times)))


def run(log: MiniatureLog, first: int, last: int) -> Run:
    return Run(first, tuple(log.entries[first : last + 1]))


def cosigned(
    log: MiniatureLog, size: int | None, times: tuple[datetime, ...], names: tuple[str, ...] = WITNESSES
) -> str:
    """A checkpoint with a line of each witness."""
    parsed = note.parse_note(log.checkpoint(size))
    lines = [note.sign(parsed.body, log.origin, key(log.name))]
    for name, time in zip(names, times, strict=False):
        lines.append(note.cosign(parsed.body, name, key(name), int(time.timestamp())))
    return note.assemble_note(parsed.body, lines)


def vkey(name: str) -> str:
    return LOG_VKEY if name == "log" else note.encode_vkey(ORIGIN, note.ED25519, public(name))


@cache
def _base() -> Tale:
    return tell()


def base() -> Tale:
    """The story as it was. Its files are the good bundle that most faults are made in."""
    return _base()


@cache
def _base_files() -> Files:
    return _base().files()


def base_files() -> Files:
    return dict(_base_files())
