"""Outside time as a person reads it: the bracket, the desk's clock against it, stamps and what renews them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from broken_bundles.cases import Case
from broken_bundles.every import all_cases
from broken_bundles.story import DRAND, WITNESS_VKEYS, Plan, base_files, beacon_at, tell
from broken_bundles.trusts import TRUSTS
from bundle_maker import Files
from deedbox_sync.beacon import QUICKNET, chain_members
from deedbox_verify.command import main
from miniature_log import NOON

Output = pytest.CaptureFixture[str]
Told = Callable[..., dict[str, object]]
ROUND = beacon_at(NOON)


@pytest.fixture
def trusting(tmp_path: Path) -> Callable[..., list[str]]:
    """Arguments that name a trust file with all of the set's outsiders, but for what is given."""

    def write(**members: object) -> list[str]:
        path = tmp_path / "trust.json"
        path.write_text(json.dumps({**TRUSTS["all"], **members}))
        return ["--trust", str(path)]

    return write


def made(name: str) -> Files:
    case: Case = next(case for case in all_cases() if case.name == name)
    files = case.make()
    assert isinstance(files, Mapping)
    return dict(files)


def lines(output: Output) -> list[str]:
    return [" ".join(line.split()) for line in output.readouterr().out.splitlines()]


def test_the_answer_has_both_sides_of_the_bracket_and_by_whom(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    assert main([str(laid(base_files())), *trusting(), "--require", "anchored"]) == 0
    told = lines(capsys)
    at = told.index(
        f"✓ anchored after 2026-03-14 11:59:58 UTC by drand chain {DRAND.chain.hash.hex()[:8]} round {ROUND.round}"
    )
    assert told[at + 1] == "before 2026-03-14 12:30:00 UTC by Example Time Stamping"


def test_each_exhibit_has_its_own_bracket(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    assert main([str(laid(base_files())), *trusting(), "--json"]) == 0
    exhibits = json.loads(capsys.readouterr().out)["exhibits"]
    brackets = [(one["anchored"]["after"][11:19], one["anchored"]["before"][11:19]) for one in exhibits]
    assert brackets == [("11:59:58", "12:00:10"), ("11:59:58", "12:00:10"), ("12:00:10", "12:30:00")]


def test_a_clock_two_years_behind_is_told_and_changes_nothing(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    root = str(laid(made("good-clock-two-years-behind")))
    assert main([root, *trusting(), "--require", "intact,anchored,attributed"]) == 0
    text = " ".join(lines(capsys))
    assert (
        "Exhibit 1: the desk's clock said 14 March 2024, 12:00:00 UTC; the record shows it was captured after" in text
    )
    assert "the box found the desk's clock 2 years behind." in text
    assert main([root, *trusting(), "--json"]) == 0
    first, second, third = json.loads(capsys.readouterr().out)["exhibits"]
    assert (first["clock"], second["clock"], third["clock"]) == ("early", "within", None)
    assert first["anchored"]["before"] == "2026-03-14T12:00:10.000000Z"


def test_a_clock_that_runs_ahead_of_the_anchor_is_late(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    assert main([str(laid(made("good-clock-a-year-ahead"))), *trusting()]) == 0
    assert "the record shows it was captured before 14 March 2026, 12:00:10 UTC" in " ".join(lines(capsys))


def test_a_clock_a_minute_off_is_within(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    slow = tell(Plan(captured=NOON - timedelta(minutes=6)))
    assert main([str(laid(slow.files())), *trusting(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["exhibits"][0]["clock"] == "within"


def test_stamps_tell_until_when_they_last_and_what_renews_them(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    root = str(laid(made("good-stamp-renewed")))
    assert main([root, *trusting()]) == 0
    rows = [line for line in lines(capsys) if line.startswith(("10-", "19-"))]
    assert rows == [
        "10-1 0 … 9 2026-03-14 12:00:10 2031-01-01, renewed until 2040-01-01 Example Time Stamping",
        "10-2 0 … 9 2026-03-14 12:00:11 2031-01-01, renewed until 2040-01-01 Another Authority",
        "19-1 0 … 18 2026-03-14 13:00:00 2040-01-01 Long Lasting Stamps",
    ]
    assert main([root, *trusting(), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)["stamps"][0]
    assert first["renewed"] == {"by": "Long Lasting Stamps", "time": "2026-03-14T13:00:00.000000Z"}
    assert (first["expires"], first["renewed_until"]) == ("2031-01-01T00:00:00.000000Z", "2040-01-01T00:00:00.000000Z")


def test_a_stamp_without_its_log_entry_is_not_called_renewed(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    """Only a tree that has the entry shows that the stamp existed."""
    assert main([str(laid(made("good-without-stamp-entries"))), *trusting(), "--json"]) == 0
    assert [one["renewed"] for one in json.loads(capsys.readouterr().out)["stamps"]] == [None] * 3


def test_a_quorum_that_is_not_met_is_told(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]]
) -> None:
    assert main([str(laid(made("good-quorum-not-met"))), *trusting(), "--require", "anchored"]) == 1
    told = " ".join(lines(capsys))
    assert "You ask for 2 witnesses; 1 had seen a tree with exhibits 1, 2, 3." in told
    assert "no outside anchor: only the box's own clock says by when" in told


def test_without_bls_beacons_are_unchecked_and_nothing_else_is(
    laid: Callable[[Files], Path], capsys: Output, monkeypatch: pytest.MonkeyPatch, trusting: Callable[..., list[str]]
) -> None:
    monkeypatch.setitem(sys.modules, "py_arkworks_bls12381", None)
    unseen = tell(
        Plan(first_beacon=DRAND.beacon(57_000_001), second_beacon=DRAND.beacon(57_000_002), captured_beacon=None)
    )
    assert main([str(laid(unseen.files())), *trusting(), "--require", "intact,anchored,attributed"]) == 0
    told = lines(capsys)
    assert "Note: Beacons are unchecked: the extra deedbox[time] is not installed." in told
    assert "✓ anchored before 2026-03-14 12:30:00 UTC by Example Time Stamping" in told


def test_without_the_extra_witnesses_still_anchor(
    laid: Callable[[Files], Path], capsys: Output, monkeypatch: pytest.MonkeyPatch, trusting: Callable[..., list[str]]
) -> None:
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    assert main([str(laid(base_files())), *trusting(), "--require", "anchored"]) == 0
    assert "before 2026-03-14 12:40:00 UTC by witness.example/one, witness.example/two" in lines(capsys)


def test_quicknet_needs_no_pin(laid: Callable[[Files], Path], capsys: Output) -> None:
    assert main([str(laid(made("good-quicknet"))), "--json"]) == 0
    after = [one["anchored"]["after_by"] for one in json.loads(capsys.readouterr().out)["exhibits"]]
    assert after == ["drand quicknet round 1000", "drand quicknet round 1000", None]


@pytest.mark.parametrize(
    "members",
    [
        {"quorum": 0},
        {"quorum": 3},
        {"quorum": "2"},
        {"quorum": True},
        {"witnesses": [], "quorum": 2},
        {"witnesses": [WITNESS_VKEYS[0], WITNESS_VKEYS[0]], "quorum": 2},
        {"beacons": {}},
        {"beacons": ["x"]},
        {"beacons": [{"chain": "00" * 32}]},
        {"beacons": [{**chain_members(QUICKNET), "public_key": DRAND.chain.public_key.hex()}]},
        {"beacons": [{**chain_members(DRAND.chain), "period": 0}]},
    ],
)
def test_a_trust_file_that_can_not_be_meant_is_refused(
    laid: Callable[[Files], Path], capsys: Output, trusting: Callable[..., list[str]], members: dict[str, object]
) -> None:
    assert main([str(laid(base_files())), *trusting(**members)]) == 2
    assert "trust file" in capsys.readouterr().err
